"""Marks that several figures share: a curve over seeds, the true latent dimension, a missing value."""

from collections.abc import Iterable
from typing import cast

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from maskaae.report.figures.drawing import COUNT_COLOUR, DOUBLE_COLUMN, GREY, INK, SINGLE_COLUMN

LOG_SPAN = 10  # from this ratio of the largest to the smallest value on, an axis is logarithmic
DASHES = (0, (4, 2))
BAND = 0.18  # opacity
PANELS_A_ROW = 3
LEGEND_HEIGHT = 0.35  # inches


def panel_row(count: int, height: float) -> tuple[Figure, list[Axes]]:
    """Figure with a panel a data set, up to `PANELS_A_ROW` side by side.

    Parameters
    ----------
    count : int
        Number of panels.
    height : float
        Height of one row of panels without the legend, in inches.
    """
    columns = min(count, PANELS_A_ROW)
    rows = -(-count // columns)
    figure = Figure(figsize=(DOUBLE_COLUMN if columns > 1 else SINGLE_COLUMN, rows * height + LEGEND_HEIGHT))
    axes = figure.subplots(rows, columns, squeeze=False).flatten().tolist()
    for empty in axes[count:]:
        empty.axis("off")
    return figure, axes[:count]


def draw_curve(ax: Axes, rows: pd.DataFrame, colour: str, marker: str) -> None:
    """Mean over seeds against m, its interval as a band, each seed as a dot.

    Parameters
    ----------
    rows : DataFrame
        One row a capacity and seed: m, value, mean, low, high, collapsed.
    """
    means = rows.drop_duplicates("m").sort_values("m")
    ax.fill_between(means["m"], means["low"], means["high"], color=colour, alpha=BAND, lw=0, zorder=1)
    ax.plot(means["m"], means["mean"], "-", marker=marker, color=colour, mec="white", mew=0.5, zorder=4)
    draw_seeds(ax, rows, colour)


def draw_seeds(ax: Axes, rows: pd.DataFrame, colour: str) -> None:
    """Each seed as a dot; a cross where its mask has collapsed (no active dimension)."""
    alive, collapsed = rows[~rows["collapsed"]], rows[rows["collapsed"]]
    ax.plot(alive["m"], alive["value"], ".", color=colour, ms=3, alpha=0.7, mew=0, zorder=3)
    if not collapsed.empty:  # an empty unclipped line has no bounding box and breaks the layout
        ax.plot(collapsed["m"], collapsed["value"], "x", color=INK, ms=4, mew=0.9, zorder=5, clip_on=False)


def mark_missing(ax: Axes, rows: pd.DataFrame, colour: str, line: int = 0) -> None:
    """Write how many seeds were lost or have no value at a capacity, along the axis' lower edge.

    Parameters
    ----------
    line : int
        Line of text, from below, so that two models do not cover each other.
    """
    for m, missing in rows[rows["value"].isna()].groupby("m"):
        lost = missing["lost"].sum()
        counts = {"lost": lost, "undef.": len(missing) - lost}
        ax.annotate(
            ", ".join(f"{count} {word}" for word, count in counts.items() if count),
            (cast(float, m), 0),
            xycoords=ax.get_xaxis_transform(),
            xytext=(0, 2 + 7 * line),
            textcoords="offset points",
            ha="center",
            fontsize=5.5,
            color=colour,
        )


def mark_true_dimension(ax: Axes, n: float) -> None:
    """Vertical line at m = n; nothing where n is unknown (NaN)."""
    if not np.isnan(n):
        ax.axvline(n, color=INK, lw=0.8, ls=DASHES, zorder=1.5)


def scale_to_values(ax: Axes, values: pd.Series) -> None:
    """Logarithmic axis with plain numbers where the values span more than a factor of `LOG_SPAN`."""
    drawn = values.dropna()
    if drawn.empty or drawn.min() <= 0 or drawn.max() / drawn.min() < LOG_SPAN:
        return
    ax.set_yscale("log", nonpositive="clip")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=8))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())


def capacity_axis(ax: Axes, capacities: Iterable[int]) -> None:
    """Label the x axis, with ticks at capacities that were run, as many as find room."""
    drawn = sorted(set(capacities))
    ticks = drawn[:1]
    for m in drawn[1:]:
        if m - ticks[-1] >= (drawn[-1] - drawn[0]) / 10:
            ticks.append(m)
    ax.set_xticks(ticks)
    ax.set_xlabel("assumed latent dimension $m$")


def no_value(ax: Axes) -> None:
    """Say in the middle of an empty panel that nothing was defined."""
    ax.text(0.5, 0.5, "no value is defined", transform=ax.transAxes, ha="center", va="center", color=GREY)


def true_dimension_handle() -> Line2D:
    """Legend entry of the lines at the true latent dimension."""
    return Line2D([], [], color=INK, lw=0.8, ls=DASHES)


def collapse_handle() -> Line2D:
    """Legend entry of a seed without an active dimension."""
    return Line2D([], [], color=INK, marker="x", ls="none", ms=4, mew=0.9)


def interval_handle() -> tuple[Artist, ...]:
    """Legend entry of a band with seeds in it."""
    return Patch(color=INK, alpha=BAND, lw=0), Line2D([], [], color=INK, marker=".", ls="none", ms=3.5, mew=0)


def step_axis(ax: Axes, steps: pd.Series) -> None:
    """Label the x axis as training steps, in thousands where there are thousands."""
    ax.set_xlabel("training step")
    ax.set_xlim(-0.02 * steps.max(), 1.02 * steps.max())
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
    if steps.max() >= 2000:
        ax.xaxis.set_major_formatter(FuncFormatter(lambda step, _: f"{step / 1000:g}k" if step else "0"))


def mark_settling(ax: Axes, step: float) -> None:
    """Line and arrow head at the step from which a seed's active count is final."""
    ax.axvline(step, color=COUNT_COLOUR, lw=0.7, alpha=0.8, zorder=1.5)
    ax.plot(
        step, 1, "v", color=COUNT_COLOUR, ms=3.5, transform=ax.get_xaxis_transform(), clip_on=False, zorder=5
    )


def settling_handle() -> Line2D:
    """Legend entry of `mark_settling`."""
    return Line2D([], [], color=COUNT_COLOUR, lw=0.7, marker="v", ms=3.5)
