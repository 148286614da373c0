"""What all of the user's own data have in common: splits, their scaling and classes, and what is reported."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from maskaae.data.dataset import Labels, Split

logger = logging.getLogger(__name__)

DEFAULT_TEST_FRACTION = 0.2
SMALLEST_TRAINING_SPLIT = 64
"""The paper's batch: with fewer examples every batch would repeat some."""

_ROWS_AT_A_TIME = 10_000
_CONSTANT = 1e-12
"""Below this share of a column's own size its standard deviation is rounding, not variation."""

Rows = NDArray[np.int64]


def split_rows(size: int, test_fraction: float | None, seed: int) -> tuple[Rows, Rows]:
    """Draw the rows of `0 .. size - 1` that train and those that test, each ascending.

    `test_fraction` None stands for 0.2; each of the two has a row at least, where there are two rows.
    """
    fraction = DEFAULT_TEST_FRACTION if test_fraction is None else test_fraction
    order = np.random.default_rng(seed).permutation(size)
    n_test = min(max(1, round(size * fraction)), max(1, size - 1))
    return np.sort(order[n_test:]), np.sort(order[:n_test])


def spread_rows(size: int, wanted: int) -> Rows:
    """Choose `wanted` rows (or all) at equal distances: of a split sorted by class, a share of each class."""
    chosen = min(size, wanted)
    return np.arange(chosen, dtype=np.int64) * size // max(chosen, 1)


def check_enough(n_train: int, origin: str) -> None:
    """Refuse, by ValueError, a training split smaller than a batch."""
    if n_train < SMALLEST_TRAINING_SPLIT:
        raise ValueError(
            f"{origin}: {n_train} examples to train on, fewer than one batch of {SMALLEST_TRAINING_SPLIT}; "
            "give more data, or a smaller test_fraction"
        )


def row_digests(rows: NDArray[Any]) -> list[bytes]:
    """Digest of every row's bytes: equal rows have equal digests."""
    return [hashlib.blake2b(np.ascontiguousarray(row).tobytes(), digest_size=16).digest() for row in rows]


def recording_digests(chunks: Iterable[NDArray[Any]], digests: list[bytes]) -> Iterator[NDArray[Any]]:
    """Pass chunks of rows on, and append every row's digest to `digests`."""
    for chunk in chunks:
        digests.extend(row_digests(chunk))
        yield chunk


def report_duplicates(train: Sequence[bytes], test: Sequence[bytes]) -> dict[str, int | None]:
    """Count the examples of the test split that are in the training split too; a warning says so.

    The result holds `test_rows_in_train`, and the `first` of them (a row of the test split, or None).
    """
    known = set(train)
    shared = [row for row, digest in enumerate(test) if digest in known]
    if shared:
        logger.warning(
            "%d of %d examples of the test split are in the training split too (the first: test row %d)",
            len(shared),
            len(test),
            shared[0],
        )
    return {"test_rows_in_train": len(shared), "first": shared[0] if shared else None}


def encode_classes(
    train: NDArray[Any], test: NDArray[Any], origin: str
) -> tuple[dict[Split, Labels], list[str]]:
    """Give numbers to the classes of both splits in the order of their names.

    Parameters
    ----------
    train, test : ndarray (N,)
        One class per example: text or whole numbers.
    origin : str
        What messages call the place where they come from.

    Returns
    -------
    labels : dict of ndarray of int64
        Classes of both splits.
    names : list of str
        Name of each class.

    Raises
    ------
    ValueError
        If they are not whole numbers or text, or there is only one class.
    """
    both = np.concatenate([train, test])
    if both.ndim != 1 or both.dtype.kind not in "biufUTO":
        raise ValueError(
            f"{origin}: {both.dtype} {both.shape} are not classes; one whole number or name each"
        )
    if both.dtype.kind == "f":
        broken = both[both != np.rint(both)]
        if len(broken):
            raise ValueError(f"{origin}: {broken[0]} is not a class; classes are whole numbers or text")
        both = both.astype(np.int64)
    names, codes = np.unique(both, return_inverse=True)
    if len(names) == 1:
        raise ValueError(f"{origin}: {str(names[0])!r} is the only class; leave the labels out")
    unseen = set(codes[len(train) :]) - set(codes[: len(train)])
    if unseen:
        logger.warning(
            "%s: the training split has no example of: %s", origin, [str(names[i]) for i in unseen]
        )
    labels: dict[Split, Labels] = {"train": codes[: len(train)], "test": codes[len(train) :]}
    return labels, [str(name) for name in names]


@dataclass(frozen=True)
class Scaling:
    """Standardisation `(x - mean) / scale` of the user's vectors, column by column.

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
        """What a data set's json stores under `scaling`."""
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
    """Scale both splits `(N, D)` by what the training split says; constant columns are named in the log.

    A constant column is shifted to 0 and not scaled. The third value is what a data set's json stores under
    `scaling`.
    """
    scaling = Scaling.fit(train)
    if scaling.constant:
        constant = ", ".join(names[column] for column in scaling.constant)
        logger.warning("columns that are constant over the training split, not scaled: %s", constant)
    if method == "none":
        details = {"method": "none", "columns": list(names), "constant": list(scaling.constant)}
        return train.astype(np.float32), test.astype(np.float32), details
    return scaling.apply(train), scaling.apply(test), {**scaling.details(), "columns": list(names)}


@dataclass(frozen=True)
class OwnData:
    """Examples of one file or split, and perhaps one class each.

    Attributes
    ----------
    values : ndarray
        Vectors (N, D) of finite numbers, or images uint8 (N, H, W, C).
    classes : ndarray (N,) or None
        Numbers or text.
    names : tuple of str
        Names of the columns of vectors; empty for images.
    """

    values: NDArray[Any]
    classes: NDArray[Any] | None
    names: tuple[str, ...]

    def rows(self, rows: NDArray[np.int64]) -> OwnData:
        """Some of the examples."""
        classes = None if self.classes is None else self.classes[rows]
        return OwnData(self.values[rows], classes, self.names)


def read_splits(spec: Mapping[str, Any], read: Callable[[Split], OwnData]) -> dict[Split, OwnData]:
    """Read both splits: each from its own file, or rows of one file drawn by chance.

    `read` gives all examples of `path` ("train") or `test_path` ("test").
    """
    train = read("train")
    if spec["test_path"] is not None:
        return {"train": train, "test": read("test")}
    train_rows, test_rows = split_rows(len(train.values), spec["test_fraction"], spec["split_seed"])
    return {"train": train.rows(train_rows), "test": train.rows(test_rows)}
