"""Every source of data by name, its keys, and the check of a configuration's entries against them.

The Snakefile imports this module while it is parsed, so it needs only the standard library at import; a
source's own module is imported when it prepares something.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from typing import Any

from maskaae.data.known import SHAPES, SYNTHETIC
from maskaae.data.source import Description, Key, Source, Spec, described


def _path(description: str) -> Key:
    return described(description, "string", minLength=1)


def _optional_text(description: str) -> Key:
    return described(description, ["string", "null"], minLength=1, default=None)


_FRACTION = {"exclusiveMinimum": 0, "exclusiveMaximum": 1}
_SPLIT_SEED = described("seed of the split", "integer", minimum=0, default=0)
_VERIFY = {
    "verify": described("check published files; false: take them on your word", "boolean", default=True)
}


_DIGITS = Source(
    name="digits",
    description="scikit-learn's embedded digits: 1,797 real 8x8 images, ten classes",
    module="maskaae.data.digits",
    keys={
        "test_fraction": described(
            "share of the images that becomes the test split", "number", **_FRACTION, default=0.2
        ),
        "split_seed": _SPLIT_SEED,
    },
    describe=lambda spec: ("images", 64),
)


def _mnist_like(name: str, folder: str, description: str) -> Source:
    files = (
        f"{split}-{content}-ubyte.gz"
        for split in ("train", "t10k")
        for content in ("images-idx3", "labels-idx1")
    )
    return Source(
        name=name,
        description=f"{description}: 70,000 grey 28x28 images, ten classes",
        module="maskaae.data.published.mnist",
        keys=_VERIFY,
        describe=lambda spec: ("images", 784),
        raw_files=tuple(f"{folder}/raw/{file}" for file in files),
    )


_CIFAR10 = Source(
    name="cifar10",
    description="photographs: 60,000 colour 32x32 images, ten classes",
    module="maskaae.data.published.cifar",
    keys=_VERIFY,
    describe=lambda spec: ("images", 3 * 32 * 32),
    raw_files=("cifar-10-python.tar.gz",),
)

_CELEBA = Source(
    name="celeba",
    description="faces: 202,599 colour photographs, centre crop, 64x64, unlabelled",
    module="maskaae.data.published.celeba",
    keys={
        "crop": described(
            "side of the centre crop of the photographs", "integer", enum=[140, 128, 160], default=140
        ),
        "size": described("side of the image that the crop is resized to", "integer", minimum=1, default=64),
        **_VERIFY,
    },
    describe=lambda spec: ("images", 3 * spec["size"] ** 2),
    raw_files=("celeba/img_align_celeba.zip", "celeba/list_eval_partition.txt"),
)


def _own_split(what: str) -> dict[str, Key]:
    """Keys by which every source of the user's own data is split."""
    return {
        "test_path": _optional_text(f"{what} that is the test split; null: split `path`"),
        "test_fraction": described(
            "share of `path` that becomes the test split; null: 0.2, or 0 with test_path",
            ["number", "null"],
            **_FRACTION,
            default=None,
        ),
        "split_seed": _SPLIT_SEED,
    }


_SCALING = described(
    "standardise (mean 0, variance 1 on the training split) or none; vectors only",
    "string",
    enum=["standardise", "none"],
    default="standardise",
)


def _check_split(spec: Spec) -> None:
    if spec["test_path"] is not None and spec["test_fraction"] is not None:
        raise ValueError(
            f"test_fraction is {spec['test_fraction']} and test_path is {spec['test_path']!r}; "
            "give one of them"
        )


def _describe_images(spec: Spec) -> Description:
    return "images", None if spec["channels"] == "auto" else spec["channels"] * spec["size"] ** 2


