"""MNIST and Fashion-MNIST, four gzipped IDX files each under torchvision's names; and the IDX format.

An IDX file is two zero bytes, a type, the number of dimensions, each dimension as a big-endian 32-bit
integer, then the values, big-endian, in C order.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from maskaae.data.dataset import DatasetInfo, Split
from maskaae.data.writer import require, write_dataset

FOLDERS = {"mnist": "MNIST/raw", "fashion_mnist": "FashionMNIST/raw"}
LABEL_NAMES = {
    "mnist": [str(digit) for digit in range(10)],
    "fashion_mnist": [
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ],
}
PREFIXES: Mapping[Split, str] = {"train": "train", "test": "t10k"}
"""How the publishers' names of the files of each split begin."""


_TYPES: dict[int, np.dtype[Any]] = {
    0x08: np.dtype(">u1"),
    0x09: np.dtype(">i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
_GZIP_MAGIC = b"\x1f\x8b"


def open_plain(path: Path) -> BinaryIO:
    """Open a file for reading bytes, unpacking it on the way if it is gzipped."""
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP_MAGIC
    return cast(BinaryIO, gzip.open(path)) if packed else path.open("rb")


def read_header(file: BinaryIO, path: Path) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """Read type and shape from the start of an opened IDX file; ValueError if it does not start like one."""
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _TYPES or start[3] == 0:
        raise ValueError(f"{path}: not an IDX file; it starts with {start!r}")
    dimensions = file.read(4 * start[3])
    if len(dimensions) < 4 * start[3]:
        raise ValueError(f"{path}: ends within its header")
    return _TYPES[start[2]], struct.unpack(f">{start[3]}I", dimensions)


def read_idx(path: Path) -> NDArray[Any]:
    """Read an IDX file, gzipped or not, into an array of the machine's byte order.

    ValueError if the file is not IDX, is damaged, or is shorter or longer than its header says.
    """
    try:
        with open_plain(path) as file:
            dtype, shape = read_header(file, path)
            content = file.read()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path}: damaged gzip file ({error}); fetch it again") from error
    expected = math.prod(shape) * dtype.itemsize
    if len(content) != expected:
        raise ValueError(
            f"{path}: holds {len(content)} bytes after its header, which promises {expected} "
            f"for shape {shape}"
        )
    return np.frombuffer(content, dtype).reshape(shape).astype(dtype.newbyteorder("="))


def read_split(folder: Path, prefix: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Read images uint8 (N, 28, 28, 1) and labels uint8 (N,) of the split whose files begin with `prefix`.

    ValueError if one of the files is damaged or they do not belong together.
    """
    image_path = require(folder / f"{prefix}-images-idx3-ubyte.gz")
    label_path = require(folder / f"{prefix}-labels-idx1-ubyte.gz")
    images, labels = read_idx(image_path), read_idx(label_path)
    if images.ndim != 3 or images.dtype != np.uint8:
        raise ValueError(f"{image_path}: holds {images.dtype} {images.shape}, not uint8 images (N, H, W)")
    if labels.shape != images.shape[:1] or labels.dtype != np.uint8:
        raise ValueError(f"{label_path}: holds {labels.dtype} {labels.shape} for {len(images)} images")
    return images[..., None], labels


def prepare(spec: Mapping[str, Any], raw: Path, folder: Path, workers: int = 1) -> DatasetInfo:
    """Write MNIST or Fashion-MNIST with its standard split: 60,000 and 10,000 images, ten classes."""
    source = spec["source"]
    train, train_labels = read_split(raw / FOLDERS[source], PREFIXES["train"])
    test, test_labels = read_split(raw / FOLDERS[source], PREFIXES["test"])
    return write_dataset(
        folder,
        name=spec["name"],
        source=source,
        train=train,
        test=test,
        labels={"train": train_labels, "test": test_labels},
        label_names=LABEL_NAMES[source],
    )
