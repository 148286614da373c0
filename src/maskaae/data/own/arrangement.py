"""What folders among the user's images mean: classes, or training and test split with classes below."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from maskaae.data.own.notes import Notes
from maskaae.data.own.sniff import IMAGE_ENDINGS

_TRAIN = frozenset(["train", "training", "train_set", "trainset", "trn"])
_TEST = frozenset(["test", "testing", "test_set", "testset", "tst"])
_VALIDATION = frozenset(["val", "valid", "validation", "dev"])
_MASKS = frozenset(["masks", "mask", "annotations", "labels", "label", "ground_truth", "gt", "segmentation"])
_IMAGES = frozenset(["images", "image", "imgs", "img"])


@dataclass(frozen=True)
class Found:
    """An image: its name in the store, and the folder that is its class, if any."""

    name: str
    sub_folder: str | None


@dataclass(frozen=True)
class Arrangement:
    """Images of the training split, and those of the test split; None where the first are to be split."""

    train: list[Found]
    test: list[Found] | None


def arrange(names: Sequence[str], origin: str, notes: Notes) -> Arrangement:
    """Tell images from other files, and splits from classes.

    Files whose name does not end like an image's are left alone, and their number is said.

    Raises
    ------
    ValueError
        If there is no image, or images both in sub-folders and beside them.
    """
    images = [name for name in names if name.lower().endswith(IMAGE_ENDINGS)]
    if not images:
        images = [name for name in names if not PurePosixPath(name).suffix]
        if images:
            notes.guess(f"{origin}: {len(images)} files without an ending are taken for images")
    known = set(images)
    others = [name for name in names if name not in known]
    if not images:
        data = [
            name
            for name in others
            if name.lower().endswith((".csv", ".tsv", ".npy", ".npz", ".parquet", ".mat"))
        ]
        hint = f"; it holds {len(others)} other files, such as {others[0]}" if others else ""
        if data:
            hint = f"; it holds {', '.join(data[:3])}: give one of them, unpacked"
        raise ValueError(f"{origin}: holds no image; their names end in {' '.join(IMAGE_ENDINGS)}{hint}")
    if others:
        notes.leave_out(f"{origin}: {len(others)} files are no images (the first: {others[0]})")
    images = _without_masks(images, origin, notes)
    depth = _common_depth(images)
    top = {_folder(name, depth) for name in images}
    words = {word: word.lower() for word in top if word is not None}
    train = [word for word, plain in words.items() if plain in _TRAIN]
    test = [word for word, plain in words.items() if plain in _TEST]
    validation = [word for word, plain in words.items() if plain in _VALIDATION]
    if len(train) != 1 or not (test or validation) or len(top) != 1 + len(test) + len(validation):
        return Arrangement(_with_classes(images, depth, origin), None)
    held_out = (test or validation)[0]
    notes.guess(f"{origin}: the folder {train[0]} is the training split, {held_out} the test split")
    if test and validation:
        count = sum(_folder(name, depth) == validation[0] for name in images)
        notes.leave_out(
            f"{origin}: the folder {validation[0]}, {count} images: neither trained nor tested on"
        )
    parts = {word: [name for name in images if _folder(name, depth) == word] for word in (train[0], held_out)}
    # Folders that all images of a split lie in are none of its classes.
    depth = min(_common_depth(part) for part in parts.values())
    return Arrangement(
        *(_with_classes(parts[word], depth, f"{origin}/{word}") for word in (train[0], held_out))
    )


def _folder(name: str, depth: int) -> str | None:
    """Folder of an image at some depth; None if it lies beside such folders."""
    parts = PurePosixPath(name).parts
    return parts[depth] if len(parts) > depth + 1 else None


def _common_depth(images: Sequence[str]) -> int:
    """Number of folders, from the top, that all images lie in."""
    depth = 0
    while len(folders := {_folder(name, depth) for name in images}) == 1 and None not in folders:
        depth += 1
    return depth


def _without_masks(images: list[str], origin: str, notes: Notes) -> list[str]:
    """Leave out the folder of masks that lies beside that of the images."""
    depth = _common_depth(images)
    folders = Counter(_folder(name, depth) for name in images)
    words = {str(word).lower() for word in folders}
    masks = words & _MASKS
    if not masks or words - masks - _IMAGES or not words & _IMAGES:
        return images
    kept = [name for name in images if str(_folder(name, depth)).lower() not in masks]
    notes.leave_out(
        f"{origin}: {len(images) - len(kept)} images in {', '.join(sorted(masks))}: masks, no examples"
    )
    return kept


def _with_classes(images: Sequence[str], depth: int, origin: str) -> list[Found]:
    found = [Found(name, _folder(name, depth)) for name in images]
    beside = [image.name for image in found if image.sub_folder is None]
    if 0 < len(beside) < len(found):
        raise ValueError(
            f"{origin}: {beside[0]} and {len(beside) - 1} more images lie beside sub-folders with images; "
            "sub-folders are classes, so put every image into one, or none"
        )
    return found
