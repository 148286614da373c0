"""Figure 8: reconstruction error, Wasserstein estimate and FID over training, and when the mask settles."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from maskaae.evaluation.protocol import RUN_KEYS, is_lost
from maskaae.report.figures import panels
from maskaae.report.figures.drawing import DOUBLE_COLUMN, MODEL_COLOURS, MODEL_MARKERS, paper_style
from maskaae.report.names import MODEL_NAMES, metric_label, models_in_order
from maskaae.report.selection import add_by_dataset, choose_metric, in_order
from maskaae.report.statistics import interval_label, over_seeds

BLOCKS = 60  # of training, over which the losses of single batches are averaged
LOSSES = ["reconstruction", "wasserstein"]
PANELS = {"reconstruction": "reconstruction error", "wasserstein": "Wasserstein estimate", "fid": ""}


def data(
    history: pd.DataFrame, metrics: pd.DataFrame, metric: Mapping[str, str], titles: Mapping[str, str]
) -> pd.DataFrame:
    """Collect the three quantities over training, and when each seed's active count becomes final.

    Parameters
    ----------
    history : DataFrame
        Histories of the runs, named by dataset, model and m; their losses are those of single batches, and
        become means over up to `BLOCKS` blocks of training.
    metrics : DataFrame
        Metrics of the same runs, a row a seed and checkpoint.
    metric, titles : mapping
        Data set -> metric column to draw, and its title.

    Returns
    -------
    DataFrame
        dataset, title, metric, model, m, seed, lost (in training), settled (see `settling_step`; empty for
        a model without a mask and for a lost seed), step, quantity ("reconstruction", "wasserstein", "fid"),
        value, and over seeds mean, low, high, seeds, kind (see `maskaae.report.statistics.seed_interval`).
    """
    losses = block_means(history).melt([*RUN_KEYS, "step"], LOSSES, var_name="quantity")
    distances = choose_metric(metrics, metric).assign(quantity="fid")
    rows = pd.concat([losses, distances[losses.columns]], ignore_index=True)
    rows = add_by_dataset(rows, "metric", metric).merge(settling_step(history), on=RUN_KEYS, how="left")
    lost = history.assign(lost=is_lost(history)).groupby(RUN_KEYS)["lost"].any()
    rows = in_order(rows.merge(lost, on=RUN_KEYS, how="left"), titles)
    columns = ["dataset", "title", "metric", "model", "m", "seed", "lost", "settled", "step"]
    columns += ["quantity", "value"]
    return over_seeds(rows[columns], by=["dataset", "model", "m", "quantity", "step"])


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


@paper_style()
def draw(frame: pd.DataFrame) -> Figure:
    """Draw `data`'s frame: one row of three panels a data set and capacity."""
    runs = [rows for _, rows in frame.groupby(["dataset", "m"], sort=False)]
    figure = Figure(figsize=(DOUBLE_COLUMN, 0.5 + 1.7 * len(runs)))
    axes = figure.subplots(len(runs), 3, squeeze=False)
    for row, rows in zip(axes, runs, strict=True):
        for ax, (quantity, label) in zip(row, PANELS.items(), strict=True):
            _draw_panel(ax, rows[rows["quantity"] == quantity])
            ax.set_ylabel(label or metric_label(rows["metric"].iloc[0]))
            panels.step_axis(ax, rows["step"])
        lost = rows.drop_duplicates(RUN_KEYS)["lost"].sum()
        note = f", {lost} seed(s) lost" if lost else ""
        row[0].set_title(loc="left", label=f"{rows['title'].iloc[0]}, $m={rows['m'].iloc[0]}${note}")
    entries = _legend(frame)
    figure.legend(list(entries.values()), list(entries), loc="outside lower center", ncols=4)
    return figure


def _draw_panel(ax: Axes, rows: pd.DataFrame) -> None:
    for model in models_in_order(rows["model"]):
        lines, colour = rows[rows["model"] == model], MODEL_COLOURS[model]
        means = lines.drop_duplicates("step").sort_values("step")
        ax.fill_between(
            means["step"], means["low"], means["high"], color=colour, alpha=panels.BAND, lw=0, zorder=2
        )
        ax.plot(means["step"], means["mean"], color=colour, lw=1.2, zorder=4)
        if rows["quantity"].iloc[0] == "fid":  # few enough values to show every seed
            ax.plot(
                means["step"],
                means["mean"],
                MODEL_MARKERS[model],
                color=colour,
                mec="white",
                mew=0.5,
                zorder=4,
            )
            ax.plot(lines["step"], lines["value"], ".", color=colour, ms=3, alpha=0.7, mew=0, zorder=3)
    if rows["quantity"].iloc[0] != "wasserstein":  # whose zero matters
        panels.scale_to_values(ax, rows["value"])
    if rows["value"].isna().all():
        panels.no_value(ax)
    for step in rows.drop_duplicates(RUN_KEYS)["settled"].dropna():
        panels.mark_settling(ax, step)


def _legend(frame: pd.DataFrame) -> dict[str, Any]:
    entries: dict[str, Any] = {
        MODEL_NAMES[model]: Line2D([], [], color=MODEL_COLOURS[model])
        for model in models_in_order(frame["model"])
    }
    entries[interval_label(frame)] = panels.interval_handle()
    entries["a seed's mask reaches its final count"] = panels.settling_handle()
    return entries
