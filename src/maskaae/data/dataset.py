"""The form in which every data set is stored (`maskaae.data.writer` writes it), and how it is loaded.

A data set is a folder with `train.npy`, `test.npy` (images: uint8 `(N, H, W, C)`, C 1 or 3; vectors: float32
`(N, D)`), `labels.npz` (arrays `train` and `test`, int64, both empty when there are no labels) and
`dataset.json` (the fields of `DatasetInfo`). The training split trains; the test split is only ever
evaluated.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

Kind = Literal["images", "vectors"]
Split = Literal["train", "test"]
Part = Literal["train", "test", "labels"]
Labels = NDArray[np.int64]

SPLITS: tuple[Split, Split] = ("train", "test")
PARTS: tuple[Part, Part, Part] = ("train", "test", "labels")
INFO_FILE = "dataset.json"
FILES = {"train": "train.npy", "test": "test.npy", "labels": "labels.npz"}

_DTYPES: Mapping[Kind, type[np.generic]] = {"images": np.uint8, "vectors": np.float32}


@dataclass(frozen=True)
class DatasetInfo:
    """What is known about a data set: the content of `dataset.json`.

    Attributes
    ----------
    name, source : str
        Its name in the configuration, and the registry's source that made it.
    kind : {"images", "vectors"}
        Images are uint8 `(H, W, C)`, vectors float32 `(D,)`.
    shape : tuple of int
        Shape of one example.
    classes : int
        Number of classes, 0 if unlabelled.
    n : int or None
        True latent dimension, where it is known.
    sha256 : dict of str
        Checksum of each file, under `train`, `test` and `labels`.
    details : dict
        Whatever the source reports (layer sizes, scaling, names of the classes, duplicates ...).
    """

    name: str
    source: str
    kind: Kind
    shape: tuple[int, ...]
    n_train: int
    n_test: int
    classes: int
    n: int | None
    sha256: Mapping[str, str]
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def dimension(self) -> int:
        """Data dimension D: numbers per example."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Dataset:
    """A data set in memory; its splits are memory-mapped and read-only.

    Attributes
    ----------
    train, test : ndarray
        Images uint8 `(N, H, W, C)` or vectors float32 `(N, D)`.
    train_labels, test_labels : ndarray of int64
        One class per example, or of length 0 when there are no labels or they were not loaded.
    """

    info: DatasetInfo
    train: NDArray[Any]
    test: NDArray[Any]
    train_labels: Labels
    test_labels: Labels


def load_dataset(folder: Path, parts: Collection[Part] = PARTS) -> Dataset:
    """Load a data set, or parts of it; its examples stay on disk until they are read.

    Parameters
    ----------
    folder : Path
        Folder of the data set.
    parts : collection of {"train", "test", "labels"}
        Files that are opened beside `dataset.json`; the arrays of the others are empty.

    Raises
    ------
    FileNotFoundError
        If one of the files is missing.
    ValueError
        If `dataset.json` cannot be understood or an array does not have the shape and type that it promises.
    """
    info = _read_info(folder / INFO_FILE)
    sizes = {"train": info.n_train, "test": info.n_test}
    arrays = {split: np.empty((0, *info.shape), _DTYPES[info.kind]) for split in SPLITS}
    for split, array in open_splits(folder, [split for split in SPLITS if split in parts]).items():
        _check_promise(folder / FILES[split], array, (sizes[split], *info.shape), _DTYPES[info.kind])
        arrays[split] = array
    labels = {split: np.empty(0, np.int64) for split in SPLITS}
    if "labels" in parts:
        with np.load(folder / FILES["labels"], allow_pickle=False) as stored:
            labels = {split: stored[split] for split in SPLITS}
        for split in SPLITS:
            shape = (sizes[split] if info.classes else 0,)
            _check_promise(folder / FILES["labels"], labels[split], shape, np.int64, f" ({split})")
    return Dataset(info, arrays["train"], arrays["test"], labels["train"], labels["test"])


def open_splits(folder: Path, splits: Iterable[Split] = SPLITS) -> dict[Split, NDArray[Any]]:
    """Map the examples of splits into memory, unchecked."""
    return {split: np.load(folder / FILES[split], mmap_mode="r", allow_pickle=False) for split in splits}


def _read_info(path: Path) -> DatasetInfo:
    content = json.loads(path.read_text())
    expected = {entry.name for entry in fields(DatasetInfo)}
    if set(content) != expected:
        wrong = sorted(set(content) ^ expected)
        raise ValueError(f"{path}: missing or unknown keys {wrong}; a data set's keys are {sorted(expected)}")
    if content["kind"] not in _DTYPES:
        raise ValueError(f"{path}: kind is {content['kind']!r}; it must be 'images' or 'vectors'")
    return DatasetInfo(**{**content, "shape": tuple(content["shape"])})


def _check_promise(
    path: Path, array: NDArray[Any], shape: tuple[int, ...], dtype: DTypeLike, part: str = ""
) -> None:
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(
            f"{path}{part}: holds {array.dtype} {array.shape}, but {INFO_FILE} promises "
            f"{np.dtype(dtype)} {shape}; prepare the data set again"
        )
