"""What README, docs/claims.md and docs/paper.md say of the paper's claims: the score of both presets.

Everything comes from claims.csv, fig4.csv and provenance.json of folders under docs/results. A folder that is
not there yet was not run, and its cells say so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import pandas as pd
from parts_results import RESULTS, provenance

from maskaae.method.presets import TrainingPlan
from maskaae.report.claims.checks import CLAIMS
from maskaae.report.claims.measured import (
    Measured,
    Thresholds,
    accuracy,
    counts,
    relative_distances,
)
from maskaae.report.claims.verdict import Verdict
from maskaae.report.claims.wording import (
    counts_table,
    estimate_of,
    needed,
    open_until,
    overall,
    relative_table,
)
from maskaae.report.freshness import Provenance
from maskaae.report.markup import markdown_table

FOLDERS: Mapping[str, Sequence[str]] = {
    "paper": ("paper", "paper_n16"),
    "robust": ("claims", "real"),
}
"""Folders whose claims are judged with a preset at its full length."""
SHORTEST = {"paper": TrainingPlan().steps, "robust": 1}
"""Steps without which a run of a preset is not of full length: those of the released script."""
NAMES = {"paper": "MAAE (paper), as released", "robust": "MAAE (robust), ours"}
NOT_RUN = "not run"
COUNTED = ("claims", "n32", "paper", "paper_n16")
"""Folders with counts and distances on data of known n."""


def parts() -> dict[str, Callable[[], str]]:
    """Parts by name."""
    made: dict[str, Callable[[], str]] = {"score": score, "reach": reach, "fair_wae": fair_wae, "real": real}
    made |= {f"statements.{preset}": partial(statements, preset) for preset in FOLDERS}
    for name in COUNTED:
        made |= {f"counts.{name}": partial(counts_of, name), f"distances.{name}": partial(distances_of, name)}
    return made


def verdicts(preset: str) -> pd.DataFrame:
    """Every statement that was judged with a preset; one that no folder tested stands once for its claim."""
    tables = [pd.read_csv(path) for path in files(preset, "claims.csv")]
    if not tables:
        return pd.DataFrame(columns=["claim", "verdict"])
    rows = pd.concat(tables, ignore_index=True)
    tested = set(rows.loc[rows["dataset"].notna(), "claim"])
    return rows[rows["dataset"].notna() | ~rows["claim"].isin(tested)].drop_duplicates(["part", "dataset"])


def files(preset: str, name: str) -> list[Path]:
    """A file of every folder of a preset, where it is there and its runs are of full length."""
    present = [path for folder in FOLDERS[preset] if (path := RESULTS / folder / name).exists()]
    return [path for path in present if min(Provenance.read(path.parent).trained.steps) >= SHORTEST[preset]]


def titles(preset: str) -> dict[str, str]:
    """Titles of the data sets that were judged with a preset."""
    tables = [pd.read_csv(path, usecols=["dataset", "title"]) for path in files(preset, "fig4.csv")]
    rows = pd.concat(tables) if tables else pd.DataFrame(columns=["dataset", "title"])
    return dict(zip(rows["dataset"], rows["title"], strict=True))


def score() -> str:
    """Eight rows, both presets, and below them whose numbers these are and what is against us."""
    judged = {preset: verdicts(preset) for preset in FOLDERS}
    lines = [
        [f"({letter}) {claim.statement}", *(cell(rows[rows["claim"] == letter]) for rows in judged.values())]
        for letter, claim in CLAIMS.items()
    ]
    table = markdown_table(["the paper says", *(NAMES[preset] for preset in judged)], lines, "lll")
    whose = "\n".join(line for preset in FOLDERS for line in whose_numbers(preset))
    return "\n\n".join([table, whose, "**What is against us**", against(judged)])


def cell(rows: pd.DataFrame) -> str:
    """Verdict on a claim with one preset, and what would decide it."""
    if rows.empty or overall(rows) is Verdict.NOT_TESTED:
        return NOT_RUN
    open_ = open_until(rows)
    return f"**{overall(rows)}**" + (f": {open_}" if open_ else "")


def whose_numbers(preset: str) -> list[str]:
    """Data, and what made the numbers of a preset, a line for every folder."""
    lines = []
    for path in files(preset, "claims.csv"):
        judged = set(pd.read_csv(path)["dataset"].dropna())
        names = {title for dataset, title in titles_of(path.parent.name).items() if dataset in judged}
        data = "; ".join(title for title in Provenance.read(path.parent).trained.datasets if title in names)
        lines.append(f"- {NAMES[preset]}: {data}. {provenance(path.parent.name)}")
    return lines


def against(judged: Mapping[str, pd.DataFrame]) -> str:
    """Table of every statement that is not supported, and of counts that are not n."""
    lines = []
    for preset, rows in judged.items():
        for row in rows[rows["verdict"] == Verdict.NOT_SUPPORTED].to_dict("records"):
            title = titles(preset).get(row["dataset"], row["dataset"])
            lines.append([f"({row['claim']})", title, row["statement"], estimate_of(row), needed(row)])
    for folder in COUNTED:
        for measured in measured_of(folder):
            for n, runs in counts(measured).groupby("n"):
                near = accuracy(runs)
                if near.exact < 1:
                    name = measured.maae(str(runs["dataset"].iloc[0]))
                    counted = (
                        f"{round(near.exact * near.runs)} of {near.runs} runs; within one in "
                        f"{round(near.nearly * near.runs)}; furthest off by {near.furthest}"
                    )
                    lines.append(["(c)", f"`{folder}`, n = {n}", f"{name} counts n", counted, "all runs"])
    return markdown_table(["claim", "data", "statement", "found", "needed"], lines, "lllll")


def measured_of(folder: str) -> list[Measured]:
    """Last distances and counts of a folder, from its fig4.csv; none where that is not there."""
    path = RESULTS / folder / "fig4.csv"
    if not path.exists():
        return []
    rows = pd.read_csv(path)
    keys = ["dataset", "model", "m", "seed"]
    active = rows[rows["quantity"] == "active"].set_index(keys)["value"].rename("active")
    last = rows[rows["quantity"] == "fid_last"].join(active, on=keys).assign(step=0)
    if "preset" not in last:  # written before the table named it, when a folder had one
        (preset,) = Provenance.read(path.parent).trained.presets
        last = last.assign(preset=preset)
    known = last.dropna(subset=["n"]).drop_duplicates("dataset")
    images = last[last["n"].isna()].drop_duplicates("dataset")
    return [
        Measured(
            last,
            {name: int(n) for name, n in zip(known["dataset"], known["n"], strict=True)},
            dict.fromkeys(images["dataset"]),
            Thresholds(),
        )
    ]


def reach() -> str:
    """What MAAE (robust) reaches on data that no choice has seen, in two sentences."""
    measured = measured_of("claims")[0]
    runs, relative = counts(measured), relative_distances(measured)
    runs = runs.assign(off=(runs["active"] - runs["n"]).abs())
    exact = [n for n, rows in runs.groupby("n") if (rows["off"] == 0).all()]
    sentence = f"MAAE (robust) finds n = {listed(exact)} in all {runs['n'].isin(exact).sum()} runs"
    for n, rows in runs[~runs["n"].isin(exact)].groupby("n"):
        found_n, near = (rows["off"] == 0).sum(), (rows["off"] <= 1).sum()
        sentence += f", and n = {n} in {found_n} of {len(rows)}, within one in {near}"
    relative = relative[relative["model"] == "maae"]
    ratios = relative[relative["dataset"].isin(measured.known)]["ratio"]
    return (
        f"On generators and seeds that no choice has seen, {sentence}. From every m >= n its distance is "
        f"{ratios.min():.2f} to {ratios.max():.2f} times that of WAE at the m that is best for WAE "
        "([every count and distance](docs/results/claims/claims.md), `make claims`)."
    )


def listed(numbers: Sequence[object]) -> str:
    """Numbers in words."""
    words = [str(number) for number in numbers]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def statements(preset: str) -> str:
    """Every statement of every claim with a preset, and what was found."""
    rows, names = verdicts(preset), titles(preset)
    lines = []
    for letter, claim in CLAIMS.items():
        of_claim = rows[(rows["claim"] == letter) & (rows["verdict"] != Verdict.NOT_TESTED)]
        if of_claim.empty:
            lines.append([f"({letter})", "", claim.statement, NOT_RUN, "", ""])
        for row in of_claim.to_dict("records"):
            title = names.get(row["dataset"], row["dataset"])
            lines.append(
                [row["part"], title, row["statement"], f"**{row['verdict']}**", estimate_of(row), needed(row)]
            )
    return markdown_table(["", "data", "statement", "verdict", "found", "needed"], lines, "llllll")


def counts_of(folder: str) -> str:
    """Counts of a folder, m by m, behind what made them."""
    tables = [counts_table(counts(measured), titles_of(folder)) for measured in measured_of(folder)]
    return "\n\n".join([provenance(folder), *tables])


def distances_of(folder: str) -> str:
    """Distances of a folder relative to WAE's best."""
    tables = [
        relative_table(relative_distances(measured), titles_of(folder)) for measured in measured_of(folder)
    ]
    return "\n\n".join(tables or [provenance(folder)])


