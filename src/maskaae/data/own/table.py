"""The user's own table: csv, tsv, parquet or text with white space between the numbers."""

from __future__ import annotations

import csv
import gzip
import itertools
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

import numpy as np
from numpy.typing import NDArray

from maskaae.data.dataset import DatasetInfo, Split
from maskaae.data.own.notes import Notes
from maskaae.data.own.splits import OwnData, read_splits, write_own
from maskaae.data.writer import require_own

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

WHITESPACE = "whitespace"
CLASSES_HINT = (
    "; if the column holds classes, name it as label_column; if it is not to be learned, list the others "
    "under columns (config/own_data.yaml explains both)"
)
_PARQUET_ENDINGS = (".parquet", ".pq")
_DELIMITERS = ("\t", ";", "|", ",")
"""The first of these in the first line is the delimiter. The comma is last: it may be a decimal sign."""


@dataclass(frozen=True)
class Layout:
    """How a text file is to be read.

    Attributes
    ----------
    delimiter : str
        Character between fields, or `whitespace`.
    names : tuple of str
        Names of the columns; "0", "1" ... where the file gives none.
    has_header : bool
        Whether the first line holds the names.
    """

    delimiter: str
    names: tuple[str, ...]
    has_header: bool


def read_table(
    path: Path,
    *,
    columns: Sequence[str | int] | None = None,
    label_column: str | int | None = None,
    delimiter: str = "auto",
    header: bool | str = "auto",
) -> OwnData:
    """Read a table of numbers: parquet by its ending, else text, gzipped or not.

    Parameters
    ----------
    columns : sequence of str or int, optional
        Names (without a header: positions from 0) of the columns wanted; None: all but `label_column`.
    delimiter : str
        Character between fields, `whitespace`, or `auto`.
    header : bool or "auto"
        Whether the first line holds names.

    Returns
    -------
    OwnData
        Float64 values, and the label column as numbers or text.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it cannot be read, rows differ in length, a column is not there, or a value is missing, infinite or
        no number; the message names file, line and column.
    """
    require_own(path)
    if path.suffix.lower() in _PARQUET_ENDINGS:
        frame, layout = _read_parquet(path), None
    else:
        layout = find_layout(path, delimiter, header)
        check_rectangular(path, layout)
        frame = _read_text(path, layout)
    names = tuple(str(name) for name in frame.columns)
    label = None if label_column is None else _column(path, label_column, names)
    if columns is None:
        _check_names(path, names)
        wanted = tuple(name for name in names if name != label)
    else:
        wanted = tuple(_column(path, column, names) for column in columns)
    values = np.column_stack([_numbers(path, frame[name], layout) for name in wanted])
    classes = None if label is None else _classes(path, frame[label], layout)
    return OwnData(values, classes, wanted)


def find_layout(path: Path, delimiter: str, header: bool | str) -> Layout:
    """Find out delimiter and names from the first two lines.

    ValueError if the file is empty, is no text, or names a column twice.
    """
    if delimiter == "auto":
        delimiter = _guess_delimiter(_first_line(path))
    rows = _records(path, delimiter)
    first = next(rows)[1]
    second = next(rows, (0, []))[1]
    has_header = _looks_like_header(path, first, second) if header == "auto" else bool(header)
    names = tuple(name.strip() for name in first) if has_header else tuple(str(i) for i in range(len(first)))
    twice = sorted({name for name in names if names.count(name) > 1 and name})
    if twice:
        raise ValueError(f"{path}, line 1: more than one column is called {', '.join(twice)}")
    logger.info("%s: delimiter %r, %s", path, delimiter, "with a header" if has_header else "no header")
    return Layout(delimiter, names, has_header)


def check_rectangular(path: Path, layout: Layout) -> None:
    """Refuse a text file whose rows differ in length; ValueError names the line."""
    for line, fields in _records(path, layout.delimiter):
        if len(fields) != len(layout.names):
            raise ValueError(
                f"{path}, line {line}: {len(fields)} fields where the first line has {len(layout.names)} "
                f"(delimiter {layout.delimiter!r})"
            )


def prepare(spec: Mapping[str, Any], raw: Path, folder: Path, workers: int = 1) -> DatasetInfo:
    """Write a data set of the user's table."""
    splits = read_splits(spec, lambda split: _read(spec, split))
    train, test = splits["train"], splits["test"]
    if test.names != train.names:
        raise ValueError(
            f"{spec['test_path']}: columns {', '.join(test.names)}, but {spec['path']} has "
            f"{', '.join(train.names)}"
        )
    return write_own(folder, spec, splits, f"{spec['path']}, column {spec['label_column']!r}", Notes())


def _read(spec: Mapping[str, Any], split: Split) -> OwnData:
    return read_table(
        Path(spec["path" if split == "train" else "test_path"]),
        columns=spec["columns"],
        label_column=spec["label_column"],
        delimiter=spec["delimiter"],
        header=spec["header"],
    )


