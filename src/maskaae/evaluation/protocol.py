"""Names of the metrics, the two ways of choosing a checkpoint, and why a cell of the tables is empty.

A number is only comparable to another one measured by the same protocol, so the protocol is part of the
column's name: the distance, the feature space, the number of generated samples and how they were generated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:  # the Snakefile imports this module for its names: it must not wait for pandas
    import pandas as pd

MaskMode = Literal["binary", "soft"]
"""Mask that generated codes pass."""

Measure = Literal["frechet", "frechet_train", "kid", "precision", "recall"]
"""What compares generated with real examples: of the test split, but for `frechet_train`."""

Sampler = Literal["prior", "mixture"]
"""Law of the codes that samples are decoded from."""

RAW_LIMIT = 4096
"""Largest data dimension D at which raw values are a feature space (our choice).

The Fréchet distance needs their D x D covariance, 0.13 GB a seed here and 1.2 GB for CelebA, and takes D^3.
"""

RUN_KEYS = ["dataset", "model", "m", "seed"]
"""Columns that name one trained model; `step` then names one of its checkpoints."""

CHECKPOINT_KEYS = [*RUN_KEYS, "step"]
"""Columns that name one checkpoint."""

COUNT_RANGE = ["active_low", "active_high"]
"""Columns of the counts that less and more weight of the reconstruction would have given, where measured."""

WEIGHT_RANGE = 4.0
"""A count is firm if the reconstruction may weigh so many times less or more (our choice)."""

COUNT_COLUMNS = ["active", *COUNT_RANGE]
"""Columns of counts: whole numbers, also where a cell is empty."""

PRIOR_DIVERGENCE_CODES = 1000
"""Codes that the divergence from the prior is estimated from, the first ones; all where there are fewer."""

REASONS = "undefined"
"""Column that says why a cell is empty; it is there only if a table has an empty cell."""

LOST = "lost: "
"""How the reason of a seed whose training diverged begins."""


def samples_tag(samples: int) -> str:
    """Number of generated samples as it stands in a column name: `10k` for 10,000, `2500` as it is.

    ValueError if it is below 1.
    """
    if samples < 1:
        raise ValueError(f"samples = {samples}: the number of generated samples must be at least 1")
    return f"{samples // 1000}k" if samples % 1000 == 0 else str(samples)


def metric_column(
    features: str,
    samples: int,
    mask: MaskMode = "binary",
    *,
    stretched: bool = False,
    measure: Measure = "frechet",
) -> str:
    """Name the column of a distance between generated and real examples.

    Parameters
    ----------
    mask : {'binary', 'soft'}
        Mask through which the samples were decoded; `binary` adds nothing to the name.
    stretched : bool
        Whether each generated image was min-max stretched by itself, as the authors' script does.
    measure : {'frechet', 'frechet_train', 'kid', 'precision', 'recall'}
        `frechet` is written `fd` on raw values and `fid` on learned features; so is `frechet_train`, with
        `train` behind; the others stay as they are.

    Returns
    -------
    str
        For example `fd_raw_10k`, `fid_classifier_10k_soft` or `fid_inception_10k_minmax_soft`.
    """
    frechet = "fd" if features == "raw" else "fid"
    parts = [frechet if measure.startswith("frechet") else measure, features, samples_tag(samples)]
    parts += ["minmax"] if stretched else []
    parts += ["train"] if measure == "frechet_train" else []
    parts += ["soft"] if mask == "soft" else []
    return "_".join(parts)


def companion_column(frechet_column: str, measure: Measure) -> str:
    """Name the column of another measure in the space, and of the samples, of a Fréchet distance."""
    if measure == "frechet_train":
        return f"{frechet_column}_train"
    return f"{measure}_{frechet_column.partition('_')[2]}"


def feature_spaces(shown: str, dimension: int | None) -> tuple[str, ...]:
    """Feature spaces that a data set is measured in: that of its figures, and raw values if they fit.

    Where D is None, known only from the data, raw values are measured. ValueError if raw values are to be
    shown and D is above `RAW_LIMIT`.
    """
    if dimension is None or dimension <= RAW_LIMIT:
        return tuple(sorted({"raw", shown}))
    if shown == "raw":
        raise ValueError(f"features: {too_large_for_raw(dimension)}")
    return (shown,)


def too_large_for_raw(dimension: int) -> str:
    """Say why raw values of D numbers are no feature space, and what to do."""
    return (
        f"the Fréchet distance of raw values with D = {dimension} needs covariances of {dimension} x "
        f"{dimension} ({8 * dimension**2 / 1e9:.1f} GB each); above D = {RAW_LIMIT} choose `inception` or, "
        "with classes, `classifier`, or prepare the images at a smaller size"
    )


def last(metrics: pd.DataFrame) -> pd.DataFrame:
    """Select the last checkpoint of every trained model: a row for every dataset, model, m and seed.

    KeyError if a column that names the run or the step is missing.
    """
    _require(metrics, CHECKPOINT_KEYS)
    rows = metrics.reset_index(drop=True)  # labels of concatenated tables are not unique
    return rows.loc[rows.groupby(RUN_KEYS)["step"].idxmax()].reset_index(drop=True)


def oracle(metrics: pd.DataFrame, column: str) -> pd.DataFrame:
    """Select the checkpoint at which a metric is lowest, for every trained model; of equals the earliest.

    This is what the authors' script reports: the minimum over checkpoints against the *test* set. It is
    optimistic by construction, since the test set chooses the checkpoint. A model whose metric is undefined
    at every checkpoint, or that was lost, keeps its last row, so that the gap stays visible. KeyError if
    `column` or one that names the run or the step is missing.
    """
    _require(metrics, [*CHECKPOINT_KEYS, column])
    from pandas import concat

    rows = metrics.sort_values("step", ignore_index=True)
    lost = rows.assign(lost=is_lost(rows)).groupby(RUN_KEYS)["lost"].transform("any")
    defined = rows[~lost].dropna(subset=[column])
    lowest = defined.loc[defined.groupby(RUN_KEYS)[column].idxmin()]
    undefined = last(rows[lost | (rows.groupby(RUN_KEYS)[column].transform("count") == 0)])

    return concat([lowest, undefined]).sort_values(RUN_KEYS, ignore_index=True)


def _require(metrics: pd.DataFrame, columns: list[str]) -> None:
    missing = [column for column in columns if column not in metrics.columns]
    if missing:
        raise KeyError(f"metrics have no column {', '.join(missing)}; they have {', '.join(metrics.columns)}")


def explain_undefined(metrics: pd.DataFrame, lost: Mapping[int, str]) -> pd.DataFrame:
    """Give every empty cell of a checkpoint's metrics, a row a seed, its reason in a column `undefined`.

    Of seeds that are `lost` (training diverged before this checkpoint, for the given reason) no metric stays,
    not even those that a metric makes of a model of NaNs (a count of 0 active dimensions, say).
    """
    metrics = metrics.copy()
    if lost:
        gone = metrics["seed"].isin(list(lost))
        for name in metrics.columns.difference(CHECKPOINT_KEYS):
            kept = metrics[name].astype("Int64") if name in COUNT_COLUMNS else metrics[name]
            metrics[name] = kept.mask(gone)
    reasons = [_reason(row, lost) for row in metrics.to_dict("records")]
    if any(reasons):
        metrics[REASONS] = reasons
    return metrics


def is_lost(frame: pd.DataFrame) -> pd.Series[bool]:
    """Rows, of metrics or of a history, of seeds whose training had diverged."""
    if REASONS not in frame:
        from pandas import Series

        return Series(False, index=frame.index)
    return frame[REASONS].astype("string").str.startswith(LOST).fillna(False).astype(bool)


def _reason(row: Mapping[Any, Any], lost: Mapping[int, str]) -> str | None:
    if row["seed"] in lost:
        return LOST + lost[row["seed"]]
    from pandas import isna

    empty = [str(name) for name, value in row.items() if name != REASONS and isna(value)]
    return "; ".join(f"{name}: {_cause(name, row['active'])}" for name in empty) or None


def _cause(metric: str, active: int) -> str:
    """Say why a metric has no value in a model that was trained to the end."""
    if metric == "nac":
        few = f"{active} active dimension(s), it needs 2"
        return few if active < 2 else "an active dimension is constant or not finite"
    if metric == "prior_divergence":
        return f"{active} active dimension(s): it needs one, and more codes; or codes are not finite"
    if metric == "wasserstein":
        return "the model has no critic, or its scores are not finite"
    return "generated or reconstructed values are not finite"
