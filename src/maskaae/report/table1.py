"""Table 1: FID of every model by two samplers, what it used of its latent space, its cost; cited rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from maskaae.evaluation.protocol import Measure, companion_column, last, oracle
from maskaae.report.markup import Language
from maskaae.report.selection import (
    choose_metric,
    in_order,
    metric_label,
    model_name,
    models_in_order,
    read_records,
)
from maskaae.report.statistics import SeedInterval, cell, interval_label, quantity_rows, seed_interval

CITED_SOURCE = "Dai and Wipf (2019), arXiv 1903.05789, table 1"
CITED_PROTOCOL = "10 runs, latent size 64, mean ± as printed there"
CITED_DATASETS = {
    "mnist": "MNIST",
    "fashion_mnist": "Fashion-MNIST",
    "cifar10": "CIFAR-10",
    "celeba": "CelebA",
}
"""Data sources of the cited numbers, and what the table calls them."""


class CitedRow(NamedTuple):
    """Our name of a model, that of its authors, FID on each of `CITED_DATASETS`, and the number behind it."""

    model: str
    title: str
    fid: tuple[float, float, float, float]
    plus_minus: tuple[float, float, float, float]


CITED_ROWS = (
    CitedRow("vae", "VAE (cross-entropy)", (16.6, 43.6, 106.0, 53.3), (0.4, 0.7, 1.0, 0.6)),
    CitedRow("vae_fixed", "VAE (fixed variance)", (52.0, 84.6, 160.5, 55.9), (0.6, 0.9, 1.1, 0.6)),
    CitedRow("vae_learned", "VAE (learned variance)", (54.5, 60.0, 76.7, 60.5), (1.0, 1.1, 0.8, 0.6)),
    CitedRow("vae_flow", "VAE + Flow", (54.8, 62.1, 81.2, 65.7), (2.8, 1.6, 2.0, 2.8)),
    CitedRow("wae_mmd", "WAE-MMD", (115.0, 101.7, 80.9, 62.9), (1.1, 0.8, 0.4, 0.8)),
    CitedRow("two_stage_vae", "2-Stage VAE", (12.6, 29.3, 72.9, 44.4), (1.5, 1.0, 0.9, 0.7)),
)

NOT_COMPARABLE = (
    "They cannot be compared with ours: "
    "their nets, budgets and latent size differ; "
    "their features are the 2015 TensorFlow Inception's, ours another extractor's or a port of it; "
    "their script stretches each generated image, but no real one, to the full range; "
    "it writes CIFAR-10 to JPEG and reads it back before training and testing; "
    "CelebA is cropped to 128 or 140 pixels there, to 140 here; "
    "and MaskAAE's own numbers, which we do not know, are by its script the lowest over checkpoints, chosen "
    "on the test set (our column 'oracle' is that minimum)."
)
"""Why a cited row and one of ours are no contest: from both projects' released scripts."""


OURS, CITED = "ours", "cited"
SAMPLERS = {"prior": "", "mixture": "_mixture"}
"""What ends the names of quantities of samples of the prior, and of the mixture fitted to the codes."""
COMPANIONS: tuple[Measure, ...] = ("kid", "precision", "recall")
MEASURES = {"fid": "FID", "kid": "KID", "precision": "precision", "recall": "recall"}
SAMPLED = {
    f"{measure}{end}": f"{title}, {sampler}"
    for sampler, end in SAMPLERS.items()
    for measure, title in MEASURES.items()
} | {"components": "components"}
OTHERS = {"active": "active", "nac": "NAC", "reconstruction_mse": "reconstruction MSE"}
DETAILS = {**OTHERS, "fid_oracle": "FID, prior, oracle", "minutes": "minutes"}
DECIMALS = {
    **{name: 2 for name in SAMPLED if name.startswith("fid")},
    **{name: 3 for name in SAMPLED if name.startswith("kid")},
    **{name: 2 for name in SAMPLED if name.startswith(("precision", "recall"))},
    **{"components": 1, "active": 1, "nac": 3, "reconstruction_mse": 4, "fid_oracle": 2, "minutes": 1},
}
KEYS = ["dataset", "title", "metric", "preset", "model", "m"]
RUN = ["dataset", "model", "m"]

Minutes = Mapping[tuple[str, str, int], float]
"""(data set, model, m) -> minutes that its training took, all seeds at once."""


