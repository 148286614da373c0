"""What each change of a setting does: every variant against its base, paired by seed, as table and figure."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from maskaae.config.experiment import Group
from maskaae.evaluation.protocol import RUN_KEYS, Measure, companion_column, last
from maskaae.report.figures import drawing
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
from maskaae.report.markup import markdown_table
from maskaae.report.selection import metric_label, model_name
from maskaae.report.statistics import interval_kinds, interval_label, over_seeds, seed_interval

QUANTITIES: Mapping[str, str] = {
    "count_error": "count - n",
    "active": "active",
    "distance": "distance",
    "precision": "precision",
    "recall": "recall",
    "code_deviation": "code deviation",
    "reconstruction_mse": "reconstruction (MSE)",
}
"""Quantity -> its heading.

``distance`` is the data set's own (FID, or Fréchet distance of raw values); precision and recall are those of
the same samples and features, where they were measured.
"""

SAMPLING_TITLES = {"binary": "binary mask at sampling", "soft": "soft mask at sampling"}

CAPACITY_STYLES = tuple(zip((BLUE, VERMILLION, GREEN, INK, PURPLE, ORANGE), "so^DvP", strict=True))
COLUMNS = ("count", "distance", "precision", "code_deviation", "reconstruction_mse")
LINE = 0.155  # inches a line
MARGIN = 0.62  # inches of title and axis a group
SPREAD = 0.5  # of a line, that the capacities share

COMPANIONS: Sequence[Measure] = ("precision", "recall")
"""Quantities that stand beside the distance where they were measured."""

ROW = ["group", "dataset", "m", "row", "kind", "label"]
"""Columns that name one row of the comparison at one capacity."""
DIFFERENCE = ["difference", "difference_low", "difference_high"]


def compare(
    groups: Sequence[Group],
    *,
    metrics: pd.DataFrame,
    history: pd.DataFrame,
    n: Mapping[str, int | None],
    metric: Mapping[str, str],
) -> pd.DataFrame:
    """Last checkpoint of every run of the groups, in tidy rows.

    Parameters
    ----------
    metrics, history : DataFrame
        metrics.csv of all runs, and history.csv of the bases with their mask values `mu_j`; the column
        `model` holds the label.
    n, metric : mapping
        Data set -> true latent dimension, None where unknown, and column of the distance to show.

    Returns
    -------
    DataFrame
        group, dataset, m, row (title), kind ("base", "change", "reference"; "sampling" for the base through
        its other mask; "threshold" for the base counted again), label, metric, n, quantity (see
        `QUANTITIES`; a count error only where n is known), seed, value, and over the seeds mean, low, high,
        seeds, interval (as ``kind`` of `maskaae.report.statistics.seed_interval`).
    """
    at_end = last(metrics)
    parts = [part for group in groups for part in _group_parts(group, at_end, history, metric[group.dataset])]
    rows = pd.concat(parts, ignore_index=True)
    rows["n"] = rows["dataset"].map({name: np.nan if known is None else known for name, known in n.items()})
    rows["count_error"] = rows["active"] - rows["n"]
    tidy = rows.melt(
        id_vars=[*ROW, "metric", "n", "seed"],
        value_vars=list(QUANTITIES),
        var_name="quantity",
        ignore_index=False,
    )
    in_order = tidy.sort_index(kind="stable").dropna(subset="value")  # lines as the groups list them
    kinds = in_order.reset_index(drop=True).rename(columns={"kind": "row_kind"})
    summed = over_seeds(kinds, by=["group", "row", "m", "quantity"])
    return summed.rename(columns={"kind": "interval", "row_kind": "kind"})


def _group_parts(
    group: Group, at_end: pd.DataFrame, history: pd.DataFrame, metric: str
) -> Iterator[pd.DataFrame]:
    """Rows of one group, a frame a line of the figure: a row a seed and capacity, a column a quantity."""
    base = group.rows[0]
    for row in group.rows:
        runs = _of(at_end, group, row.label)
        yield _named(_generation(runs, metric), group, row.title, row.kind, metric)
    runs = _of(at_end, group, base.label)
    soft = metric.endswith("_soft")
    other = metric.removesuffix("_soft") if soft else f"{metric}_soft"
    sampled = _generation(runs, other)[["m", "seed", "model", "distance", *COMPANIONS]]
    yield _named(sampled, group, SAMPLING_TITLES["binary" if soft else "soft"], "sampling", other)
    counts = recount(_of(history, group, base.label), group.thresholds)
    for threshold in group.thresholds:
        counted = counts[counts["threshold"] == threshold]
        yield _named(counted, group, f"active from {threshold:g}", "threshold", metric)


def _generation(runs: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Runs with what compares their samples, through one mask, with the data."""
    absent = pd.Series(np.nan, index=runs.index)
    companions = {str(name): runs.get(companion_column(metric, name), absent) for name in COMPANIONS}
    return runs.assign(distance=runs[metric], **companions)


