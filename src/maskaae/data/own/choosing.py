"""Which arrays of a file are examples, which are classes, and which split they belong to."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskaae.data.dataset import Split
from maskaae.data.own.containers import Member, Members
from maskaae.data.own.notes import ChoiceError, Notes

_SPLIT_WORDS: Mapping[str, tuple[str, ...]] = {
    "train": ("train", "training", "tr"),
    "test": ("test", "testing", "te"),
    "validation": ("val", "valid", "validation", "dev"),
}
_EXAMPLE_WORDS = ("x", "images", "image", "data", "features", "inputs", "set", "")
_CLASS_WORDS = ("y", "labels", "label", "targets", "target", "classes")
_SPARSE_PARTS = (
    ", but a sparse matrix in parts; scanpy.read_10x_h5(path).write('x.h5ad'), or scipy.sparse.save_npz, "
    "makes what is read"
)
MOST_CLASSES = 1000


@dataclass(frozen=True)
class Chosen:
    """Names of the arrays that make up a data set.

    Attributes
    ----------
    examples : dict of str
        By split; only "train" where the file is split by chance.
    classes : dict of str
        By split, with the same keys, or empty.
    """

    examples: dict[Split, str]
    classes: dict[Split, str]


def choose(path: Path, found: Members, spec: Mapping[str, Any], notes: Notes) -> Chosen:
    """Choose examples and classes, as the keys of a spec say, by their names, or because there is no other.

    ValueError if an array is not there, or none can be examples; ChoiceError if several can.
    """
    for wanted in (spec["key"], spec["label_key"]):
        if wanted is not None and wanted not in found:
            raise ValueError(f"{path}: there is no array {wanted!r} in it, only {listed(found)}")
    classes: dict[Split, str] = {"train": spec["label_key"]} if spec["label_key"] is not None else {}
    if spec["key"] is not None:
        return Chosen({"train": spec["key"]}, classes)
    named = _by_names(path, found, spec, notes)
    if named is not None:
        return named
    able = [name for name, member in found.items() if name != spec["label_key"] and _can_be_examples(member)]
    if not able:
        able = [name for name, member in found.items() if name != spec["label_key"] and member.kind != "O"]
    if not able:
        raise ValueError(
            f"{path}: it holds {listed(found)}, none of them an array of numbers; structs, cells and "
            "Python objects are not read"
        )
    if len(able) != 1 and not any(_can_be_examples(found[name]) for name in able):
        parts = {name.rsplit("/", 1)[-1] for name in found}
        sparse = _SPARSE_PARTS if {"data", "indices", "indptr"} <= parts else ""
        raise ValueError(f"{path}: it holds {listed(found)}, none of them vectors (N, D) or images{sparse}")
    if len(able) != 1:
        raise ChoiceError(
            f"{path}: it holds {listed(found)}; name one of them as `key`, classes as `label_key`:",
            str(path),
            {"key": max(able, key=lambda name: len(found[name].shape), default="")},
        )
    if len(found) > 1:
        rest = [name for name in found if name not in (able[0], spec["label_key"])]
        if spec["label_key"] is None or rest:
            notes.guess(f"{path}: {able[0]} {found[able[0]].shape} are the examples")
        if rest:
            notes.leave_out(f"{path}: {', '.join(rest[:10])}; one of them can be classes, as label_key")
    return Chosen({"train": able[0]}, classes)


def lengths_of_classes(found: Members, chosen: Chosen) -> set[int]:
    """Lengths of the vectors that are classes, or called so: one of them may be the number of examples."""
    return {
        math.prod(member.shape)
        for name, member in found.items()
        if _is_vector(member) and (name in chosen.classes.values() or name.lower() in _CLASS_WORDS)
    }


def lengths_of_others(found: Members, chosen: Chosen) -> set[int]:
    """Lengths of the other vectors of numbers: they may be as many as there are examples, or columns."""
    every = {math.prod(member.shape) for member in found.values() if _is_vector(member) and member.numeric}
    return every - lengths_of_classes(found, chosen)


def _is_vector(member: Member) -> bool:
    return sum(side > 1 for side in member.shape) == 1


def listed(found: Members) -> str:
    """Names and shapes of the arrays of a file."""
    shown = [
        f"{name} {member.shape}" if name else str(member.shape) for name, member in list(found.items())[:10]
    ]
    return (
        ", ".join(shown) + (f" and {len(found) - 10} more" if len(found) > 10 else "") if found else "nothing"
    )


def _can_be_examples(member: Member) -> bool:
    return member.numeric and len(member.shape) >= 2 and sum(side > 1 for side in member.shape) >= 2


def _by_names(path: Path, found: Members, spec: Mapping[str, Any], notes: Notes) -> Chosen | None:
    """Find arrays called like x_train, y_train, x_test, y_test, however that is written."""
    plain = {re.sub(r"[^a-z0-9]", "", name.lower()): name for name in found}
    examples = {split: _first(plain, _EXAMPLE_WORDS, words) for split, words in _SPLIT_WORDS.items()}
    classes = {split: _first(plain, _CLASS_WORDS, words) for split, words in _SPLIT_WORDS.items()}
    train = examples["train"]
    other = "test" if examples["test"] else "validation"
    if train is None or not _can_be_examples(found[train]):
        return None
    chosen: dict[Split, str] = {"train": train}
    labels: dict[Split, str] = {"train": spec["label_key"] or classes["train"] or ""}
    test = examples[other]
    if test is not None and spec["test_path"] is None and spec["test_fraction"] is None:
        chosen["test"], labels["test"] = test, classes[other] or ""
    notes.guess(f"{path}: {' and '.join(chosen.values())} are the examples, training and test")
    if not all(labels.values()):
        labels = {}
    rest = [name for name in found if name not in (*chosen.values(), *labels.values())]
    if rest:
        notes.leave_out(f"{path}: {', '.join(rest)}")
    return Chosen(chosen, labels)


def _first(plain: Mapping[str, str], contents: tuple[str, ...], splits: tuple[str, ...]) -> str | None:
    for content, split in itertools.product(contents, splits):
        for name in (f"{content}{split}", f"{split}{content}"):
            if name in plain:
                return plain[name]
    return None


def as_classes(array: NDArray[Any], size: int) -> NDArray[Any] | None:
    """One class per example `(N,)` from a vector, a column or row, or rows with a single 1; else None."""
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8")
    if array.shape in ((size, 1), (1, size)):
        array = array.ravel()
    if array.ndim == 2 and len(array) == size and array.dtype.kind in "biuf":
        one_hot = np.isin(array, (0, 1)).all() and (array.sum(axis=1) == 1).all()
        return array.argmax(axis=1) if one_hot else None
    return array if array.shape == (size,) else None


def look_like_classes(array: NDArray[Any] | None) -> bool:
    """Whether labels found beside the examples can be classes: text or whole numbers, not too many."""
    if array is None or array.dtype.kind not in "biufU":
        return False
    if array.dtype.kind == "f" and not (np.isfinite(array).all() and (array == np.rint(array)).all()):
        return False
    return 2 <= len(np.unique(array)) <= min(MOST_CLASSES, len(array) // 2)
