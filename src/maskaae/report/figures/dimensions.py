"""Estimated against true dimension: a panel a kind of data, a line a way of finding it."""

import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from maskaae.report.dimension_table import NAMES
from maskaae.report.figures import panels
from maskaae.report.figures.drawing import INK, paper_style

MARKERS = "ovsD^P*Xhp<>"


@paper_style()
def draw(frame: pd.DataFrame) -> Figure:
    """Draw `maskaae.report.dimension_table.compare`: mean over seeds as a line, every seed as a dot."""
    kinds = frame["kind"].unique()
    methods = [method for method in NAMES if method in set(frame["method"])]
    figure, axes = panels.panel_row(len(kinds), height=2.4)
    for ax, kind in zip(axes, kinds, strict=True):
        _draw_kind(ax, frame[frame["kind"] == kind], methods)
        ax.set_title(str(kind))
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4 if len(kinds) > 1 else 2)
    return figure


def _draw_kind(ax: Axes, rows: pd.DataFrame, methods: list[str]) -> None:
    sizes = sorted(rows["n"].unique())
    ax.plot(sizes, sizes, color=INK, lw=0.8, ls=panels.DASHES, label="true dimension $n$")
    for place, method in enumerate(methods):
        colour, marker = colormaps["tab20"](place), MARKERS[place % len(MARKERS)]
        chosen = rows[rows["method"] == method]
        means = chosen.groupby("n")["estimate"].mean()
        ax.plot(means.index, means, "-", marker=marker, color=colour, lw=0.9, ms=3.5, label=NAMES[method])
        ax.plot(chosen["n"], chosen["estimate"], ".", color=colour, ms=2, alpha=0.6)
    ax.set_xscale("log", base=2)
    ax.set_yscale("log", base=2)
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticks(sizes, [str(n) for n in sizes])
    ticks = [2**power for power in range(1, 8)]
    ax.set_yticks(ticks, [str(tick) for tick in ticks])
    ax.set_xlabel("true dimension $n$")
    ax.set_ylabel("estimate")
