"""CIFAR-10 as people have it: the publishers' tar, packed by anyone or unpacked, or the hub's parquet files.

Pickled batches are known by their md5, torchvision's; of parquet files no hash is known here.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import tarfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskaae.data.dataset import SPLITS, DatasetInfo, Split
from maskaae.data.published import forms
from maskaae.data.published.forms import PARQUET, Form
from maskaae.data.writer import write_dataset

ARCHIVE = "cifar-10-python.tar.gz"
ARCHIVES = (ARCHIVE, "cifar-10-python.tar", "cifar-10-python.tgz")
PLACES = ("", "cifar10", "CIFAR10")
"""Folders, below that of all published files, in which the files may lie."""
FOLDER = "cifar-10-batches-py"
META = "batches.meta"
BATCHES: Mapping[Split, list[str]] = {
    "train": [f"data_batch_{number}" for number in range(1, 6)],
    "test": ["test_batch"],
}
CONTENT: dict[str, str] = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
    META: "5ff9c542aee3614f3951f8cda6e48888",
}
"""md5 of each file in the publishers' tar, torchvision's (a test compares)."""

LABEL_NAMES = [
    *("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
]
"""The publishers' names, which parquet files may lack."""

TAR, UNPACKED = "tar of batches", "folder of batches"

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


def read_batch(content: bytes) -> tuple[NDArray[np.uint8], list[int]]:
    """Read one pickled batch: images uint8 `(N, 32, 32, 3)` and their labels."""
    batch = _unpickle(content)
    # Stored as (N, 3 * 32 * 32): all red pixels, then green, then blue.
    return batch["data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), batch["labels"]


def _unpickle(content: bytes) -> dict[str, Any]:
    unpickled: dict[str, Any] = _BatchUnpickler(io.BytesIO(content), encoding="latin1").load()
    return unpickled


def find(source: str, raw: Path) -> Form | None:
    """First whole form of the data set among the published files; None if there is none."""
    folders = [raw / place for place in PLACES]
    tar = forms.first_file(folder / name for folder in folders for name in ARCHIVES)
    if tar is not None:
        return Form(TAR, {"all": (tar,)})
    for folder in folders:
        batches = {name: (folder / FOLDER / name,) for name in CONTENT}
        if all(path.is_file() for (path,) in batches.values()):
            return Form(UNPACKED, batches)
    return forms.find_shards(folders[1:])


find_file = forms.at_its_place


def check(source: str, form: Form) -> None:
    """Refuse, by `NotPublishedError`, files whose content is not the published one or cannot be known."""
    if form.name == PARQUET:
        raise forms.only_on_your_word(form)
    try:
        contents = read_contents(form)
    except ValueError as error:
        raise forms.not_published(form.paths[0], str(error)) from error
    check_contents(form, contents)


def check_contents(form: Form, contents: Mapping[str, bytes]) -> None:
    """Refuse, by `NotPublishedError`, batches that are not the published ones."""
    for name, content in contents.items():
        found, right = hashlib.md5(content, usedforsecurity=False).hexdigest(), CONTENT[name]
        if found != right:
            path = form.files[name][0] if name in form.files else form.paths[0]
            raise forms.not_published(path, f"{name} with md5 {found} where {right} is right")


def read_contents(form: Form) -> dict[str, bytes]:
    """Bytes of every batch, and of the file of names, by its name.

    ValueError if the archive is damaged or lacks one of them.
    """
    if form.name == UNPACKED:
        return {name: path.read_bytes() for name, (path,) in form.files.items()}
    path = form.paths[0]
    try:
        contents = dict(_members(path))
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise ValueError(f"{path}: damaged archive ({type(error).__name__}: {error})") from error
    lacking = [name for name in CONTENT if name not in contents]
    if lacking:
        raise ValueError(f"{path}: lacks {', '.join(lacking)} in {FOLDER}")
    return contents


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(path) as archive:
        for member in archive:
            name = member.name.removeprefix("./").removeprefix(f"{FOLDER}/")
            file = archive.extractfile(member)
            if file is not None and name in CONTENT:
                yield name, file.read()


def read_batches(
    contents: Mapping[str, bytes], path: Path
) -> tuple[dict[str, tuple[NDArray[np.uint8], list[int]]], list[str]]:
    """Images `(N, 32, 32, 3)` and labels of every batch, and the names of the classes.

    ValueError if a batch is damaged or holds anything but arrays and plain values.
    """
    try:
        batches = {name: read_batch(contents[name]) for split in SPLITS for name in BATCHES[split]}
        return batches, _unpickle(contents[META])["label_names"]
    except (EOFError, pickle.UnpicklingError, KeyError, ValueError) as error:
        raise ValueError(f"{path}: damaged batch ({type(error).__name__}: {error})") from error


def join(
    batches: Mapping[str, tuple[NDArray[np.uint8], list[int]]], names: Sequence[str]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images and labels of some batches, one after another."""
    images = np.concatenate([batches[name][0] for name in names])
    return images, np.concatenate([np.array(batches[name][1], dtype=np.int64) for name in names])


def prepare(spec: Mapping[str, Any], raw: Path, folder: Path, workers: int = 1) -> DatasetInfo:
    """Write CIFAR-10 with its standard split: 50,000 and 10,000 images, ten classes."""
    form = forms.require_form(find(spec["source"], raw), [raw / ARCHIVE])
    splits, label_names = _read_splits(form, spec["verify"])
    (train, train_labels), (test, test_labels) = (splits[split] for split in SPLITS)
    labels: dict[Split, NDArray[np.int64]] = {"train": train_labels, "test": test_labels}
    return write_dataset(
        folder,
        name=spec["name"],
        source=spec["source"],
        train=train,
        test=test,
        labels=labels,
        label_names=label_names,
        details=form.details(spec["verify"]),
    )


def _read_splits(
    form: Form, verify: bool
) -> tuple[dict[Split, tuple[NDArray[np.uint8], NDArray[np.int64]]], list[str]]:
    """Images and labels by split, and the names of the classes, of a form that is checked if so wished."""
    if form.name == PARQUET:
        if verify:
            raise forms.only_on_your_word(form)
        shards = {split: forms.read_shards(form.files[split]) for split in SPLITS}
        return {split: (x, y.astype(np.int64)) for split, (x, y) in shards.items()}, LABEL_NAMES
    contents = read_contents(form)
    if verify:
        check_contents(form, contents)
    batches, label_names = read_batches(contents, form.paths[0])
    return {split: join(batches, BATCHES[split]) for split in SPLITS}, label_names
