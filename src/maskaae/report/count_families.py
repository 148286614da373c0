"""Counts of dimensions on families of data of known n: how many hold, and which were wrong in silence."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from maskaae.report.figures import drawing
from maskaae.report.figures.drawing import INK, VERMILLION, paper_style
from maskaae.report.markup import markdown_table

SMALL = 16
"""Largest n up to which a count is asked to be right within one."""
GOALS: Mapping[str, str] = {
    "n <= 16, within one": "95 %",
    "n <= 16, exact": "80 %",
    "n > 16, within two": "90 %",
    "off by more than two, no warning": "0",
}
"""What is asked of the count, written down before any of the data was counted."""
SILENT_ERROR = 2
"""A count that is off by more has to come with a warning."""
WITNESSES: Mapping[str, str] = {"TwoNN": "two_nn", "MLE": "mle", "local PCA": "local_pca"}
LINE_HEIGHT = 0.32  # inches, of a family in the figure


def compare(counts: Sequence[Mapping[str, Any]], info: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Put answers beside what is known of the data.

    Parameters
    ----------
    counts : sequence of mapping
        Answers, as `maskaae.counting.answer.Count.to_dict` gives them, with `seconds`.
    info : sequence of mapping
        Content of the `dataset.json` of each, in the same order.

    Returns
    -------
    DataFrame
        dataset, family, n, noise, D, rows, capacity, counts (of each seed), vote, error (vote - n), agreeing
        (seeds), settled, converged_in_width, warnings (their codes), two_nn, mle, local_pca (empty where they
        cannot say), validation_error, steps, rounds, seconds.
    """
    rows = pd.DataFrame([_row(count, known) for count, known in zip(counts, info, strict=True)])
    return rows.sort_values(["family", "noise", "n", "dataset"], ignore_index=True)


