"""Metrics against the assumed latent dimension m: figure 1, figure 4, and every model side by side.

The `..._data` functions take `metrics` (runs named by dataset, model and m, a row a seed and checkpoint), and
for each data set its true latent dimension `n` (None where unknown), the column `metric` to draw, its title.
Their rows hold `COLUMNS` (collapsed: no active dimension; lost: in training), value, and over the seeds of a
capacity mean, low, high, seeds, kind (see `maskaae.report.statistics.seed_interval`).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullLocator

from maskaae.evaluation.dimension import stability_over_capacities
from maskaae.evaluation.protocol import is_lost, last, oracle
from maskaae.report.figures import drawing
from maskaae.report.figures.drawing import (
    BLUE,
    COUNT_COLOUR,
    DOUBLE_COLUMN,
    GREY,
    INK,
    MODEL_COLOURS,
    MODEL_MARKERS,
    TRUE_DIMENSION,
    paper_style,
)
from maskaae.report.selection import (
    add_by_dataset,
    choose_metric,
    in_order,
    metric_label,
    model_name,
    models_in_order,
)
from maskaae.report.statistics import interval_label, over_seeds

COLUMNS = ["dataset", "title", "preset", "metric", "n", "model", "m", "seed", "collapsed", "lost"]
MODELS_A_ROW = 4
MODEL_HEIGHT = 1.15  # inches
FIG4_HEIGHTS = (1.7, 1.15)  # inches: FID, active dimensions
COUNT_ROOM = 1.35
"""The panel of counts ends at this many times the largest."""

N = Mapping[str, int | None]
Names = Mapping[str, str]


def _chosen(metrics: pd.DataFrame, n: N, metric: Names) -> pd.DataFrame:
    """Rows with the chosen metric as value, and what marks them in a figure."""
    rows = add_by_dataset(choose_metric(metrics, metric), "n", n)
    return rows.assign(collapsed=rows["active"] == 0, lost=is_lost(rows))


def fig1_data(metrics: pd.DataFrame, n: N, metric: Names, titles: Names) -> pd.DataFrame:
    """WAE's metric at the last checkpoint; without the column model, and never collapsed."""
    rows = _chosen(last(metrics[metrics["model"] == "wae"]), n, metric).assign(collapsed=False)
    rows = in_order(rows.sort_values(["m", "seed"]), titles)
    columns = [name for name in COLUMNS if name != "model"]
    return over_seeds(rows[[*columns, "value"]], by=["dataset", "m"], logs=True)


@paper_style()
def draw_fig1(frame: pd.DataFrame) -> Figure:
    """Mean over seeds, interval, seeds, one panel a data set; the lowest mean ringed, n dashed."""
    names = frame["dataset"].unique()
    figure, axes = drawing.panel_row(len(names), height=1.75)
    for ax, name in zip(axes, names, strict=True):
        _draw_wae(ax, frame[frame["dataset"] == name])
    ring = Line2D([], [], color=INK, marker="o", ms=6, mfc="none", ls="none", mew=0.8)
    entries = {**_last_checkpoint(frame, ["wae"]), "lowest mean": ring}
    entries[interval_label(frame)] = drawing.interval_handle()
    drawing.legend_below(figure, {**entries, **_marks(frame)}, columns=4 if len(names) > 1 else 2)
    return figure


def _last_checkpoint(frame: pd.DataFrame, models: list[str]) -> dict[str, Any]:
    """Legend entries of models' curves."""
    return {
        f"{model_name(model, frame['preset'])}, last checkpoint": Line2D(
            [], [], color=MODEL_COLOURS[model], marker=MODEL_MARKERS[model], mec="white", mew=0.5
        )
        for model in models
    }


def _marks(frame: pd.DataFrame) -> dict[str, Any]:
    """Legend entries of the true dimension and of collapsed masks, where there are any."""
    entries: dict[str, Any] = {}
    if frame["n"].notna().any():
        entries[TRUE_DIMENSION] = drawing.true_dimension_handle()
    if frame["collapsed"].any():
        entries["mask collapsed to 0"] = drawing.collapse_handle()
    return entries


def _draw_wae(ax: Axes, rows: pd.DataFrame) -> None:
    colour = MODEL_COLOURS["wae"]
    drawing.draw_curve(ax, rows, colour, MODEL_MARKERS["wae"])
    drawing.mark_missing(ax, rows, colour)
    if rows["mean"].notna().any():
        lowest = rows.nsmallest(1, "mean")
        ax.plot(lowest["m"], lowest["mean"], "o", ms=7, mfc="none", mec=INK, mew=0.8, zorder=5)
    _finish_panel(ax, rows, rows["value"])


