"""Missing values of the user's vectors: refused with their count, or dropped or filled as told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskaae.data.dataset import SPLITS, Split
from maskaae.data.own.notes import ChoiceError, Notes
from maskaae.data.own.splits import OwnData

_SHOWN = 8


def settle_rows(
    path: Path, data: OwnData, spec: Mapping[str, Any], place: Callable[[int], str], notes: Notes
) -> OwnData:
    """Refuse missing values of one file, or drop the rows that they are in, as `missing` in the spec says.

    ChoiceError says how many are missing in which columns.
    """
    absent = np.isnan(data.values)
    empty = absent.all(axis=1)
    if empty.any() and not empty.all():
        there = np.flatnonzero(~empty)
        notes.leave_out(
            f"{path}: {empty.sum()} rows without a value (the first: {place(int(empty.argmax()))})"
        )
        return settle_rows(path, data.rows(there), spec, lambda row: place(int(there[row])), notes)
    unlabelled = _unlabelled(data)
    if spec["missing"] == "drop_rows":
        kept = ~(absent.any(axis=1) | unlabelled)
        if not kept.all():
            notes.leave_out(f"{path}: {(~kept).sum()} of {len(kept)} rows, in which a value is missing")
        dropped = data.rows(np.flatnonzero(kept))
        classes = dropped.classes
        if classes is not None and classes.dtype == object:
            numbers = all(isinstance(one, int | float | np.number) for one in classes)
            dropped = replace(dropped, classes=classes.astype(float if numbers else str))
        return dropped
    if not absent.any() or spec["missing"] is not None:
        return data
    row, column = (int(index) for index in np.argwhere(absent)[0])
    counts = _counts(absent, data.names)
    rows = int(absent.any(axis=1).sum())
    raise ChoiceError(
        f"{path}, {place(row)}, column {data.names[column]!r}: the value is missing. "
        f"Missing in all: {counts}; {rows} of {len(absent)} rows are affected.\n"
        "Set missing: drop_rows, drop_columns, or median (of the training split):",
        str(path),
        {"missing": "drop_rows" if rows <= len(absent) // 10 else "median"},
    )


def settle_splits(
    path: str, splits: Mapping[Split, OwnData], spec: Mapping[str, Any], notes: Notes
) -> tuple[dict[Split, OwnData], dict[str, Any]]:
    """Drop columns with missing values, or fill them by the training split's medians, as `missing` says.

    The second value is what a data set's json stores under `missing`. ValueError if no column is left, or one
    has no value to train on.
    """
    train, test = splits["train"], splits["test"]
    absent = {split: np.isnan(splits[split].values).sum(axis=0) for split in SPLITS}
    total: NDArray[np.int64] = absent["train"] + absent["test"]
    details = {
        "method": spec["missing"],
        "counts": {train.names[column]: int(total[column]) for column in np.flatnonzero(total)},
    }
    if not total.any():
        return dict(splits), details
    holes = np.flatnonzero(total)
    names = [train.names[column] for column in holes]
    if spec["missing"] == "drop_columns":
        kept = np.flatnonzero(total == 0)
        if not len(kept):
            raise ValueError(f"{path}: a value is missing in every column; set missing: drop_rows or median")
        notes.leave_out(
            f"{path}: {len(holes)} columns, in which values are missing: {', '.join(names[:_SHOWN])}"
        )
        left = tuple(train.names[column] for column in kept)
        return {
            split: replace(splits[split], values=splits[split].values[:, kept], names=left)
            for split in SPLITS
        }, details
    medians = pd.DataFrame(train.values[:, holes]).median().to_numpy()
    if np.isnan(medians).any():
        raise ValueError(
            f"{path}: column {names[int(np.isnan(medians).argmax())]!r} has no value to train on; drop it"
        )
    details["filled_with"] = dict(zip(names, medians.tolist(), strict=True))
    notes.guess(f"{path}: {int(total.sum())} missing values filled by the median of the training split")
    for split in SPLITS:
        values = splits[split].values.copy()
        values[:, holes] = np.where(np.isnan(values[:, holes]), medians, values[:, holes])
        splits = {**splits, split: replace(splits[split], values=values)}
    del test
    return dict(splits), details


def _unlabelled(data: OwnData) -> NDArray[np.bool_]:
    if data.classes is None or data.classes.dtype != object:
        return np.zeros(len(data.values), dtype=bool)
    return np.array([one is None for one in data.classes])


def _counts(absent: NDArray[np.bool_], names: tuple[str, ...]) -> str:
    """How many values are missing in each column, most first."""
    totals = absent.sum(axis=0)
    columns = sorted(np.flatnonzero(totals), key=lambda column: -totals[column])
    shown = ", ".join(f"{names[column]} {totals[column]}" for column in columns[:_SHOWN])
    return shown + (f" and {len(columns) - _SHOWN} more columns" if len(columns) > _SHOWN else "")
