"""Tables of every kind as pandas' frames, each row with its place in the file."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskaae.data.own.header import (
    MISSING,
    Fields,
    find_header,
    is_missing,
    is_units,
    joined_names,
    looks_numeric,
)
from maskaae.data.own.layout import Layout, find_layout, plain_name
from maskaae.data.own.notes import ChoiceError, Notes
from maskaae.data.own.sniff import TABLES, is_packed, kind_of, opened
from maskaae.data.own.text import WHITESPACE
from maskaae.data.writer import require_own

_CLASSES_MISSING = frozenset(["", "na", "n/a", "nan", "null", "none", "<na>", "#n/a"])
"""Ways of writing a missing value that are no names of classes; `-` and `?` may be."""


_MANY_COMMENTS = 50
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_MOST_BELOW = 10
"""Lines of words below a table, such as its source, at most (our choice)."""
_FIXED_WIDTH = (
    "; if columns stand at fixed places, pandas.read_fwf(path).to_csv('t.csv', index=False) makes a table "
    "with delimiters"
)


@dataclass(frozen=True)
class Frame:
    """A table as it was read, nothing converted.

    Attributes
    ----------
    columns : DataFrame
        Names are texts, each of them once.
    place : callable
        Says where in the file a row is.
    as_text : callable or None
        Reads the same table with every field as text; None where the file has types of its own.
    delimiter : str
        Character between fields of a text; "" elsewhere.
    """

    path: Path
    columns: pd.DataFrame
    place: Callable[[int], str]
    as_text: Callable[[], pd.DataFrame] | None = None
    delimiter: str = ""


def read_frame(path: Path, spec: Mapping[str, Any], notes: Notes, rows: int | None = None) -> Frame:
    """Read a table, or its first `rows`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it cannot be read; ChoiceError if the user must say which part of it to read.
    """
    kind = kind_of(require_own(path))
    if kind not in TABLES:
        raise ValueError(f"{path}: is no table but {kind}; set source: auto, or leave it out")
    if kind == "text":
        return _read_text(path, spec, notes, rows)
    if kind == "json":
        return _read_json(path, spec, notes)
    if kind in ("parquet", "feather"):
        return _read_columnar(path, kind, spec, notes)
    return _read_sheet(path, kind, spec, notes)


def rectangle(layout: Layout, notes: Notes) -> Layout:
    """Leave words below a table out of it.

    Refused are text files whose rows differ in length, or are mostly comments; ValueError names the line.
    """
    comments, rows, last = set(layout.comments), 0, 0
    below: dict[int, Fields] = {}
    repeated: set[int] = set()
    for line, fields in layout.text.records(layout.delimiter, comments):
        if layout.has_header and tuple(map(plain_name, fields)) == layout.names:
            repeated.add(line)
        elif len(fields) == len(layout.names) and not below:
            rows, last = rows + 1, line
        else:
            below[line] = fields
        if len(below) > _MOST_BELOW:
            break
    if below and not _are_words(below, last, len(layout.names)):
        line = min(below)
        raise ValueError(
            f"{layout.text.path}, line {line}: {len(below[line])} fields where the first line has "
            f"{len(layout.names)} (delimiter {layout.delimiter!r})"
            + (_FIXED_WIDTH if layout.delimiter == WHITESPACE else "")
        )
    if below:
        words = layout.delimiter.join(next(iter(below.values())))[:60]
        notes.leave_out(f"{layout.text.path}: {len(below)} lines below the table (the first: {words!r})")
    if repeated:
        notes.leave_out(
            f"{layout.text.path}: {len(repeated)} lines that repeat the names of columns "
            f"(the first: line {min(repeated)})"
        )
    if below or repeated:
        layout = replace(layout, text=replace(layout.text, skip=layout.text.skip | set(below) | repeated))
    if comments:
        _say_comments(layout, comments, rows, notes)
    return layout


def _are_words(below: Mapping[int, Fields], last: int, width: int) -> bool:
    """Whether lines at the end of a file, by number, are words about a table of so many columns.

    They have fewer fields and begin with text, and hold no number or stand apart from line `last`.
    """
    apart = min(below) > last + 1
    return len(below) <= _MOST_BELOW and all(
        len(fields) < width
        and not looks_numeric(fields[0])
        and (apart or not any(map(looks_numeric, fields)))
        for fields in below.values()
    )


def _say_comments(layout: Layout, comments: set[int], rows: int, notes: Notes) -> None:
    """Say how many lines are comments; ValueError if more than there are rows."""
    said = f"{len(comments)} lines that start like comments (the first: line {min(comments)})"
    if len(comments) > max(rows, _MANY_COMMENTS):
        raise ValueError(
            f"{layout.text.path}: {said}, more than there are rows; put their first fields in quotes"
        )
    notes.leave_out(f"{layout.text.path}: {said}")


def _read_text(path: Path, spec: Mapping[str, Any], notes: Notes, rows: int | None) -> Frame:
    layout = find_layout(path, spec, notes)
    if rows is None:
        layout = rectangle(layout, notes)
    label = spec["label_column"]
    missing = {
        place: _spellings(_CLASSES_MISSING if label is not None and name == str(label) else MISSING)
        for place, name in enumerate(layout.names)
    }

    def read(dtype: type[str] | None = None) -> pd.DataFrame:
        try:
            frame = pd.read_csv(
                _Lines(layout),
                sep=r"\s+" if layout.delimiter == WHITESPACE else layout.delimiter,
                header=None,
                names=list(range(len(layout.names))),
                index_col=False,
                skipinitialspace=True,
                keep_default_na=False,
                na_values=missing,  # type: ignore[arg-type]  # the stubs know names of text only
                nrows=rows,
                dtype=dtype,
                low_memory=False,
            )
        except pd.errors.EmptyDataError:
            frame = pd.DataFrame({place: [] for place in range(len(layout.names))})
        except pd.errors.ParserError as error:
            raise ValueError(f"{path}: cannot be read as text ({error})") from error
        return frame.set_axis(list(layout.names), axis=1)

    return Frame(path, read(), layout.place, lambda: read(str), layout.delimiter)


class _Lines(io.TextIOBase):
    """The lines of a layout's data as one stream, for pandas to read."""

    def __init__(self, layout: Layout) -> None:
        self._lines: Iterator[tuple[int, str]] = layout.text.lines()
        self._rest = ""

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> str:
        pieces, length = [self._rest], len(self._rest)
        while size is None or size < 0 or length < size:
            _, line = next(self._lines, (0, ""))
            if not line:
                break
            pieces.append(line)
            length += len(line)
        text = "".join(pieces)
        cut = len(text) if size is None or size < 0 else size
        self._rest = text[cut:]
        return text[:cut]

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]
        return (line for _, line in self._lines)