def _row(count: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    said = {witness["name"]: witness["dimension"] for witness in count["witnesses"]}
    return {
        "dataset": known["name"],
        "family": known["details"]["family"],
        "n": known["n"],
        "noise": known["details"]["noise"],
        "D": count["dimension"],
        "rows": count["rows"],
        "capacity": count["rounds"][-1]["trial"]["capacity"],
        "counts": " ".join(map(str, count["counts"])),
        "vote": count["dimensions"],
        "error": count["dimensions"] - known["n"],
        "agreeing": count["agreeing"],
        "settled": count["settled"],
        "converged_in_width": count["converged_in_width"],
        "warnings": " ".join(sorted({warning["code"] for warning in count["warnings"]})),
        **{column: said.get(name) for name, column in WITNESSES.items()},
        "validation_error": count["validation_error"],
        "steps": count["steps"],
        "rounds": len(count["rounds"]),
        "seconds": count["seconds"],
    }


def shares(rows: pd.DataFrame) -> dict[str, str]:
    """What came out of each of the `GOALS`: shares of the data sets that it is about, with their number."""
    off, small = rows["error"].abs(), rows["n"] <= SMALL
    return {
        "n <= 16, within one": _share(off[small] <= 1),
        "n <= 16, exact": _share(off[small] == 0),
        "n > 16, within two": _share(off[~small] <= 2),
        "off by more than two, no warning": f"{is_silent(rows).sum()} of {len(rows)}",
    }


def _share(right: "pd.Series[bool]") -> str:
    return f"{right.mean():.0%} ({right.sum()} of {len(right)})" if len(right) else "none tried"


def is_silent(rows: pd.DataFrame) -> "pd.Series[bool]":
    """Whether a count is wrong by more than two, and nothing warns of it."""
    return (rows["error"].abs() > SILENT_ERROR) & (rows["warnings"].fillna("") == "")


def as_markdown(rows: pd.DataFrame) -> str:
    """Goals and what came out, over all and by family; then a line a data set."""
    families = dict(tuple(rows.groupby("family")))
    measured = {"all": shares(rows)} | {str(family): shares(of_it) for family, of_it in families.items()}
    goals = [[goal, asked, *(found[goal] for found in measured.values())] for goal, asked in GOALS.items()]
    seconds = ["seconds, median", "90", *(f"{of.median():.0f}" for of in _seconds(rows, families))]
    warned = [
        "within two, but with a warning",
        "-",
        *(_false_alarms(of) for of in (rows, *families.values())),
    ]
    summary = markdown_table(
        ["", "asked", *measured], [*goals, warned, seconds], "l" + "r" * (len(measured) + 1)
    )
    columns = [
        "dataset",
        "n",
        "noise",
        "D",
        "rows",
        "capacity",
        "counts",
        "vote",
        "TwoNN",
        "MLE",
        "local PCA",
    ]
    lines = [_line(row) for _, row in rows.iterrows()]
    every = markdown_table([*columns, "settled", "warnings", "seconds"], lines, "l" + "r" * 10 + "llr")
    silent = ", ".join(rows.loc[is_silent(rows), "dataset"]) or "none"
    note = (
        f"Off by more than two, and no warning: {silent}. The vote is the most frequent count of the seeds; "
        "`settled` and `warnings` are what `maskaae count` says. Bold: off by more than two. Each data set "
        "was counted on one core."
    )
    return f"{summary}\n\n{every}\n\n{note}\n"


def _seconds(rows: pd.DataFrame, families: Mapping[Any, pd.DataFrame]) -> list["pd.Series[float]"]:
    return [rows["seconds"], *(of_it["seconds"] for of_it in families.values())]


def _false_alarms(rows: pd.DataFrame) -> str:
    right = rows["error"].abs() <= SILENT_ERROR
    return _share(rows.loc[right, "warnings"].fillna("") != "")


def _line(row: "pd.Series[Any]") -> list[str]:
    vote = f"**{row['vote']}**" if abs(row["error"]) > SILENT_ERROR else str(row["vote"])
    said = ["–" if pd.isna(row[column]) else f"{row[column]:.1f}" for column in WITNESSES.values()]
    settled = {True: "yes", False: "no"}.get(row["settled"], "–")
    plain = [str(row[column]) for column in ("dataset", "n", "noise", "D", "rows", "capacity", "counts")]
    return [*plain, vote, *said, settled, row["warnings"] or "–", f"{row['seconds']:.0f}"]


@paper_style()
def draw(frame: pd.DataFrame) -> Figure:
    """Draw `compare`'s frame: the error of every data set, a line a family, larger n above smaller ones.

    A ring marks a warning. Beyond two, errors are on a logarithmic scale.
    """
    families = list(frame["family"].unique())
    figure = Figure(figsize=(drawing.DOUBLE_COLUMN, LINE_HEIGHT * 2 * len(families) + 0.9))
    ax = figure.subplots()
    norm = LogNorm(2, max(32, frame["n"].max()))
    for place, family in enumerate(families):
        _draw_family(ax, frame[frame["family"] == family], place, norm)
    ax.axvspan(-SILENT_ERROR - 0.5, SILENT_ERROR + 0.5, color=INK, alpha=0.06, lw=0)
    ax.axvline(0, color=INK, lw=0.8, ls=drawing.DASHES)
    ax.set_xscale("symlog", linthresh=3)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    widest = max(4, frame["error"].abs().max() + 1)
    ticks = [tick for tick in (-32, -16, -8, -4, -2, -1, 0, 1, 2, 4, 8, 16, 32) if abs(tick) <= widest]
    ax.set_xticks(ticks, [f"{tick:+d}" if tick else "0" for tick in ticks])
    ax.set_xlim(-widest, widest)
    ax.set_yticks(range(len(families)), [str(family).replace("_", " ") for family in families])
    ax.set_ylim(len(families) - 0.4, -0.6)
    ax.set_xlabel("vote minus true dimension $n$")
    shown = sorted(frame["n"].unique())
    handles = {
        **{f"$n$ = {n}": _dot(colormaps["viridis"](norm(n)), "o") for n in shown},
        "with noise": _dot(INK, "s"),
        "warned": Line2D([], [], ls="", marker="o", mfc="none", mec=VERMILLION, ms=7),
    }
    drawing.legend_below(figure, handles, columns=6)
    return figure


def _draw_family(ax: Axes, rows: pd.DataFrame, place: int, norm: LogNorm) -> None:
    heights = place + np.linspace(0.35, -0.35, max(2, len(rows)))[: len(rows)]
    for (_, row), height in zip(rows.sort_values(["n", "noise"]).iterrows(), heights, strict=True):
        if isinstance(row["warnings"], str) and row["warnings"]:
            ax.plot(row["error"], height, "o", mfc="none", mec=VERMILLION, ms=7, mew=0.9)
        marker = "s" if row["noise"] else "o"
        ax.plot(row["error"], height, marker, color=colormaps["viridis"](norm(row["n"])), ms=4, mew=0)


def _dot(colour: Any, marker: str) -> Line2D:
    return Line2D([], [], ls="", marker=marker, color=colour, ms=4, mew=0)
