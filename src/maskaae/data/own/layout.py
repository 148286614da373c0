"""How a text table is laid out: delimiter, names of columns, and lines that are neither names nor data."""

from __future__ import annotations

import csv
import itertools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from maskaae.data.own.header import (
    Fields,
    find_header,
    is_units,
    joined_names,
    looks_numeric,
)
from maskaae.data.own.notes import ChoiceError, Notes
from maskaae.data.own.numerals import AUTO
from maskaae.data.own.text import DELIMITERS, WHITESPACE, Text, find_encoding

_HEAD_LINES = 100
_SEPARATOR = re.compile(r"sep=(.)\s*", re.IGNORECASE)
_SPARSE = re.compile(r"[-+]?[\d.,]+(\s+qid:\d+)?(\s+\d+:[-+\d.eE]+)+\s*(#.*)?")
_MOST_UNITS = 2
"""Lines below the names that may hold units, or what was done with each column (our choice)."""
_ATTRIBUTE = re.compile(r"\s*@attribute\s+('[^']*'|\"[^\"]*\"|\S+)\s+(.*)", re.IGNORECASE)


@dataclass(frozen=True)
class Layout:
    """How a text file is to be read.

    Attributes
    ----------
    text : Text
        The file, its lines those of the data alone.
    delimiter : str
        Character between fields, or `whitespace`.
    names : tuple of str
        Names of the columns; "0", "1" ... where the file gives none.
    has_header : bool
        Whether the file gives names.
    comments : frozenset of int
        Lines above the data that are comments.
    """

    text: Text
    delimiter: str
    names: tuple[str, ...]
    has_header: bool
    comments: frozenset[int] = frozenset()

    def place(self, row: int) -> str:
        """Say in which line of the file a row of the data is."""
        records = self.text.records(self.delimiter)
        return f"line {next(itertools.islice(records, row, None))[0]}"


def find_layout(path: Path, spec: Mapping[str, Any], notes: Notes) -> Layout:
    """Find out encoding, delimiter and names from a file's first lines, as far as the keys leave it open.

    ValueError if the file is empty, is no text, names a column twice, or its first line may be names or data.
    """
    encoding = find_encoding(path, spec["encoding"], notes)
    text = Text(path, encoding, frozenset(range(1, spec["skip_lines"] + 1)))
    comments: set[int] = set()
    head = list(itertools.islice(text.lines(comments), _HEAD_LINES))
    if not head:
        raise ValueError(f"{path}: the file is empty")
    if head[0][1].lower().lstrip().startswith("@relation"):
        return _attribute_layout(text, notes)
    if all(_SPARSE.fullmatch(line.strip()) for _, line in head):
        raise ValueError(
            f"{path}: pairs of place and value (svmlight, LIBSVM) are not read; "
            "scipy.sparse.save_npz('x.npz', sklearn.datasets.load_svmlight_file(path)[0]) makes what is"
        )
    delimiter, separator = spec["delimiter"], _SEPARATOR.fullmatch(head[0][1])
    if separator:
        text = replace(text, skip=text.skip | {head[0][0]})
        delimiter = separator[1] if delimiter == AUTO else delimiter
        head = head[1:]
    if delimiter == AUTO:
        delimiter = guess_delimiter([line for _, line in head])
        if delimiter not in (",", "\t", WHITESPACE):
            notes.guess(f"{path}: fields between {delimiter!r}")
    records = list(itertools.islice(text.records(delimiter), _HEAD_LINES))
    if not records:
        raise ValueError(f"{path}: the file is empty")
    layout = _named(text, delimiter, records, spec["header"], notes)
    return replace(layout, comments=frozenset(comments))


def _named(
    text: Text, delimiter: str, records: Sequence[tuple[int, Fields]], header: bool | str, notes: Notes
) -> Layout:
    """Tell names from data, and both from what stands around them."""
    width = Counter(len(fields) for _, fields in records[1:] or records).most_common(1)[0][0]
    _refuse_preamble(text.path, records, width)
    line, first = records[0]
    rows = [fields for _, fields in records]
    commented = _commented_names(text, delimiter, first) if header == AUTO else None
    has_header = find_header(f"{text.path}, line {line}", rows, notes) if header == AUTO else bool(header)
    names = [str(place) for place in range(width)]
    if has_header:
        names = _fitted(text.path, [plain_name(name) for name in first], rows[1:], width, notes)
        text = _without(text, line)
        names, text = _below_names(names, text, records[1:], notes)
    elif commented:
        notes.guess(
            f"{text.path}: names of columns from the comment above them: {', '.join(commented[:5])} ..."
        )
        names = commented
    twice = sorted(name for name, count in Counter(names).items() if count > 1 and name)
    if twice:
        raise ChoiceError(
            f"{text.path}, line {records[0][0]}: more than one column is called {', '.join(twice)}; "
            "give each a name of its own, or call the columns by their positions, from 0:",
            str(text.path),
            {"header": False, "skip_lines": records[0][0]},
        )
    named = tuple(name or f"Unnamed: {place}" for place, name in enumerate(names))
    nameless = [place for place, name in enumerate(names) if not name and 0 < place < width - 1]
    if nameless:
        notes.guess(f"{text.path}: column {nameless[0]} (from 0) has no name: called Unnamed: {nameless[0]}")
    return Layout(text, delimiter, named, has_header or commented is not None)


def plain_name(field: str) -> str:
    """A name without blanks and quotes around it, and without the mark of a text that was pasted in."""
    return field.strip("\ufeff").strip().strip("\"'")