def _of(frame: pd.DataFrame, group: Group, label: str) -> pd.DataFrame:
    rows = frame[(frame["dataset"] == group.dataset) & (frame["model"] == label)]
    rows = rows[rows["m"].isin(group.capacities)]
    missing = set(group.capacities) - set(rows["m"])
    if missing:
        raise ValueError(f"{group.title}: {label} on {group.dataset} has no rows at m = {sorted(missing)}")
    return rows


def _named(rows: pd.DataFrame, group: Group, title: str, kind: str, metric: str) -> pd.DataFrame:
    named = rows.rename(columns={"model": "label"}).assign(
        group=f"{group.title}, {model_name('maae', [group.preset])}",
        dataset=group.dataset,
        row=title,
        kind=kind,
        metric=metric,
    )
    return named.reindex(columns=[*ROW, "metric", "seed", *QUANTITIES])


def recount(history: pd.DataFrame, thresholds: Iterable[float]) -> pd.DataFrame:
    """Count the active dimensions of trained masks again: those whose `mu_j` reaches a threshold.

    Returns dataset, model, m, seed, threshold, active: at the last step of each run and seed of a history.
    """
    final = last(history)
    mu = final[[name for name in final if str(name).startswith("mu_")]]  # NaN from the run's own m on
    known = mu.notna().any(axis="columns")  # a seed that diverged has no mask to count
    counts = [
        final[RUN_KEYS].assign(threshold=t, active=(mu >= t).sum(axis="columns").where(known))
        for t in thresholds
    ]
    columns = [*RUN_KEYS, "threshold", "active"]
    return pd.concat(counts, ignore_index=True) if counts else pd.DataFrame(columns=columns)


def summary(frame: pd.DataFrame) -> pd.DataFrame:
    """One row a line, capacity and quantity of `compare`, with its difference from the base, paired by seed.

    Returns `ROW`, metric, n, quantity, mean, low, high, seeds, interval, and of the difference difference,
    difference_low, difference_high, empty for the base itself.
    """
    keys = ["group", "m", "quantity", "seed"]
    base = frame[frame["kind"] == "base"].set_index(keys)["value"]
    paired = frame.join(base.rename("base_value"), on=keys)
    paired["change"] = (paired["value"] - paired["base_value"]).where(paired["kind"] != "base")
    rows = []
    for _, seeds in paired.groupby(["group", "row", "m", "quantity"], sort=False):
        change = seed_interval(seeds["change"])
        first = seeds.iloc[0].drop(["seed", "value", "base_value", "change"])
        differences = dict(zip(DIFFERENCE, change[:3], strict=True))
        rows.append({**first, **differences})
    return pd.DataFrame(rows)


def as_markdown(table: pd.DataFrame) -> str:
    """`summary` as Markdown: a table a group, a column a quantity and capacity, mean [low, high]."""
    parts = []
    for title, rows in table.groupby("group", sort=False):
        cells = {(row["row"], row["quantity"], row["m"]): _cell(row) for row in rows.to_dict("records")}
        present = set(rows["quantity"])
        present -= {"active"} if "count_error" in present else set()  # which says more than the count
        shown = [quantity for quantity in QUANTITIES if quantity in present]
        columns = [(quantity, m) for quantity in shown for m in sorted(rows["m"].unique())]
        head = ["", *(f"{_heading(quantity, rows)}, m = {m}" for quantity, m in columns)]
        lines = [
            [name, *(cells.get((name, *column), "") for column in columns)] for name in rows["row"].unique()
        ]
        parts.append(f"**{title}**\n\n{markdown_table(head, lines)}\n")
    kinds = " or ".join(interval_kinds(table["interval"]))
    note = f"Last checkpoint; mean over {table['seeds'].max()} seeds, with {kinds} in brackets."
    return "\n".join([*parts, note]) + "\n"


