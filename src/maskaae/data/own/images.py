"""The user's own images: a folder of them, or a zip or tar."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from maskaae.data.dataset import SPLITS, DatasetInfo, Labels, Split
from maskaae.data.decode import (
    IMAGES_PER_TASK,
    File,
    Framing,
    Header,
    Workers,
    chunked,
    decode,
    decode_all,
    read_headers,
)
from maskaae.data.own.arrangement import Arrangement, Found, arrange
from maskaae.data.own.notes import ChoiceError, Notes
from maskaae.data.own.splits import (
    check_enough,
    encode_classes,
    recording_digests,
    report_duplicates,
    split_rows,
)
from maskaae.data.own.stores import Store, store_of
from maskaae.data.own.writing import keep_duplicates
from maskaae.data.writer import DatasetWriter

GREY_TOLERANCE = 2
"""Levels by which the channels of a grey image stored as colour may differ: JPEG rounds (our choice)."""
_LARGE = 64
"""Pixels of a side up to which images may well be learned as they are (our choice)."""
_BRIGHT = 100
"""Numbers from 0 to more than it, and up to 255, are pixels from 0 to 255 (our choice)."""


_MOSTLY_CUT = 0.5
"""Below this share of an image in its centred square a warning says so (our choice)."""
_FEW_LEVELS = 16
"""Grey levels, of 256, up to which images of 16 bits are too dark to be reduced to 8 (our choice)."""


def choose_channels(
    wanted: int | Literal["auto"], images: Sequence[Found], headers: Sequence[Header], path: str
) -> Literal[1, 3]:
    """Number of channels: as wanted, or what all images have; ChoiceError if `auto` finds grey and colour."""
    if wanted != "auto":
        return 1 if wanted == 1 else 3
    grey = [image.name for image, header in zip(images, headers, strict=True) if header.grey]
    colour = [image.name for image, header in zip(images, headers, strict=True) if not header.grey]
    if grey and colour:
        raise ChoiceError(
            f"{path}: mixed channels: {grey[0]} is grey ({len(grey)} are), {colour[0]} is in colour "
            f"({len(colour)} are); set channels: 1 to make all grey, or channels: 3 to make all coloured",
            path,
            {"channels": 1 if len(grey) > len(colour) else 3},
        )
    return 1 if grey else 3


def are_stored_grey(files: Iterable[File], framing: Framing, workers: Workers) -> bool:
    """Whether the three channels of all images are equal; it ends at the first that is in colour."""
    return all(workers.map(partial(_are_grey, framing=framing), chunked(files, IMAGES_PER_TASK)))


def _are_grey(files: Sequence[File], framing: Framing) -> bool:
    return all(np.ptp(decode(file, framing).astype(int), axis=2).max() <= GREY_TOLERANCE for file in files)


def report_conversions(
    images: Sequence[Found], headers: Sequence[Header], channels: int, path: str, notes: Notes
) -> dict[str, dict[str, Any]]:
    """Say which images are converted: for each kind of conversion their `count` and the `first` of them."""
    converted: Counter[str] = Counter()
    first: dict[str, str] = {}
    for image, header in zip(images, headers, strict=True):
        found = header.notes
        if header.grey and channels == 3:
            found += ("grey: repeated to three channels",)
        if not header.grey and channels == 1:
            found += ("colour: made grey",)
        converted.update(found)
        for note in found:
            first.setdefault(note, f"{path}/{image.name}")
    for note, images_converted in converted.items():
        notes.guess(f"{path}: {images_converted} images, {note} (the first: {first[note]})")
    return {note: {"count": converted[note], "first": first[note]} for note in converted}


def black_and_white(headers: Sequence[Header], path: str, notes: Notes) -> tuple[float, float]:
    """What is black and what is white where pixels are numbers without a fixed range, by their range."""
    limits = [header.limits for header in headers if header.limits is not None]
    if not limits:
        return 0.0, 1.0
    low, high = min(low for low, _ in limits), max(high for _, high in limits)
    black, white = low, high if high > low else low + 1
    if low >= 0 and high <= 1:
        black, white = 0.0, 1.0
    elif low >= 0 and _BRIGHT < high <= 255:
        black, white = 0.0, 255.0
    notes.guess(f"{path}: pixels from {low:g} to {high:g}: {black:g} is taken for black, {white:g} for white")
    return black, white


def classes_of(
    splits: Mapping[Split, Sequence[Found]], origin: str, notes: Notes
) -> tuple[dict[Split, Labels], list[str]]:
    """Labels and names of the classes, the sub-folders; none if fewer than two, or a split has none."""
    folders = {split: np.array([image.sub_folder or "" for image in splits[split]]) for split in SPLITS}
    train, test = set(folders["train"]), set(folders["test"])
    if len(train | test) == 1:
        return {}, []
    if {""} in (train, test):
        notes.leave_out(f"{origin}: the classes of one split; the other has none")
        return {}, []
    return encode_classes(folders["train"], folders["test"], origin)


def prepare(spec: Mapping[str, Any], raw: Path, folder: Path, workers: int = 1) -> DatasetInfo:
    """Write a data set of the user's images: largest centred square, resized, in grey or colour."""
    notes = Notes()
    shelf = _Shelf(spec, notes)
    check_enough(len(shelf.splits["train"]), spec["path"])
    labels, names = classes_of(shelf.splits, spec["path"], notes)
    digests: dict[Split, list[bytes]] = {"train": [], "test": []}
    with Workers(workers) as processes, DatasetWriter(folder) as writer:
        images, headers = shelf.headers(processes)
        limits = black_and_white(headers, spec["path"], notes)
        channels = shelf.channels(images, headers, limits, processes)
        framing = Framing(crop=None, size=spec["size"], channels=channels, limits=limits)
        _say_sizes(headers, spec, notes)
        _warn_of_darkness(headers, spec["path"], notes)
        for split in SPLITS:
            pixels = decode_all(shelf.files(split), framing, processes)
            writer.fill(split, len(shelf.splits[split]), recording_digests(pixels, digests[split]))
        duplicates = report_duplicates(digests["train"], digests["test"])
        keep_duplicates(duplicates, len(digests["test"]), spec["path"], notes)
        details = {
            "path": spec["path"],
            "converted": report_conversions(images, headers, channels, spec["path"], notes),
            "duplicates": duplicates,
            "reading": notes.details(),
        }
        return writer.publish(
            name=spec["name"], source="images", labels=labels, label_names=names, details=details
        )


