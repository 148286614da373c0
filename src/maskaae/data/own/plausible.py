"""Values of the user's vectors that cannot be used, or will spoil the result."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskaae.data.own.notes import Notes
from maskaae.data.own.splits import OwnData

LARGEST = 1e150
"""Above it the square of a value is no number any more, and so is the variance."""
_CLASS_NAMES = frozenset(
    ["label", "labels", "class", "classes", "target", "y", "species", "category", "type"]
)
_FEW = 50
_IDENTIFIER = re.compile(r"(?i:(?:^|[\W_])(?:id|uuid|index|idx|nr|date|time|timestamp|zip))$|[a-z]I[dD]$")
_CODES = np.array(
    [
        *(-99, -999, -9999, -99999, 999, 9999, 99999, 999999),
        *(-99.9, -999.9, -9999.9, 999.9, 9999.9),
        *(-32768, 32767, -(2**31), 2**31 - 1, 1e20, -1e20),
    ]
)
"""Numbers that stand for missing values in files of instruments, models and surveys."""
_ROUNDED = 1e-3
"""Share by which a row of totals may differ from what it sums up, since it is rounded (our choice)."""
FAR = 1e6
"""So many deviations from the median is far (our choice)."""


def check_values(
    path: Path, data: OwnData, spec: Mapping[str, Any], place: Callable[[int], str], notes: Notes
) -> None:
    """Refuse infinite values and those too large to compute with; warn of those far from all others.

    ValueError names row and column.
    """
    values = data.values
    largest = LARGEST if spec["scaling"] == "standardise" else float(np.finfo(np.float32).max)
    with np.errstate(invalid="ignore"):
        # In 16 or 32 bits the limit itself would be infinite.
        too_large = np.abs(values) > largest if values.dtype.itemsize >= 8 else np.isinf(values)
    broken = np.argwhere(too_large)
    if len(broken):
        row, column = (int(index) for index in broken[0])
        value = values[row, column]
        where = f"{path}, {place(row)}, column {data.names[column]!r}"
        if np.isinf(value):
            raise ValueError(f"{where}: '{value}' is not a finite number")
        raise ValueError(
            f"{where}: {value:g} is too large to compute with (at most {largest:g}); is it a mistake?"
        )
    for column in range(values.shape[1]):
        far = _far(values[:, column].astype(np.float64))
        if not len(far):
            _warn_of_codes(path, data, column, notes)
        if len(far):
            row = int(far[0])
            more = f", and {len(far) - 1} more" if len(far) > 1 else ""
            notes.warn(
                f"{path}, {place(row)}, column {data.names[column]!r}: {values[row, column]:g} is more "
                f"than a million deviations from the other values{more}; scaled by it, all others become the "
                "same number. Mend it, or give it as missing_values"
            )


def _warn_of_codes(path: Path, data: OwnData, column: int, notes: Notes) -> None:
    """Warn of a value that is written where there is none, such as -999, if it lies apart from the others."""
    values = data.values[:, column].astype(np.float64)
    there = values[~np.isnan(values)]
    for code in {there.min(), there.max()} if len(there) else ():
        others = there[there != code]
        if not len(others) or not np.isclose(code, _CODES, rtol=1e-6, atol=0).any():
            continue
        if min(abs(others - code)) > np.ptp(others):
            count = len(there) - len(others)
            notes.warn(
                f"{path}: column {data.names[column]!r} holds {code:g} in {count} rows, far from all "
                f"its other values; if it stands for a missing one, give missing_values={code:g}"
            )


def check_last_row(path: Path, data: OwnData, place: Callable[[int], str], notes: Notes) -> None:
    """Warn of a last row that is the sum or the mean of the others in all columns that vary."""
    rest, last = data.values[:-1], data.values[-1:]
    if len(rest) < _FEW:
        return
    with np.errstate(invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of columns without a value
        vary = np.flatnonzero((np.nanmax(rest, axis=0) > np.nanmin(rest, axis=0)) & ~np.isnan(last[0]))
        made = {"sum": np.nansum(rest[:, vary], axis=0), "mean": np.nanmean(rest[:, vary], axis=0)}
    for what, row in made.items():
        if len(vary) > 1 and np.allclose(row, last[0, vary], rtol=_ROUNDED, atol=0):
            notes.warn(
                f"{path}, {place(len(rest))}: the last row is the {what} of the others, and is learned like "
                "them; take it out"
            )


def check_columns(path: Path, data: OwnData, notes: Notes) -> None:
    """Warn of columns that are hardly measurements: positions in time, identifiers, classes by number."""
    for column, name in enumerate(data.names):
        values = data.values[:, column].astype(np.float64)
        if not np.isfinite(values).all() or len(values) < _FEW:
            continue
        steps = np.diff(values)
        if steps[0] != 0 and np.allclose(steps, steps[0], rtol=1e-6, atol=0):
            notes.warn(
                f"{path}: column {name!r} goes in equal steps, as time does; drop it if it says no more"
            )
        elif (steps > 0).all() or (steps < 0).all():
            notes.warn(
                f"{path}: column {name!r} goes one way from row to row, as time does; "
                "drop it if it says no more"
            )
        different = np.unique(values)
        if len(different) > _FEW and _IDENTIFIER.search(name) and not np.all(steps > 0):
            notes.warn(
                f"{path}: column {name!r} is learned like the others; "
                "if it is an identifier or a time, drop it"
            )
        whole = bool((different == np.rint(different)).all())
        if data.classes is None and name.lower() in _CLASS_NAMES and whole and 2 <= len(different) <= _FEW:
            notes.warn(f"{path}: column {name!r} is learned like the others; if it holds classes, set label")


def _far(column: NDArray[np.float64]) -> NDArray[np.intp]:
    """Rows whose value lies more than `FAR` deviations of the others from their median."""
    there = column[~np.isnan(column)]
    if not len(there):
        return np.empty(0, dtype=np.intp)
    distance = np.abs(column - np.median(there))
    near = np.sort(distance[~np.isnan(column)])[: max(int(0.99 * len(there)), 1)]
    deviation = float(np.sqrt(np.mean((near / max(near[-1], 1e-300)) ** 2)) * near[-1])
    if deviation == 0:
        return np.empty(0, dtype=np.intp)
    return np.flatnonzero(distance > FAR * deviation)