def _finish_panel(ax: Axes, rows: pd.DataFrame, values: pd.Series) -> None:
    """Write title and axes of a data set's panel, which shows some values, and mark its n."""
    if values.isna().all():
        drawing.no_value(ax)
    drawing.mark_true_dimension(ax, rows["n"].iloc[0])
    drawing.distance_axis(ax, values)
    drawing.capacity_axis(ax, rows["m"])
    ax.set_title(rows["title"].iloc[0])
    ax.set_ylabel(metric_label(rows["metric"].iloc[0]).replace(" (", "\n("))  # a panel is low


def fig4_data(metrics: pd.DataFrame, n: N, metric: Names, titles: Names) -> pd.DataFrame:
    """WAE and MAAE: FID at the last checkpoint, its oracle minimum over checkpoints, and the active count.

    A column quantity tells them apart: "fid_last", "fid_oracle" and, for MAAE, "active". FIDs, which stand on
    a logarithmic axis, are averaged as logarithms, counts as they are.
    """
    chosen = _chosen(metrics[metrics["model"].isin(MODEL_COLOURS)], n, metric)
    at_end = last(chosen)
    maae = at_end[at_end["model"] == "maae"]
    rows = pd.concat(
        [
            at_end.assign(quantity="fid_last"),
            oracle(chosen, "value").assign(quantity="fid_oracle"),
            maae.assign(quantity="active", value=maae["active"]),
        ]
    )
    rows = in_order(rows.sort_values(["quantity", "model", "m", "seed"]), titles)
    rows = rows[[*COLUMNS, "quantity", "value"]]
    by, counts = ["dataset", "quantity", "model", "m"], rows["quantity"] == "active"
    return pd.concat([over_seeds(rows[~counts], by, logs=True), over_seeds(rows[counts], by)]).sort_index()


@paper_style()
def draw_fig4(frame: pd.DataFrame) -> Figure:
    """FID above, active dimensions below it, one pair of panels a data set."""
    names = frame["dataset"].unique()
    figure, pairs = drawing.panel_pairs(len(names), FIG4_HEIGHTS)
    for (above, below), name in zip(pairs, names, strict=True):
        rows = frame[frame["dataset"] == name]
        count = rows[rows["quantity"] == "active"]
        _draw_fid(above, rows)
        above.set_xlabel("")
        _draw_count(below, count, rows["m"])
        _write_stability(below, count)
        figure.align_ylabels([above, below])
    entries = _last_checkpoint(frame, models_in_order(frame["model"]))
    entries["best checkpoint (oracle)"] = Line2D([], [], color=INK, ls="--", lw=0.8, alpha=0.7)
    if (frame["quantity"] == "active").any():
        entries[f"{model_name('maae', frame['preset'])}, active dimensions"] = Line2D(
            [], [], color=COUNT_COLOUR, marker="^", lw=1
        )
        entries["all $m$ active"] = Line2D([], [], color=COUNT_COLOUR, ls=":", lw=0.9)
    band = interval_label(frame[frame["quantity"] != "active"])
    entries |= {**_marks(frame), band: drawing.interval_handle()}
    drawing.legend_below(figure, entries, columns=3 if len(names) > 1 else 2)
    return figure


def _draw_fid(ax: Axes, rows: pd.DataFrame) -> None:
    at_end, lowest = (rows[rows["quantity"] == name] for name in ("fid_last", "fid_oracle"))
    for line, model in enumerate(models_in_order(rows["model"])):
        colour = MODEL_COLOURS[model]
        bound = lowest[lowest["model"] == model].drop_duplicates("m")
        ax.plot(bound["m"], bound["mean"], "--", color=colour, lw=0.8, alpha=0.7, zorder=2)
        drawing.draw_curve(ax, at_end[at_end["model"] == model], colour, MODEL_MARKERS[model])
        drawing.mark_missing(ax, at_end[at_end["model"] == model], colour, line)
    _finish_panel(ax, rows, pd.concat([at_end["value"], lowest["value"]]))


def _write_stability(ax: Axes, count: pd.DataFrame) -> None:
    """Below the panel, how far seeds and capacities from n to 4 n agree on the count."""
    counts = count.rename(columns={"value": "count"}).dropna(subset=["count"])
    score = None if counts.empty else stability_over_capacities(counts, counts["n"].iloc[0])
    if score is not None:
        below = str(score).replace(" (", "\n(")  # in one line it is wider than its panel
        ax.set_xlabel(f"{ax.get_xlabel()}\n{below}", color=INK)


def _draw_count(ax: Axes, rows: pd.DataFrame, capacities: pd.Series) -> None:
    """Active dimensions, interval as bars; a line at n, and one where all of m would be active."""
    ax.set_ylabel("active\ndimensions")
    drawing.capacity_axis(ax, capacities)
    if rows.empty:
        return
    means = rows.drop_duplicates("m").sort_values("m")
    bars = np.stack([means["mean"] - means["low"], means["high"] - means["mean"]])  # (below or above, m)
    ax.errorbar(
        means["m"], means["mean"], bars, fmt="-^", color=COUNT_COLOUR, lw=1, elinewidth=0.7, capsize=1.5
    )
    drawing.draw_seeds(ax, rows, COUNT_COLOUR)
    ax.plot([0, means["m"].max()], [0, means["m"].max()], ":", color=COUNT_COLOUR, lw=0.9)
    n = rows["n"].iloc[0]
    if not np.isnan(n):
        ax.axhline(n, color=INK, lw=0.8, ls=drawing.DASHES, zorder=1.5)
    ax.set_ylim(0, COUNT_ROOM * max(rows["value"].max(), means["high"].max(), 0 if np.isnan(n) else n, 1))
    ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))