def _spellings(words: frozenset[str]) -> list[str]:
    """Every word in small letters, capitals, and as they are usually mixed."""
    return sorted({*words, *map(str.upper, words), *map(str.capitalize, words), "NaN", "NaT", "N/a"})


def _read_columnar(path: Path, kind: str, spec: Mapping[str, Any], notes: Notes) -> Frame:
    """Parquet or feather: an index that pandas stored is no column."""
    read = pd.read_parquet if kind == "parquet" else pd.read_feather
    try:
        with opened(path) as file:
            frame = read(io.BytesIO(file.read()) if is_packed(path) else path)
    except ImportError as error:
        raise ValueError(f"{path}: {kind} needs pyarrow: pip install 'maskaae[formats]'") from error
    except (ValueError, OSError) as error:
        raise ValueError(f"{path}: cannot be read as {kind} ({str(error).splitlines()[0]})") from error
    if not isinstance(frame.index, pd.RangeIndex):
        named = [str(name) for name in frame.index.names if name is not None]
        notes.leave_out(f"{path}: the index of its rows" + (f" ({', '.join(named)})" if named else ""))
    return Frame(path, _spread(path, _renamed(path, frame), spec, notes), _counted_row)


def _read_json(path: Path, spec: Mapping[str, Any], notes: Notes) -> Frame:
    """Records in a list or one a line, rows of numbers, or columns by name, as pandas writes them."""
    try:
        with opened(path) as file:
            frame = _frame_of_json(path, _parsed(file.read().decode("utf-8-sig")), notes)
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: cannot be read as records of a table ({error})") from error
    return Frame(path, _spread(path, _renamed(path, frame), spec, notes), _counted_row)


