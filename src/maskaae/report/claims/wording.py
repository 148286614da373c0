"""Claims and verdicts in words: the table of all, and what a figure's caption says."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from maskaae.evaluation.dimension import NEARLY
from maskaae.evaluation.protocol import COUNT_RANGE, WEIGHT_RANGE
from maskaae.report.claims.checks import CLAIMS
from maskaae.report.claims.measured import (
    STUCK,
    Measured,
    accuracy,
    counts,
    distances,
    relative_distances,
)
from maskaae.report.claims.verdict import MOST_SEEDS, Verdict, together
from maskaae.report.markup import markdown_table
from maskaae.report.records import RECORDS, SHOW_CLAIMS

NOTE = f"""\
Last checkpoint. Estimates are means over seeds, paired where runs share data and seed; ratios are averaged as
logarithms. Intervals are t-intervals at 95 %, Bonferroni-corrected for the capacities or models at which a
statement must hold; the one that decides is shown. A statement is *supported* if the whole interval lies
where it must, *not supported* if none of it does, otherwise *inconclusive*; a claim gets the worst verdict of
its statements, and is supported only if all of them were tested. The last column of the counts says how firm
they are: medians of what the same searches would have chosen if the reconstruction weighed less, or more,
than where the count was settled. Intervals of distances are not corrected: each is that of its capacity
alone. A seed is *stuck* if its last distance is above {STUCK:g} times the median of its run; no seed is left
out of a mean or an interval. The number of seeds that would decide is the least with which the t-interval no
longer spans its bound, if mean and spread over seeds stay what they are."""


def overall(rows: pd.DataFrame) -> Verdict:
    """Verdict on a claim: the worst of its statements."""
    return together([Verdict(one) for one in rows["verdict"]])


def found(row: Mapping[Any, Any]) -> str:
    """Words for one row: where it was decided, the estimate with its interval, what it needed to be."""
    if row["verdict"] == Verdict.NOT_TESTED:
        return f"not tested: needs {row['needs']}"
    return f"{row['verdict']}: {estimate_of(row)}, needs {needed(row)}, {row['seeds']} seeds"


def estimate_of(row: Mapping[Any, Any]) -> str:
    """The estimate of a row with its interval, and the capacity or model that decides."""
    interval = f"[{row['low']:.3g}, {row['high']:.3g}]"
    if math.isnan(row["low"]):
        interval = "no interval from fewer than 2 seeds"
    return f"{row['estimate']:.3g} {interval} at {row['at']}"


def needed(row: Mapping[Any, Any]) -> str:
    """Where the interval of a row would have to lie."""
    low, high = float(row["bound_low"]), float(row["bound_high"])
    if math.isinf(high):
        return f"above {low:.3g}"
    return f"{low:.3g} to {high:.3g}" if math.isfinite(low) and low else f"at most {high:.3g}"


def as_markdown(verdicts: pd.DataFrame, measured: Measured, titles: Mapping[str, str], setting: str) -> str:
    """Tables of all claims: verdicts, counts behind (c), distances behind (b), every statement, figures.

    `verdicts` are those of `judge_claims`; `setting` says whose numbers these are.
    """
    tables = {
        "Verdicts": _claims_table(verdicts),
        "Counts": counts_table(counts(measured), titles),
        "Distances": relative_table(relative_distances(measured), titles),
        "Seeds": _seeds_table(distances(measured), titles),
        "Statements": _statements_table(verdicts, titles),
        "Figure by figure": _figures_table(verdicts),
    }
    return "\n\n".join([setting, *(f"## {title}\n\n{table}" for title, table in tables.items()), NOTE]) + "\n"


def open_until(rows: pd.DataFrame) -> str:
    """Words for what would decide a claim whose rows leave it inconclusive; empty if nothing is open."""
    if overall(rows) is not Verdict.INCONCLUSIVE:
        return ""
    open_ = rows[rows["seeds_needed"].notna()]
    against = open_[open_["leans"] == Verdict.NOT_SUPPORTED]
    if not against.empty:
        return _would_be(against["seeds_needed"].min(), Verdict.NOT_SUPPORTED)
    if not open_.empty:
        return _would_be(open_["seeds_needed"].max(), Verdict.SUPPORTED)
    return "not all of it was tested" if (rows["verdict"] == Verdict.NOT_TESTED).any() else "more seeds"


def _would_be(seeds: float, leans: Verdict) -> str:
    count = f"{seeds:g}" if math.isfinite(seeds) else f"more than {MOST_SEEDS}"
    return f"{count} seeds would make it {leans}, if means and spreads stay"


def _claims_table(verdicts: pd.DataFrame) -> str:
    lines = [
        [f"({letter})", CLAIMS[str(letter)].statement, f"**{overall(rows)}**", open_until(rows)]
        for letter, rows in verdicts.groupby("claim")
    ]
    return markdown_table(["", "the paper says", "verdict", "what would decide it"], lines, "llll")


def counts_table(found: pd.DataFrame, titles: Mapping[str, str]) -> str:
    """Counts of `counts` over seeds, a row a data set and capacity."""
    if found.empty:
        return "No run of MAAE with m >= n on data of known n."
    by_weight = f"weight / {WEIGHT_RANGE:g} to {WEIGHT_RANGE:g} × weight"
    columns = ["data", "n", "m", "counts of the seeds", "= n", f"off by {NEARLY} at most", "furthest off"]
    lines = []
    for (dataset, m), runs in found.groupby(["dataset", "m"], sort=False):
        title, n = titles.get(str(dataset), dataset), runs["n"].iloc[0]
        counted = ", ".join(map(str, runs["active"]))
        lines.append([title, n, m, counted, *_shares(runs), _by_weight(runs)])
    lines.append(["all", "", "", f"{len(found)} runs", *_shares(found), ""])
    return markdown_table([*columns, by_weight], lines, "lrrlrrrl")


def _by_weight(runs: pd.DataFrame) -> str:
    """Counts that other weights of the reconstruction would have given: medians of runs with room."""
    room = runs[runs["m"] > runs["active"]]
    if room.empty or not room.columns.isin(COUNT_RANGE).any():
        return "–"
    return " to ".join(f"{median:g}" for median in room[COUNT_RANGE].median())


def _shares(found: pd.DataFrame) -> list[object]:
    near = accuracy(found)
    return [f"{near.exact:.0%}", f"{near.nearly:.0%}", near.furthest]


def _seeds_table(found: pd.DataFrame, titles: Mapping[str, str]) -> str:
    """Distances over seeds, median beside mean, and the seeds that are stuck by name."""
    columns = ["data", "model", "m", "median", "mean", "lowest to highest", "stuck"]
    lines = []
    for (dataset, name, m), rows in found.groupby(["dataset", "name", "m"], sort=False):
        values = rows["distance"]
        ends = f"{values.min():.3g} to {values.max():.3g}"
        stuck = "; ".join(_stuck(row, rows) for row in rows[rows["stuck"]].to_dict("records")) or "–"
        numbers = [f"{value:.3g}" for value in (values.median(), values.mean())]
        lines.append([titles.get(str(dataset), dataset), name, m, *numbers, ends, stuck])
    return markdown_table(columns, lines, "llrrrll") if lines else "No run of WAE or MAAE."


def _stuck(row: Mapping[Any, Any], rows: pd.DataFrame) -> str:
    """Name a stuck seed, and say where it stands apart from the seeds that are not."""
    others = rows[~rows["stuck"]]
    causes = {"reconstruction_mse": "reconstruction error", "prior_divergence": "divergence from the prior"}
    apart = [
        f"{words} {row[name]:.2g} against {others[name].median():.2g}"
        for name, words in causes.items()
        if pd.notna(row[name])
    ]
    return f"seed {row['seed']} at {row['distance']:.3g} ({', '.join(apart)})"


def relative_table(relative: pd.DataFrame, titles: Mapping[str, str]) -> str:
    """Distances of `relative_distances`, a row a data set, model and capacity."""
    if relative.empty:
        return "No data set with runs of both WAE and MAAE."
    columns = ["data", "model", "m", "WAE's best m", "distance / WAE's at its best m", "interval"]
    lines = [
        [
            titles.get(row["dataset"], row["dataset"]),
            row["name"],
            row["m"],
            row["wae_m"],
            f"{row['ratio']:.2f}",
            "–" if math.isnan(row["low"]) else f"{row['low']:.2f} to {row['high']:.2f}",
        ]
        for row in relative.to_dict("records")
    ]
    return markdown_table(columns, lines, "llrrrr")


def _statements_table(verdicts: pd.DataFrame, titles: Mapping[str, str]) -> str:
    lines = [
        [row["part"], titles.get(row["dataset"], row["dataset"]), row["statement"], found(row), row["runs"]]
        for row in verdicts.to_dict("records")
    ]
    return markdown_table(["", "data", "statement", "found", "runs"], lines, "lllll")


def _figures_table(verdicts: pd.DataFrame) -> str:
    lines = [
        [figure, f"({letter}) {claim.statement}", overall(verdicts[verdicts["claim"] == letter])]
        for figure in SHOW_CLAIMS
        for letter, claim in CLAIMS.items()
        if letter in RECORDS[figure].claims
    ]
    return markdown_table(["", "the paper says", "we found"], lines, "lll")


def caption(figure: str, verdicts: pd.DataFrame, titles: Mapping[str, str]) -> str:
    """Lines, in reStructuredText, for the end of a figure's caption: the claims it shows, what we found."""
    lines = []
    for letter, claim in CLAIMS.items():
        if letter not in RECORDS[figure].claims:
            continue
        rows = verdicts[verdicts["claim"] == letter]
        lines.append(f"| **Claim ({letter}):** {claim.statement} **Verdict: {overall(rows)}.**")
        for row in rows.to_dict("records"):
            title = titles.get(row["dataset"], row["dataset"])
            lines.append(f"| {row['part']}, {title}: {row['statement']}: {found(row)}.")
    return "\n".join(lines) + "\n"