class _Shelf:
    """The images of both splits, and the places where their files lie."""

    def __init__(self, spec: Mapping[str, Any], notes: Notes) -> None:
        self._spec, self._notes = spec, notes
        store = store_of(Path(spec["path"]))
        arranged = arrange(store.names(), spec["path"], notes)
        self._stores: dict[Split, Store] = {"train": store, "test": store}
        if spec["test_path"] is not None:
            self._stores["test"] = store_of(Path(spec["test_path"]))
            others = arrange(self._stores["test"].names(), spec["test_path"], notes)
            arranged = Arrangement(arranged.train, others.train)
        self.splits: dict[Split, list[Found]] = _split(arranged, spec)

    def files(self, split: Split) -> Iterator[File]:
        """Yield the files of a split."""
        return self._stores[split].files([image.name for image in self.splits[split]])

    def headers(self, processes: Workers) -> tuple[list[Found], list[Header]]:
        """Read the headers of all images."""
        images = [image for split in SPLITS for image in self.splits[split]]
        return images, [header for split in SPLITS for header in read_headers(self.files(split), processes)]

    def channels(
        self,
        images: Sequence[Found],
        headers: Sequence[Header],
        limits: tuple[float, float],
        processes: Workers,
    ) -> Literal[1, 3]:
        """Choose 1 or 3 channels; colour of which the channels are equal is grey."""
        spec = self._spec
        if spec["channels"] == "auto" and not all(header.grey for header in headers):
            coloured = {image.name for image, header in zip(images, headers, strict=True) if not header.grey}
            framing = Framing(crop=None, size=spec["size"], channels=3, limits=limits)
            files = (
                file
                for split in SPLITS
                for file in self._stores[split].files(
                    [image.name for image in self.splits[split] if image.name in coloured]
                )
            )
            if are_stored_grey(files, framing, processes):
                self._notes.guess(
                    f"{spec['path']}: {len(coloured)} grey images stored as colour: one channel"
                )
                return 1
        return choose_channels(spec["channels"], images, headers, spec["path"])


def _say_sizes(headers: Sequence[Header], spec: Mapping[str, Any], notes: Notes) -> None:
    """Say that images are resized, and how to keep more of them."""
    sizes, size = {header.size for header in headers}, spec["size"]
    if sizes == {(size, size)}:
        return
    resized = f"the largest centred square of each is resized to {size}x{size}"
    if len(sizes) > 1:
        notes.guess(f"{spec['path']}: images of {len(sizes)} different sizes: {resized}")
        return _warn_of_cuts(sizes, spec["path"], notes)
    ((width, height),) = sizes
    side = min(width, height)
    other = f"size: {side} keeps their pixels" if side <= _LARGE else f"size: {2 * size} keeps more of them"
    notes.guess(f"{spec['path']}: images of {width} x {height}: {resized}; {other}")
    _warn_of_cuts(sizes, spec["path"], notes)


def _warn_of_cuts(sizes: Collection[tuple[int, int]], path: str, notes: Notes) -> None:
    """Warn where less than half of an image lies in its centred square."""
    width, height = max(sizes, key=lambda size: max(size) / min(size))
    share = min(width, height) / max(width, height)
    if share < _MOSTLY_CUT:
        notes.warn(
            f"{path}: of an image of {width} x {height} the centred square holds {100 * share:.1f}%: the "
            "rest is not learned; cut or pad such images before, if it matters"
        )


def _warn_of_darkness(headers: Sequence[Header], path: str, notes: Notes) -> None:
    """Warn where images of 16 bits use so few of them that little is left in 8."""
    brightest = max((header.brightest for header in headers if header.brightest is not None), default=None)
    if brightest is not None and brightest < _FEW_LEVELS * 257:
        levels = brightest // 257 + 1
        notes.warn(
            f"{path}: no image of 16 bits is brighter than {brightest} of 65535, so that {levels} of 256 "
            "levels are left in 8 bits; multiply the pixels before you save them (12 bits by 16)"
        )


def _split(arranged: Arrangement, spec: Mapping[str, Any]) -> dict[Split, list[Found]]:
    if arranged.test is not None:
        return {"train": arranged.train, "test": arranged.test}
    train, test = split_rows(len(arranged.train), spec["test_fraction"], spec["split_seed"])
    return {"train": [arranged.train[row] for row in train], "test": [arranged.train[row] for row in test]}