def _open_text(path: Path) -> TextIO:
    opener = gzip.open if path.suffix.lower() == ".gz" else open
    return cast(TextIO, opener(path, "rt", encoding="utf-8-sig", newline=""))


def _records(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of each line that is not empty, and its fields."""
    try:
        with _open_text(path) as file:
            if delimiter == WHITESPACE:
                rows = ((number, line.split()) for number, line in enumerate(file, start=1))
            else:
                reader = csv.reader(file, delimiter=delimiter, skipinitialspace=True)
                rows = ((reader.line_num, fields) for fields in reader)
            for number, fields in rows:
                if fields:
                    yield number, fields
    except (UnicodeDecodeError, csv.Error, EOFError, gzip.BadGzipFile) as error:
        raise ValueError(f"{path}: cannot be read as text ({error})") from error


def _first_line(path: Path) -> str:
    """First line that is not empty."""
    try:
        with _open_text(path) as file:
            for line in file:
                if line.strip():
                    return line
    except (UnicodeDecodeError, EOFError, gzip.BadGzipFile) as error:
        raise ValueError(f"{path}: cannot be read as text ({error})") from error
    raise ValueError(f"{path}: the file is empty")


def _guess_delimiter(line: str) -> str:
    return next((delimiter for delimiter in _DELIMITERS if delimiter in line.strip()), WHITESPACE)


def _looks_like_header(path: Path, first: Sequence[str], second: Sequence[str]) -> bool:
    """Tell names from data: names are no numbers, and text in data is in the same columns on each line."""
    text = [not _is_number(field) for field in first]
    if all(text) or not any(text):
        return all(text)
    if text == [not _is_number(field) for field in second]:
        return False
    raise ValueError(
        f"{path}, line 1: cannot tell whether {', '.join(first[:5])} ... are names or data; "
        "set header: true or header: false"
    )


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _read_text(path: Path, layout: Layout) -> pd.DataFrame:
    import pandas as pd

    return pd.read_csv(
        path,
        sep=r"\s+" if layout.delimiter == WHITESPACE else layout.delimiter,
        header=0 if layout.has_header else None,
        names=list(range(len(layout.names))),
        index_col=False,
        skipinitialspace=True,
        encoding="utf-8-sig",
        low_memory=False,
    ).set_axis(list(layout.names), axis=1)


def _read_parquet(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        return pd.read_parquet(path)
    except (ValueError, OSError) as error:
        raise ValueError(f"{path}: cannot be read as parquet ({error})") from error


def _check_names(path: Path, names: Sequence[str]) -> None:
    """Refuse a nameless column: pandas writes row numbers that way, and they would be learned like data."""
    if "" in names:
        raise ValueError(
            f"{path}, line 1: column {names.index('')} (counted from 0) has no name; is it a row number? "
            "Name it, or list the columns to learn under `columns`"
        )


def _column(path: Path, wanted: str | int, names: Sequence[str]) -> str:
    """Name of a column that the configuration asks for."""
    if str(wanted) not in names:
        raise ValueError(f"{path}: there is no column {wanted!r}; the columns are {', '.join(names)}")
    return str(wanted)


def _numbers(path: Path, column: pd.Series[Any], layout: Layout | None) -> NDArray[np.float64]:
    """A column of finite numbers."""
    import pandas as pd

    numeric = column if pd.api.types.is_numeric_dtype(column) else pd.to_numeric(column.astype(str), "coerce")
    values = numeric.to_numpy(dtype=np.float64, na_value=np.nan)
    broken = np.flatnonzero(~np.isfinite(values))
    if len(broken):
        row = int(broken[0])
        found = column.iloc[row]
        problem = "the value is missing" if pd.isna(found) else f"{str(found)!r} is not a finite number"
        hint = "" if pd.isna(found) or _is_number(str(found)) else CLASSES_HINT
        raise ValueError(f"{path}, {_place(path, row, layout)}, column {column.name!r}: {problem}{hint}")
    return values


def _classes(path: Path, column: pd.Series[Any], layout: Layout | None) -> NDArray[Any]:
    """The label column: numbers as they are, anything else as text."""
    import pandas as pd

    missing = np.flatnonzero(column.isna())
    if len(missing):
        place = _place(path, int(missing[0]), layout)
        raise ValueError(f"{path}, {place}, column {column.name!r}: the class is missing")
    return column.to_numpy() if pd.api.types.is_numeric_dtype(column) else column.to_numpy(dtype=str)


def _place(path: Path, row: int, layout: Layout | None) -> str:
    """Say where in the file a row is: its line, or its number where there are no lines."""
    if layout is None:
        return f"row {row} (counted from 0)"
    records = _records(path, layout.delimiter)
    line, _ = next(itertools.islice(records, row + layout.has_header, None))
    return f"line {line}"
