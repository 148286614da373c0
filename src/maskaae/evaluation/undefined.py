"""Why a cell of a table is empty: a seed that was lost, or a metric that is undefined there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from maskaae.evaluation.protocol import COUNT_RANGE, RUN_KEYS

COLUMN = "undefined"
"""Column with the reasons; it is there only if a table has an empty cell."""

LOST = "lost: "
"""How the reason of a seed whose training diverged begins."""

COUNTS = ["active", *COUNT_RANGE]
KEYS = [*RUN_KEYS, "step"]


def explain_undefined(metrics: pd.DataFrame, lost: Mapping[int, str]) -> pd.DataFrame:
    """Give every empty cell of a checkpoint's metrics its reason.

    Parameters
    ----------
    metrics : DataFrame
        A row a seed.
    lost : mapping of int to str
        Seeds whose training diverged before this checkpoint, with the reason: none of their metrics counts,
        not even those that a metric makes of a model of NaNs (a count of 0 active dimensions, say).

    Returns
    -------
    DataFrame
        With `undefined` beside the rest if there is an empty cell.
    """
    metrics = metrics.copy()
    if lost:
        gone = metrics["seed"].isin(list(lost))
        for name in metrics.columns.difference(KEYS):
            kept = metrics[name].astype("Int64") if name in COUNTS else metrics[name]
            metrics[name] = kept.mask(gone)
    reasons = [_reason(row, lost) for row in metrics.to_dict("records")]
    if any(reasons):
        metrics[COLUMN] = reasons
    return metrics


def is_lost(frame: pd.DataFrame) -> pd.Series[bool]:
    """Rows, of metrics or of a history, of seeds whose training had diverged."""
    if COLUMN not in frame:
        return pd.Series(False, index=frame.index)
    return frame[COLUMN].astype("string").str.startswith(LOST).fillna(False).astype(bool)


def _reason(row: Mapping[Any, Any], lost: Mapping[int, str]) -> str | None:
    if row["seed"] in lost:
        return LOST + lost[row["seed"]]
    empty = [str(name) for name, value in row.items() if name != COLUMN and pd.isna(value)]
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
