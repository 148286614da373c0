"""The user's own array file: npy, npz, IDX, MATLAB, HDF5, AnnData, safetensors or SciPy's sparse npz."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from maskaae.data.dataset import DatasetInfo, Split
from maskaae.data.own.choosing import (
    Chosen,
    as_classes,
    choose,
    lengths_of_classes,
    lengths_of_others,
    listed,
    look_like_classes,
)
from maskaae.data.own.columns import counts_rows
from maskaae.data.own.containers import Members, members
from maskaae.data.own.missing import settle_rows
from maskaae.data.own.notes import ChoiceError, Notes
from maskaae.data.own.plausible import check_values
from maskaae.data.own.splits import OwnData, read_splits
from maskaae.data.own.writing import write_own
from maskaae.data.writer import check_finite

if TYPE_CHECKING:
    from maskaae.data.source import Description

Array = NDArray[Any]
_COLOURS = (1, 3)
_WITH_ALPHA = 4
_DEEP = 65535
_BRIGHT = 100
"""Floats above it are pixels from 0 to 255, not from 0 to 1 (our choice)."""
_SIGNED = 0.9
"""Floats beyond both -0.9 and 0.9 are pixels from -1 to 1, as nets are fed (our choice)."""


def describe(spec: Mapping[str, Any]) -> Description:
    """Tell kind and dimension from the file's header, or nothing if there is no such file yet."""
    path = Path(spec["path"])
    if not path.is_file():
        return None, None
    notes = Notes(quiet=True)
    with members(path) as found:
        chosen = choose(path, found, spec, notes)
        shape = found[chosen.examples["train"]].shape
        order = order_of_axes(path, shape, notes, lengths_of_classes(found, chosen))
        shape = tuple(shape[axis] for axis in order)
    if len(shape) == 2:
        return "vectors", shape[1]
    channels = 3 if shape[3:] == (_WITH_ALPHA,) else math.prod(shape[3:])
    return "images", math.prod(shape[1:3]) * channels


def order_of_axes(
    path: Path, shape: tuple[int, ...], notes: Notes, lengths: Collection[int] = ()
) -> tuple[int, ...]:
    """Order in which the axes of an array are examples first, then height, width and channels.

    `lengths` are those of vectors beside it, such as classes. ValueError if the shape is that of neither
    vectors nor images, or holds nothing.
    """
    if 0 in shape:
        raise ValueError(f"{path}: shape {shape} holds no values; expected examples of one number or more")
    if len(shape) == 2 and shape[0] not in lengths and shape[1] in lengths:
        notes.guess(f"{path}: {shape} taken as (D, N): there is a vector of {shape[1]} beside it")
        return 1, 0
    if len(shape) in (2, 3) and not (
        len(shape) == 3 and shape[0] == shape[1] != shape[2] and shape[2] > shape[0]
    ):
        return tuple(range(len(shape)))
    if len(shape) == 3:
        notes.guess(f"{path}: {shape} taken as (height, width, N)")
        return 2, 0, 1
    if len(shape) == 4 and (shape[3] in _COLOURS or (shape[3] == _WITH_ALPHA and shape[1] not in _COLOURS)):
        return 0, 1, 2, 3
    if len(shape) == 4 and shape[1] in _COLOURS:
        notes.guess(f"{path}: {shape} taken as (N, channels, height, width)")
        return 0, 2, 3, 1
    if len(shape) == 4 and shape[2] in _COLOURS:
        notes.guess(f"{path}: {shape} taken as (height, width, channels, N)")
        return 3, 0, 1, 2
    raise ValueError(
        f"{path}: shape {shape} is neither vectors (N, D) nor images (N, H, W), "
        "(N, H, W, C) or (N, C, H, W) with C = 1 or 3; reshape others to (N, D), a row for each example"
    )


