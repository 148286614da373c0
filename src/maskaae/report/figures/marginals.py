"""Vectors, real and generated: histograms of some columns, and scatter of each pair of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from maskaae.report.figures.drawing import (
    DOUBLE_COLUMN,
    GREY,
    MODEL_COLOURS,
    SINGLE_COLUMN,
    VERMILLION,
    paper_style,
)

MOST_COLUMNS = 4
BINS = 25
COLOURS = {"real": GREY, "generated": MODEL_COLOURS["maae"], "reconstructed": VERMILLION}


def data(examples: Mapping[str, NDArray[Any]], names: Sequence[str]) -> pd.DataFrame:
    """Take the first columns that vary, never a choice.

    Parameters
    ----------
    examples : mapping of str to ndarray (N, D)
        Rows under "real", "generated" and "reconstructed", in the units of the user's file.
    names : sequence of str
        Names of the D columns.

    Returns
    -------
    DataFrame
        kind, and up to four columns by their names.
    """
    columns = np.flatnonzero(np.ptp(examples["real"], axis=0) > 0)[:MOST_COLUMNS]
    tables = []
    for kind, rows in examples.items():
        values = pd.DataFrame(rows[:, columns], columns=[names[column] for column in columns])
        values.insert(0, "kind", kind, allow_duplicates=True)
        tables.append(values)
    return pd.concat(tables, ignore_index=True)


@paper_style()
def draw(frame: pd.DataFrame) -> Figure:
    """Draw `data`'s frame: generated over real on and below the diagonal, reconstructed over real above."""
    names = list(frame.columns[1:])
    values = {kind: rows.iloc[:, 1:].to_numpy() for kind, rows in frame.groupby("kind", sort=False)}
    side = SINGLE_COLUMN if len(names) < 3 else DOUBLE_COLUMN
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots(len(names), len(names), squeeze=False)
    for line, ax_row in enumerate(axes):
        for column, ax in enumerate(ax_row):
            if line == column:
                _draw_histograms(ax, values["real"][:, column], values["generated"][:, column])
            else:
                other = "generated" if line > column else "reconstructed"
                _draw_pairs(ax, values, other, column, line)
            if line == len(names) - 1:
                ax.set_xlabel(names[column])
            if column == 0 and line > 0:
                ax.set_ylabel(names[line])
    handles = [axes[0, 0].scatter([], [], s=10, color=colour, label=kind) for kind, colour in COLOURS.items()]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    return figure


def _draw_histograms(ax: Axes, real: NDArray[Any], generated: NDArray[Any]) -> None:
    bins = np.histogram_bin_edges(np.concatenate([real, generated]), BINS).tolist()
    ax.hist(real, bins, density=True, color=COLOURS["real"], alpha=0.6)
    ax.hist(generated, bins, density=True, histtype="step", color=COLOURS["generated"])
    ax.set_yticks([])


def _draw_pairs(ax: Axes, values: Mapping[Any, NDArray[Any]], other: str, x: int, y: int) -> None:
    for kind, alpha in (("real", 0.6), (other, 0.5)):
        ax.scatter(
            values[kind][:, x], values[kind][:, y], s=3, color=COLOURS[kind], alpha=alpha, linewidths=0
        )
