"""MNIST and Fashion-MNIST as people have them: IDX files, packed or not, Keras' npz, the hub's parquet files.

They are known by what is inside: `CONTENT` holds a hash of the values of each part, however they are packed.

An IDX file is two zero bytes, a type, the number of dimensions, each dimension as a big-endian 32-bit
integer, then the values, big-endian, in C order.
"""

from __future__ import annotations

import gzip
import math
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from maskaae.data.dataset import DatasetInfo, Split
from maskaae.data.published import forms
from maskaae.data.published.forms import Form
from maskaae.data.writer import write_dataset

FOLDERS = {"mnist": ("MNIST", "mnist"), "fashion_mnist": ("FashionMNIST", "fashion_mnist", "fashion-mnist")}
"""Folders among the published files, at any depth of which the files may lie; torchvision's is the first."""
LABEL_NAMES = {
    "mnist": [str(digit) for digit in range(10)],
    "fashion_mnist": [
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ],
}
PREFIXES: Mapping[Split, str] = {"train": "train", "test": "t10k"}
"""How the publishers' names of the files of each split begin."""

CONTENT: dict[str, dict[str, str]] = {
    "mnist": {
        "train-images-idx3": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
        "train-labels-idx1": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
        "t10k-images-idx3": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
        "t10k-labels-idx1": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
    },
    "fashion_mnist": {
        "train-images-idx3": "2e487a6c89124f78f2d7521542223cafe96f7123c3ca13d447772ac6ecbb3012",
        "train-labels-idx1": "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7",
        "t10k-images-idx3": "c867c93ff95360594e8ec3287995350b824dd110b11595c0e13d5423f621867a",
        "t10k-labels-idx1": "3d0e6c6ea990b53b6f8f500a41cac93881d981b315f84578b7d915342ade01e9",
    },
}
"""SHA-256 of the values of each part, a byte each, in the publishers' order: an IDX file without its header.

Ours, made from files whose md5, unpacked or packed, was the publishers' (docs/data.md).
"""

Parts = dict[str, tuple[NDArray[Any], Path]]
"""Values of each part, images (N, 28, 28) and labels (N,), and the file that they come from."""

IDX, NPZ = "IDX files", "npz file"
_NPZ_KEYS = {
    "train-images-idx3": "x_train",
    "train-labels-idx1": "y_train",
    "t10k-images-idx3": "x_test",
    "t10k-labels-idx1": "y_test",
}

