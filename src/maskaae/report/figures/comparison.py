"""Figure of a comparison: a line a change, a column a quantity, the base at the top of each group."""

from __future__ import annotations

from itertools import cycle

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from maskaae.report.figures import panels
from maskaae.report.figures.drawing import (
    BLUE,
    DOUBLE_COLUMN,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    VERMILLION,
    paper_style,
)
from maskaae.report.names import metric_label

CAPACITY_STYLES = (
    (BLUE, "s"),
    (VERMILLION, "o"),
    (GREEN, "^"),
    (INK, "D"),
    (PURPLE, "v"),
    (ORANGE, "P"),
)
COLUMNS = ("count", "distance", "precision", "code_deviation", "reconstruction_mse")
LINE = 0.155  # inches a line
MARGIN = 0.62  # inches of title and axis a group
SPREAD = 0.5  # of a line, that the capacities share


Style = tuple[str, str]


@paper_style()
def draw(frame: pd.DataFrame) -> Figure:
    """Draw the frame of `maskaae.report.comparison_table.compare`."""
    groups = frame["group"].unique()
    lines = [frame.loc[frame["group"] == group, "row"].nunique() for group in groups]
    heights = [LINE * count + MARGIN for count in lines]
    figure = Figure(figsize=(DOUBLE_COLUMN, sum(heights) + panels.LEGEND_HEIGHT))
    columns = [column for column in COLUMNS if column == "count" or (frame["quantity"] == column).any()]
    axes = figure.subplots(len(groups), len(columns), squeeze=False, height_ratios=heights)
    styles = _styles(frame)
    for place, group in enumerate(groups):
        rows = frame[frame["group"] == group]
        names = rows.drop_duplicates("row")
        for ax, column in zip(axes[place], columns, strict=True):
            _draw_column(ax, rows, _quantity(column, rows), list(names["row"]), styles)
        axes[place, 0].set_yticks(range(len(names)), names["row"])
        for tick, kind in zip(axes[place, 0].get_yticklabels(), names["kind"], strict=True):
            tick.set_fontweight("bold" if kind == "base" else "normal")
            tick.set_color(GREY if kind in ("sampling", "threshold") else INK)
        axes[place, 0].set_title(group, loc="left", fontweight="bold")
    entries = {
        f"$m = {m}$": Line2D([], [], ls="none", color=colour, marker=marker)
        for m, (colour, marker) in styles.items()
    }
    entries[_interval_label(frame)] = Line2D([], [], color=INK, lw=1)
    entries["base"] = Line2D([], [], color=GREY, lw=0.7, ls=panels.DASHES)
    figure.legend(list(entries.values()), list(entries), loc="outside lower center", ncols=len(entries))
    return figure


def _quantity(column: str, rows: pd.DataFrame) -> str:
    """Show a count as its error where the true dimension is known."""
    if column != "count":
        return column
    return "count_error" if (rows["quantity"] == "count_error").any() else "active"


def _styles(frame: pd.DataFrame) -> dict[int, Style]:
    """Colour and marker of each capacity."""
    return dict(zip(sorted(frame["m"].unique()), cycle(CAPACITY_STYLES), strict=False))


def _draw_column(
    ax: Axes, rows: pd.DataFrame, quantity: str, names: list[str], styles: dict[int, Style]
) -> None:
    """One quantity of one group: seeds as dots, mean and interval, the base's mean as a line down."""
    drawn = rows[rows["quantity"] == quantity]
    capacities = sorted(rows["m"].unique())
    for place, m in enumerate(capacities):
        shift = SPREAD * ((place + 0.5) / len(capacities) - 0.5)
        at_m = drawn[drawn["m"] == m]
        colour, marker = styles[m]
        y = at_m["row"].map(names.index) + shift
        ax.plot(at_m["value"], y, ".", color=colour, ms=2.5, alpha=0.5, mew=0, zorder=2)
        means = at_m.drop_duplicates("row")
        y = means["row"].map(names.index) + shift
        ax.hlines(y, means["low"], means["high"], color=colour, lw=0.9, zorder=3)
        ax.plot(means["mean"], y, marker, color=colour, ms=3, mec="white", mew=0.4, zorder=4)
        base = means.loc[means["kind"] == "base", "mean"]
        if len(base):
            ax.axvline(base.iloc[0], color=colour, lw=0.7, ls=panels.DASHES, alpha=0.5, zorder=1)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set_yticks(range(len(names)), [""] * len(names))
    ax.tick_params(axis="y", length=0)
    _scale(ax, quantity, drawn)
    ax.set_xlabel(_label(quantity, rows))


def _scale(ax: Axes, quantity: str, drawn: pd.DataFrame) -> None:
    """Whole numbers for counts, 0 to 1 for shares, logarithmic where others span much; mark what is right."""
    goals = {"count_error": 0.0, "code_deviation": 1.0}
    if quantity in goals:
        ax.axvline(goals[quantity], color=INK, lw=0.6, zorder=1)
    if quantity == "precision":
        ax.set_xlim(-0.04, 1.04)
        return
    low, high = drawn["value"].min(), drawn["value"].max()  # intervals of few seeds may reach out of view
    if quantity in ("active", "count_error"):
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    elif 0 < panels.LOG_SPAN * low < high:
        ax.set_xscale("log", nonpositive="clip")
        ax.set_xlim(low / 1.3, high * 1.3)
        ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0), numticks=5))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.xaxis.set_minor_formatter(NullFormatter())
        return
    else:
        ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))  # labels of small numbers are long
    margin = 0.08 * (high - low or 1.0)
    ax.set_xlim(low - margin, high + margin)


def _label(quantity: str, rows: pd.DataFrame) -> str:
    labels = {
        "count_error": "active $-\\,n$",
        "active": "active dimensions",
        "precision": "precision",
        "code_deviation": "code deviation",
        "reconstruction_mse": "reconstruction (MSE)",
    }
    if quantity != "distance":
        return labels[quantity]
    return metric_label(rows["metric"].iloc[0]).replace(" (classifier features)", " (classifier)")


def _interval_label(frame: pd.DataFrame) -> str:
    kinds = frame.loc[~frame["mean"].isna(), "interval"]
    words = {"t95": "95 % interval of the mean", "range": "range of seeds", "single": "one seed"}
    return ", ".join(words[kind] for kind in words if (kinds == kind).any())
