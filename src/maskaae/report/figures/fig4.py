"""Figure 4: FID (left axis) of WAE and MAAE and MAAE's active dimensions (right axis) against m."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from maskaae.evaluation.counts import stability_over_capacities
from maskaae.evaluation.protocol import is_lost, last, oracle
from maskaae.report.figures import panels
from maskaae.report.figures.drawing import COUNT_COLOUR, INK, MODEL_COLOURS, MODEL_MARKERS, paper_style
from maskaae.report.names import MODEL_NAMES, metric_label, models_in_order
from maskaae.report.selection import add_by_dataset, choose_metric, in_order
from maskaae.report.statistics import interval_label, over_seeds


def data(
    metrics: pd.DataFrame, n: Mapping[str, int | None], metric: Mapping[str, str], titles: Mapping[str, str]
) -> pd.DataFrame:
    """FID of the last checkpoint, its oracle minimum over checkpoints, and the active count, in tidy rows.

    Parameters
    ----------
    metrics : DataFrame
        Runs of WAE and MAAE, a row a seed and checkpoint.
    n : mapping
        Data set -> true latent dimension, None where unknown.
    metric, titles : mapping
        Data set -> metric column to draw, and the panel's title.

    Returns
    -------
    DataFrame
        dataset, title, metric, n, model, m, seed, collapsed (no active dimension at that checkpoint), lost
        (in training), quantity ("fid_last", "fid_oracle"; for MAAE also "active"), value, and over the seeds
        of that capacity mean, low, high, seeds, kind (see `maskaae.report.statistics.seed_interval`).
    """
    chosen = choose_metric(metrics[metrics["model"].isin(MODEL_COLOURS)], metric)
    chosen = add_by_dataset(chosen, "n", n).assign(lost=is_lost(chosen))
    at_end = last(chosen)
    lowest = oracle(chosen, "value")
    maae = at_end[at_end["model"] == "maae"]
    rows = pd.concat(
        [
            at_end.assign(quantity="fid_last", collapsed=at_end["active"] == 0),
            lowest.assign(quantity="fid_oracle", collapsed=lowest["active"] == 0),
            maae.assign(quantity="active", collapsed=maae["active"] == 0, value=maae["active"]),
        ]
    )
    columns = ["dataset", "title", "metric", "n", "model", "m", "seed", "collapsed", "lost"]
    columns += ["quantity", "value"]
    rows = in_order(rows.sort_values(["quantity", "model", "m", "seed"]), titles)
    return over_seeds(rows[columns], by=["dataset", "quantity", "model", "m"])


@paper_style()
def draw(frame: pd.DataFrame) -> Figure:
    """Draw `data`'s frame, one panel a data set."""
    names = frame["dataset"].unique()
    figure, axes = panels.panel_row(len(names), height=2.15)
    for ax, name in zip(axes, names, strict=True):
        rows = frame[frame["dataset"] == name]
        count = rows[rows["quantity"] == "active"]
        if not count.empty:
            _draw_count(ax.twinx(), count)
        _draw_fid(ax, rows)
        _write_stability(ax, count)
    entries = _legend(frame)
    columns = 4 if len(names) > 1 else 2
    figure.legend(list(entries.values()), list(entries), loc="outside lower center", ncols=columns)
    return figure


def _draw_fid(ax: Axes, rows: pd.DataFrame) -> None:
    ax.set_zorder(1)  # FID above the count of the twin axis
    ax.patch.set_visible(False)
    last, oracle = (rows[rows["quantity"] == name] for name in ("fid_last", "fid_oracle"))
    for line, model in enumerate(models_in_order(rows["model"])):
        colour = MODEL_COLOURS[model]
        bound = oracle[oracle["model"] == model].drop_duplicates("m")
        ax.plot(bound["m"], bound["mean"], "--", color=colour, lw=0.8, alpha=0.7, zorder=2)
        panels.draw_curve(ax, last[last["model"] == model], colour, MODEL_MARKERS[model])
        panels.mark_missing(ax, last[last["model"] == model], colour, line)
    if last["value"].isna().all():
        panels.no_value(ax)
    panels.mark_true_dimension(ax, rows["n"].iloc[0])
    panels.scale_to_values(ax, pd.concat([last["value"], oracle["value"]]))
    panels.capacity_axis(ax, rows["m"])
    ax.set_title(rows["title"].iloc[0])
    ax.set_ylabel(metric_label(rows["metric"].iloc[0]))


def _write_stability(ax: Axes, count: pd.DataFrame) -> None:
    """Below the panel, how far seeds and capacities from n to 4 n agree on the count."""
    counts = count.rename(columns={"value": "count"}).dropna(subset=["count"])
    score = None if counts.empty else stability_over_capacities(counts, counts["n"].iloc[0])
    if score is not None:
        ax.set_xlabel(f"{ax.get_xlabel()}\n{score}", color=INK)


def _draw_count(ax: Axes, rows: pd.DataFrame) -> None:
    """Active dimensions, interval as bars, in the upper part of the panel: FID's flat part lies below."""
    ax.spines["right"].set(visible=True, color=COUNT_COLOUR)
    ax.tick_params(axis="y", colors=COUNT_COLOUR)
    ax.set_ylabel("active dimensions", color=COUNT_COLOUR)
    ax.grid(False)
    means = rows.drop_duplicates("m").sort_values("m")
    bars = np.stack([means["mean"] - means["low"], means["high"] - means["mean"]])  # (below or above, m)
    ax.errorbar(
        means["m"], means["mean"], bars, fmt="-^", color=COUNT_COLOUR, lw=1, elinewidth=0.7, capsize=1.5
    )
    panels.draw_seeds(ax, rows, COUNT_COLOUR)
    ax.plot(means["m"], means["m"], ":", color=COUNT_COLOUR, lw=0.9)
    n = rows["n"].iloc[0]
    if not np.isnan(n):
        ax.axhline(n, color=COUNT_COLOUR, lw=0.8, ls=panels.DASHES)
    top = max(rows["m"].max(), means["high"].max())
    ax.set_ylim(-0.5 * top, 1.05 * top)
    ax.set_yticks([tick for tick in MaxNLocator(5, integer=True).tick_values(0, top) if 0 <= tick <= top])


def _legend(frame: pd.DataFrame) -> dict[str, Any]:
    """Label -> handle of what the panels show, and of nothing that they do not."""
    entries: dict[str, Any] = {
        f"{MODEL_NAMES[model]}, last checkpoint": Line2D(
            [], [], color=MODEL_COLOURS[model], marker=MODEL_MARKERS[model], mec="white", mew=0.5
        )
        for model in models_in_order(frame["model"])
    }
    entries["best checkpoint (oracle)"] = Line2D([], [], color=INK, ls="--", lw=0.8, alpha=0.7)
    if (frame["quantity"] == "active").any():
        entries["MAAE, active dimensions"] = Line2D([], [], color=COUNT_COLOUR, marker="^", lw=1)
        entries["all $m$ active"] = Line2D([], [], color=COUNT_COLOUR, ls=":", lw=0.9)
    if frame["n"].notna().any():
        entries["true latent dimension $n$"] = panels.true_dimension_handle()
    if frame["collapsed"].any():
        entries["mask collapsed to 0"] = panels.collapse_handle()
    entries[interval_label(frame)] = panels.interval_handle()
    return entries