def table1(
    metrics: pd.DataFrame,
    samplers: pd.DataFrame,
    minutes: Minutes,
    metric: Mapping[str, str],
    titles: Mapping[str, str],
) -> pd.DataFrame:
    """Every model over its seeds at the last checkpoint, by two samplers, and the cited rows below.

    A model with several capacities is shown at the one that suits it, see `_suited`.

    Parameters
    ----------
    metrics : DataFrame
        Runs of all models; a row a seed and checkpoint.
    samplers : DataFrame
        The same runs by `maskaae.evaluation.mixture.compare_samplers`.
    metric, titles : mapping
        Data set -> metric column to show, and its name in the table.

    Returns
    -------
    DataFrame
        A row a data set, model and quantity: source ("ours" or "cited"), dataset, title, metric, preset,
        model, m, quantity (names in `SAMPLED` and `DETAILS`), mean, low, high, seeds, kind (see
        `maskaae.report.statistics.seed_interval`), lost (seeds that diverged in training), best (a lowest
        FID of one sampler that intervals set apart, see `set_apart`). Cited rows have no interval over seeds
        of ours; what their authors print behind the mean is in plus_minus.
    """
    suited = _suited(samplers, metric)
    chosen = in_order(choose_metric(metrics.merge(suited, on=RUN), metric), titles)
    sampled = choose_metric(samplers.merge(suited, on=RUN), _binary(metric))
    rows = [
        *_sampled(in_order(sampled, titles)),
        *quantity_rows(last(chosen), KEYS, {name: name for name in OTHERS}),
        *quantity_rows(oracle(chosen, "value"), KEYS, {"fid_oracle": "value"}),
        *_times(chosen, minutes),
    ]
    ours = in_order(pd.DataFrame(rows), titles).assign(source=OURS)
    fid = ours[ours["quantity"].isin([f"fid{end}" for end in SAMPLERS.values()])]
    best = pd.concat([set_apart(alike) for _, alike in fid.groupby(["dataset", "quantity"], sort=False)])
    ours["best"] = best.reindex(ours.index, fill_value=False)
    return pd.concat([ours, _cited_rows()], ignore_index=True)


def _suited(samplers: pd.DataFrame, metric: Mapping[str, str]) -> pd.DataFrame:
    """One run (data set, model, m) of every model: of several capacities, the one that suits it.

    It is that at which samples of the prior are nearest to the *training* split: the test split chooses
    nothing. Of a model that is lost at all of them it is the first.
    """
    distance = choose_metric(samplers, {name: _nearest(column) for name, column in metric.items()})
    prior = distance[distance["sampler"] == "prior"]
    means = prior.groupby(RUN, sort=False)["value"].mean().fillna(float("inf")).reset_index()
    return means.loc[means.groupby(["dataset", "model"], sort=False)["value"].idxmin(), RUN]


def _binary(metric: Mapping[str, str]) -> dict[str, str]:
    """Columns of the same distances through the binary mask, which alone samplers are compared through."""
    return {name: column.removesuffix("_soft") for name, column in metric.items()}


def _nearest(column: str) -> str:
    return companion_column(column.removesuffix("_soft"), "frechet_train")


