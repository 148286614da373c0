"""Ways of finding the dimension, side by side on data of known n, as table and figure."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from maskaae.evaluation.protocol import last
from maskaae.models.catalogue import TITLES
from maskaae.report.figures import drawing
from maskaae.report.figures.drawing import INK, paper_style
from maskaae.report.markup import markdown_table
from maskaae.report.selection import choose_metric, model_name
from maskaae.report.statistics import SeedInterval, cell, seed_interval

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
MARKERS = "ovsD^P*Xhp<>"


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
def draw(frame: pd.DataFrame) -> Figure:
    """Draw `compare`'s frame, a panel a kind of data: a line a method, every seed as a dot."""
    kinds = frame["kind"].unique()
    methods = [method for method in NAMES if method in set(frame["method"])]
    figure, axes = drawing.panel_row(len(kinds), height=2.4)
    for ax, kind in zip(axes, kinds, strict=True):
        _draw_kind(ax, frame[frame["kind"] == kind], methods)
        ax.set_title(str(kind))
    handles, labels = axes[0].get_legend_handles_labels()
    drawing.legend_below(figure, dict(zip(labels, handles, strict=True)), columns=4 if len(kinds) > 1 else 2)
    return figure


def _draw_kind(ax: Axes, rows: pd.DataFrame, methods: list[str]) -> None:
    sizes = sorted(rows["n"].unique())
    ax.plot(sizes, sizes, color=INK, lw=0.8, ls=drawing.DASHES, label="true dimension $n$")
    for place, method in enumerate(methods):
        colour, marker = colormaps["tab20"](place), MARKERS[place % len(MARKERS)]
        chosen = rows[rows["method"] == method]
        name = " and ".join(chosen["name"].unique())
        means = chosen.groupby("n")["estimate"].mean()
        ax.plot(means.index, means, "-", marker=marker, color=colour, lw=0.9, ms=3.5, label=name)
        ax.plot(chosen["n"], chosen["estimate"], ".", color=colour, ms=2, alpha=0.6)
    ax.set_xscale("log", base=2)
    ax.set_yscale("log", base=2)
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticks(sizes, [str(n) for n in sizes])
    ticks = [2**power for power in range(1, 8)]
    ax.set_yticks(ticks, [str(tick) for tick in ticks])
    ax.set_xlabel("true dimension $n$")
    ax.set_ylabel("estimate")
