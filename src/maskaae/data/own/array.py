"""The user's own array file: npy, npz or IDX, gzipped or not."""

from __future__ import annotations

import gzip
import logging
import math
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from maskaae.data.dataset import DatasetInfo, Split
from maskaae.data.own.notes import Notes
from maskaae.data.own.splits import OwnData, read_splits
from maskaae.data.own.writing import write_own
from maskaae.data.published.mnist import open_plain, read_header, read_idx
from maskaae.data.writer import check_finite, require_own

if TYPE_CHECKING:
    from maskaae.data.source import Description

logger = logging.getLogger(__name__)

_NPY_MAGIC = b"\x93NUMPY"
_ZIP_MAGIC = b"PK"
_IDX_MAGIC = b"\0\0"
_DAMAGE = (ValueError, KeyError, EOFError, OSError, zlib.error, zipfile.BadZipFile)
"""What NumPy and zipfile raise for a file that is cut short, damaged or holds Python objects."""

Array = NDArray[Any]


def describe(spec: Mapping[str, Any]) -> Description:
    """Tell kind and dimension from the file's header, or nothing if there is no such file yet."""
    path = Path(spec["path"])
    if not path.is_file():
        return None, None
    shape = read_shape(path, spec["key"], spec["label_key"])
    check_shape(path, shape)
    return "vectors" if len(shape) == 2 else "images", math.prod(shape[1:])


def check_shape(path: Path, shape: tuple[int, ...]) -> None:
    """Refuse, by ValueError, shapes that are neither vectors nor images, or hold nothing."""
    if 0 in shape:
        raise ValueError(f"{path}: shape {shape} holds no values; expected examples of one number or more")
    channels_known = len(shape) != 4 or shape[3] in (1, 3) or shape[1] in (1, 3)
    if len(shape) not in (2, 3, 4) or not channels_known:
        raise ValueError(
            f"{path}: shape {shape} is neither vectors (N, D) nor images (N, H, W), "
            "(N, H, W, C) or (N, C, H, W) with C = 1 or 3"
        )


def read_shape(path: Path, key: str | None, label_key: str | None) -> tuple[int, ...]:
    """Read an array's shape from its file's header alone; arguments and errors as of `read_array`."""
    magic, _ = _look(path)
    with open_plain(path) as file:
        if magic.startswith(_IDX_MAGIC):
            return read_header(file, path)[1]
        try:
            if magic.startswith(_NPY_MAGIC):
                return _read_npy_shape(file)
            with zipfile.ZipFile(file) as archive:
                names = [name.removesuffix(".npy") for name in archive.namelist()]
                with archive.open(f"{choose_key(names, key, label_key)}.npy") as member:
                    return _read_npy_shape(cast(BinaryIO, member))
        except _DAMAGE as error:
            raise ValueError(f"{path}: {error}") from error


def read_array(path: Path, key: str | None = None, label_key: str | None = None) -> Array:
    """Read an array file, npy, npz or IDX; an npy file that is not gzipped is memory-mapped.

    Parameters
    ----------
    key : str or None
        Name of the array in an npz file; None: the only one beside `label_key`.
    label_key : str or None
        Name of the classes in the npz file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no array file, is damaged, holds Python objects, or lacks the key.
    """
    magic, packed = _look(path)
    if magic.startswith(_IDX_MAGIC):
        return read_idx(path)
    try:
        if magic.startswith(_NPY_MAGIC) and not packed:
            return cast(Array, np.load(path, mmap_mode="r", allow_pickle=False))
        with open_plain(path) as file:
            loaded = np.load(file, allow_pickle=False)
            if magic.startswith(_NPY_MAGIC):
                return cast(Array, loaded)
            return cast(Array, loaded[choose_key(loaded.files, key, label_key)])
    except _DAMAGE as error:
        raise ValueError(f"{path}: {error}") from error


def choose_key(names: list[str], key: str | None, label_key: str | None) -> str:
    """Name of the examples in an npz file.

    ValueError if a name given is not there, or none is given and there are several.
    """
    for wanted in (key, label_key):
        if wanted is not None and wanted not in names:
            raise ValueError(f"there is no array {wanted!r} in it, only {', '.join(names)}")
    others = [name for name in names if name != label_key]
    if key is None and len(others) != 1:
        raise ValueError(f"it holds {', '.join(names)}; name one of them as `key`")
    return others[0] if key is None else key


