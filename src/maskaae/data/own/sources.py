"""The sources of the user's own data: their keys, and whether values of them contradict each other.

The Snakefile imports this module while it is parsed: what reads data is imported where it is called.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping

from maskaae.data.source import Description, Key, Source, Spec, described

FRACTION = {"exclusiveMinimum": 0, "exclusiveMaximum": 1}
SPLIT_SEED = described("seed of the split", "integer", minimum=0, default=0)


def _path(description: str) -> Key:
    return described(description, "string", minLength=1)


def _optional_text(description: str) -> Key:
    return described(description, ["string", "null"], minLength=1, default=None)


def _own_split(what: str) -> dict[str, Key]:
    """Keys by which every source of the user's own data is split."""
    return {
        "test_path": _optional_text(f"{what} that is the test split; null: split `path`"),
        "test_fraction": described(
            "share of `path` that becomes the test split; null: 0.2, or 0 with test_path",
            ["number", "null"],
            **FRACTION,
            default=None,
        ),
        "split_seed": SPLIT_SEED,
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


IMAGES = Source(
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
    try:
        codecs.lookup("utf-8" if spec["encoding"] == "auto" else spec["encoding"])
    except LookupError as error:
        raise ValueError(
            f"encoding: {spec['encoding']!r} is unknown; give one such as utf-8, utf-16, cp1252"
        ) from error
    if spec["decimal"] != "auto" and spec["decimal"] == spec["thousands"]:
        raise ValueError(f"decimal and thousands are both {spec['decimal']!r}; give different signs")
    if spec["columns"] is not None and spec["drop"]:
        raise ValueError("columns and drop are both given; list what to learn, or what to leave out")
    if len(spec["delimiter"]) != 1 and spec["delimiter"] not in ("auto", "whitespace"):
        raise ValueError(f"delimiter is {spec['delimiter']!r}; give one character, `whitespace` or `auto`")
    columns = spec["columns"] or []
    repeated = sorted({str(column) for column in columns if columns.count(column) > 1})
    if repeated:
        raise ValueError(f"columns names {', '.join(repeated)} more than once")
    if spec["label_column"] is not None and spec["label_column"] in columns:
        raise ValueError(f"label_column {spec['label_column']!r} is also one of columns; take it out there")


_MISSING: Mapping[str, Key] = {
    "missing": described(
        "what to do where values are missing: drop_rows, drop_columns, or fill in the median of the training "
        "split; null: refuse them, with their count",
        ["string", "null"],
        enum=["drop_rows", "drop_columns", "median", None],
        default=None,
    ),
    "missing_values": described(
        "values that stand for missing ones beside NA, NaN, null, None, ?, -, . and blank, such as -999",
        "array",
        items={"type": ["string", "number"]},
        default=[],
    ),
}

TABLE = Source(
    name="table",
    description="your own table: text of any layout, parquet, feather, xlsx, ods",
    module="maskaae.data.own.table",
    keys={
        "path": _path("a table: text (compressed or not), parquet, feather, xlsx or ods"),
        "columns": described(
            "names (or, without a header, positions from 0) of the columns to learn; "
            "null: all but label_column and drop",
            ["array", "null"],
            items={"type": ["string", "integer"]},
            minItems=1,
            default=None,
        ),
        "drop": described(
            "names or positions of columns to leave out",
            "array",
            items={"type": ["string", "integer"]},
            default=[],
        ),
        "label_column": described(
            "name or position of the column of classes; null: none",
            ["string", "integer", "null"],
            default=None,
        ),
        **_MISSING,
        "delimiter": described(
            "the character between fields, `whitespace`, or auto", "string", minLength=1, default="auto"
        ),
        "header": described(
            "whether the first line holds names: true, false or auto",
            ["boolean", "string"],
            enum=["auto", True, False],
            default="auto",
        ),
        "skip_lines": described(
            "lines above the table that are no part of it", "integer", minimum=0, default=0
        ),
        "decimal": described(
            "decimal sign, a point or a comma; auto: as the numbers tell",
            "string",
            enum=["auto", ".", ","],
            default="auto",
        ),
        "thousands": described(
            "what stands between thousands, '' for nothing; null: as the numbers tell",
            ["string", "null"],
            enum=[None, "", ",", ".", " ", "'"],
            default=None,
        ),
        "encoding": described(
            "encoding of a text, such as utf-8, utf-16, cp1252; auto: as its bytes tell",
            "string",
            minLength=1,
            default="auto",
        ),
        "sheet": _optional_text("name of the sheet of a workbook; null: the only one that holds anything"),
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


ARRAY = Source(
    name="array",
    description="your own array: npy, npz, IDX, .mat, HDF5, h5ad, safetensors",
    module="maskaae.data.own.array",
    keys={
        "path": _path("an array file: (N, D) vectors, (N, H, W) or (N, H, W, C) images"),
        "key": _optional_text(
            "name of the examples among several arrays; null: x_train and x_test, or the only one that can be"
        ),
        "label_path": _optional_text("an array file of one class per example"),
        "label_key": _optional_text("name of the classes among the arrays of a file"),
        **_MISSING,
        "scaling": _SCALING,
        **_own_split("an array of the same shape per example"),
        "test_label_path": _optional_text("an array file of one class per example of test_path"),
    },
    describe=_describe_array,
    check=_check_array,
    path_keys=("path", "test_path", "label_path", "test_label_path"),
)
