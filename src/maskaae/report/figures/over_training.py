"""MAAE over training: mask values and counts in figure 5, losses and FID in figure 8.

The `..._data` functions take histories of runs named by dataset, model and m, and the title of each data set.
"""

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from maskaae.evaluation.protocol import RUN_KEYS, is_lost
from maskaae.report.figures import drawing
from maskaae.report.selection import (
    add_by_dataset,
    choose_metric,
    in_order,
    metric_label,
    model_name,
    models_in_order,
)
from maskaae.report.statistics import interval_label, over_seeds

POINTS = 300  # of a curve; more cannot be told apart in print
PANEL = ["dataset", "m"]
DOTS = (0, (1, 1.5))
END_OF_SEARCH: Mapping[str, Any] = {"color": drawing.PURPLE, "lw": 1.1, "ls": (0, (6, 1.5)), "zorder": 1.6}

BLOCKS = 60  # of training, over which the losses of single batches are averaged
LOSSES = ["reconstruction", "wasserstein"]
QUANTITIES = {"reconstruction": "reconstruction error", "wasserstein": "Wasserstein estimate", "fid": ""}


def fig5_data(
    history: pd.DataFrame,
    n: Mapping[str, int | None],
    titles: Mapping[str, str],
    threshold: Mapping[str, float],
    search: Mapping[tuple[str, int], int],
) -> pd.DataFrame:
    """Mask values of one seed and active dimensions of all, at up to `POINTS` logged steps.

    `n` and `threshold` are the true latent dimension of each data set, None where unknown, and the mask value
    from which on a dimension is active. `search` has the steps of the search by data set and
    capacity, where there is one.

    Returns
    -------
    DataFrame
        dataset, title, preset, n, m, seed, step, active, threshold, search (steps; empty without one), mu_0
        ... mu_{m-1}. Mask values are those of the run's lowest seed that was not lost; they are empty in
        the other seeds' rows and beyond m.
    """
    rows = thin(history[history["model"] == "maae"]).sort_values(["m", "seed", "step"])
    rows = add_by_dataset(add_by_dataset(rows, "n", n), "threshold", threshold)
    rows = in_order(rows, titles)
    rows["search"] = [search.get(run, np.nan) for run in zip(rows["dataset"], rows["m"], strict=True)]
    masks = rows.filter(regex=r"^mu_\d+$")
    lost = rows.assign(lost=is_lost(rows)).groupby([*PANEL, "seed"])["lost"].transform("any")
    alive = rows.assign(seed=rows["seed"].mask(lost)).groupby(PANEL)["seed"]
    shown = rows["seed"] == alive.transform("min")
    names = ["dataset", "title", "preset", "n", "m", "seed", "step", "active", "threshold", "search"]
    return pd.concat([rows[names], masks.where(shown, axis=0)], axis="columns")


def thin(history: pd.DataFrame) -> pd.DataFrame:
    """Keep every k-th logged step of a run, and its last, so that no more than `POINTS` + 1 remain."""
    steps = history.groupby(PANEL)["step"]
    place = steps.rank(method="dense") - 1
    stride = np.ceil(steps.transform("nunique") / POINTS)
    kept: pd.Series[bool] = (place % stride == 0) | (history["step"] == steps.transform("max"))
    return history[kept]


@drawing.paper_style()
def draw_fig5(frame: pd.DataFrame) -> Figure:
    """Mask values above, active dimensions below, one column a capacity."""
    runs = [rows for _, rows in frame.groupby(PANEL, sort=False)]
    figure = Figure(figsize=(drawing.DOUBLE_COLUMN if len(runs) > 1 else drawing.SINGLE_COLUMN, 3.3))
    axes = figure.subplots(2, len(runs), squeeze=False, sharex="col", sharey="row", height_ratios=[1.5, 1])
    for (above, below), rows in zip(axes.T, runs, strict=True):
        _draw_masks(above, rows)
        _draw_counts(below, rows)
        for ax in (above, below):
            if pd.notna(rows["search"].iloc[0]):
                ax.axvline(rows["search"].iloc[0], **END_OF_SEARCH)
        above.set_title(_count_title(rows))
    axes[0, 0].set_ylabel(r"mask value $\mu_j$")
    axes[1, 0].set_ylabel("active dimensions")
    axes[1, 0].set_ylim(0, 1.08 * max(1, frame["active"].max()))
    figure.suptitle(f"{', '.join(frame['title'].unique())}: {model_name('maae', frame['preset'])}")
    figure.align_ylabels(axes[:, 0])
    drawing.legend_below(figure, _mask_entries(frame), columns=3 if len(runs) > 1 else 2)
    return figure


