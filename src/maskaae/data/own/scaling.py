"""Scaling of the user's own vectors: learned on the training split, stored with the data set."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

_ROWS_AT_A_TIME = 10_000
# Below this share of a column's own size its standard deviation is rounding, not variation.
_CONSTANT = 1e-12


@dataclass(frozen=True)
class Scaling:
    """Standardisation: `(x - mean) / scale`, column by column.

    Attributes
    ----------
    mean : ndarray of float64 (D,)
        Mean of the training split.
    scale : ndarray of float64 (D,)
        Its standard deviation; 1 for a constant column.
    constant : tuple of int
        Positions of the columns that do not vary over the training split.
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    constant: tuple[int, ...]

    @classmethod
    def fit(cls, train: NDArray[Any]) -> Self:
        """Learn the scaling from the training split `(N, D)`."""
        mean = train.mean(axis=0, dtype=np.float64)
        squares = np.zeros_like(mean)
        for start in range(0, len(train), _ROWS_AT_A_TIME):
            squares += ((train[start : start + _ROWS_AT_A_TIME] - mean) ** 2).sum(axis=0)
        deviation = np.sqrt(squares / len(train))
        constant = deviation <= _CONSTANT * np.abs(mean)
        return cls(mean, np.where(constant, 1.0, deviation), tuple(np.flatnonzero(constant).tolist()))

    @classmethod
    def from_details(cls, details: Mapping[str, Any]) -> Self:
        """Take the scaling from `details["scaling"]` of a data set's json."""
        stored = details["scaling"]
        return cls(np.array(stored["mean"]), np.array(stored["scale"]), tuple(stored["constant"]))

    def details(self) -> dict[str, Any]:
        """Return what a data set's json stores under `scaling`."""
        return {
            "method": "standardise",
            "mean": self.mean.tolist(),
            "scale": self.scale.tolist(),
            "constant": list(self.constant),
        }

    def apply(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        """Scale rows `(N, D)`."""
        return ((rows - self.mean) / self.scale).astype(np.float32)

    def invert(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        """Bring scaled rows `(N, D)` back to the units of the file."""
        return rows * self.scale + self.mean


def scale_splits(
    train: NDArray[Any], test: NDArray[Any], method: Literal["standardise", "none"], names: Sequence[str]
) -> tuple[NDArray[np.float32], NDArray[np.float32], dict[str, Any]]:
    """Scale both splits by what the training split says; constant columns are named in the log.

    Parameters
    ----------
    train, test : ndarray (N, D)
        Both splits as in the file.
    method : {"standardise", "none"}
        How.
    names : sequence of str
        The names of the columns.

    Returns
    -------
    train, test : ndarray of float32 (N, D)
        A constant column is shifted to 0 and not scaled.
    details : dict
        What a data set's json stores under `scaling`.
    """
    scaling = Scaling.fit(train)
    if scaling.constant:
        constant = ", ".join(names[column] for column in scaling.constant)
        logger.warning("columns that are constant over the training split, not scaled: %s", constant)
    if method == "none":
        details = {"method": "none", "columns": list(names), "constant": list(scaling.constant)}
        return train.astype(np.float32), test.astype(np.float32), details
    return scaling.apply(train), scaling.apply(test), {**scaling.details(), "columns": list(names)}
