"""Ways of finding the dimension, side by side on data of known n, as table and figure."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from maskaae.evaluation.protocol import last
from maskaae.models.catalogue import TITLES
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
from maskaae.report.selection import choose_metric, model_name
from maskaae.report.statistics import SeedInterval, cell, interval_label, seed_interval

NAMES: Mapping[str, str] = {
    "participation_ratio": "PCA, participation ratio",
    "pca": "PCA, 99 % of variance",
    "two_nn": "TwoNN",
    "mle": "MLE",
    "local_pca": "Local PCA",
    "flipd": "FLIPD",
    **TITLES,
}
"""Ways of finding the dimension, by what tables and figures call them, in their order."""
QUANTITIES = ("estimate", "error", "distance", "seconds")
STYLES = tuple(zip((BLUE, VERMILLION, GREEN, PURPLE, ORANGE, GREY), "osD^vP", strict=True))
"""Colour and marker of each way of a row of panels."""
BLOCK_HEIGHT = 2.4  # inches
APART = 0.11  # powers of two between two ways at one n, so that their intervals can be told apart
SMALLEST = 1e-3
"""Where an interval ends that reaches below zero, which a logarithmic axis does not show."""


def compare(
    *,
    estimates: pd.DataFrame,
    metrics: pd.DataFrame,
    seconds: pd.DataFrame,
    info: Sequence[Mapping[str, Any]],
    metric: Mapping[str, str],
) -> pd.DataFrame:
    """Put estimators and models into one tidy table.

    Parameters
    ----------
    estimates : DataFrame
        dataset, method, seed, estimate, seconds.
    metrics : DataFrame
        Runs of models that count dimensions, a row a seed and checkpoint.
    seconds : DataFrame
        dataset, model, m, seconds: duration of each training, of all of its seeds together.
    metric : mapping
        Data set -> column of its distance.

    Returns
    -------
    DataFrame
        dataset, kind, n, method, name (as tables call it), m (of a model), seed, estimate, error (estimate -
        n), distance (of a model), seconds (of a model: of its training, shared among the seeds).
    """
    counts = last(choose_metric(metrics, metric)).merge(seconds, on=["dataset", "model", "m"])
    counts["seconds"] /= counts.groupby(["dataset", "model", "m"])["seed"].transform("count")
    named = counts.rename(columns={"model": "method", "active": "estimate", "value": "distance"})
    named["name"] = [
        model_name(model, [preset]) for model, preset in counts[["model", "preset"]].to_numpy().tolist()
    ]
    estimated = estimates.assign(m=np.nan, distance=np.nan, name=estimates["method"].map(dict(NAMES)))
    columns = ["dataset", "method", "name", "m", "seed", "estimate", "distance", "seconds"]
    rows = pd.concat([estimated[columns], named[columns]])
    known = {entry["name"]: entry for entry in info}
    rows["n"] = [known[dataset]["n"] for dataset in rows["dataset"]]
    rows["kind"] = [kind_of_data(known[dataset]) for dataset in rows["dataset"]]
    rows["error"] = rows["estimate"] - rows["n"]
    order = {method: place for place, method in enumerate(NAMES)}
    return rows.sort_values(
        ["kind", "n", "method", "seed"],
        key=lambda column: column.map(order) if column.name == "method" else column,
        ignore_index=True,
    )


def kind_of_data(info: Mapping[str, Any]) -> str:
    """Words for what makes a data set hard: its family, the law of its latents, noise, or nothing."""
    details = info["details"]
    family = details.get("family", "paper")
    latent, noise = details.get("latent", "gaussian"), details.get("noise", 0)
    parts = [] if family == "paper" else [family.replace("_", " ")]
    parts += [] if latent == "gaussian" else [f"{latent} latents"]
    parts += [f"noise {noise:g}"] if noise else []
    return ", ".join(parts) or "clean"


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean over seeds of each quantity of `compare`, with its interval.

    Returns dataset, kind, n, method, name, m, quantity (`QUANTITIES`), mean, low, high, seeds,
    kind_of_interval.
    """
    keys = ["dataset", "kind", "n", "method", "name", "m"]
    table = []
    for names, group in rows.groupby(keys, sort=False, dropna=False):
        for quantity in QUANTITIES:
            interval = seed_interval(group[quantity].astype("float64"))._asdict()
            interval["kind_of_interval"] = interval.pop("kind")
            table.append({**dict(zip(keys, names, strict=True)), "quantity": quantity, **interval})
    return pd.DataFrame(table)


def as_markdown(table: pd.DataFrame, titles: Mapping[str, str]) -> str:
    """One table a kind of data: estimates of every way at every n, absolute error, distance, time."""
    parts = [_kind_as_markdown(kind, rows) for kind, rows in table.groupby("kind", sort=False)]
    datasets = ", ".join(titles[name] for name in table["dataset"].unique())
    note = (
        "Mean over seeds ± half the 95 % t-interval (range of two seeds); PCA and the estimators on "
        "neighbours see other examples for each seed, FLIPD all of them. Models are trained at one capacity "
        "above n each. Absolute error: of the mean over seeds, mean over n. Distance and time (of one seed): "
        f"means over n. Data sets: {datasets}."
    )
    return "\n\n".join([*parts, note]) + "\n"