def all_models_data(metrics: pd.DataFrame, n: N, metric: Names, titles: Names) -> pd.DataFrame:
    """Every model's metric at the last checkpoint, and what its spare dimensions cost.

    The column cost is the mean at a model's largest m divided by its lowest mean.
    """
    rows = _chosen(last(metrics), n, metric).sort_values(["model", "m", "seed"])
    frame = over_seeds(in_order(rows, titles)[[*COLUMNS, "value"]], by=["dataset", "model", "m"], logs=True)
    means = frame.sort_values("m", kind="stable").groupby(["dataset", "model"])["mean"]
    return frame.assign(cost=(means.transform("last") / means.transform("min")).reindex(frame.index))


@paper_style()
def draw_all_models(frame: pd.DataFrame) -> Figure:
    """Draw a block a data set, a panel a model, the other models in grey behind it."""
    names = frame["dataset"].unique()
    models = {name: frame.loc[frame["dataset"] == name, "model"].nunique() for name in names}
    lines = {name: -(-count // MODELS_A_ROW) for name, count in models.items()}
    height = MODEL_HEIGHT * sum(lines.values()) + 0.35 * len(names) + drawing.LEGEND_HEIGHT
    figure = Figure(figsize=(DOUBLE_COLUMN, height))
    blocks = figure.subfigures(len(names), 1, squeeze=False, height_ratios=list(lines.values()))[:, 0]
    for block, name in zip(blocks, names, strict=True):
        _draw_block(block, frame[frame["dataset"] == name], lines[name])
    entries: dict[str, Any] = {
        "the model": Line2D([], [], color=BLUE, marker="o", mec="white", mew=0.5),
        "the others": Line2D([], [], color=GREY, lw=0.7, alpha=0.6),
        interval_label(frame): drawing.interval_handle(),
        **_marks(frame),
    }
    drawing.legend_below(figure, entries, columns=len(entries))
    return figure


def _draw_block(block: SubFigure, rows: pd.DataFrame, lines: int) -> None:
    models = models_in_order(rows["model"])
    axes = block.subplots(lines, MODELS_A_ROW, sharex=True, sharey=True, squeeze=False).flatten().tolist()
    for ax in axes[len(models) :]:
        ax.axis("off")
    for ax, model in zip(axes, models, strict=False):
        _draw_model(ax, rows, model)
    _share_axes(axes[: len(models)], rows)
    block.suptitle(rows["title"].iloc[0])
    block.supylabel(metric_label(rows["metric"].iloc[0]), fontsize=8)
    block.supxlabel("assumed latent dimension $m$", fontsize=8)


def _draw_model(ax: Axes, rows: pd.DataFrame, model: str) -> None:
    own = rows[rows["model"] == model]
    for _, other in rows[rows["model"] != model].groupby("model"):
        means = other.drop_duplicates("m").sort_values("m")
        ax.plot(means["m"], means["mean"], color=GREY, lw=0.7, alpha=0.6, zorder=1)
    drawing.draw_curve(ax, own, BLUE, "o")
    drawing.mark_missing(ax, own, BLUE)
    drawing.mark_true_dimension(ax, rows["n"].iloc[0])
    ax.set_title(model_name(model, own["preset"]), fontsize=7.5, pad=2)
    cost = own["cost"].iloc[0]
    if pd.notna(cost):
        text = f"×{cost:.2g} at $m={own['m'].max()}$" if cost > 1 else "lowest at the largest $m$"
        note = ax.text(
            0.97, 0.96, text, transform=ax.transAxes, ha="right", va="top", fontsize=6.5, color=INK
        )
        note.set_bbox({"fc": "white", "lw": 0, "alpha": 0.8, "pad": 0.8})  # the others' lines pass behind it


def _share_axes(axes: list[Axes], rows: pd.DataFrame) -> None:
    """Set the panels' common axes: m doubling, the metric logarithmic where it spans much."""
    capacities = sorted(rows["m"].unique())
    axes[0].set_xscale("log", base=2)
    axes[0].set_xticks(capacities, [f"{m:g}" for m in capacities])
    axes[0].xaxis.set_minor_locator(NullLocator())
    drawing.distance_axis(axes[0], rows["value"])
    for below in axes[-MODELS_A_ROW:]:  # a panel with nothing below it needs the labels that shared axes hide
        below.tick_params(labelbottom=True)