def as_images(array: Array, path: Path, notes: Notes) -> NDArray[np.uint8]:
    """Images `(N, H, W)` or `(N, H, W, C)` as uint8 `(N, H, W, C)`; what is converted is said.

    ValueError if the values are no pixels: uint8, uint16, bool, whole numbers from 0 to 255, or floats from 0
    to 1, from -1 to 1 or from 0 to 255.
    """
    if array.ndim == 3:
        array = array[..., None]
    if array.shape[3] == _WITH_ALPHA:
        array = _on_white(array, path, notes)
    if array.shape[3] == 3 and _is_grey(array):
        notes.guess(f"{path}: three equal channels, read as one (grey)")
        array = array[..., :1]
    return array if array.dtype == np.uint8 else _as_bytes(array, path, notes)


def _on_white(array: Array, path: Path, notes: Notes) -> Array:
    """Lay transparency on white, in the units of the array; ValueError if it is not of 8 bits."""
    if array.dtype != np.uint8:
        raise ValueError(f"{path}: {array.dtype} {array.shape}: four channels are read of uint8 alone")
    notes.guess(f"{path}: four channels: the last is transparency, laid on white")
    share = array[..., 3:].astype(np.float32) / 255
    return np.rint(array[..., :3] * share + 255 * (1 - share)).astype(np.uint8)


def _is_grey(array: Array) -> bool:
    """Whether three channels are the same, looked at a few images at a time: most differ at once."""
    return all(
        (part[..., :1] == part).all()
        for part in (array[start : start + 256] for start in range(0, len(array), 256))
    )


def _as_bytes(array: Array, path: Path, notes: Notes) -> NDArray[np.uint8]:
    """Stretch the range of another type to 0 .. 255."""
    low, high = array.min(), array.max()
    bottom, top = 0, 65535 if array.dtype == np.uint16 else 255 if array.dtype.kind in "iu" else 1
    if array.dtype.kind == "f" and high > _BRIGHT:
        top = 255
    if array.dtype.kind == "f" and low < -_SIGNED and high > _SIGNED:
        bottom = -1
    if low < bottom or high > top:
        raise ValueError(
            f"{path}: values from {low} to {high} are no pixels; give uint8, or {array.dtype} from 0 to "
            f"{top if array.dtype.kind != 'f' else '1 or 255, or from -1 to 1'}; "
            "reshape what is no image to (N, D)"
        )
    notes.guess(f"{path}: {array.dtype} from {bottom} to {top} converted to uint8 from 0 to 255")
    if top == _DEEP and 0 < high < _DEEP // 16:
        notes.warn(
            f"{path}: no pixel is brighter than {high} of {top}, so that {high // 257 + 1} of 256 levels are "
            "left; multiply the pixels before you save them (12 bits by 16)"
        )
    pixels: NDArray[np.uint8] = np.rint((array.astype(np.float32) - bottom) * (255 / (top - bottom))).astype(
        np.uint8
    )
    return pixels