def _kind_as_markdown(kind: object, rows: pd.DataFrame) -> str:
    sizes = sorted(rows["n"].unique())
    columns = [f"{kind}: method", *(f"n = {n}" for n in sizes), "abs. error", "distance", "seconds"]
    lines = []
    for name, of_method in rows.groupby("name", sort=False):
        means = {quantity: part.set_index("n") for quantity, part in of_method.groupby("quantity")}
        estimates = [_cell(means["estimate"], n) for n in sizes]
        error = means["error"]["mean"].abs().mean()
        distance, seconds = (means[quantity]["mean"].mean() for quantity in ("distance", "seconds"))
        shown = "–" if np.isnan(distance) else f"{distance:.3g}"
        lines.append([str(name), *estimates, f"{error:.2f}", shown, f"{seconds:.2g}"])
    return markdown_table(columns, lines)


def _cell(estimates: pd.DataFrame, n: int) -> str:
    if n not in estimates.index:
        return ""
    return cell(SeedInterval.of(estimates.loc[n].to_dict(), kind="kind_of_interval"), 1)


@paper_style()
def draw(table: pd.DataFrame) -> Figure:
    """Draw `summarise`'s estimates divided by n: a column a kind of data, estimators above, models below."""
    rows = table[table["quantity"] == "estimate"]
    present = [method for method in NAMES if method in set(rows["method"])]
    blocks = {
        "estimators, which train no model of the data": [name for name in present if name not in TITLES],
        "models, which count the dimensions that they use": [name for name in present if name in TITLES],
    }
    blocks = {words: methods for words, methods in blocks.items() if methods}
    figure = Figure(figsize=(DOUBLE_COLUMN, BLOCK_HEIGHT * len(blocks)))
    parts = figure.subfigures(len(blocks), 1, squeeze=False)[:, 0]
    for part, (words, methods) in zip(parts, blocks.items(), strict=True):
        _draw_block(part, rows[rows["method"].isin(methods)], methods, words)
    return figure


def _draw_block(block: SubFigure, rows: pd.DataFrame, methods: list[str], words: str) -> None:
    kinds = rows["kind"].unique()
    axes = block.subplots(1, len(kinds), sharey=True, squeeze=False)[0]
    for ax, kind in zip(axes, kinds, strict=True):
        _draw_kind(ax, rows[rows["kind"] == kind], methods)
        ax.set_title(str(kind))
    axes[0].set_ylabel("estimate / $n$")
    means = (rows["mean"] / rows["n"]).dropna()
    axes[0].set_ylim(means.min() / 1.2, means.max() * 1.2)
    steps = (1.0,) if means.max() > 4 * means.min() else (1.0, 1.5)
    axes[0].yaxis.set_major_locator(LogLocator(2, subs=steps))
    axes[0].yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes[0].yaxis.set_minor_locator(NullLocator())
    names = {method: " and ".join(rows.loc[rows["method"] == method, "name"].unique()) for method in methods}
    entries: dict[str, Artist] = {
        names[method]: Line2D([], [], color=colour, marker=marker, ms=4, lw=0.7, mec="white", mew=0.4)
        for method, (colour, marker) in zip(methods, STYLES[: len(methods)], strict=True)
    }
    entries["the true dimension"] = drawing.true_dimension_handle()
    entries[interval_label(rows, kind="kind_of_interval")] = Line2D([], [], color=INK, lw=1)
    block.suptitle(words)
    block.legend(list(entries.values()), list(entries), loc="outside lower center", ncols=4)


def _draw_kind(ax: Axes, rows: pd.DataFrame, methods: list[str]) -> None:
    sizes = sorted(rows["n"].unique())
    ax.axhline(1, color=INK, lw=0.8, ls=drawing.DASHES, zorder=1.5)
    for place, (method, (colour, marker)) in enumerate(zip(methods, STYLES[: len(methods)], strict=True)):
        chosen = rows[rows["method"] == method].sort_values("n")
        x = chosen["n"] * 2 ** (APART * (place - (len(methods) - 1) / 2))
        low, mean, high = (chosen[name] / chosen["n"] for name in ("low", "mean", "high"))
        ax.vlines(x, low.where(low > 0, SMALLEST), high, color=colour, lw=1, zorder=2)
        ax.plot(x, mean, marker=marker, color=colour, lw=0.7, ms=4, mec="white", mew=0.4, zorder=3)
    ax.set_xscale("log", base=2)
    ax.set_yscale("log", base=2)
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticks(sizes, [str(n) for n in sizes])
    ax.set_xlabel("true dimension $n$")
