"""Figure 1: WAE's FID against the assumed latent dimension, one panel a data set."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from maskaae.evaluation.protocol import is_lost, last
from maskaae.report.figures import panels
from maskaae.report.figures.drawing import INK, MODEL_COLOURS, MODEL_MARKERS, paper_style
from maskaae.report.names import metric_label
from maskaae.report.selection import add_by_dataset, choose_metric, in_order
from maskaae.report.statistics import interval_label, over_seeds


def data(
    metrics: pd.DataFrame, n: Mapping[str, int | None], metric: Mapping[str, str], titles: Mapping[str, str]
) -> pd.DataFrame:
    """WAE's metric at the last checkpoint, a row a data set, capacity and seed.

    Parameters
    ----------
    metrics : DataFrame
        Runs of any model; WAE's are taken.
    n : mapping
        Data set -> true latent dimension, None where unknown.
    metric, titles : mapping
        Data set -> metric column to draw, and the panel's title.

    Returns
    -------
    DataFrame
        dataset, title, metric, n, m, seed, collapsed (never, for WAE), lost (in training), value, and over
        the seeds of that capacity mean, low, high, seeds, kind (see
        `maskaae.report.statistics.seed_interval`).
    """
    rows = choose_metric(last(metrics[metrics["model"] == "wae"]), metric)
    rows = add_by_dataset(rows, "n", n).assign(collapsed=False, lost=is_lost(rows))
    rows = rows.sort_values(["m", "seed"])
    rows = in_order(rows, titles)
    columns = ["dataset", "title", "metric", "n", "m", "seed", "collapsed", "lost", "value"]
    return over_seeds(rows[columns], by=["dataset", "m"])


@paper_style()
def draw(frame: pd.DataFrame) -> Figure:
    """Draw `data`'s frame: mean over seeds, interval, seeds; the lowest mean ringed, n dashed."""
    names = frame["dataset"].unique()
    figure, axes = panels.panel_row(len(names), height=1.75)
    for ax, name in zip(axes, names, strict=True):
        _draw_panel(ax, frame[frame["dataset"] == name])
    wae = Line2D([], [], color=MODEL_COLOURS["wae"], marker=MODEL_MARKERS["wae"], mec="white", mew=0.5)
    ring = Line2D([], [], color=INK, marker="o", ms=6, mfc="none", ls="none", mew=0.8)
    entries: dict[str, Any] = {"WAE, last checkpoint": wae, "lowest mean": ring}
    entries[interval_label(frame)] = panels.interval_handle()
    if frame["n"].notna().any():
        entries["true latent dimension $n$"] = panels.true_dimension_handle()
    figure.legend(
        list(entries.values()), list(entries), loc="outside lower center", ncols=4 if len(names) > 1 else 2
    )
    return figure


def _draw_panel(ax: Axes, rows: pd.DataFrame) -> None:
    colour = MODEL_COLOURS["wae"]
    panels.draw_curve(ax, rows, colour, MODEL_MARKERS["wae"])
    panels.mark_missing(ax, rows, colour)
    panels.mark_true_dimension(ax, rows["n"].iloc[0])
    if rows["mean"].notna().any():
        lowest = rows.nsmallest(1, "mean")
        ax.plot(lowest["m"], lowest["mean"], "o", ms=7, mfc="none", mec=INK, mew=0.8, zorder=5)
    else:
        panels.no_value(ax)
    panels.scale_to_values(ax, rows["value"])
    panels.capacity_axis(ax, rows["m"])
    ax.set_title(rows["title"].iloc[0])
    ax.set_ylabel(metric_label(rows["metric"].iloc[0]))