def _count_title(rows: pd.DataFrame) -> str:
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
        ax.plot(shown["step"], masks[name], color=drawing.GREY, lw=0.7, alpha=0.8, zorder=2)
    for name, colour in zip(active, mpl.colormaps["Blues"](np.linspace(0.45, 1, len(active))), strict=True):
        ax.plot(shown["step"], masks[name], color=colour, lw=0.9, zorder=3)
    ax.axhline(threshold, color=drawing.INK, lw=0.8, ls=drawing.DASHES, zorder=4)
    ax.set_ylim(-0.02, 1.02)


def _draw_counts(ax: Axes, rows: pd.DataFrame) -> None:
    for seed, line in rows.groupby("seed"):
        width = 1.4 if seed == _seed_above(rows) else 0.8
        ax.plot(line["step"], line["active"], drawstyle="steps-post", color=drawing.COUNT_COLOUR, lw=width)
    n = rows["n"].iloc[0]
    if not np.isnan(n):
        ax.axhline(n, color=drawing.INK, lw=0.8, ls=DOTS, zorder=1.5)
    drawing.step_axis(ax, rows["step"])


def _mask_entries(frame: pd.DataFrame) -> dict[str, Line2D]:
    entries = {
        "active at the end": Line2D([], [], color=mpl.colormaps["Blues"](0.75), lw=0.9),
        "masked at the end": Line2D([], [], color=drawing.GREY, lw=0.7),
        f"activity threshold, {frame['threshold'].iloc[0]:g}": Line2D(
            [], [], color=drawing.INK, lw=0.8, ls=drawing.DASHES
        ),
        "count of the seed above": Line2D([], [], color=drawing.COUNT_COLOUR, lw=1.4),
    }
    if frame["seed"].nunique() > 1:
        entries["count of the other seeds"] = Line2D([], [], color=drawing.COUNT_COLOUR, lw=0.8)
    if frame["search"].notna().any():
        entries["end of the search"] = Line2D([], [], **END_OF_SEARCH)
    if frame["n"].notna().any():
        entries[drawing.TRUE_DIMENSION] = Line2D([], [], color=drawing.INK, lw=0.8, ls=DOTS)
    return entries


def fig8_data(
    history: pd.DataFrame, metrics: pd.DataFrame, metric: Mapping[str, str], titles: Mapping[str, str]
) -> pd.DataFrame:
    """Collect the three quantities over training, and when each seed's active count becomes final.

    The losses in a history are those of single batches; they become means over up to `BLOCKS` blocks. FID is
    that of the same runs, from the column `metric` of each data set.

    Returns
    -------
    DataFrame
        dataset, title, preset, metric, model, m, seed, lost (in training), settled (see `settling_step`;
        empty for a model without a mask and for a lost seed), step, quantity ("reconstruction",
        "wasserstein", "fid"), value, and over seeds mean, low, high, seeds, kind (see
        `maskaae.report.statistics.seed_interval`).
    """
    losses = block_means(history).melt([*RUN_KEYS, "step"], LOSSES, var_name="quantity")
    presets = dict(zip(history["dataset"], history["preset"], strict=True))
    distances = choose_metric(metrics, metric).assign(quantity="fid")
    rows = pd.concat([losses, distances[losses.columns]], ignore_index=True)
    rows = add_by_dataset(rows, "metric", metric).merge(settling_step(history), on=RUN_KEYS, how="left")
    lost = history.assign(lost=is_lost(history)).groupby(RUN_KEYS)["lost"].any()
    rows = in_order(add_by_dataset(rows.merge(lost, on=RUN_KEYS, how="left"), "preset", presets), titles)
    columns = ["dataset", "title", "preset", "metric", *RUN_KEYS[1:]]
    columns += ["lost", "settled", "step", "quantity", "value"]
    rows, by = rows[columns], ["dataset", "model", "m", "quantity", "step"]
    of_fid = rows["quantity"] == "fid"  # on a logarithmic axis
    return pd.concat([over_seeds(rows[~of_fid], by), over_seeds(rows[of_fid], by, logs=True)]).sort_index()


