"""The user's own table: text of any layout, parquet, feather, or a workbook."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maskaae.data.dataset import DatasetInfo, Split
from maskaae.data.own.columns import learn_columns
from maskaae.data.own.frames import read_frame
from maskaae.data.own.notes import Notes
from maskaae.data.own.splits import OwnData, read_splits
from maskaae.data.own.writing import write_own

_READ_WHOLE = 4_000_000
"""Bytes up to which a file is read whole to tell its columns; of a longer one, the first rows."""
_FIRST_ROWS = 1000


def read_table(path: Path, spec: Mapping[str, Any], notes: Notes) -> OwnData:
    """Read a table of numbers as the keys of `spec` say (docs/data.md), and say in `notes` what was guessed.

    Returns
    -------
    OwnData
        Float64 values, NaN only where `missing` drops or fills them later; classes as numbers or text.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it cannot be read; the message names file, line and column. ChoiceError if a key settles it.
    """
    return learn_columns(read_frame(path, spec, notes), spec, notes)


def width(spec: Mapping[str, Any]) -> int:
    """Number of columns that are learned; of a large file as its first rows tell.

    Errors are those of `read_table`: a table that can be read whole in no time is.
    """
    path = Path(spec["path"])
    whole = spec["missing"] == "drop_columns" or path.stat().st_size <= _READ_WHOLE
    notes = Notes(quiet=True)
    frame = read_frame(path, spec, notes, None if whole else _FIRST_ROWS)
    data = learn_columns(frame, spec, notes, quiet=not whole)
    if spec["missing"] == "drop_columns":
        return int((data.values == data.values).all(axis=0).sum())  # NaN is not itself
    return len(data.names)


def prepare(spec: Mapping[str, Any], raw: Path, folder: Path, workers: int = 1) -> DatasetInfo:
    """Write a data set of the user's table."""
    notes = Notes()
    names: list[str] = []

    def read(split: Split) -> OwnData:
        if split == "train":
            data = read_table(Path(spec["path"]), spec, notes)
            names.extend(data.names)
            return data
        # The columns that train, in their order: what the training table leaves out is no column of the test.
        return read_table(Path(spec["test_path"]), {**spec, "columns": names, "drop": []}, notes)

    splits = read_splits(spec, read)
    return write_own(folder, spec, splits, f"{spec['path']}, column {spec['label_column']!r}", notes)