def _sampled(samplers: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of what was measured of samples, by both samplers."""
    rows: list[dict[str, Any]] = []
    for sampler, end in SAMPLERS.items():
        of_sampler = samplers[samplers["sampler"] == sampler]
        for metric, seeds in of_sampler.groupby("metric", sort=False):
            others = {f"{name}{end}": companion_column(str(metric), name) for name in COMPANIONS}
            rows += quantity_rows(seeds, KEYS, {f"fid{end}": "value", **others})
    mixtures = samplers[samplers["sampler"] == "mixture"]
    return rows + quantity_rows(mixtures, KEYS, {"components": "components"})


def _times(chosen: pd.DataFrame, minutes: Minutes) -> list[dict[str, Any]]:
    """Rows of the training times: one number a run, since its seeds train together."""
    runs = _records(chosen[KEYS].drop_duplicates())
    return [
        run
        | {"quantity": "minutes", "lost": 0}
        | seed_interval([minutes[run["dataset"], run["model"], run["m"]]])._asdict()
        for run in runs
    ]


def read_minutes(records: Iterable[str | Path]) -> dict[tuple[str, str, int], float]:
    """Minutes that each training took, by data set, model and m, from ``{dataset}/{model}/m{m}/run.json``."""
    table = read_records(records, "steps", "steps_per_second")
    return {(run["dataset"], run["model"], run["m"]): training_minutes(run) for run in _records(table)}


def training_minutes(record: Mapping[str, Any]) -> float:
    """Minutes that a whole training takes at the speed in its ``run.json``, also if it was resumed."""
    return float(record["steps"] / record["steps_per_second"] / 60)


def set_apart(fid: pd.DataFrame) -> pd.Series[bool]:
    """Whether each model's FID is the lowest, and its interval lies below all others of the data set.

    Disjoint 95 % intervals are a stricter test than a difference that is significant at 5 %, which leaves
    room for the many models that it is compared with. Ranges of two seeds are no such intervals: they set
    nothing apart (our choice). `fid` has a row a model: mean, low, high, kind.
    """
    lowest: pd.Series[bool] = fid["mean"] == fid["mean"].min()
    others = fid[~lowest & fid["mean"].notna()]
    comparable = bool((fid.loc[fid["mean"].notna(), "kind"] == "t95").all()) and not others.empty
    below: pd.Series[bool] = fid["high"] < others["low"].min()
    return lowest & (below & comparable)


def _cited_rows() -> pd.DataFrame:
    rows = [
        {"dataset": dataset, "title": title, "model": row.model, "mean": fid, "plus_minus": plus_minus}
        for row in CITED_ROWS
        for (dataset, title), fid, plus_minus in zip(
            CITED_DATASETS.items(), row.fid, row.plus_minus, strict=True
        )
    ]
    cited = pd.DataFrame(rows).assign(source=CITED, metric="FID as cited", m=64, quantity="fid", kind="cited")
    return cited.assign(best=False)


def as_document(table: pd.DataFrame, language: Language) -> str:
    """Write table 1: FID by model and data set, the cited rows, then what stands behind each FID."""
    ours = table[table["source"] == OURS]
    parts = [
        language.heading.format("Ours"),
        language.table(*overview(ours, language.bold)),
        language.heading.format("Cited, not ours"),
        language.table(*cited_overview()),
    ]
    for title, of_dataset in ours.groupby("title", sort=False):
        parts += [
            language.heading.format(f"{title}: samples"),
            language.table(*details(of_dataset, SAMPLED)),
            language.heading.format(f"{title}: latent space, reconstruction, time"),
            language.table(*details(of_dataset, DETAILS)),
        ]
    return "\n\n".join([*parts, language.remarks(note(ours))]) + "\n"


def overview(ours: pd.DataFrame, bold: str) -> tuple[list[str], list[list[str]]]:
    """Arrange FID as the paper prints it: a row a model, two columns a data set, one a sampler."""
    fid = ours[ours["quantity"].isin([f"fid{end}" for end in SAMPLERS.values()])]
    texts = {
        (row["model"], row["title"], row["quantity"]): (bold if row["best"] else "{}").format(_text(row))
        for row in _records(fid)
    }
    names = _names(fid)
    columns = {
        (title, f"fid{end}"): f"{title}, {_sizes(rows)}{sampler}"
        for title, rows in fid.groupby("title", sort=False)
        for sampler, end in SAMPLERS.items()
    }
    lines = [
        [names[model], *(texts.get((model, *column), "") for column in columns)]
        for model in models_in_order(fid["model"])
    ]
    return ["Ours", *columns.values()], lines


def _names(rows: pd.DataFrame) -> dict[str, str]:
    """Name of each model, MAAE's with the presets that it was trained by."""
    return {
        str(model): model_name(str(model), of["preset"]) for model, of in rows.groupby("model", sort=False)
    }


def _sizes(rows: pd.DataFrame) -> str:
    """The capacity in a heading, where all models have the same."""
    sizes = rows["m"].unique()
    return f"$m = {sizes[0]:g}$, " if len(sizes) == 1 else ""


def cited_overview() -> tuple[list[str], list[list[str]]]:
    """Arrange cited FID, every row labelled as cited."""
    lines = [
        [f"{row.title} (cited)", *map("{:.1f} ± {:.1f}".format, row.fid, row.plus_minus)]
        for row in CITED_ROWS
    ]
    return ["Cited", *CITED_DATASETS.values()], lines


def details(of_dataset: pd.DataFrame, quantities: Mapping[str, str]) -> tuple[list[str], list[list[str]]]:
    """Arrange some quantities, with their headers, of one data set: a row a model."""
    texts = {(row["model"], row["quantity"]): _text(row) for row in _records(of_dataset)}
    sizes = of_dataset.drop_duplicates("model").set_index("model")["m"]
    names = _names(of_dataset)
    lines = [
        [names[model], f"{sizes[model]:g}", *(texts[model, quantity] for quantity in quantities)]
        for model in models_in_order(of_dataset["model"])
    ]
    return ["Model", "$m$", *quantities.values()], lines


def note(ours: pd.DataFrame) -> str:
    """Lines below the table: what stands behind each number, and why the cited ones are no contest."""
    fid = ours[ours["quantity"].isin([f"fid{end}" for end in SAMPLERS.values()])]
    datasets = _records(fid.drop_duplicates("dataset"))
    features = ", ".join(f"{row['title']}: {metric_label(row['metric'])}" for row in datasets)
    bold = (
        "Bold: lowest of its sampler, its interval below all others'."
        if fid["best"].any()
        else "Nothing is bold: no lowest FID has a 95 % interval that lies below all others'."
    )
    return (
        f"Ours: last checkpoint, mean and {interval_label(fid)}; oracle: lowest over checkpoints. "
        f"{features}. {bold} Prior: what the model itself is sampled by; RAE, IRMAE and Least Volume have no "
        "prior, and a Gaussian fitted to their codes in its place. Mixture: Gaussians with full covariances "
        "fitted to codes of training examples, of VAEs to posterior means; as many components as make "
        "held-out codes of the training split most likely, one rule for all. Precision, recall "
        "(Kynkäänniemi et al., 2019) and KID in the same features.\n\n"
        "Active: dimensions that MAAE's mask keeps; of VAEs, units with a posterior mean that varies (A_u of "
        "Burda et al., 2016); all m of the others. NAC over active dimensions. Minutes: one training, all "
        "seeds at once. Seeds whose training diverged count in nothing; their number is given as lost.\n\n"
        f"Cited: {CITED_SOURCE}; {CITED_PROTOCOL}. {NOT_COMPARABLE}"
    )


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def _text(row: Mapping[str, Any]) -> str:
    return cell(SeedInterval.of(row), DECIMALS[row["quantity"]], row["lost"])
