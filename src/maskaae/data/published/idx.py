"""The IDX format of MNIST and its relatives, gzipped or not.

A file is two zero bytes, a type, the number of dimensions, each dimension as a big-endian 32-bit integer,
then the values, big-endian, in C order.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

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
    """Read type and shape from the start of an opened IDX file.

    Raises
    ------
    ValueError
        If the file does not start like an IDX file.
    """
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _TYPES or start[3] == 0:
        raise ValueError(f"{path}: not an IDX file; it starts with {start!r}")
    dimensions = file.read(4 * start[3])
    if len(dimensions) < 4 * start[3]:
        raise ValueError(f"{path}: ends within its header")
    return _TYPES[start[2]], struct.unpack(f">{start[3]}I", dimensions)


def read_idx(path: Path) -> NDArray[Any]:
    """Read an IDX file.

    Parameters
    ----------
    path : Path
        The file, gzipped or not.

    Returns
    -------
    ndarray
        In the machine's byte order.

    Raises
    ------
    ValueError
        If the file is not IDX, is damaged, or is shorter or longer than its header says.
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
