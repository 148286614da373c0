"""Scikit-learn's embedded digits: 1,797 real 8x8 images of ten classes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskaae.data.dataset import DatasetInfo
from maskaae.data.writer import write_dataset

DARKEST = 16
"""Scikit-learn's pixels run from 0 to this."""


def load_digits() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images uint8 `(1797, 8, 8, 1)`, stretched from 0 .. 16 to 0 .. 255, and classes `(1797,)`."""
    from sklearn.datasets import load_digits as load_bunch

    bunch = load_bunch()
    images = np.rint(bunch.images * (255 / DARKEST)).astype(np.uint8)
    return images[..., None], bunch.target.astype(np.int64)


def prepare(spec: Mapping[str, Any], raw: Path, folder: Path, workers: int = 1) -> DatasetInfo:
    """Write the digits, split so that every class has its share in both splits."""
    from sklearn.model_selection import train_test_split

    images, labels = load_digits()
    train, test, train_labels, test_labels = train_test_split(
        images, labels, test_size=spec["test_fraction"], random_state=spec["split_seed"], stratify=labels
    )
    return write_dataset(
        folder,
        name=spec["name"],
        source="digits",
        train=train,
        test=test,
        labels={"train": train_labels, "test": test_labels},
        label_names=[str(digit) for digit in range(10)],
        details={"test_fraction": spec["test_fraction"], "split_seed": spec["split_seed"]},
    )