def _parsed(content: str) -> Any:
    """JSON of the whole text, or of each of its lines; ValueError names the line."""
    try:
        return json.loads(content)
    except json.JSONDecodeError as whole:
        records: list[Any] = []
        for number, line in enumerate(content.splitlines(), start=1):
            try:
                records += [json.loads(line)] if line.strip() else []
            except json.JSONDecodeError as error:
                if not records:  # one value over many lines
                    raise whole from error
                raise ValueError(f"line {number}: {error.msg}") from error
        return records


def _frame_of_json(path: Path, made: Any, notes: Notes) -> pd.DataFrame:
    """A table of parsed JSON: of records, of rows, of columns, or of the only list of records inside."""
    if isinstance(made, dict) and isinstance(made.get("columns"), list) and "data" in made:
        return pd.DataFrame(made["data"], columns=made["columns"])  # pandas' orient="split"
    if isinstance(made, dict):
        lists = [key for key, value in made.items() if _are_records(value)]
        if len(lists) == 1:
            notes.guess(f"{path}: the rows are those of {lists[0]!r}")
            made = made[lists[0]]
    if _are_records(made) and any(isinstance(value, dict) for record in made for value in record.values()):
        notes.guess(f"{path}: fields within fields are columns, with a point between their names")
        return pd.json_normalize(made)
    return pd.DataFrame(made)


def _are_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _counted_row(row: int) -> str:
    return f"row {row} (counted from 0)"


def _renamed(path: Path, frame: pd.DataFrame) -> pd.DataFrame:
    """Give columns names of text, the levels of several joined."""
    columns: list[Any] = frame.columns.to_list()
    names = [
        " ".join(str(level) for level in name if str(level)) if isinstance(name, tuple) else str(name)
        for name in columns
    ]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{path}: more than one column is called {', '.join(twice[:5])}")
    return frame.set_axis(names, axis=1).reset_index(drop=True)


def _spread(path: Path, frame: pd.DataFrame, spec: Mapping[str, Any], notes: Notes) -> pd.DataFrame:
    """Spread columns that hold a list of numbers in each row, as embeddings are stored, over many columns.

    In a row without a list all of them are missing. Columns that are not learned stay as they are.
    """
    parts = []
    left = {*map(str, spec["drop"]), str(spec["label_column"])}
    for name in frame.columns:
        column = frame[name]
        there = column[column.notna()]
        if name in left or not len(there) or not isinstance(there.iloc[0], np.ndarray | list | tuple):
            parts.append(column.to_frame())
            continue
        vectors = [_numbers_of(cell) for cell in there]
        lengths = {-1 if vector is None else len(vector) for vector in vectors}
        if len(lengths) > 1 or -1 in lengths:
            raise ChoiceError(
                f"{path}: column {name!r} holds lists that are no numbers or differ in length; leave it out:",
                str(path),
                {"drop": [*map(str, spec["drop"]), name]},
            )
        values = np.full((len(column), lengths.pop()), np.nan)
        values[column.notna().to_numpy()] = np.stack([vector for vector in vectors if vector is not None])
        notes.guess(f"{path}: column {name!r} holds {values.shape[1]} numbers in each row: as many columns")
        parts.append(pd.DataFrame(values, columns=[f"{name}_{place}" for place in range(values.shape[1])]))
    return pd.concat(parts, axis=1) if parts else frame


def _numbers_of(cell: Any) -> NDArray[np.float64] | None:
    """A list of numbers, or of lists of them, as one vector; None of anything else."""
    try:
        array = np.asarray(cell)
        if array.dtype == object:  # lists of lists, as arrow gives them
            array = np.stack([np.asarray(part) for part in cell])
    except (ValueError, TypeError):
        return None
    return array.astype(np.float64).ravel() if array.ndim and array.dtype.kind in "biuf" else None


