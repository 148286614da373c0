"""The forms in which people have the published data sets, and what is said when one cannot be taken."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskaae.data.writer import missing

_BYTES_TO_SNIFF = 512
PARQUET = "parquet files"
_SHARDS = {"train": ("train*.parquet", "train/*.parquet"), "test": ("test*.parquet", "test/*.parquet")}
_IMAGE_COLUMNS = ("image", "img")


class Form(NamedTuple):
    """A whole data set as it was found: the kind of its files, and the files by what they hold."""

    name: str
    files: Mapping[str, Sequence[Path]]

    @property
    def paths(self) -> list[Path]:
        """All files."""
        return [path for paths in self.files.values() for path in paths]

    def details(self, verified: bool) -> dict[str, Any]:
        """What dataset.json says of where the data set comes from, and whether its content was checked."""
        return {"form": self.name, "verified": verified}


class NotPublishedError(ValueError):
    """A file that is there is not the published one; the message names it and says what it is."""


def not_published(path: Path, why: str) -> NotPublishedError:
    """Say that a file is not the published one, what it is instead, and what to do."""
    return NotPublishedError(
        f"{path} is not the published file: {what_it_is(path)}, {why}. It is left as it is; "
        "remove it to have it fetched, or put the right one there"
    )


def what_it_is(path: Path) -> str:
    """Size of a file, and whether it is a web page that came in its place."""
    with path.open("rb") as file:
        start = file.read(_BYTES_TO_SNIFF).lstrip().lower()
    page = ", an HTML page" if start.startswith((b"<!doctype html", b"<html")) else ""
    return f"{path.stat().st_size} bytes{page}"


def require_form(form: Form | None, usual: Sequence[Path]) -> Form:
    """Return the form that was found; FileNotFoundError names the first usual file that is missing."""
    if form is None:
        raise missing(next(path for path in usual if not path.is_file()))
    return form


def only_on_your_word(form: Form) -> NotPublishedError:
    """Say that nothing here can tell whether a form holds the published data."""
    return NotPublishedError(
        f"{form.paths[0]}: no hash of the published {form.name} is known here, so that nothing can tell "
        "whether these are they. Give the data set the key `verify: false` to take them on your word, or put "
        "the publishers' own file there (docs/data.md)"
    )


def sha256(array: NDArray[Any]) -> str:
    """SHA-256 of an array's values in C order."""
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()


def first_file(places: Iterable[Path]) -> Path | None:
    """The first of some places where there is a file."""
    return next((place for place in places if place.is_file()), None)


def at_its_place(source: str, raw: Path, place: str) -> Path | None:
    """A published file at its place below the folder of published files."""
    return first_file([raw / place])


def find_shards(folders: Iterable[Path]) -> Form | None:
    """Parquet files of both splits below the first folder that has them, in order; None if none has.

    As the hub names them: `train-00000-of-00001.parquet`, or `train/0000.parquet`, at any depth.
    """
    for folder in folders:
        shards = {
            split: sorted({path for pattern in patterns for path in folder.rglob(pattern)})
            for split, patterns in _SHARDS.items()
        }
        if all(shards.values()):
            return Form(PARQUET, shards)
    return None


def read_shards(paths: Sequence[Path]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images (N, H, W) or (N, H, W, C) and labels (N,) of the hub's parquet files of one split.

    Columns are `image` (or `img`), each with the bytes of a png, and `label`. ValueError names a file that
    lacks them or cannot be read.
    """
    images, labels = [], []
    for path in paths:
        pictures, classes = _read_shard(path)
        images.append(pictures)
        labels.append(classes)
    return np.concatenate(images), np.concatenate(labels)


def _read_shard(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    import pandas as pd
    from PIL import Image

    try:
        table = pd.read_parquet(path)
        column = next((name for name in _IMAGE_COLUMNS if name in table), None)
        if column is None or "label" not in table:
            raise ValueError(f"its columns are {', '.join(map(str, table))}; image and label are needed")
        pictures = [np.asarray(Image.open(io.BytesIO(row["bytes"]))) for row in table[column]]
        return np.stack(pictures), table["label"].to_numpy(np.uint8)
    except (ValueError, TypeError, KeyError, OSError) as error:  # Arrow's and Pillow's are among them
        raise ValueError(f"{path}: not a parquet file of images ({error})") from error
