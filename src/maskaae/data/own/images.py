"""The user's own folder of images."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from maskaae.data.dataset import SPLITS, DatasetInfo, Labels, Split
from maskaae.data.decode import File, Framing, Header, Workers, decode_all, read_headers
from maskaae.data.own.notes import Notes
from maskaae.data.own.splits import (
    check_enough,
    encode_classes,
    recording_digests,
    report_duplicates,
    split_rows,
)
from maskaae.data.writer import DatasetWriter

logger = logging.getLogger(__name__)

ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")


@dataclass(frozen=True)
class Found:
    """An image file: its path, and the sub-folder of the first level that it lies in, if any."""

    path: Path
    sub_folder: str | None


def find_images(folder: Path) -> list[Found]:
    """List the images below a folder, at all levels, sorted by path.

    Files whose name does not end like an image's are left alone, and their number is in the log.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If it holds no image, or images both in sub-folders and beside them.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder; `path` must name a folder of images")
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    images = [path for path in files if path.suffix.lower() in ENDINGS]
    if not images:
        raise ValueError(f"{folder}: holds no image; their names end in {' '.join(ENDINGS)}")
    if len(images) < len(files):
        other = next(path for path in files if path.suffix.lower() not in ENDINGS)
        logger.warning("%s: %d files are no images (the first: %s)", folder, len(files) - len(images), other)
    parts = [path.relative_to(folder).parts for path in images]
    found = [
        Found(path, part[0] if len(part) > 1 else None) for path, part in zip(images, parts, strict=True)
    ]
    beside = [image.path for image in found if image.sub_folder is None]
    if 0 < len(beside) < len(found):
        raise ValueError(
            f"{beside[0]} and {len(beside) - 1} more images lie beside sub-folders with images; "
            "sub-folders are classes, so put every image into one, or none"
        )
    return found


def choose_channels(
    wanted: int | Literal["auto"], images: Sequence[Found], headers: Sequence[Header]
) -> Literal[1, 3]:
    """Number of channels: as wanted, or what all images have; ValueError if `auto` finds grey and colour."""
    if wanted != "auto":
        return 1 if wanted == 1 else 3
    grey = [image.path for image, header in zip(images, headers, strict=True) if header.grey]
    colour = [image.path for image, header in zip(images, headers, strict=True) if not header.grey]
    if grey and colour:
        raise ValueError(
            f"mixed channels: {grey[0]} is grey ({len(grey)} are), {colour[0]} is in colour "
            f"({len(colour)} are); set channels: 1 to make all grey, or channels: 3 to make all coloured"
        )
    return 1 if grey else 3


def report_conversions(
    images: Sequence[Found], headers: Sequence[Header], channels: int
) -> dict[str, dict[str, Any]]:
    """Log which images are converted: for each kind of conversion their `count` and the `first` of them."""
    converted: Counter[str] = Counter()
    first: dict[str, str] = {}
    for image, header in zip(images, headers, strict=True):
        notes = header.notes
        if header.grey and channels == 3:
            notes += ("grey: repeated to three channels",)
        if not header.grey and channels == 1:
            notes += ("colour: made grey",)
        converted.update(notes)
        for note in notes:
            first.setdefault(note, str(image.path))
    for note, images_converted in converted.items():
        logger.warning("%d images, %s (the first: %s)", images_converted, note, first[note])
    return {note: {"count": converted[note], "first": first[note]} for note in converted}


def classes_of(splits: Mapping[Split, Sequence[Found]], origin: str) -> tuple[dict[Split, Labels], list[str]]:
    """Labels and names of the classes, the sub-folders; none if there are fewer than two of them."""
    folders = {split: np.array([image.sub_folder or "" for image in splits[split]]) for split in SPLITS}
    names = set(folders["train"]) | set(folders["test"])
    if len(names) == 1:
        return {}, []
    return encode_classes(folders["train"], folders["test"], origin)


def prepare(spec: Mapping[str, Any], raw: Path, folder: Path, workers: int = 1) -> DatasetInfo:
    """Write a data set of the user's images: largest centred square, resized, in grey or colour."""
    splits = _split(spec)
    images = [*splits["train"], *splits["test"]]
    check_enough(len(splits["train"]), spec["path"])
    labels, names = classes_of(splits, spec["path"])
    digests: dict[Split, list[bytes]] = {"train": [], "test": []}
    with Workers(workers) as processes, DatasetWriter(folder) as writer:
        headers = list(read_headers(_files(images), processes))
        channels = choose_channels(spec["channels"], images, headers)
        framing = Framing(crop=None, size=spec["size"], channels=channels)
        for split in SPLITS:
            pixels = decode_all(_files(splits[split]), framing, processes)
            writer.fill(split, len(splits[split]), recording_digests(pixels, digests[split]))
        details = {
            "path": spec["path"],
            "reading": Notes().details(),
            "converted": report_conversions(images, headers, channels),
            "duplicates": report_duplicates(digests["train"], digests["test"]),
        }
        return writer.publish(
            name=spec["name"], source="images", labels=labels, label_names=names, details=details
        )


def _split(spec: Mapping[str, Any]) -> dict[Split, list[Found]]:
    images = find_images(Path(spec["path"]))
    if spec["test_path"] is not None:
        return {"train": images, "test": find_images(Path(spec["test_path"]))}
    train, test = split_rows(len(images), spec["test_fraction"], spec["split_seed"])
    return {"train": [images[row] for row in train], "test": [images[row] for row in test]}


def _files(images: Sequence[Found]) -> list[File]:
    return [File(str(image.path), str(image.path)) for image in images]