_IMAGES = Source(
    name="images",
    description="your own folder of image files, sub-folders as classes",
    module="maskaae.data.own.images",
    keys={
        "path": _path("a folder of images"),
        "size": described(
            "side that the largest centred square is resized to (our choice)",
            "integer",
            minimum=1,
            default=32,
        ),
        "channels": described(
            "1 (grey), 3 (colour) or auto: what the files are, if all are alike",
            ["integer", "string"],
            enum=["auto", 1, 3],
            default="auto",
        ),
        **_own_split("a folder of images"),
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


_TABLE = Source(
    name="table",
    description="your own table: csv, tsv, parquet or text with white space between numbers",
    module="maskaae.data.own.table",
    keys={
        "path": _path("a csv, tsv, parquet or text file, text also gzipped"),
        "columns": described(
            "names (or, without a header, positions from 0) of the columns to learn; "
            "null: all but label_column",
            ["array", "null"],
            items={"type": ["string", "integer"]},
            minItems=1,
            default=None,
        ),
        "label_column": described(
            "name or position of the column of classes; null: none",
            ["string", "integer", "null"],
            default=None,
        ),
        "delimiter": described(
            "the character between fields, `whitespace`, or auto", "string", minLength=1, default="auto"
        ),
        "header": described(
            "whether the first line holds names: true, false or auto",
            ["boolean", "string"],
            enum=["auto", True, False],
            default="auto",
        ),
        "scaling": _SCALING,
        **_own_split("a table of the same columns"),
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
    if spec["label_path"] is not None and spec["label_key"] is not None:
        raise ValueError("label_path and label_key are both given; labels come from one of them")
    needs_test = spec["test_path"] is not None and spec["label_path"] is not None
    if needs_test != (spec["test_label_path"] is not None):
        raise ValueError(
            "test_label_path goes with both test_path and label_path: the labels of the examples in test_path"
        )


_ARRAY = Source(
    name="array",
    description="your own array: npy, npz or IDX, gzipped or not",
    module="maskaae.data.own.array",
    keys={
        "path": _path("an npy, npz or IDX file: (N, D) vectors, (N, H, W) or (N, H, W, C) images"),
        "key": _optional_text("name of the examples in an npz file; null: the only array in it"),
        "label_path": _optional_text("an npy or IDX file of one class per example"),
        "label_key": _optional_text("name of the classes in the npz file"),
        "scaling": _SCALING,
        **_own_split("an array of the same shape per example"),
        "test_label_path": _optional_text("an npy or IDX file of one class per example of test_path"),
    },
    describe=_describe_array,
    check=_check_array,
    path_keys=("path", "test_path", "label_path", "test_label_path"),
)

SOURCES: Mapping[str, Source] = {
    source.name: source
    for source in (
        SYNTHETIC,
        SHAPES,
        _DIGITS,
        _mnist_like("mnist", "MNIST", "handwritten digits"),
        _mnist_like("fashion_mnist", "FashionMNIST", "articles of clothing"),
        *(_CIFAR10, _CELEBA, _IMAGES, _TABLE, _ARRAY),
    )
}


def resolve(entry: Mapping[str, Any], other_keys: Iterable[str] = ()) -> dict[str, Any]:
    """Check an entry of the configuration (`name`, `source`, keys) and fill in the source's defaults.

    `other_keys` are those that an entry may have beside, for somebody else: a misspelt key may mean them.

    Raises
    ------
    ValueError
        If the source is unknown, a key is unknown or missing, a value is of the wrong type or out of range,
        or values contradict each other; the message names data set, key and value and what would be right.
    """
    name = entry.get("name")
    if not isinstance(name, str):
        raise ValueError(f"a data set's name must be text, not {name!r}")
    where = f"data set {name!r}"
    source = SOURCES.get(str(entry.get("source")))
    if source is None:
        known = ", ".join(SOURCES)
        raise ValueError(f"{where}: source: {entry.get('source')!r} is unknown; known: {known}")
    for key in entry:
        if key not in ("name", "source", *source.keys):
            raise ValueError(f"{where}: key {key!r} is unknown{suggestion(key, [*source.keys, *other_keys])}")
    spec = {"name": name, "source": source.name}
    for key, schema in source.keys.items():
        if key not in entry and "default" not in schema:
            raise ValueError(f"{where}: key {key!r} is missing ({schema['description']})")
        spec[key] = entry.get(key, schema.get("default"))
        _check_value(f"{where}: {key}", spec[key], schema)
    try:
        source.check(spec)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    return spec


def suggestion(word: str, known: Iterable[str]) -> str:
    """End of a message on an unknown word: the nearest known one, or all of them."""
    known = sorted(known)
    near = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known) or 'none'}"


def describe(spec: Spec) -> Description:
    """Kind and dimension of a data set before it is prepared, None where only the data can tell."""
    return SOURCES[spec["source"]].describe(spec)


def input_paths(spec: Spec) -> list[str]:
    """Paths, as given in the configuration, of the user's files and folders that a data set is made from."""
    return [spec[key] for key in SOURCES[spec["source"]].path_keys if spec[key] is not None]


def _check_value(where: str, value: object, schema: Key) -> None:
    from jsonschema import Draft202012Validator

    # JSON schema lets 8.0 pass as an integer, and infinity as a number.
    unfit = isinstance(value, float) and ("number" not in schema["type"] or not math.isfinite(value))
    problems = [f"{value} is not a finite {schema['type']}"] if unfit else []
    problems += [error.message for error in Draft202012Validator(schema).iter_errors(value)]
    if problems:
        raise ValueError(f"{where}: {problems[0]} ({schema['description']})")