def settling_step(history: pd.DataFrame) -> pd.Series:
    """First logged step from which a seed's active count is that of the end, for runs with a mask.

    It is the first logged step if the count never changed, and the last if it still changed there.
    """
    masked = history[history["model"] == "maae"].sort_values("step")
    final = masked.groupby(RUN_KEYS)["active"].transform("last")
    other = masked["step"].where(masked["active"] != final, -1)  # steps with another count than the final one
    last_other = masked.assign(other=other).groupby(RUN_KEYS)["other"].transform("max")
    return masked[masked["step"] > last_other].groupby(RUN_KEYS)["step"].first().rename("settled")


def block_means(history: pd.DataFrame) -> pd.DataFrame:
    """Mean step and losses of each run and seed over up to `BLOCKS` equal blocks of logged steps."""
    steps = history.groupby(RUN_KEYS)["step"]
    size = np.ceil(steps.transform("size") / BLOCKS)
    block = (steps.rank() - 1) // size
    groups = history.groupby([*(history[key] for key in RUN_KEYS), block.rename("block")])
    return groups[["step", *LOSSES]].mean().reset_index()


@drawing.paper_style()
def draw_fig8(frame: pd.DataFrame) -> Figure:
    """One row of three panels a data set and capacity."""
    runs = [rows for _, rows in frame.groupby(PANEL, sort=False)]
    figure = Figure(figsize=(drawing.DOUBLE_COLUMN, 0.5 + 1.7 * len(runs)))
    axes = figure.subplots(len(runs), 3, squeeze=False)
    for row, rows in zip(axes, runs, strict=True):
        for ax, (quantity, label) in zip(row, QUANTITIES.items(), strict=True):
            _draw_quantity(ax, rows[rows["quantity"] == quantity])
            ax.set_ylabel(label or metric_label(rows["metric"].iloc[0]))
            drawing.step_axis(ax, rows["step"])
        lost = rows.drop_duplicates(RUN_KEYS)["lost"].sum()
        note = f", {lost} seed(s) lost" if lost else ""
        row[0].set_title(loc="left", label=f"{rows['title'].iloc[0]}, $m={rows['m'].iloc[0]}${note}")
    entries: dict[str, Any] = {
        model_name(model, frame["preset"]): Line2D([], [], color=drawing.MODEL_COLOURS[model])
        for model in models_in_order(frame["model"])
    }
    entries[interval_label(frame)] = drawing.interval_handle()
    entries["a seed's mask reaches its final count"] = drawing.settling_handle()
    drawing.legend_below(figure, entries, columns=4)
    return figure


def _draw_quantity(ax: Axes, rows: pd.DataFrame) -> None:
    for model in models_in_order(rows["model"]):
        lines, colour = rows[rows["model"] == model], drawing.MODEL_COLOURS[model]
        means = drawing.draw_band(ax, "step", lines, colour, order=2)
        ax.plot(means["step"], means["mean"], color=colour, lw=1.2, zorder=4)
        if rows["quantity"].iloc[0] == "fid":  # few enough values to show every seed
            marker = drawing.MODEL_MARKERS[model]
            ax.plot(means["step"], means["mean"], marker, color=colour, mec="white", mew=0.5, zorder=4)
            ax.plot(lines["step"], lines["value"], ".", color=colour, ms=3, alpha=0.7, mew=0, zorder=3)
    if rows["quantity"].iloc[0] == "fid":
        drawing.distance_axis(ax, rows["value"])
    elif rows["quantity"].iloc[0] == "reconstruction":  # the zero of the third matters
        drawing.scale_to_values(ax, rows["value"])
    if rows["value"].isna().all():
        drawing.no_value(ax)
    for step in rows.drop_duplicates(RUN_KEYS)["settled"].dropna():
        drawing.mark_settling(ax, step)