def fair_wae() -> str:
    """Table of seeds that `make fair_wae` wrote: both WAEs and MAAE, and what sets stuck seeds apart."""
    written = (RESULTS / "fair_wae/claims.md").read_text(encoding="utf-8")
    table = written.partition("## Seeds\n")[2].partition("\n## ")[0].strip()
    return f"{table}\n\n{provenance('fair_wae')}"


def real() -> str:
    """Of both MNISTs: how good their classifiers are, counts, and distances relative to WAE's best."""
    titles = titles_of("real")
    records = sorted((RESULTS / "real").glob("classifier_*.json"), reverse=True)
    classifiers = {
        titles[path.stem.removeprefix("classifier_")]: json.loads(path.read_text(encoding="utf-8"))
        for path in records
    }
    classified = listed([f"{record['accuracy']:.1%} of {title}'s" for title, record in classifiers.items()])
    runs = measured_of("real")[0].metrics
    maae = runs[runs["model"] == "maae"]
    counted = [
        [titles[dataset], m, ", ".join(map(str, of_m.sort_values("seed")["active"].astype(int)))]
        for (dataset, m), of_m in maae.groupby(["dataset", "m"])
    ]
    counts_of_seeds = markdown_table(["data", "m", "counts of the seeds"], counted, "lrl")
    hours = Provenance.read(RESULTS / "real").hours
    said = f"Classifiers recognise {classified} test images. Training took {hours} hours of one core."
    return "\n\n".join([provenance("real"), said, counts_of_seeds, distances_of("real")])


def titles_of(folder: str) -> dict[str, str]:
    """Titles of the data sets of a folder."""
    rows = pd.read_csv(RESULTS / folder / "fig4.csv", usecols=["dataset", "title"])
    return dict(zip(rows["dataset"], rows["title"], strict=True))
