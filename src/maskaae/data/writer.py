"""Writing a data set: from files that are there, piece by piece, checked, and never half-made."""

from __future__ import annotations

import errno
import hashlib
import itertools
import json
import logging
import math
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from maskaae.data.dataset import FILES, INFO_FILE, SPLITS, DatasetInfo, Kind, Labels, Split, open_splits

logger = logging.getLogger(__name__)

NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""How the system says that a disk is full, a quota used up or a file longer than allowed."""

_ROWS_PER_CHECK = 1_000


def missing(path: Path) -> FileNotFoundError:
    """Say how to get a published file that is not there."""
    return FileNotFoundError(
        f"{path} is missing: let the download rule fetch it, or put the file there by hand "
        "(docs/data.md says where to get it, and in which other forms it is taken)"
    )


def require_own(path: Path) -> Path:
    """Return the path of a user's file; FileNotFoundError if there is none."""
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: no such file; paths are relative to the working directory, {Path.cwd()}"
        )
    return path


def check_finite(array: NDArray[Any], where: str) -> None:
    """Refuse an array that holds no numbers, a NaN or an infinite value; ValueError names `where` and row."""
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{where}: holds {array.dtype}, not numbers")
    for start in range(0, len(array) if array.dtype.kind == "f" else 0, _ROWS_PER_CHECK):
        bad = np.argwhere(~np.isfinite(array[start : start + _ROWS_PER_CHECK]))
        if len(bad):
            row, place = start + int(bad[0, 0]), tuple(bad[0, 1:].tolist())
            raise ValueError(
                f"{where}: row {row}, position {place} (counted from 0) holds {array[(row, *place)]}; "
                "every value must be finite"
            )


