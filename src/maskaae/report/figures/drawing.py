"""The figures' common look, marks and axes that several share, and the writing of a figure with its csv."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.image import imread, imsave
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

STYLE_SHEET = Path(__file__).with_name("maskaae.mplstyle")

SINGLE_COLUMN = 3.3  # inches
DOUBLE_COLUMN = 6.9  # inches
PANELS_A_ROW = 3
LEGEND_HEIGHT = 0.35  # inches, of two lines
LEGEND_LINES, LEGEND_LINE = 2, 0.15  # lines that it has room for, inches of a further one

# Okabe and Ito's palette: its colours stay apart under every common colour blindness.
VERMILLION, BLUE, GREEN, INK, GREY = "#D55E00", "#0072B2", "#009E73", "#333333", "#9A9A9A"
PURPLE, ORANGE = "#CC79A7", "#E69F00"
MODEL_COLOURS = {"wae": VERMILLION, "maae": BLUE}
MODEL_MARKERS = {"wae": "o", "maae": "s"}
COUNT_COLOUR = GREEN

LOG_SPAN = 10  # from this ratio of the largest to the smallest value on, an axis is logarithmic
DASHES = (0, (4, 2))
BAND = 0.18  # opacity

TRUE_DIMENSION = "true latent dimension $n$"
UNDATED = {"CreationDate": None, "Creator": None, "Producer": None}
"""Metadata of a pdf that is the same whenever and by whichever version it is drawn."""


@contextmanager
def paper_style() -> Iterator[None]:
    """Draw and save inside this context (or under it as a decorator) to get the paper's look."""
    with mpl.rc_context():
        mpl.rcdefaults()  # a reader's own matplotlibrc must not change the picture
        mpl.rcParams.update(mpl.rc_params_from_file(STYLE_SHEET, use_default_template=False))
        yield


def write_figure(
    frame: pd.DataFrame,
    draw: Callable[[pd.DataFrame], Figure],
    csv: str | Path,
    pdf: str | Path,
    png: str | Path,
) -> None:
    """Write a figure's data, and draw from the written file, so that picture and csv cannot differ.

    The files hold no date and no version, so that equal data give equal bytes.
    """
    frame.to_csv(csv, index=False)
    with paper_style():
        figure = draw(pd.read_csv(csv))
        figure.savefig(pdf, metadata=UNDATED)
        figure.savefig(png, metadata={"Software": None})


def write_pages(
    frame: pd.DataFrame,
    draw: Callable[[pd.DataFrame], Figure],
    *,
    by: str,
    csv: str | Path,
    pdf: str | Path,
    png: str | Path,
) -> None:
    """As `write_figure`, with a figure for each value of a column: a page of the pdf, a part of the png."""
    frame.to_csv(csv, index=False)
    pictures = []
    with paper_style(), PdfPages(pdf, metadata=UNDATED) as pages:
        for _, rows in pd.read_csv(csv).groupby(by, sort=False):
            figure, picture = draw(rows), BytesIO()
            pages.savefig(figure)
            figure.savefig(picture, format="png")
            picture.seek(0)
            pictures.append(imread(picture))  # (height, width, 4)
    imsave(png, np.concatenate(pictures), metadata={"Software": ""})


