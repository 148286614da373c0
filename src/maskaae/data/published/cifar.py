"""CIFAR-10: the publishers' tar of pickled batches, read without unpacking it."""

from __future__ import annotations

import pickle
import tarfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from maskaae.data.dataset import SPLITS, DatasetInfo, Split
from maskaae.data.writer import require, write_dataset

ARCHIVE = "cifar-10-python.tar.gz"
FOLDER = "cifar-10-batches-py"
BATCHES: Mapping[Split, list[str]] = {
    "train": [f"data_batch_{number}" for number in range(1, 6)],
    "test": ["test_batch"],
}

# A pickled batch needs NumPy's array and its type, and the encoding of Python 2's strings.
_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}


class _BatchUnpickler(pickle.Unpickler):
    """Unpickles arrays and plain values; a pickle could otherwise run any code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a batch of images")
        return super().find_class(module, name)


def read_batch(file: BinaryIO) -> tuple[NDArray[np.uint8], list[int]]:
    """Read one pickled batch: images uint8 `(N, 32, 32, 3)` and their labels."""
    batch = _BatchUnpickler(file, encoding="latin1").load()
    # Stored as (N, 3 * 32 * 32): all red pixels, then green, then blue.
    return batch["data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), batch["labels"]


def read_archive(path: Path) -> tuple[dict[str, tuple[NDArray[np.uint8], list[int]]], list[str]]:
    """Read every batch, images `(N, 32, 32, 3)` and labels, by its name, and the names of the classes.

    ValueError if the archive is damaged or lacks a batch.
    """
    batches = {}
    wanted = [batch for split in SPLITS for batch in BATCHES[split]]
    label_names: list[str] = []
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                batch = member.name.removeprefix(f"{FOLDER}/")
                file = archive.extractfile(member)
                if file is None:
                    continue
                if batch in wanted:
                    batches[batch] = read_batch(file)  # type: ignore[arg-type]
                elif batch == "batches.meta":
                    label_names = _BatchUnpickler(file, encoding="latin1").load()["label_names"]
    except (tarfile.TarError, EOFError, zlib.error, OSError, pickle.UnpicklingError, KeyError) as error:
        raise ValueError(f"{path}: damaged archive ({type(error).__name__}: {error})") from error
    missing = [batch for batch in wanted if batch not in batches]
    if missing or not label_names:
        raise ValueError(f"{path}: lacks {', '.join(missing) or 'batches.meta'} in {FOLDER}")
    return batches, label_names


def join(
    batches: Mapping[str, tuple[NDArray[np.uint8], list[int]]], names: Sequence[str]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images and labels of some batches, one after another."""
    images = np.concatenate([batches[name][0] for name in names])
    return images, np.concatenate([np.array(batches[name][1], dtype=np.int64) for name in names])


def prepare(spec: Mapping[str, Any], raw: Path, folder: Path, workers: int = 1) -> DatasetInfo:
    """Write CIFAR-10 with its standard split: 50,000 and 10,000 images, ten classes."""
    batches, label_names = read_archive(require(raw / ARCHIVE))
    (train, train_labels), (test, test_labels) = (join(batches, BATCHES[split]) for split in SPLITS)
    labels: dict[Split, NDArray[np.int64]] = {"train": train_labels, "test": test_labels}
    return write_dataset(
        folder,
        name=spec["name"],
        source=spec["source"],
        train=train,
        test=test,
        labels=labels,
        label_names=label_names,
    )
