"""FID of every model against the assumed latent dimension: which models suffer from spare dimensions."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from maskaae.evaluation.protocol import is_lost, last
from maskaae.report.figures import panels
from maskaae.report.figures.drawing import BLUE, DOUBLE_COLUMN, GREY, INK, paper_style
from maskaae.report.names import MODEL_NAMES, metric_label, models_in_order
from maskaae.report.selection import add_by_dataset, choose_metric, in_order
from maskaae.report.statistics import interval_label, over_seeds

PANELS_A_ROW = 4
PANEL_HEIGHT = 1.15  # inches


def data(
    metrics: pd.DataFrame, n: Mapping[str, int | None], metric: Mapping[str, str], titles: Mapping[str, str]
) -> pd.DataFrame:
    """Metric of every model at the last checkpoint, and what its spare dimensions cost.

    Parameters
    ----------
    metrics : DataFrame
        Runs of any models, a row a seed and checkpoint.
    n : mapping
        Data set -> true latent dimension, None where unknown.
    metric, titles : mapping
        Data set -> metric column to draw, and its title.

    Returns
    -------
    DataFrame
        dataset, title, metric, n, model, m, seed, collapsed (no active dimension), lost (in training), value;
        over the seeds of that capacity mean, low, high, seeds, kind (see
        `maskaae.report.statistics.seed_interval`); and cost, the mean at the model's largest m divided by
        its lowest mean.
    """
    rows = add_by_dataset(choose_metric(last(metrics), metric), "n", n)
    rows = rows.assign(collapsed=rows["active"] == 0, lost=is_lost(rows))
    rows = in_order(rows.sort_values(["model", "m", "seed"]), titles)
    columns = ["dataset", "title", "metric", "n", "model", "m", "seed", "collapsed", "lost", "value"]
    frame = over_seeds(rows[columns], by=["dataset", "model", "m"])
    return frame.assign(cost=_cost_of_spare_dimensions(frame))


def _cost_of_spare_dimensions(frame: pd.DataFrame) -> "pd.Series[float]":
    """Mean at the largest m over the lowest mean, for each row's data set and model."""
    models = frame.sort_values("m", kind="stable").groupby(["dataset", "model"])["mean"]
    return (models.transform("last") / models.transform("min")).reindex(frame.index)


@paper_style()
def draw(frame: pd.DataFrame) -> Figure:
    """Draw `data`'s frame: a block a data set, a panel a model, the other models in grey behind it."""
    names = frame["dataset"].unique()
    lines = {
        name: -(-frame.loc[frame["dataset"] == name, "model"].nunique() // PANELS_A_ROW) for name in names
    }
    height = PANEL_HEIGHT * sum(lines.values()) + 0.35 * len(names) + panels.LEGEND_HEIGHT
    figure = Figure(figsize=(DOUBLE_COLUMN, height))
    blocks = figure.subfigures(len(names), 1, squeeze=False, height_ratios=list(lines.values()))[:, 0]
    for block, name in zip(blocks, names, strict=True):
        _draw_block(block, frame[frame["dataset"] == name], lines[name])
    entries: dict[str, Any] = {
        "the model": Line2D([], [], color=BLUE, marker="o", mec="white", mew=0.5),
        "the others": Line2D([], [], color=GREY, lw=0.7, alpha=0.6),
        interval_label(frame): panels.interval_handle(),
    }
    if frame["n"].notna().any():
        entries["true latent dimension $n$"] = panels.true_dimension_handle()
    if frame["collapsed"].any():
        entries["mask collapsed to 0"] = panels.collapse_handle()
    figure.legend(list(entries.values()), list(entries), loc="outside lower center", ncols=len(entries))
    return figure


def _draw_block(block: SubFigure, rows: pd.DataFrame, lines: int) -> None:
    models = models_in_order(rows["model"])
    axes = block.subplots(lines, PANELS_A_ROW, sharex=True, sharey=True, squeeze=False).flatten().tolist()
    for ax in axes[len(models) :]:
        ax.axis("off")
    for ax, model in zip(axes, models, strict=False):
        _draw_panel(ax, rows, model)
    _share_axes(axes[: len(models)], rows)
    block.suptitle(rows["title"].iloc[0])
    block.supylabel(metric_label(rows["metric"].iloc[0]), fontsize=8)
    block.supxlabel("assumed latent dimension $m$", fontsize=8)


def _draw_panel(ax: Axes, rows: pd.DataFrame, model: str) -> None:
    own = rows[rows["model"] == model]
    for _, other in rows[rows["model"] != model].groupby("model"):
        means = other.drop_duplicates("m").sort_values("m")
        ax.plot(means["m"], means["mean"], color=GREY, lw=0.7, alpha=0.6, zorder=1)
    panels.draw_curve(ax, own, BLUE, "o")
    panels.mark_missing(ax, own, BLUE)
    panels.mark_true_dimension(ax, rows["n"].iloc[0])
    ax.set_title(MODEL_NAMES[model], fontsize=7.5, pad=2)
    cost = own["cost"].iloc[0]
    if pd.notna(cost):
        text = f"×{cost:.2g} at $m={own['m'].max()}$" if cost > 1 else "lowest at the largest $m$"
        ax.text(0.97, 0.95, text, transform=ax.transAxes, ha="right", va="top", fontsize=6.5, color=INK)


def _share_axes(axes: list[Axes], rows: pd.DataFrame) -> None:
    """Set the panels' common axes: m doubling, the metric logarithmic where it spans much."""
    capacities = sorted(rows["m"].unique())
    axes[0].set_xscale("log", base=2)
    axes[0].set_xticks(capacities, [f"{m:g}" for m in capacities])
    axes[0].xaxis.set_minor_locator(NullLocator())
    panels.scale_to_values(axes[0], rows["value"])
    for below in axes[-PANELS_A_ROW:]:  # a panel with nothing below it needs the labels that shared axes hide
        below.tick_params(labelbottom=True)
