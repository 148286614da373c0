"""MNIST and Fashion-MNIST: four gzipped IDX files each, under torchvision's names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskaae.data.dataset import DatasetInfo, Split
from maskaae.data.published.idx import read_idx
from maskaae.data.raw import require
from maskaae.data.writer import write_published

FOLDERS = {"mnist": "MNIST/raw", "fashion_mnist": "FashionMNIST/raw"}
LABEL_NAMES = {
    "mnist": [str(digit) for digit in range(10)],
    "fashion_mnist": [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ],
}
PREFIXES: Mapping[Split, str] = {"train": "train", "test": "t10k"}
"""How the publishers' names of the files of each split begin."""


def read_split(folder: Path, prefix: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Read one split's images and labels.

    Parameters
    ----------
    folder : Path
        Where the IDX files lie.
    prefix : str
        One of `PREFIXES`.

    Returns
    -------
    images : ndarray of uint8 (N, 28, 28, 1)
    labels : ndarray of uint8 (N,)

    Raises
    ------
    FileNotFoundError
        If one of the files is missing.
    ValueError
        If one is damaged or they do not belong together.
    """
    image_path = require(folder / f"{prefix}-images-idx3-ubyte.gz")
    label_path = require(folder / f"{prefix}-labels-idx1-ubyte.gz")
    images, labels = read_idx(image_path), read_idx(label_path)
    if images.ndim != 3 or images.dtype != np.uint8:
        raise ValueError(f"{image_path}: holds {images.dtype} {images.shape}, not uint8 images (N, H, W)")
    if labels.shape != images.shape[:1] or labels.dtype != np.uint8:
        raise ValueError(f"{label_path}: holds {labels.dtype} {labels.shape} for {len(images)} images")
    return images[..., None], labels


def prepare(spec: Mapping[str, Any], raw: Path, folder: Path, workers: int = 1) -> DatasetInfo:
    """Write MNIST or Fashion-MNIST with its standard split.

    Parameters
    ----------
    spec : dict
        Resolved entry of the config: name, source.
    raw : Path
        The folder of downloaded or hand-placed files.
    folder : Path
        Where the data set goes.
    workers : int
        Not used: this takes seconds on one core.

    Returns
    -------
    DatasetInfo
        60,000 and 10,000 images, ten classes.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_split`.
    """
    source = spec["source"]
    splits = {split: read_split(raw / FOLDERS[source], prefix) for split, prefix in PREFIXES.items()}
    return write_published(folder, spec, splits, LABEL_NAMES[source])