@dataclass(frozen=True)
class _Opened:
    """An array file, what is taken from it, and how."""

    path: Path
    found: Members
    chosen: Chosen
    spec: Mapping[str, Any]
    notes: Notes

    def read(self, split: Split) -> OwnData:
        """Read the examples of a split, and classes if the configuration or names of arrays tell any."""
        path, notes = self.path, self.notes
        member = self.found[self.chosen.examples[split]]
        array = member.read()
        if array.dtype.kind not in "biuf":
            raise ValueError(f"{path}: holds {array.dtype}, not numbers{_way_on(array)}")
        if member.says:
            notes.guess(f"{path}: {member.says}")
        self._warn_of_axes(array.shape)
        lengths = lengths_of_classes(self.found, self.chosen)
        array = array.transpose(order_of_axes(path, array.shape, notes, lengths))
        classes = self._classes(split, len(array))
        if array.ndim > 2:
            check_finite(array, str(path))
            return OwnData(as_images(array, path, notes), classes, ())
        names = member.names() if member.names is not None else map(str, range(array.shape[1]))
        data = OwnData(array, classes, tuple(names))
        check_values(path, data, self.spec, _place, notes)
        counting = [
            name for column, name in enumerate(data.names) if counts_rows(array[:, column].astype(np.float64))
        ]
        if counting and len(data.names) > 1:
            which = f"column {', '.join(counting)} counts the rows"
            notes.warn(f"{path}: {which}, and is learned like the others; if it is an index, leave it out")
        return settle_rows(path, data, self.spec, _place, notes)

    def _warn_of_axes(self, shape: tuple[int, ...]) -> None:
        """Warn where a vector beside a matrix has as many values as that has columns, and none as rows."""
        lengths = lengths_of_others(self.found, self.chosen)
        if len(shape) == 2 and shape[1] in lengths and shape[0] not in lengths:
            self.notes.warn(
                f"{self.path}: {shape} taken as (N, D), and there is a vector of {shape[1]} beside it: "
                "if the examples are the columns, give the transposed array, x.T"
            )

    def _classes(self, split: Split, size: int) -> Array | None:
        """One class per example, or None if neither the configuration nor a name tells where they are."""
        name, label_path = self.chosen.classes.get(split), self.spec["label_path"]
        if label_path is None and name is None:
            return None
        origin = self.path if label_path is None else Path(label_path)
        array = self.found[str(name)].read() if label_path is None else _only_array(origin)
        classes = as_classes(array, size)
        if label_path is not None or self.spec["label_key"] is not None:
            if classes is None:
                raise ValueError(
                    f"{origin}: classes of shape {array.shape} for {size} examples; give one class each"
                )
            return self._without_holes(classes, origin)
        if not look_like_classes(classes):
            self.notes.leave_out(f"{origin}: {name}, which holds no classes")
            return None
        self.notes.guess(f"{origin}: {name} are the classes")
        return classes

    def _without_holes(self, classes: Array, origin: Path) -> Array:
        """Classes of which none is missing, unless rows with missing values are dropped; else ChoiceError."""
        absent = [row for row, one in enumerate(classes) if one is None]
        if absent and self.spec["missing"] != "drop_rows":
            raise ChoiceError(
                f"{origin}, {_place(absent[0])}: the class is missing, in {len(absent)} rows",
                str(self.path),
                {"label": self.spec["label_key"], "missing": "drop_rows"},
            )
        return classes


def _way_on(array: Array) -> str:
    """What makes numbers of an array that holds none."""
    if array.dtype.kind == "c":
        return "; numpy.column_stack([x.real, x.imag]) holds both parts as columns, abs(x) their size"
    if array.dtype.names is not None:
        kept = [name for name in array.dtype.names if array.dtype[name].base.kind in "biuf"]
        return f"; keep the fields that are: x[{kept}]"
    return "; if they are numbers written as text, save x.astype(float)" if array.dtype.kind in "US" else ""


def prepare(spec: Mapping[str, Any], raw: Path, folder: Path, workers: int = 1) -> DatasetInfo:
    """Write a data set of the user's array."""
    notes = Notes()
    path = Path(spec["path"])
    with members(path) as found:
        opened = _Opened(path, found, choose(path, found, spec, notes), spec, notes)
        chosen = opened.chosen
        read = {split: opened.read(split) for split in chosen.examples}
    splits = read if "test" in read else read_splits(spec, _reader(spec, read["train"], notes))
    train, test = splits["train"].values, splits["test"].values
    if train.shape[1:] != test.shape[1:]:
        other = spec["test_path"] or f"{path}: {chosen.examples.get('test')}"
        raise ValueError(
            f"{other}: shape {test.shape[1:]} per example, but {spec['path']} has {train.shape[1:]}"
        )
    origin = spec["label_path"] or f"{spec['path']}: {chosen.classes.get('train')}"
    return write_own(folder, spec, splits, origin, notes)


def _reader(spec: Mapping[str, Any], train: OwnData, notes: Notes) -> Callable[[Split], OwnData]:
    """A function that gives the examples of `path`, which are read, and those of `test_path`."""

    def read(split: Split) -> OwnData:
        if split == "train":
            return train
        path, keys = Path(spec["test_path"]), {**spec, "label_path": spec["test_label_path"]}
        with members(path) as found:
            return _Opened(path, found, choose(path, found, keys, notes), keys, notes).read("train")

    return read


def _only_array(path: Path) -> Array:
    with members(path) as found:
        if len(found) != 1:
            raise ValueError(f"{path}: it holds {listed(found)}; give a file of one array")
        return next(iter(found.values())).read()


def _place(row: int) -> str:
    return f"row {row} (counted from 0)"