_TYPES: dict[int, np.dtype[Any]] = {
    0x08: np.dtype(">u1"),
    0x09: np.dtype(">i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
_GZIP_MAGIC = b"\x1f\x8b"


def open_plain(path: Path) -> BinaryIO:
    """Open a file for reading bytes, unpacking it on the way if it is gzipped."""
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP_MAGIC
    return cast(BinaryIO, gzip.open(path)) if packed else path.open("rb")


def read_header(file: BinaryIO, path: Path) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """Read type and shape from the start of an opened IDX file; ValueError if it does not start like one."""
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _TYPES or start[3] == 0:
        raise ValueError(f"{path}: not an IDX file; it starts with {start!r}")
    dimensions = file.read(4 * start[3])
    if len(dimensions) < 4 * start[3]:
        raise ValueError(f"{path}: ends within its header")
    return _TYPES[start[2]], struct.unpack(f">{start[3]}I", dimensions)


def read_idx(path: Path) -> NDArray[Any]:
    """Read an IDX file, gzipped or not, into an array of the machine's byte order.

    ValueError if the file is not IDX, is damaged, or is shorter or longer than its header says.
    """
    try:
        with open_plain(path) as file:
            dtype, shape = read_header(file, path)
            content = file.read()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path}: damaged gzip file ({error}); fetch it again") from error
    expected = math.prod(shape) * dtype.itemsize
    if len(content) != expected:
        raise ValueError(
            f"{path}: holds {len(content)} bytes after its header, which promises {expected} "
            f"for shape {shape}"
        )
    return np.frombuffer(content, dtype).reshape(shape).astype(dtype.newbyteorder("="))


def find(source: str, raw: Path) -> Form | None:
    """First whole form of the data set among the published files; None if there is none."""
    parts = {part: find_file(source, raw, f"{part}-ubyte") for part in CONTENT[source]}
    idx = {part: (path,) for part, path in parts.items() if path is not None}
    if len(idx) == len(parts):
        return Form(IDX, idx)
    folders = [raw / name for name in FOLDERS[source]]
    packed = forms.first_file(folder / f"{source}.npz" for folder in (raw, *folders))
    return Form(NPZ, {"all": (packed,)}) if packed else forms.find_shards(folders)


def find_file(source: str, raw: Path, place: str) -> Path | None:
    """IDX file of a place: gzipped or not, with `-` or `.` in its name; torchvision's folder comes first."""
    plain = Path(place).name.removesuffix(".gz")
    names = [f"{name}{packing}" for name in (plain, plain.replace("-idx", ".idx")) for packing in (".gz", "")]
    folders = [raw / name for name in FOLDERS[source]]
    usual = (folders[0] / "raw" / name for name in names)
    elsewhere = (path for folder in folders for name in names for path in sorted(folder.rglob(name)))
    return forms.first_file(usual) or forms.first_file(elsewhere)


def check(source: str, form: Form) -> None:
    """Refuse, by `NotPublishedError`, files whose content is not the published one."""
    try:
        parts = read(form)
    except ValueError as error:
        raise forms.not_published(form.paths[0], str(error)) from error
    check_parts(source, parts)


def check_parts(source: str, parts: Parts) -> None:
    """Refuse, by `NotPublishedError`, values of a part that are not the published ones."""
    for part, (values, path) in parts.items():
        found, right = forms.sha256(values), CONTENT[source][part]
        if found != right:
            what = f"{values.dtype} {values.shape} with sha256 {found} where {right} is right"
            raise forms.not_published(path, f"{part}: {what}")


def read(form: Form) -> Parts:
    """Read all parts that a form holds; ValueError names a file that is damaged or of another kind."""
    if form.name == IDX:
        return {part: (read_idx(path), path) for part, (path,) in form.files.items()}
    if form.name == NPZ:
        return _read_npz(form.paths[0])
    parts: Parts = {}
    for split, prefix in PREFIXES.items():
        paths = form.files[split]
        images, labels = forms.read_shards(paths)
        parts |= {f"{prefix}-images-idx3": (images, paths[0]), f"{prefix}-labels-idx1": (labels, paths[0])}
    return parts


def _read_npz(path: Path) -> Parts:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {part: (file[key], path) for part, key in _NPZ_KEYS.items()}
    except (ValueError, KeyError, EOFError, OSError, zlib.error, zipfile.BadZipFile) as error:
        keys = ", ".join(_NPZ_KEYS.values())
        raise ValueError(f"{path}: not an npz file of {keys} ({error})") from error


def join_split(parts: Parts, prefix: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images uint8 (N, 28, 28, 1) and labels uint8 (N,) of the split whose parts begin with `prefix`.

    ValueError if they are not of that form or do not belong together.
    """
    images, image_path = parts[f"{prefix}-images-idx3"]
    labels, label_path = parts[f"{prefix}-labels-idx1"]
    if images.ndim != 3 or images.dtype != np.uint8:
        raise ValueError(f"{image_path}: holds {images.dtype} {images.shape}, not uint8 images (N, H, W)")
    if labels.shape != images.shape[:1] or labels.dtype != np.uint8:
        raise ValueError(f"{label_path}: holds {labels.dtype} {labels.shape} for {len(images)} images")
    return images[..., None], labels


def prepare(spec: Mapping[str, Any], raw: Path, folder: Path, workers: int = 1) -> DatasetInfo:
    """Write MNIST or Fashion-MNIST with its standard split: 60,000 and 10,000 images, ten classes."""
    source = spec["source"]
    usual = [raw / FOLDERS[source][0] / f"raw/{part}-ubyte.gz" for part in CONTENT[source]]
    form = forms.require_form(find(source, raw), usual)
    parts = read(form)
    if spec["verify"]:
        check_parts(source, parts)
    train, train_labels = join_split(parts, PREFIXES["train"])
    test, test_labels = join_split(parts, PREFIXES["test"])
    return write_dataset(
        folder,
        name=spec["name"],
        source=source,
        train=train,
        test=test,
        labels={"train": train_labels, "test": test_labels},
        label_names=LABEL_NAMES[source],
        details=form.details(spec["verify"]),
    )