class DatasetWriter:
    """Writes a data set's folder without ever leaving a half-made file in it.

    Everything goes to a sub-folder first and is moved into place by `publish`, `dataset.json` last. Leaving
    the `with` block without `publish`, by an error say, removes the sub-folder and leaves the rest as it was.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._draft = folder / ".draft"

    def __enter__(self) -> Self:
        shutil.rmtree(self._draft, ignore_errors=True)
        self._draft.mkdir(parents=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._draft, ignore_errors=True)

    def fill(self, split: Split, size: int, chunks: Iterable[NDArray[Any]]) -> None:
        """Write the `size` examples of a split piece by piece, so that they need never be in memory together.

        Parameters
        ----------
        chunks : iterable of ndarray
            Each `(any number, *shape of one example)`, all of one shape per example and one type.

        Raises
        ------
        OSError
            If the disk is full; the message says how much room the split needs.
        ValueError
            If the chunks hold another number of examples than `size`, or differ in shape or type.
        """
        remaining = iter(chunks)
        first = next(remaining, None)
        if first is None:
            raise ValueError(f"no examples for the {split} split where {size} were promised")
        shape = (size, *first.shape[1:])
        try:
            with (self._draft / FILES[split]).open("wb") as file:
                _write_npy_header(file, first.dtype, shape)
                written = sum(_append(file, chunk, first) for chunk in itertools.chain([first], remaining))
        except OSError as error:
            if error.errno not in NO_SPACE:
                raise
            needed = math.prod(shape) * first.dtype.itemsize
            message = f"no space left for {self.folder / FILES[split]}, which needs {needed} bytes"
            raise OSError(error.errno, message) from error
        if written != size:
            raise ValueError(f"{written} examples for the {split} split where {size} were promised")

    def publish(
        self,
        *,
        name: str,
        source: str,
        labels: Mapping[Split, NDArray[np.integer[Any]]] | None = None,
        label_names: Sequence[str] = (),
        n: int | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> DatasetInfo:
        """Check both splits, add labels and `dataset.json`, and move everything into place.

        Parameters
        ----------
        name, source, n, details
            As in `DatasetInfo`; details must go into JSON.
        labels : dict of ndarray, optional
            Classes of both splits, `0 .. len(label_names) - 1`.
        label_names : sequence of str
            Name of each class; stored under `details["label_names"]`.

        Raises
        ------
        ValueError
            If a split is empty, is neither images nor vectors, holds a NaN or an infinite value, or if the
            labels do not fit it.
        """
        arrays = open_splits(self._draft)
        kind = _common_kind(arrays)
        for split in SPLITS:
            if arrays[split].size == 0:
                raise ValueError(f"the {split} split is empty: its shape is {arrays[split].shape}")
            check_finite(arrays[split], f"the {split} split")
        checked = _checked_labels(labels, label_names, arrays)
        np.savez(self._draft / FILES["labels"], train=checked["train"], test=checked["test"])
        info = DatasetInfo(
            name=name,
            source=source,
            kind=kind,
            shape=arrays["train"].shape[1:],
            n_train=len(arrays["train"]),
            n_test=len(arrays["test"]),
            classes=len(label_names),
            n=n,
            sha256={key: _sha256(self._draft / file) for key, file in FILES.items()},
            details={**(details or {}), **({"label_names": list(label_names)} if label_names else {})},
        )
        (self._draft / INFO_FILE).write_text(json.dumps(asdict(info), indent=2, allow_nan=False) + "\n")
        # Without its json a folder is no data set: one killed half-way through the moves is not loaded.
        (self.folder / INFO_FILE).unlink(missing_ok=True)
        for file in (*FILES.values(), INFO_FILE):
            (self._draft / file).replace(self.folder / file)
        sizes = f"{info.n_train} training and {info.n_test} test examples"
        logger.info("%s: %s of shape %s, %d classes", self.folder, sizes, info.shape, info.classes)
        return info


def write_dataset(
    folder: Path,
    *,
    name: str,
    source: str,
    train: NDArray[Any],
    test: NDArray[Any],
    labels: Mapping[Split, NDArray[np.integer[Any]]] | None = None,
    label_names: Sequence[str] = (),
    n: int | None = None,
    details: Mapping[str, Any] | None = None,
) -> DatasetInfo:
    """Write a data set that fits in memory, as `DatasetWriter.publish`; equal arguments give equal bytes."""
    with DatasetWriter(folder) as writer:
        writer.fill("train", len(train), [train])
        writer.fill("test", len(test), [test])
        return writer.publish(
            name=name, source=source, labels=labels, label_names=label_names, n=n, details=details
        )


def _write_npy_header(file: BinaryIO, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def _append(file: BinaryIO, chunk: NDArray[Any], first: NDArray[Any]) -> int:
    """Write a chunk of the shape per example and type of the first; return its number of examples."""
    if chunk.shape[1:] != first.shape[1:] or chunk.dtype != first.dtype:
        raise ValueError(f"a chunk of {chunk.dtype} {chunk.shape} after {first.dtype} {first.shape}")
    file.write(np.ascontiguousarray(chunk).data)
    return len(chunk)


def _common_kind(arrays: Mapping[Split, NDArray[Any]]) -> Kind:
    train, test = arrays["train"], arrays["test"]
    if train.shape[1:] != test.shape[1:] or train.dtype != test.dtype:
        raise ValueError(
            f"the splits differ: train holds {train.dtype} {train.shape[1:]} per example, "
            f"test {test.dtype} {test.shape[1:]}"
        )
    if train.dtype == np.uint8 and train.ndim == 4 and train.shape[3] in (1, 3):
        return "images"
    if train.dtype == np.float32 and train.ndim == 2:
        return "vectors"
    raise ValueError(
        f"an array of {train.dtype} {train.shape} is neither images (uint8, (N, H, W, 1 or 3)) "
        "nor vectors (float32, (N, D))"
    )


def _checked_labels(
    labels: Mapping[Split, NDArray[np.integer[Any]]] | None,
    label_names: Sequence[str],
    arrays: Mapping[Split, NDArray[Any]],
) -> dict[Split, Labels]:
    """Labels of both splits as int64, empty for an unlabelled data set."""
    if not labels:
        return {split: np.zeros(0, dtype=np.int64) for split in SPLITS}
    for split in SPLITS:
        if split not in labels or labels[split].shape != (len(arrays[split]),):
            found = labels[split].shape if split in labels else "none"
            raise ValueError(
                f"labels of the {split} split: {found}, but there are {len(arrays[split])} examples"
            )
        outside = (labels[split] < 0) | (labels[split] >= len(label_names))
        if outside.any():
            raise ValueError(
                f"label {labels[split][outside][0]} in the {split} split: with {len(label_names)} names of "
                f"classes every label must lie in 0 .. {len(label_names) - 1}"
            )
    return {split: labels[split].astype(np.int64) for split in SPLITS}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
