"""What a run on the user's own data found, in words: dimensions needed, FID, the model to use."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from maskaae.evaluation.dimension import count_stability
from maskaae.evaluation.protocol import COUNT_RANGE, WEIGHT_RANGE, is_lost, last
from maskaae.report.markup import markdown_table
from maskaae.report.selection import metric_label

AGREEMENT = 1
"""Counts that lie at most so many dimensions apart are said to agree (our choice)."""


REMEDY = """What to do: give the reconstruction more weight against the other terms of the mask's loss, eq 17:
`hyperparameters: {reconstruction_weight: ...}` in the configuration, in steps of three from the value in
`run.json` of each run. If that does not help, train longer (`training: {steps: ...}`), or look for columns
that are independent of the others: noise has no dimension to share."""


class BestModel(NamedTuple):
    """A trained model, as it was measured at its last checkpoint."""

    model: str
    m: int
    seed: int
    active: int
    fid: float

    @property
    def collapsed(self) -> bool:
        """Whether its mask closed every dimension."""
        return self.active == 0


@dataclass(frozen=True)
class DimensionCount:
    """Active dimensions over seeds and capacities."""

    counts: tuple[int, ...]  # sorted, of the runs that masked some dimensions and kept some
    saturated: int  # runs that kept all m: their count only bounds the number from below
    collapsed: int  # runs that kept none
    largest: int  # capacity
    lost: int = 0  # runs whose training diverged

    @property
    def median(self) -> float:
        """Median count."""
        return float(np.median(self.counts))


def best_model(metrics: pd.DataFrame, metric: str) -> BestModel:
    """Choose the MAAE of the lowest FID at the last checkpoint, among those whose mask did not collapse.

    Where every mask collapsed it is the WAE of the lowest FID; without a WAE a collapsed MAAE. Models whose
    FID, the column `metric`, is undefined come last.
    """
    at_end = last(metrics[metrics["model"].isin(["maae", "wae"])])
    collapsed = at_end["active"] == 0
    preference = np.select([(at_end["model"] == "maae") & ~collapsed, ~collapsed], [0, 1], default=2)
    best = at_end.assign(preference=preference).sort_values(["preference", metric]).iloc[0]
    return BestModel(
        str(best["model"]), int(best["m"]), int(best["seed"]), int(best["active"]), float(best[metric])
    )


def count_dimensions(metrics: pd.DataFrame) -> DimensionCount:
    """Sort the last checkpoints of all MAAEs into counts, lower bounds and collapsed masks."""
    maae = _maae_at_end(metrics)
    trained = maae[~is_lost(maae)]
    return DimensionCount(
        tuple(sorted(_masked(trained)["active"].astype(int))),
        int((trained["active"] == trained["m"]).sum()),
        int((trained["active"] == 0).sum()),
        int(trained["m"].max()),
        len(maae) - len(trained),
    )


def answer(count: DimensionCount, dimension: int) -> str:
    """Say how many dimensions data of so many numbers per example need, and how far that can be trusted."""
    lost = f" Runs whose training diverged, which say nothing: {count.lost}." if count.lost else ""
    return _answer_of_trained_runs(count, dimension) + lost


def _answer_of_trained_runs(count: DimensionCount, dimension: int) -> str:
    if not count.counts and not count.saturated:
        return f"**No answer**: in all {count.collapsed} runs the mask closed every dimension.\n\n{REMEDY}"
    if not count.counts and count.largest >= dimension:
        return (
            f"**No answer yet**: every run kept all of its dimensions, also with m = {count.largest}, as "
            "many as the data have. Most likely the mask had too little time; try more `training: steps`."
        )
    if not count.counts:
        return (
            f"**At least {count.largest} dimensions**: every run kept all of its dimensions, so none had "
            "one to spare. Try larger capacities, or more training steps."
        )
    low, high = count.counts[0], count.counts[-1]
    parts = [
        f"**About {count.median:g} dimensions**: the median of {len(count.counts)} runs, which found "
        + (f"{low} each." if low == high else f"{low} to {high}.")
    ]
    if high - low > AGREEMENT:
        parts.append(
            "They disagree: the count depends on seed or capacity here, so take it as an order of size. More "
            "seeds show how far it scatters; more training steps often bring the counts together."
        )
    if count.saturated:
        parts.append(
            f"Runs that kept all dimensions, which only bounds the number from below: {count.saturated}."
        )
    if count.collapsed:
        parts.append(f"Runs whose mask collapsed to zero, which say nothing: {count.collapsed}.")
    return " ".join(parts)


def data_notes(info: Mapping[str, Any]) -> list[str]:
    """Say what was noticed while the data were prepared, from the content of `dataset.json`."""
    details = info["details"]
    shape = " x ".join(map(str, info["shape"]))
    notes = [f"{info['n_train']} training and {info['n_test']} test examples, {info['kind']} of {shape}."]
    scaling = details.get("scaling", {})
    if scaling.get("method") == "standardise":
        notes.append("Columns were scaled to mean 0 and variance 1 of the training split.")
    if scaling.get("constant"):
        names = ", ".join(scaling["columns"][column] for column in scaling["constant"])
        notes.append(f"Constant over the training split, so not scaled: {names}.")
    duplicates = details.get("duplicates", {}).get("test_rows_in_train", 0)
    if duplicates:
        notes.append(
            f"{duplicates} test examples are in the training split too: FID looks better than it is."
        )
    for conversion, files in details.get("converted", {}).items():
        notes.append(f"Converted: {conversion}, {files['count']} images (the first: {files['first']}).")
    return notes


def summarise(
    metrics: pd.DataFrame, metric: str, info: Mapping[str, Any], model: Path, figures: Sequence[str]
) -> str:
    """Write the summary of a run on the user's own data, in Markdown.

    Parameters
    ----------
    metrics : DataFrame
        Runs of WAE and MAAE on one data set, a row a seed and checkpoint.
    metric : str
        Column of the FID.
    info : mapping
        Content of `dataset.json`.
    model : Path
        Folder of the run that holds the best model.
    figures : sequence of str
        Pictures to look at.
    """
    best = best_model(metrics, metric)
    pictures = "\n".join(f"- `{figure}`" for figure in figures)
    notes = "\n".join(f"- {note}" for note in data_notes(info))
    return f"""# How many dimensions do your data need?