def _heading(quantity: str, rows: pd.DataFrame) -> str:
    if quantity != "distance":
        return QUANTITIES[quantity]
    return "FID" if rows["metric"].iloc[0].startswith("fid") else "Fréchet distance"


def _cell(row: Mapping[Hashable, Any]) -> str:
    mean, low, high = row["mean"], row["low"], row["high"]
    return f"{mean:.3g}" if np.isnan(low) else f"{mean:.3g} [{low:.3g}, {high:.3g}]"


@paper_style()
def draw(table: pd.DataFrame) -> Figure:
    """Draw one group of `summary`: a line a change, a column a quantity, the base at the top."""
    names = table.drop_duplicates("row")
    columns = [column for column in COLUMNS if column == "count" or (table["quantity"] == column).any()]
    figure = Figure(figsize=(DOUBLE_COLUMN, LINE * len(names) + MARGIN + drawing.LEGEND_HEIGHT))
    axes = figure.subplots(1, len(columns), squeeze=False)[0]
    styles = dict(zip(sorted(table["m"].unique()), cycle(CAPACITY_STYLES), strict=False))
    for ax, column in zip(axes, columns, strict=True):
        known = (table["quantity"] == "count_error").any()  # a count is shown as its error where n is
        quantity = column if column != "count" else "count_error" if known else "active"
        _draw_column(ax, table, quantity, list(names["row"]), styles)
    axes[0].set_yticks(range(len(names)), names["row"])
    for tick, kind in zip(axes[0].get_yticklabels(), names["kind"], strict=True):
        tick.set_fontweight("bold" if kind == "base" else "normal")
        tick.set_color(GREY if kind in ("sampling", "threshold") else INK)
    figure.suptitle(table["group"].iloc[0])
    entries = {
        f"$m = {m}$": Line2D([], [], ls="none", color=colour, marker=marker)
        for m, (colour, marker) in styles.items()
    }
    entries[interval_label(table, kind="interval")] = Line2D([], [], color=INK, lw=1)
    entries["base"] = Line2D([], [], color=GREY, lw=0.7, ls=drawing.DASHES)
    drawing.legend_below(figure, entries, columns=len(entries))
    return figure


def _draw_column(
    ax: Axes, rows: pd.DataFrame, quantity: str, names: list[str], styles: dict[int, tuple[str, str]]
) -> None:
    """One quantity of one group: mean and interval, the base's mean as a line down."""
    drawn = rows[rows["quantity"] == quantity]
    capacities = sorted(rows["m"].unique())
    for place, m in enumerate(capacities):
        shift = SPREAD * ((place + 0.5) / len(capacities) - 0.5)
        at_m = drawn[drawn["m"] == m]
        colour, marker = styles[m]
        y = at_m["row"].map(names.index) + shift
        ax.hlines(y, at_m["low"], at_m["high"], color=colour, lw=1, alpha=0.7, zorder=3)
        ax.plot(at_m["mean"], y, marker, color=colour, ms=4, mec="white", mew=0.4, zorder=4)
        base = at_m.loc[at_m["kind"] == "base", "mean"]
        if len(base):
            ax.axvline(base.iloc[0], color=colour, lw=0.7, ls=drawing.DASHES, alpha=0.5, zorder=1)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set_yticks(range(len(names)), [""] * len(names))
    ax.tick_params(axis="y", length=0)
    _scale(ax, quantity, drawn)
    ax.set_xlabel(_axis_label(quantity, rows))


def _scale(ax: Axes, quantity: str, drawn: pd.DataFrame) -> None:
    """Whole numbers for counts, 0 to 1 for shares, logarithmic where others span much; mark what is right."""
    goals = {"count_error": 0.0, "code_deviation": 1.0}
    if quantity in goals:
        ax.axvline(goals[quantity], color=INK, lw=0.6, zorder=1)
    if quantity == "precision":
        ax.set_xlim(-0.04, 1.04)
        return
    low, high = drawn["mean"].min(), drawn["mean"].max()  # intervals of few seeds may reach out of view
    if quantity in ("active", "count_error"):
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    elif 0 < drawing.LOG_SPAN * low < high:
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


def _axis_label(quantity: str, rows: pd.DataFrame) -> str:
    counts = {"count_error": "active $-\\,n$", "active": "active dimensions"}
    if quantity != "distance":
        return counts.get(quantity, QUANTITIES[quantity])
    return metric_label(rows["metric"].iloc[0]).replace(" (classifier features)", " (classifier)")
