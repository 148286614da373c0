"""Telling the names of a table's columns from its data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from maskaae.data.own.notes import Notes

Fields = Sequence[str]

MISSING = frozenset(
    [
        "",
        "na",
        "n/a",
        "nan",
        "null",
        "none",
        "?",
        "-",
        "--",
        ".",
        "<na>",
        "nat",
        *("-nan", "+nan", "nan(ind)", "-nan(ind)", "1.#qnan", "1.#ind", "-1.#ind"),
        *("#n/a", "#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!"),
        *("#nv", "#wert!", "#bezug!", "#zahl!"),
    ]
)
"""How a missing value is written, in small letters; C's and those of workbooks in English and German too."""

_FIGURES = r"(?:\d[\d.,' \u00a0\u202f\u2009\u2019]*|[.,]\d+)(?:[eEdD][+-]?\d+)?"
_NUMERAL = re.compile(rf"[+\-−]?[€$£¥]?\s*[+\-−]?{_FIGURES}\s*[%€$£¥]?|\([€$£¥]?\s*{_FIGURES}\)|{_FIGURES}-")
_HARDLY_CHANCE = 5
"""So many whole numbers do not rise in equal steps by chance (our choice)."""
_ROUNDED = 0.01
"""Share of a step by which steps of rounded numbers may differ (our choice)."""
_WORDS = frozenset(["true", "false", "inf", "-inf", "+inf", "infinity", "-infinity"])


def is_missing(field: str) -> bool:
    """Whether a field says that a value is missing."""
    return field.strip().lower() in MISSING


def looks_numeric(field: str) -> bool:
    """Whether a field is a number in any way of writing it, a boolean, or missing."""
    text = field.strip().strip("\"'").lower()
    return text in MISSING or text in _WORDS or _NUMERAL.fullmatch(text) is not None


def find_header(where: str, rows: Sequence[Fields], notes: Notes) -> bool:
    """Tell whether the first of some rows holds names: text in columns that hold numbers below it.

    ValueError if it may be either.
    """
    first, body = rows[0], rows[1:]
    text = [not looks_numeric(field) for field in first]
    if not any(text):
        return _counts(where, first, body, notes)
    numbers = _number_columns(body[1:] or body)  # the first line of the body may hold units
    shift = max((len(body[0]) if body else 0) - len(first), 0)  # R has no name for the names of rows
    named = [place - shift for place in numbers if 0 <= place - shift < len(first)]
    over_numbers = [text[place] for place in named if not is_missing(first[place])]
    if not over_numbers or all(over_numbers):
        return bool(over_numbers) or all(text)
    if not _rises(first, text):
        if not any(over_numbers):
            return False
    elif any(over_numbers) or not _all_whole(body, numbers):
        notes.guess(f"{where}: {', '.join(first[:5])} ... are taken for names of columns")
        return True
    raise ValueError(
        f"{where}: cannot tell whether {', '.join(first[:5])} ... are names or data; "
        "set header: true or header: false"
    )


def is_units(rows: Sequence[Fields]) -> bool:
    """Whether the first of some rows holds text over columns of numbers, as a line of units does."""
    if len(rows) < 3:
        return False
    first, numbers = rows[0], _number_columns(rows[1:])
    if not numbers or any(place >= len(first) for place in numbers):
        return False
    over = [first[place] for place in numbers]
    text = [not looks_numeric(field) for field in over]
    return all(is_text or is_missing(field) for is_text, field in zip(text, over, strict=True)) and (
        2 * sum(text) >= len(over)
    )


def joined_names(above: Fields, below: Fields) -> list[str] | None:
    """Names of two lines, groups above and members below; None if those above need no second line.

    They need one where a name stands twice, or a merged cell left blanks behind it.
    """
    plain = [name.strip() for name in above]
    blanks = [place for place, name in enumerate(plain) if not name and place]
    named = [name for name in plain if name]
    if (not blanks and len(set(named)) == len(named)) or len(below) != len(above):
        return None
    groups = list(plain)
    for place in blanks:
        groups[place] = groups[place - 1]
    return [f"{group} {member.strip()}".strip() for group, member in zip(groups, below, strict=True)]


def _number_columns(rows: Sequence[Fields]) -> list[int]:
    """Places at which most fields are numbers, and one at least is there."""
    width = min(map(len, rows), default=0)
    columns = []
    for place in range(width):
        fields = [row[place] for row in rows]
        there = [field for field in fields if not is_missing(field)]
        if there and sum(map(looks_numeric, there)) >= 0.9 * len(there):
            columns.append(place)
    return columns


def _rises(first: Fields, text: Sequence[bool]) -> bool:
    """Whether the numbers in a line are whole and rise in equal steps, as positions and years do."""
    numbers = [
        field.strip() for field, is_text in zip(first, text, strict=True) if not is_text and field.strip()
    ]
    if len(numbers) < 3 or not all(re.fullmatch(r"\d+", number) for number in numbers):
        return False
    steps = {int(after) - int(before) for before, after in pairwise(numbers)}
    return len(steps) == 1 and steps.pop() > 0


def _all_whole(rows: Sequence[Fields], places: Sequence[int]) -> bool:
    """Whether the fields at some places are whole numbers, or missing."""
    fields = (row[place] for row in rows for place in places if place < len(row))
    return all(re.fullmatch(r"\s*[+-]?\d*\s*", field) for field in fields)


def _counts(where: str, first: Fields, body: Sequence[Fields], notes: Notes) -> bool:
    """Tell whether a first line of numbers alone names the columns: positions, years, wavelengths.

    ValueError if the numbers below are whole too, so that it may be either.
    """
    counted = [field.strip() for field in first]
    nameless = counted[0] == "" and counted[1:] == [str(place) for place in range(len(counted) - 1)]
    if not nameless and (len(counted) < 3 or counted != [str(place) for place in range(len(counted))]):
        return _scales(where, first, body, notes)
    if _all_whole(body, range(len(first))) and not nameless:
        raise ValueError(
            f"{where}: cannot tell whether 0, 1, 2 ... are names or data; set header: true or header: false"
        )
    notes.guess(f"{where}: counts the columns, so it is taken for names")
    return True


def _scales(where: str, first: Fields, body: Sequence[Fields], notes: Notes) -> bool:
    """Tell whether a first line of numbers rises in equal steps, and no line below it does.

    ValueError if the numbers below are whole too, and the columns so many that it is hardly chance.
    """
    if not _steps(first) or any(map(_steps, body)) or not body:
        return False
    shown = ", ".join(first[:3])
    if not _all_whole(body, range(len(first))):
        notes.guess(f"{where}: {shown} ... rise in equal steps, so they are taken for names of columns")
        return True
    if len(first) < _HARDLY_CHANCE:
        return False
    raise ValueError(
        f"{where}: cannot tell whether {shown} ... are names or data; set header: true or header: false"
    )


def _steps(fields: Fields) -> bool:
    """Whether fields are three numbers or more that rise in equal steps."""
    if len(fields) < 3 or not all(re.fullmatch(r"\s*\d+(?:\.\d*)?\s*", field) for field in fields):
        return False
    numbers = list(map(float, fields))
    step = numbers[1] - numbers[0]
    return step > 0 and all(
        abs(after - before - step) < _ROUNDED * step for before, after in pairwise(numbers)
    )