def as_images(array: Array, path: Path) -> NDArray[np.uint8]:
    """Images as uint8 `(N, H, W, C)`; what is converted on the way is said in the log.

    Parameters
    ----------
    array : ndarray
        `(N, H, W)`, `(N, H, W, C)` or `(N, C, H, W)`: uint8, uint16, bool, whole numbers from 0 to 255 or
        floats from 0 to 1; ValueError if the values are others.
    """
    if array.ndim == 3:
        array = array[..., None]
    if array.shape[3] not in (1, 3):
        logger.warning("%s: %s taken as (N, channels, height, width)", path, array.shape)
        array = array.transpose(0, 2, 3, 1)
    return array if array.dtype == np.uint8 else _as_bytes(array, path)


def _as_bytes(array: Array, path: Path) -> NDArray[np.uint8]:
    """Stretch the range of another type to 0 .. 255."""
    tops = {"b": 1, "f": 1, "i": 255, "u": 65535 if array.dtype == np.uint16 else 255}
    low, high, top = array.min(), array.max(), tops[array.dtype.kind]
    if low < 0 or high > top:
        raise ValueError(
            f"{path}: values from {low} to {high} are no pixels; give uint8, or {array.dtype} from 0 to {top}"
        )
    logger.warning("%s: %s from 0 to %d converted to uint8 from 0 to 255", path, array.dtype, top)
    return np.rint(array * (255 / top)).astype(np.uint8)


def prepare(spec: Mapping[str, Any], raw: Path, folder: Path, workers: int = 1) -> DatasetInfo:
    """Write a data set of the user's array."""
    splits = read_splits(spec, lambda split: _read(spec, split))
    train, test = splits["train"].values, splits["test"].values
    if train.shape[1:] != test.shape[1:]:
        raise ValueError(
            f"{spec['test_path']}: shape {test.shape[1:]} per example, but {spec['path']} has "
            f"{train.shape[1:]}"
        )
    return write_own(
        folder, spec, splits, spec["label_path"] or f"{spec['path']}: {spec['label_key']}", Notes()
    )


def _read(spec: Mapping[str, Any], split: Split) -> OwnData:
    """Read the examples of one file, and their classes if the configuration names any."""
    prefix = "" if split == "train" else "test_"
    path = Path(spec[f"{prefix}path"])
    values = _read_examples(path, spec)
    classes = _read_classes(path, spec[f"{prefix}label_path"], spec["label_key"], len(values))
    names = tuple(map(str, range(values.shape[1]))) if values.ndim == 2 else ()
    return OwnData(values, classes, names)


def _read_examples(path: Path, spec: Mapping[str, Any]) -> Array:
    array = read_array(path, spec["key"], spec["label_key"])
    check_shape(path, array.shape)
    check_finite(array, str(path))
    return array if array.ndim == 2 else as_images(array, path)


def _read_classes(path: Path, label_path: str | None, label_key: str | None, size: int) -> Array | None:
    """One class per example, or None if the configuration names no labels."""
    if label_path is None and label_key is None:
        return None
    origin = path if label_path is None else Path(label_path)
    classes = read_array(origin, label_key)
    if classes.shape != (size,):
        raise ValueError(
            f"{origin}: classes of shape {classes.shape} for {size} examples; give one class each"
        )
    return classes


def _look(path: Path) -> tuple[bytes, bool]:
    """First bytes of a file's content, and whether it is gzipped; ValueError if it is no array file."""
    with open_plain(require_own(path)) as file:
        packed = isinstance(file, gzip.GzipFile)
        try:
            magic = file.read(len(_NPY_MAGIC))
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(f"{path}: damaged gzip file ({error})") from error
    if not magic.startswith((_IDX_MAGIC, _NPY_MAGIC, _ZIP_MAGIC)):
        raise ValueError(f"{path}: starts with {magic!r}, which is neither npy, npz nor IDX")
    return magic, packed


def _read_npy_shape(file: BinaryIO) -> tuple[int, ...]:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return read(file)[0]
