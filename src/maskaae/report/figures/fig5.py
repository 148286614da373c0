"""Figure 5: MAAE's mask values over training, one panel a capacity, and every seed's active dimensions."""

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from maskaae.evaluation.protocol import is_lost
from maskaae.report.figures import panels
from maskaae.report.figures.drawing import COUNT_COLOUR, DOUBLE_COLUMN, GREY, INK, SINGLE_COLUMN, paper_style
from maskaae.report.selection import add_by_dataset, in_order

POINTS = 300  # of a curve; more cannot be told apart in print
PANEL = ["dataset", "m"]


def data(
    history: pd.DataFrame,
    n: Mapping[str, int | None],
    titles: Mapping[str, str],
    threshold: Mapping[str, float],
) -> pd.DataFrame:
    """Mask values of one seed and active dimensions of all, at up to `POINTS` logged steps.

    Parameters
    ----------
    history : DataFrame
        Histories of MAAE runs, named by dataset, model and m.
    n : mapping
        Data set -> true latent dimension, None where unknown.
    titles : mapping
        Data set -> its title.
    threshold : mapping
        Data set -> mask value from which on a dimension is active.

    Returns
    -------
    DataFrame
        dataset, title, n, m, seed, step, active, threshold, mu_0 ... mu_{m-1}. Mask values are those of the
        run's lowest seed that was not lost; they are empty in the other seeds' rows and beyond m.
    """
    rows = thin(history[history["model"] == "maae"]).sort_values(["m", "seed", "step"])
    rows = add_by_dataset(add_by_dataset(rows, "n", n), "threshold", threshold)
    rows = in_order(rows, titles)
    masks = rows.filter(regex=r"^mu_\d+$")
    lost = rows.assign(lost=is_lost(rows)).groupby([*PANEL, "seed"])["lost"].transform("any")
    alive = rows.assign(seed=rows["seed"].mask(lost)).groupby(PANEL)["seed"]
    shown = rows["seed"] == alive.transform("min")
    names = ["dataset", "title", "n", "m", "seed", "step", "active", "threshold"]
    return pd.concat([rows[names], masks.where(shown, axis=0)], axis="columns")


def thin(history: pd.DataFrame) -> pd.DataFrame:
    """Keep every k-th logged step of a run, and its last, so that no more than `POINTS` + 1 remain."""
    steps = history.groupby(PANEL)["step"]
    place = steps.rank(method="dense") - 1
    stride = np.ceil(steps.transform("nunique") / POINTS)
    kept: pd.Series[bool] = (place % stride == 0) | (history["step"] == steps.transform("max"))
    return history[kept]


@paper_style()
def draw(frame: pd.DataFrame) -> Figure:
    """Draw `data`'s frame: mask values above, active dimensions below, one column a capacity."""
    runs = [rows for _, rows in frame.groupby(PANEL, sort=False)]
    figure = Figure(figsize=(DOUBLE_COLUMN if len(runs) > 1 else SINGLE_COLUMN, 3.3))
    axes = figure.subplots(2, len(runs), squeeze=False, sharex="col", sharey="row", height_ratios=[1.5, 1])
    for (above, below), rows in zip(axes.T, runs, strict=True):
        _draw_masks(above, rows)
        _draw_counts(below, rows)
        above.set_title(_title(rows))
    axes[0, 0].set_ylabel(r"mask value $\mu_j$")
    axes[1, 0].set_ylabel("active dimensions")
    axes[1, 0].set_ylim(0, 1.08 * max(1, frame["active"].max()))
    figure.suptitle(", ".join(frame["title"].unique()))
    figure.align_ylabels(axes[:, 0])
    entries = _legend(frame)
    figure.legend(
        list(entries.values()), list(entries), loc="outside lower center", ncols=3 if len(runs) > 1 else 2
    )
    return figure


def _title(rows: pd.DataFrame) -> str:
    counts = rows.loc[rows["step"] == rows["step"].max(), "active"]
    low, high, lost = counts.min(), counts.max(), counts.isna().sum()
    count = f"{low:g}" if low == high else f"{low:g}–{high:g}"
    return f"$m={rows['m'].iloc[0]}$, {count} active at the end" + (f", {lost} seed(s) lost" if lost else "")


def _seed_above(rows: pd.DataFrame) -> int:
    """Return the seed whose mask values are drawn."""
    return int(rows.loc[rows["mu_0"].notna(), "seed"].min())


def _draw_masks(ax: Axes, rows: pd.DataFrame) -> None:
    """One line a dimension: coloured if it is active at the end, grey if it is masked."""
    shown = rows[rows["seed"] == _seed_above(rows)]
    m, threshold = rows["m"].iloc[0], rows["threshold"].iloc[0]
    masks = shown[[f"mu_{j}" for j in range(m)]]
    active = masks.columns[masks.iloc[-1] >= threshold]
    for name in masks.columns.difference(active):
        ax.plot(shown["step"], masks[name], color=GREY, lw=0.7, alpha=0.8, zorder=2)
    for name, colour in zip(active, mpl.colormaps["Blues"](np.linspace(0.45, 1, len(active))), strict=True):
        ax.plot(shown["step"], masks[name], color=colour, lw=0.9, zorder=3)
    ax.axhline(threshold, color=INK, lw=0.8, ls=panels.DASHES, zorder=4)
    ax.set_ylim(-0.02, 1.02)


def _draw_counts(ax: Axes, rows: pd.DataFrame) -> None:
    for seed, line in rows.groupby("seed"):
        width = 1.4 if seed == _seed_above(rows) else 0.8
        ax.plot(line["step"], line["active"], drawstyle="steps-post", color=COUNT_COLOUR, lw=width)
    n = rows["n"].iloc[0]
    if not np.isnan(n):
        ax.axhline(n, color=INK, lw=0.8, ls=(0, (1, 1.5)), zorder=1.5)
    panels.step_axis(ax, rows["step"])


def _legend(frame: pd.DataFrame) -> dict[str, Line2D]:
    entries = {
        "active at the end": Line2D([], [], color=mpl.colormaps["Blues"](0.75), lw=0.9),
        "masked at the end": Line2D([], [], color=GREY, lw=0.7),
        f"activity threshold, {frame['threshold'].iloc[0]:g}": Line2D(
            [], [], color=INK, lw=0.8, ls=panels.DASHES
        ),
        "count of the seed above": Line2D([], [], color=COUNT_COLOUR, lw=1.4),
    }
    if frame["seed"].nunique() > 1:
        entries["count of the other seeds"] = Line2D([], [], color=COUNT_COLOUR, lw=0.8)
    if frame["n"].notna().any():
        entries["true latent dimension $n$"] = Line2D([], [], color=INK, lw=0.8, ls=(0, (1, 1.5)))
    return entries