{answer(count_dimensions(metrics), math.prod(info["shape"]))}

{_stability(metrics)}{_firmness(metrics)}

Data: `{info["details"].get("path", info["source"])}`

## Active dimensions and {metric_label(metric)}, last checkpoint

{_table(metrics, metric)}

Active dimensions: one number a seed. {metric_label(metric)} (`{metric}`): mean over seeds; lower is better.
Numbers of different data sets cannot be compared.

## The model to use

{_model_to_use(best, metric, model)}{_better_wae(metrics, metric, best)}

## Look at

{pictures}

## Your data

{notes}
"""


def _model_to_use(best: BestModel, metric: str, folder: Path) -> str:
    """Say which model to take, why, and how to load it."""
    if best.collapsed:
        return "None: every mask closed all dimensions, so that all samples are the same."
    label = metric_label(metric)
    which = f"the {best.model.upper()} with the lowest {label} ({best.fid:.4g})"
    if best.model == "wae":
        which += f", because no MAAE has a dimension left. Its m = {best.m} is the best of a few, not a count"
    return f"""`{folder}/model.safetensors`, seed {best.seed}: {which}. The test split chose
it, so on new data expect a little more.

```python
from maskaae.estimator import MaskAAE

model = MaskAAE.load("{folder}", seed={best.seed})
model.n_active_                        # dimensions it uses: {best.active}
new = model.sample(1000)               # in the units of your data
codes = model.transform(new)           # (1000, n_active_)
back = model.inverse_transform(codes)
```"""


def _better_wae(metrics: pd.DataFrame, metric: str, best: BestModel) -> str:
    """Say which WAE is better than the best MAAE, if one is."""
    wae = last(metrics[metrics["model"] == "wae"])
    better = wae[wae[metric] < best.fid].sort_values(metric)
    if best.model != "maae" or better.empty:
        return ""
    m, seed, fid = better[["m", "seed", metric]].to_numpy()[0]
    return (
        f"\n\nA WAE has a lower {metric_label(metric)}: m = {m:.0f}, seed {seed:.0f} ({fid:.4g}). If samples "
        "matter more than the count, use that one."
    )


def _stability(metrics: pd.DataFrame) -> str:
    score = count_stability(metrics)
    if score is None:
        return "Stability: not defined, since no run masked a dimension."
    return f"Stability over seeds and capacities up to four times the count: {score}."


def _firmness(metrics: pd.DataFrame) -> str:
    """Say which counts other weights of the reconstruction would have given, where that was measured."""
    if not metrics.columns.isin(COUNT_RANGE).any():
        return ""
    maae = _maae_at_end(metrics)
    masked = _masked(maae[~is_lost(maae)])
    if masked.empty:
        return ""
    low, high = masked[COUNT_RANGE].median()
    return (
        f" How firm it is: if the reconstruction weighed {WEIGHT_RANGE:g} times less, the same searches "
        f"would have chosen {low:g} dimensions, {WEIGHT_RANGE:g} times more {high:g} (medians). The nearer "
        "these are, the more it is the data that decide."
    )


def _maae_at_end(metrics: pd.DataFrame) -> pd.DataFrame:
    return last(metrics[metrics["model"] == "maae"])


def _masked(trained: pd.DataFrame) -> pd.DataFrame:
    """Runs whose count is an answer: the mask closed some dimensions, and left some."""
    return trained[(trained["active"] < trained["m"]) & (trained["active"] > 0)]


def _table(metrics: pd.DataFrame, metric: str) -> str:
    """Markdown, a line a capacity: count of each seed, and FID of both models."""
    at_end = last(metrics)
    lines = []
    for m, rows in at_end.groupby("m"):
        maae = rows[rows["model"] == "maae"]
        counts = maae["active"].astype("Int64").astype(object).mask(is_lost(maae), "lost")
        fids = [_mean(rows.loc[rows["model"] == model, metric]) for model in ("maae", "wae")]
        lines.append([m, ", ".join(map(str, counts)), *fids])
    return markdown_table(["m", "active dimensions", "MAAE", "WAE"], lines, "rlrr")


def _mean(values: pd.Series[float]) -> str:
    return "–" if values.isna().all() else f"{values.mean():.4g}"
