"""The sources of data, one definition each. Only the standard library is imported here: see `registry`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maskaae.data.source import Description, Source, Spec

_SEED = {"type": "integer", "minimum": 0, "default": 0}
_FRACTION = {"exclusiveMinimum": 0, "exclusiveMaximum": 1}
_SPLIT_SEED = {"description": "seed of the split", **_SEED}


def _check_synthetic(spec: Spec) -> None:
    from maskaae.data.synthetic import LATENT_LAWS, check_sizes, default_hidden

    hidden = default_hidden(spec["n"]) if spec["hidden"] is None else spec["hidden"]
    check_sizes(n=spec["n"], hidden=hidden, dimension=spec["dimension"], law=LATENT_LAWS[spec["latent"]])


SYNTHETIC = Source(
    name="synthetic",
    description="the paper's random generator: z ~ N(0, I_n) through a fixed net (n known)",
    module="maskaae.data.synthetic",
    spec_schema={
        "properties": {
            "n": {
                "description": "true latent dimension, 1 <= n <= dimension",
                "type": "integer",
                "minimum": 1,
            },
            "dimension": {
                "description": "data dimension D (paper: 128)",
                "type": "integer",
                "minimum": 1,
                "default": 128,
            },
            "hidden": {
                "description": "width of the generator's hidden layer; null: max(64, 2n) (our choice)",
                "type": ["integer", "null"],
                "minimum": 1,
                "default": None,
            },
            "slope": {
                "description": "slope of the leaky ReLU for negative inputs, above 0 (our choice)",
                "type": "number",
                "exclusiveMinimum": 0,
                "default": 0.2,
            },
            "latent": {
                "description": "law of the n latents: `gaussian` (the paper's), `uniform` on a cube, or "
                "angles of a `torus`: a curved, closed manifold (our choice)",
                "type": "string",
                "enum": ["gaussian", "uniform", "torus"],
                "default": "gaussian",
            },
            "noise": {
                "description": "standard deviation of Gaussian noise added to the data",
                "type": "number",
                "minimum": 0,
                "default": 0.0,
            },
            "n_train": {
                "description": "training examples (our choice)",
                "type": "integer",
                "minimum": 1,
                "default": 50_000,
            },
            "n_test": {
                "description": "test examples (our choice: as many as the FID's protocol asks for)",
                "type": "integer",
                "minimum": 1,
                "default": 10_000,
            },
            "seed": {"description": "seed of the generator's weights and of both splits", **_SEED},
        },
        "required": ["n"],
    },
    describe=lambda spec: ("vectors", spec["dimension"]),
    check=_check_synthetic,
)

DIGITS = Source(
    name="digits",
    description="scikit-learn's embedded digits: 1,797 real 8x8 images, ten classes",
    module="maskaae.data.digits",
    spec_schema={
        "properties": {
            "test_fraction": {
                "description": "share of the images that becomes the test split, between 0 and 1",
                "type": "number",
                **_FRACTION,
                "default": 0.2,
            },
            "split_seed": _SPLIT_SEED,
        },
        "required": [],
    },
    describe=lambda spec: ("images", 64),
)

_NO_KEYS: Mapping[str, Any] = {"properties": {}, "required": []}
_IDX_FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)

MNIST = Source(
    name="mnist",
    description="handwritten digits: 70,000 grey 28x28 images, ten classes",
    module="maskaae.data.published.mnist",
    spec_schema=_NO_KEYS,
    describe=lambda spec: ("images", 784),
    raw_files=tuple(f"MNIST/raw/{file}" for file in _IDX_FILES),
)

FASHION_MNIST = Source(
    name="fashion_mnist",
    description="articles of clothing: 70,000 grey 28x28 images, ten classes",
    module="maskaae.data.published.mnist",
    spec_schema=_NO_KEYS,
    describe=lambda spec: ("images", 784),
    raw_files=tuple(f"FashionMNIST/raw/{file}" for file in _IDX_FILES),
)

CIFAR10 = Source(
    name="cifar10",
    description="photographs: 60,000 colour 32x32 images, ten classes",
    module="maskaae.data.published.cifar",
    spec_schema=_NO_KEYS,
    describe=lambda spec: ("images", 3 * 32 * 32),
    raw_files=("cifar-10-python.tar.gz",),
)

CELEBA = Source(
    name="celeba",
    description="faces: 202,599 colour photographs, centre crop, 64x64, unlabelled",
    module="maskaae.data.published.celeba",
    spec_schema={
        "properties": {
            "crop": {
                "description": "side of the centre crop of the 178x218 photographs: 140, 128 or 160",
                "type": "integer",
                "enum": [140, 128, 160],
                "default": 140,
            },
            "size": {
                "description": "side of the image that the crop is resized to",
                "type": "integer",
                "minimum": 1,
                "default": 64,
            },
        },
        "required": [],
    },
    describe=lambda spec: ("images", 3 * spec["size"] ** 2),
    raw_files=("celeba/img_align_celeba.zip", "celeba/list_eval_partition.txt"),
)


def _optional(description: str) -> dict[str, Any]:
    return {"description": description, "type": ["string", "null"], "minLength": 1, "default": None}


def _own_split(what: str) -> dict[str, Any]:
    """Return the keys by which every source of the user's own data is split."""
    return {
        "test_path": _optional(f"{what} that is the test split; null: split `path`"),
        "test_fraction": {
            "description": "share of `path` that becomes the test split; null: 0.2, or 0 with test_path",
            "type": ["number", "null"],
            **_FRACTION,
            "default": None,
        },
        "split_seed": _SPLIT_SEED,
    }


