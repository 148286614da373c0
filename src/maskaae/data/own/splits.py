"""What all of the user's own data have in common: split, scaling, classes, and what is reported."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskaae.data.dataset import SPLITS, DatasetInfo, Labels, Split
from maskaae.data.own.scaling import scale_splits
from maskaae.data.writer import write_dataset

logger = logging.getLogger(__name__)

DEFAULT_TEST_FRACTION = 0.2
# The paper's batch: with fewer examples every batch would repeat some.
SMALLEST_TRAINING_SPLIT = 64

Rows = NDArray[np.int64]


def split_rows(count: int, test_fraction: float | None, seed: int) -> tuple[Rows, Rows]:
    """Draw the rows that train and the rows that test.

    Parameters
    ----------
    count : int
        Rows in all.
    test_fraction : float or None
        Share that tests; None: 0.2.
    seed : int
        Seed of the draw.

    Returns
    -------
    train, test : ndarray of int
        Row numbers, ascending; together `0 .. count - 1`.
    """
    fraction = DEFAULT_TEST_FRACTION if test_fraction is None else test_fraction
    order = np.random.default_rng(seed).permutation(count)
    n_test = min(max(1, round(count * fraction)), max(1, count - 1))
    return np.sort(order[n_test:]), np.sort(order[:n_test])


def spread_rows(count: int, wanted: int) -> Rows:
    """Choose rows to look at, at equal distances: of a split sorted by class, each class by its share.

    Parameters
    ----------
    count : int
        Rows in all.
    wanted : int
        Rows to choose; all of them where there are fewer.

    Returns
    -------
    ndarray of int
        Row numbers, ascending; the same for equal arguments.
    """
    chosen = min(count, wanted)
    return np.arange(chosen, dtype=np.int64) * count // max(chosen, 1)


def check_enough(n_train: int, origin: str) -> None:
    """Refuse a training split smaller than a batch.

    Raises
    ------
    ValueError
        If `n_train` is below `SMALLEST_TRAINING_SPLIT`.
    """
    if n_train < SMALLEST_TRAINING_SPLIT:
        raise ValueError(
            f"{origin}: {n_train} examples to train on, fewer than one batch of {SMALLEST_TRAINING_SPLIT}; "
            "give more data, or a smaller test_fraction"
        )


def row_digests(rows: NDArray[Any]) -> list[bytes]:
    """Return a digest of every row's bytes: equal rows have equal digests."""
    return [hashlib.blake2b(np.ascontiguousarray(row).tobytes(), digest_size=16).digest() for row in rows]


def recording_digests(chunks: Iterable[NDArray[Any]], digests: list[bytes]) -> Iterator[NDArray[Any]]:
    """Pass chunks of rows on, and append every row's digest to `digests`."""
    for chunk in chunks:
        digests.extend(row_digests(chunk))
        yield chunk


def report_duplicates(train: Sequence[bytes], test: Sequence[bytes]) -> dict[str, int | None]:
    """Count the examples of the test split that are in the training split too; a warning says so.

    Parameters
    ----------
    train, test : sequence of bytes
        Digests of the rows of both splits.

    Returns
    -------
    dict
        `test_rows_in_train`, and `first` of them (a row of the test split, or None).
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
        The classes of both splits.
    names : list of str
        The name of each class.

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
        """Return some of the examples."""
        classes = None if self.classes is None else self.classes[rows]
        return OwnData(self.values[rows], classes, self.names)


def read_splits(spec: Mapping[str, Any], read: Callable[[Split], OwnData]) -> dict[Split, OwnData]:
    """Read both splits: each from its own file, or rows of one file drawn by chance.

    Parameters
    ----------
    spec : dict
        Resolved entry of the config: test_path, test_fraction, split_seed.
    read : callable
        Reads all of `path` ("train") or `test_path` ("test").
    """
    train = read("train")
    if spec["test_path"] is not None:
        return {"train": train, "test": read("test")}
    train_rows, test_rows = split_rows(len(train.values), spec["test_fraction"], spec["split_seed"])
    return {"train": train.rows(train_rows), "test": train.rows(test_rows)}


def write_own(
    folder: Path, spec: Mapping[str, Any], splits: Mapping[Split, OwnData], label_origin: str
) -> DatasetInfo:
    """Scale, number the classes, count duplicates and write.

    Parameters
    ----------
    folder : Path
        The data set's folder; made if missing.
    spec : dict
        Resolved entry of the config: name, source, path, scaling.
    splits : dict of OwnData
        Both splits.
    label_origin : str
        What messages call the place where the classes come from.

    Returns
    -------
    DatasetInfo
        Its details hold path, scaling of vectors, and how many examples are in both splits.

    Raises
    ------
    ValueError
        If there are fewer training examples than a batch, or the classes cannot be used.
    """
    train, test = splits["train"], splits["test"]
    check_enough(len(train.values), spec["path"])
    duplicates = report_duplicates(row_digests(train.values), row_digests(test.values))
    details: dict[str, Any] = {"path": spec["path"], "duplicates": duplicates}
    values = {split: splits[split].values for split in SPLITS}
    if train.names:
        values["train"], values["test"], details["scaling"] = scale_splits(
            train.values, test.values, spec["scaling"], train.names
        )
    labels: Mapping[Split, Labels] = {}
    label_names: list[str] = []
    if train.classes is not None and test.classes is not None:
        labels, label_names = encode_classes(train.classes, test.classes, label_origin)
    return write_dataset(
        folder,
        name=spec["name"],
        source=spec["source"],
        train=values["train"],
        test=values["test"],
        train_labels=labels.get("train"),
        test_labels=labels.get("test"),
        label_names=label_names,
        details=details,
    )