def _below_names(
    names: list[str], text: Text, records: Sequence[tuple[int, Fields]], notes: Notes
) -> tuple[list[str], Text]:
    """Take lines of text between names and numbers out: a second line of names, or units."""
    for place in range(_MOST_UNITS):
        rest = records[place:]
        if not rest or not is_units([fields for _, fields in rest]):
            break
        line, fields = rest[0]
        joined = joined_names(names, [plain_name(field) for field in fields])
        if joined is None:
            notes.leave_out(f"{text.path}, line {line}: taken for units: {', '.join(fields[:5])}")
        else:
            names = joined
            notes.guess(f"{text.path}: names of columns from two lines: {', '.join(names[:5])} ...")
        text = _without(text, line)
    return names, text


def _refuse_preamble(path: Path, records: Sequence[tuple[int, Fields]], width: int) -> None:
    """Refuse lines of another width above a table; ChoiceError says how to skip them."""
    fits = next(place for place, (_, fields) in enumerate(records) if len(fields) == width)
    if fits and len(records[fits - 1][1]) == width - 1 and any(map(looks_numeric, records[fits][1])):
        fits -= 1  # names without one for the names of rows
    alike = sum(len(fields) == width for _, fields in records)
    if fits and width > 1 and alike > len(records) // 2:
        line = records[fits - 1][0]
        raise ChoiceError(
            f"{path}, line {records[0][0]}: {len(records[0][1])} fields where the table below has {width}; "
            f"if the lines up to {line} are no part of it, skip them",
            str(path),
            {"skip_lines": line},
        )


def _without(text: Text, line: int) -> Text:
    """Leave out everything up to a line."""
    return replace(text, skip=text.skip | set(range(1, line + 1)))


def _fitted(path: Path, names: list[str], rows: Sequence[Fields], width: int, notes: Notes) -> list[str]:
    """Names for as many fields as the rows have: a last delimiter adds one, and so do R's names of rows."""
    if len(names) != width - 1:
        return names
    full = [row for row in rows if len(row) == width]
    if all(row[-1].strip() == "" for row in full):
        return [*names, ""]
    firsts = [plain_name(row[0]) for row in full]
    whole = [bool(re.fullmatch(r"\d+", first)) for first in firsts]
    # Under a single name, whole numbers that do not count may be what stands before a decimal comma.
    halves = len(names) == 1 and all(whole) and not _count(firsts)
    if halves or not all(
        is_whole or not looks_numeric(first) for is_whole, first in zip(whole, firsts, strict=True)
    ):
        raise _too_few_names(path, names, width)
    notes.guess(
        f"{path}: a field more in each row than there are names: the first is taken for a name of the row"
    )
    return ["", *names]


def _count(fields: Sequence[str]) -> bool:
    """Whether whole numbers go up by one."""
    return all(int(after) == int(before) + 1 for before, after in itertools.pairwise(fields))


def _too_few_names(path: Path, names: Sequence[str], width: int) -> ValueError:
    """Refuse rows with a field more than there are names; a single name points to decimal commas."""
    problem = f"{path}: {len(names)} names for the {width} fields of each row; name every column"
    if len(names) > 1:
        return ValueError(problem)
    return ChoiceError(
        f"{problem}; or, if there is one column and the comma is its decimal sign, say so:",
        str(path),
        {"delimiter": ";", "decimal": ","},
    )


def _commented_names(text: Text, delimiter: str, first: Fields) -> list[str] | None:
    """Names that stand in a comment just above the data, as `numpy.savetxt` and instruments write them."""
    comment = text.comment_above()
    if comment is None:
        return None
    words = comment.lstrip("#%/ \t").strip()
    cut = [] if delimiter == WHITESPACE else next(csv.reader([words], delimiter=delimiter), [])
    for names in ([name.strip() for name in cut], words.split()):
        if len(names) == len(first) and all(names) and not any(map(looks_numeric, names)):
            return names
    return None


def guess_delimiter(lines: Sequence[str]) -> str:
    """Choose the delimiter that cuts all lines into equally many fields, most of them numbers."""
    best = max(DELIMITERS, key=lambda delimiter: _fitness(lines, delimiter))
    return best if _fitness(lines, best)[0] else WHITESPACE


def _fitness(lines: Sequence[str], delimiter: str) -> tuple[bool, bool, float, float]:
    """Whether there are fields at all and as many in each line, and how many of them are numbers."""
    body = lines[1:] or lines
    try:
        rows = [
            re.findall(r'"[^"]*"|\S+', line)
            if delimiter == WHITESPACE
            else next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
            for line in body
        ]
    except csv.Error:
        return False, False, 0.0, 0.0
    width, alike = Counter(map(len, rows)).most_common(1)[0]
    fields = [field for row in rows for field in row]
    numbers = sum(map(looks_numeric, fields)) / max(len(fields), 1)
    return width > 1, alike >= 0.9 * len(rows), numbers, alike / len(rows)


def _attribute_layout(text: Text, notes: Notes) -> Layout:
    """Layout of Weka's ARFF: attributes by name, then comma-separated data."""
    names: list[str] = []
    for number, line in text.lines():
        attribute = _ATTRIBUTE.match(line)
        if attribute:
            names.append(attribute[1].strip("'\""))
        if line.lower().lstrip().startswith("@data"):
            notes.guess(f"{text.path}: an ARFF file")
            _refuse_sparse(_without(text, number))
            return Layout(_without(text, number), ",", tuple(names), True)
    raise ValueError(f"{text.path}: an ARFF file without @data")


def _refuse_sparse(text: Text) -> None:
    """Refuse the data of an ARFF file that are pairs of place and value."""
    if next(text.lines(), (0, ""))[1].lstrip().startswith("{"):
        raise ValueError(
            f"{text.path}: pairs of place and value (sparse ARFF) are not read; "
            "weka.filters.unsupervised.instance.SparseToNonSparse writes every value"
        )