_SCALING = {
    "description": "standardise (mean 0, variance 1 on the training split) or none; vectors only",
    "type": "string",
    "enum": ["standardise", "none"],
    "default": "standardise",
}


def _check_split(spec: Spec) -> None:
    if spec["test_path"] is not None and spec["test_fraction"] is not None:
        raise ValueError(
            f"test_fraction is {spec['test_fraction']} and test_path is {spec['test_path']!r}; "
            "give one of them"
        )


def _describe_images(spec: Spec) -> Description:
    known = isinstance(spec["channels"], int)
    return "images", spec["channels"] * spec["size"] ** 2 if known else None


IMAGES = Source(
    name="images",
    description="your own folder of image files, sub-folders as classes",
    module="maskaae.data.own.images",
    spec_schema={
        "properties": {
            "path": {"description": "a folder of images", "type": "string", "minLength": 1},
            "size": {
                "description": "side that each image's largest centred square is resized to (our choice)",
                "type": "integer",
                "minimum": 1,
                "default": 32,
            },
            "channels": {
                "description": "1 (grey), 3 (colour) or auto: what the files are, if all are alike",
                "type": ["integer", "string"],
                "enum": ["auto", 1, 3],
                "default": "auto",
            },
            **_own_split("a folder of images"),
        },
        "required": ["path"],
    },
    describe=_describe_images,
    check=_check_split,
    path_keys=("path", "test_path"),
)


def _describe_table(spec: Spec) -> Description:
    return "vectors", len(spec["columns"]) if spec["columns"] is not None else None


def _check_table(spec: Spec) -> None:
    _check_split(spec)
    if len(spec["delimiter"]) != 1 and spec["delimiter"] not in ("auto", "whitespace"):
        raise ValueError(f"delimiter is {spec['delimiter']!r}; give one character, `whitespace` or `auto`")
    columns = spec["columns"] or []
    repeated = sorted({str(column) for column in columns if columns.count(column) > 1})
    if repeated:
        raise ValueError(f"columns names {', '.join(repeated)} more than once")
    if spec["label_column"] is not None and spec["label_column"] in columns:
        raise ValueError(f"label_column {spec['label_column']!r} is also one of columns; take it out there")


TABLE = Source(
    name="table",
    description="your own table: csv, tsv, parquet or text with white space between numbers",
    module="maskaae.data.own.table",
    spec_schema={
        "properties": {
            "path": {
                "description": "a csv, tsv, parquet or text file, text also gzipped",
                "type": "string",
                "minLength": 1,
            },
            "columns": {
                "description": "names (or, without a header, positions from 0) of the columns to learn; "
                "null: all but label_column",
                "type": ["array", "null"],
                "items": {"type": ["string", "integer"]},
                "minItems": 1,
                "default": None,
            },
            "label_column": {
                "description": "name or position of the column of classes; null: no classes",
                "type": ["string", "integer", "null"],
                "default": None,
            },
            "delimiter": {
                "description": "the character between fields, `whitespace`, or auto",
                "type": "string",
                "minLength": 1,
                "default": "auto",
            },
            "header": {
                "description": "whether the first line holds names: true, false or auto",
                "type": ["boolean", "string"],
                "enum": ["auto", True, False],
                "default": "auto",
            },
            "scaling": _SCALING,
            **_own_split("a table of the same columns"),
        },
        "required": ["path"],
    },
    describe=_describe_table,
    check=_check_table,
    path_keys=("path", "test_path"),
)


def _describe_array(spec: Spec) -> Description:
    from maskaae.data.own.array import describe

    return describe(spec)


def _check_array(spec: Spec) -> None:
    _check_split(spec)
    labels = [key for key in ("label_path", "label_key") if spec[key] is not None]
    if len(labels) == 2:
        raise ValueError("label_path and label_key are both given; labels come from one of them")
    needs_test = spec["test_path"] is not None and spec["label_path"] is not None
    if needs_test != (spec["test_label_path"] is not None):
        raise ValueError(
            "test_label_path goes with both test_path and label_path: the labels of the examples in test_path"
        )


ARRAY = Source(
    name="array",
    description="your own array: npy, npz or IDX, gzipped or not",
    module="maskaae.data.own.array",
    spec_schema={
        "properties": {
            "path": {
                "description": "an npy, npz or IDX file: (N, D) vectors, (N, H, W) or (N, H, W, C) images",
                "type": "string",
                "minLength": 1,
            },
            "key": _optional("name of the examples in an npz file; null: the only array in it"),
            "label_path": _optional("an npy or IDX file of one class per example"),
            "label_key": _optional("name of the classes in the npz file"),
            "scaling": _SCALING,
            **_own_split("an array of the same shape per example"),
            "test_label_path": _optional("an npy or IDX file of one class per example of test_path"),
        },
        "required": ["path"],
    },
    describe=_describe_array,
    check=_check_array,
    path_keys=("path", "test_path", "label_path", "test_label_path"),
)

ALL = (SYNTHETIC, DIGITS, MNIST, FASHION_MNIST, CIFAR10, CELEBA, IMAGES, TABLE, ARRAY)