def _read_sheet(path: Path, kind: str, spec: Mapping[str, Any], notes: Notes) -> Frame:
    """A sheet of a workbook: what stands in its cells, from the first row and column that hold anything."""
    if kind == "xls" and _ENCRYPTED in path.read_bytes():
        raise ValueError(f"{path}: is protected by a password; save it without one")
    package = {"xlsx": "openpyxl", "ods": "odfpy", "xls": "xlrd"}[kind]
    try:
        sheets = pd.read_excel(path, sheet_name=None, header=None, keep_default_na=False, na_values=[""])
    except ImportError as error:
        raise ValueError(
            f"{path}: {kind} needs {package}: pip install "
            + ("'maskaae[formats]'" if kind != "xls" else "xlrd, or save it as xlsx")
        ) from error
    except Exception as error:  # what a damaged workbook raises depends on the package that reads it
        raise ValueError(f"{path}: cannot be read as {kind} ({error})") from error
    filled = {name: cells for name, cells in sheets.items() if cells.notna().to_numpy().any()}
    name = spec["sheet"]
    if name is None:
        if len(filled) != 1:
            raise ChoiceError(
                f"{path}: {len(filled)} sheets hold something ({', '.join(map(str, filled))}); say which",
                str(path),
                {"sheet": next(iter(map(str, filled)), "")},
            )
        name = next(iter(filled))
    elif name not in filled:
        raise ValueError(f"{path}: there is no sheet {name!r}; the sheets are {', '.join(map(str, filled))}")
    return _from_cells(path, filled[name], spec, notes)


def _from_cells(path: Path, cells: pd.DataFrame, spec: Mapping[str, Any], notes: Notes) -> Frame:
    """Names and rows from the cells of a sheet."""
    there = cells.notna()
    rows = np.flatnonzero(there.any(axis=1))[spec["skip_lines"] :]
    columns = np.flatnonzero(there.iloc[rows].any(axis=0))
    cells = cells.iloc[rows, columns]
    texts = [list(map(_cell_text, row)) for row in cells.head(200).to_numpy()]
    titles = next((place for place, row in enumerate(texts) if sum(map(bool, row)) > 1), 0)
    if titles and len(columns) > 1:
        notes.leave_out(f"{path}: rows of a single cell above the table ({texts[0][0] or ''} ...)")
        cells, texts, rows = cells.iloc[titles:], texts[titles:], rows[titles:]
    where = f"{path}, row {rows[0] + 1}"
    header = spec["header"]
    if find_header(where, texts, notes) if header == "auto" else header:
        names, above = _names_of_cells(path, texts, rows, notes)
        cells, rows = cells.iloc[above:], rows[above:]
    else:
        names = [str(place) for place in range(len(columns))]
    cells, rows = _without_words_below(path, cells, rows, notes)
    frame = _renamed(path, cells.set_axis(names, axis=1))
    others = [name for name in names if name != str(spec["label_column"])]
    frame[others] = frame[others].map(
        lambda cell: np.nan if isinstance(cell, str) and is_missing(cell) else cell
    )
    return Frame(path, frame.infer_objects(), lambda row: f"row {rows[row] + 1}")


def _cell_text(cell: Any) -> str:
    """What a cell shows; years and positions are whole numbers."""
    if pd.isna(cell):
        return ""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _names_of_cells(
    path: Path, texts: Sequence[Fields], rows: NDArray[np.intp], notes: Notes
) -> tuple[list[str], int]:
    """Names of columns and how many rows hold them: the first, and one of names or units below it."""
    names, above = [text.strip() for text in texts[0]], 1
    if is_units(texts[1:]):
        joined = joined_names(names, texts[1])
        above = 2
        if joined is None:
            notes.leave_out(f"{path}, row {rows[1] + 1}: taken for units: {', '.join(texts[1][:5])}")
        else:
            names = joined
            notes.guess(f"{path}: names of columns from two rows: {', '.join(names[:5])} ...")
    return [name or f"Unnamed: {place}" for place, name in enumerate(names)], above


def _without_words_below(
    path: Path, cells: pd.DataFrame, rows: NDArray[np.intp], notes: Notes
) -> tuple[pd.DataFrame, NDArray[np.intp]]:
    """Leave out rows of a single cell of words below a table."""
    if cells.shape[1] < 2:
        return cells, rows
    end = len(cells)
    while end > max(1, len(cells) - _MOST_BELOW):
        there = [cell for cell in cells.iloc[end - 1] if not pd.isna(cell)]
        if len(there) != 1 or not isinstance(there[0], str) or looks_numeric(there[0]):
            break
        end -= 1
    if end < len(cells):
        notes.leave_out(
            f"{path}: {len(cells) - end} rows of words below the table (the first: row {rows[end] + 1})"
        )
    return cells.iloc[:end], rows[:end]