def panel_row(count: int, height: float) -> tuple[Figure, list[Axes]]:
    """Figure with `count` panels, `PANELS_A_ROW` side by side, each row `height` inches high."""
    columns = min(count, PANELS_A_ROW)
    rows = -(-count // columns)
    figure = Figure(figsize=(DOUBLE_COLUMN if columns > 1 else SINGLE_COLUMN, rows * height + LEGEND_HEIGHT))
    axes = figure.subplots(rows, columns, squeeze=False).flatten().tolist()
    for empty in axes[count:]:
        empty.axis("off")
    return figure, axes[:count]


def panel_pairs(count: int, heights: tuple[float, float]) -> tuple[Figure, list[tuple[Axes, Axes]]]:
    """Figure with `count` pairs of panels, `PANELS_A_ROW` side by side; a pair shares its x axis."""
    columns = min(count, PANELS_A_ROW)
    rows = -(-count // columns)
    width = SINGLE_COLUMN if count == 1 else DOUBLE_COLUMN
    figure = Figure(figsize=(width, rows * sum(heights) + LEGEND_HEIGHT))
    grid = figure.add_gridspec(2 * rows, columns, height_ratios=rows * heights)
    pairs = []
    for number in range(count):
        row, column = divmod(number, columns)
        upper = figure.add_subplot(grid[2 * row, column])
        pairs.append((upper, figure.add_subplot(grid[2 * row + 1, column], sharex=upper)))
        upper.tick_params(labelbottom=False)
    return figure, pairs


def legend_below(figure: Figure, entries: Mapping[str, Any], columns: int) -> None:
    """Legend of label -> handle below all panels, with fewer columns where it is wider than the figure.

    The figure grows by what the legend is higher than `LEGEND_LINES`, so that panels keep their height.
    """
    close = (
        {"handlelength": 1.3, "handletextpad": 0.5, "columnspacing": 0.8} if columns <= 2 else {}
    )  # a single panel is narrow
    handles, labels = list(entries.values()), list(entries)
    legend = figure.legend(handles, labels, loc="outside lower center", ncols=columns, **close)
    if columns > 1 and legend.get_window_extent().width > figure.bbox.width:
        legend.remove()
        legend_below(figure, entries, columns - 1)
        return
    lines = -(-len(entries) // columns)
    figure.set_figheight(figure.get_figheight() + LEGEND_LINE * max(0, lines - LEGEND_LINES))


def draw_band(ax: Axes, x: str, rows: pd.DataFrame, colour: str, order: float = 1) -> pd.DataFrame:
    """Interval over seeds against a column, as a band; return one row a value of it, in order."""
    means = rows.drop_duplicates(x).sort_values(x)
    ax.fill_between(means[x], means["low"], means["high"], color=colour, alpha=BAND, lw=0, zorder=order)
    return means


def draw_curve(ax: Axes, rows: pd.DataFrame, colour: str, marker: str) -> None:
    """Mean over seeds against m, its interval as a band, each seed as a dot.

    Parameters
    ----------
    rows : DataFrame
        One row a capacity and seed: m, value, mean, low, high, collapsed.
    """
    means = draw_band(ax, "m", rows, colour)
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

    `line` is the line of text, from below, so that two models do not cover each other.
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


def mark_settling(ax: Axes, step: float) -> None:
    """Line and arrow head at the step from which a seed's active count is final."""
    ax.axvline(step, color=COUNT_COLOUR, lw=0.7, alpha=0.8, zorder=1.5)
    ax.plot(
        step, 1, "v", color=COUNT_COLOUR, ms=3.5, transform=ax.get_xaxis_transform(), clip_on=False, zorder=5
    )


def no_value(ax: Axes) -> None:
    """Say in the middle of an empty panel that nothing was defined."""
    ax.text(0.5, 0.5, "no value is defined", transform=ax.transAxes, ha="center", va="center", color=GREY)


def scale_to_values(ax: Axes, values: pd.Series) -> None:
    """Logarithmic axis with plain numbers where the values span more than a factor of `LOG_SPAN`."""
    drawn = values.dropna()
    if drawn.empty or drawn.min() <= 0 or drawn.max() / drawn.min() < LOG_SPAN:
        return
    ax.set_yscale("log", nonpositive="clip")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=8))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())


def distance_axis(ax: Axes, values: pd.Series) -> None:
    """Logarithmic axis with plain numbers, on which ratios of distances are lengths."""
    drawn = values.dropna()
    if drawn.empty:
        return
    ax.set_yscale("log", nonpositive="clip")
    wide = drawn.max() / drawn.min() >= LOG_SPAN
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=8) if wide else MaxNLocator(5))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_locator(NullLocator())


def capacity_axis(ax: Axes, capacities: Iterable[int]) -> None:
    """Label the x axis, with ticks at capacities that were run, as many as find room."""
    drawn = sorted(set(capacities))
    ticks = drawn[:1]
    for m in drawn[1:]:
        if m - ticks[-1] >= (drawn[-1] - drawn[0]) / 10:
            ticks.append(m)
    ax.set_xticks(ticks)
    ax.set_xlabel("assumed latent dimension $m$")


def step_axis(ax: Axes, steps: pd.Series) -> None:
    """Label the x axis as training steps, in thousands where there are thousands."""
    ax.set_xlabel("training step")
    ax.set_xlim(-0.02 * steps.max(), 1.02 * steps.max())
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
    if steps.max() >= 2000:
        ax.xaxis.set_major_formatter(FuncFormatter(lambda step, _: f"{step / 1000:g}k" if step else "0"))


def true_dimension_handle() -> Line2D:
    """Legend entry of the lines at the true latent dimension."""
    return Line2D([], [], color=INK, lw=0.8, ls=DASHES)


def collapse_handle() -> Line2D:
    """Legend entry of a seed without an active dimension."""
    return Line2D([], [], color=INK, marker="x", ls="none", ms=4, mew=0.9)


def interval_handle() -> tuple[Artist, ...]:
    """Legend entry of a band with seeds in it."""
    return Patch(color=INK, alpha=BAND, lw=0), Line2D([], [], color=INK, marker=".", ls="none", ms=3.5, mew=0)


def settling_handle() -> Line2D:
    """Legend entry of `mark_settling`."""
    return Line2D([], [], color=COUNT_COLOUR, lw=0.7, marker="v", ms=3.5)
