"""From a table as it was read to numbers: which columns are learned, and why the others are not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskaae.data.own.frames import Frame
from maskaae.data.own.missing import settle_rows
from maskaae.data.own.notes import ChoiceError, Notes
from maskaae.data.own.numerals import (
    AUTO,
    Evidence,
    Numerals,
    are_negative,
    booleans,
    choose_numerals,
    find_evidence,
    normal,
)
from maskaae.data.own.plausible import check_columns, check_last_row, check_values
from maskaae.data.own.splits import OwnData

_NUMERAL = r"[+-]?(?:\d[\d.,' ]*|[.,]\d+)(?:[eE][+-]?\d+)?"
_MOSTLY = 0.5
"""From this share of numbers on, a column is numbers with mistakes in it, below it text (our choice)."""
_MOST_CLASSES = 50
_OTHER_DELIMITERS = "^~:&/!"
_MOST_SPELLINGS = 5
"""Different texts in a column of numbers that may all stand for missing ones (our choice)."""


@dataclass(frozen=True)
class Text:
    """A column that holds no numbers."""

    name: str
    what: str
    """in words, with an example"""
    classes: bool
    """whether it may hold classes"""


def learn_columns(frame: Frame, spec: Mapping[str, Any], notes: Notes, quiet: bool = False) -> OwnData:
    """Choose the columns to learn and make numbers of them.

    `quiet`: only the first rows were read, so that what depends on all of them is not said.

    Returns
    -------
    OwnData
        Float64 values, NaN only where `missing` drops or fills them later; classes as numbers or text.

    Raises
    ------
    ChoiceError
        If columns hold no numbers, values are missing, or numbers may be read in two ways.
    ValueError
        If a column is not there, or a value is infinite, no number, or too large to be squared.
    """
    names = tuple(map(str, frame.columns.columns))
    label = None if spec["label_column"] is None else _existing(frame, spec["label_column"], names)
    dropped = {_existing(frame, name, names) for name in spec["drop"]}
    if label is not None and label in dropped:
        raise ValueError(
            f"{frame.path}: column {label!r} is dropped and holds the classes; choose one of both"
        )
    if spec["columns"] is not None:
        wanted = [_existing(frame, column, names) for column in spec["columns"]]
    else:
        wanted = [name for name in names if name != label and name not in dropped]
        if dropped:
            notes.leave_out(f"{frame.path}: dropped as told: {', '.join(sorted(dropped))}")
    data = frame.columns[wanted]
    if spec["columns"] is None:
        data = _without_empty(frame, data, notes)
    data = _as_told(data, spec["missing_values"])
    texts = [name for name in data.columns if not _is_number_column(data[name])]
    numerals, data = _numerals(frame, data, texts, spec, notes)
    values: dict[str, NDArray[np.float64]] = {}
    problems: list[Text] = []
    for name in data.columns:
        made = _numbers(frame, data[name], numerals, notes)
        if isinstance(made, Text):
            problems.append(made)
        else:
            values[name] = made
    if spec["columns"] is None:
        problems = _without_row_names(frame, problems, notes)
        values = _without_counts(frame, values, notes)
    if problems:
        raise _refusal(frame, problems, len(data.columns), spec)
    if not values:
        raise ValueError(f"{frame.path}: no column is left to learn")
    classes = None if label is None else _classes(frame, frame.columns[label], spec["missing"])
    learned = OwnData(np.column_stack(list(values.values())), classes, tuple(values))
    check_values(frame.path, learned, spec, frame.place, notes)
    check_columns(frame.path, learned, notes)
    if not quiet:
        check_last_row(frame.path, learned, frame.place, notes)
    return learned if quiet else settle_rows(frame.path, learned, spec, frame.place, notes)


def _existing(frame: Frame, wanted: str | int, names: Sequence[str]) -> str:
    """Name of a column that the configuration asks for."""
    if str(wanted) not in names:
        listed = ", ".join(names[:30]) + (f" and {len(names) - 30} more" if len(names) > 30 else "")
        raise ValueError(f"{frame.path}: there is no column {wanted!r}; the columns are {listed}")
    return str(wanted)


def _is_number_column(column: pd.Series[Any]) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_complex_dtype(column)


def _without_empty(frame: Frame, data: pd.DataFrame, notes: Notes) -> pd.DataFrame:
    """Leave out columns without a value: most come from a delimiter at the end of each line."""
    empty = [name for name in data.columns if len(data) and data[name].isna().all()]
    if empty:
        nameless = all(name.startswith("Unnamed: ") for name in empty)
        why = "each line ends in a delimiter" if nameless else "no value in it"
        notes.leave_out(f"{frame.path}: empty columns, {why}: {', '.join(empty)}")
    return data.drop(columns=empty)


def _as_told(data: pd.DataFrame, missing_values: Sequence[Any]) -> pd.DataFrame:
    """Take out values that the user says stand for missing ones."""
    if not missing_values:
        return data
    texts = {str(value) for value in missing_values}
    numbers = [float(value) for value in missing_values if _as_float(value) is not None]
    made = data.copy()
    for name in data.columns:
        column = data[name]
        is_number = _is_number_column(column)
        made[name] = column.mask(
            column.isin(numbers) if is_number else column.astype(str).str.strip().isin(texts)
        )
    return made


def _as_float(value: Any) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def _numerals(
    frame: Frame, data: pd.DataFrame, texts: Sequence[str], spec: Mapping[str, Any], notes: Notes
) -> tuple[Numerals, pd.DataFrame]:
    """Find out how numbers are written; where commas are in play, with all columns as text."""
    suspects = [name for name in texts if _is_numeral_like(data[name])]
    told = spec["decimal"] == "," or spec["thousands"] is not None
    if not suspects and not told and not (frame.delimiter == ";" and _may_be_thousands(data)):
        return Numerals(), data
    if frame.as_text is not None:
        data = _as_told(frame.as_text()[list(data.columns)], spec["missing_values"])
        suspects = [name for name in data.columns if _is_numeral_like(data[name])]
    evidence = find_evidence(text for name in suspects for text in normal(data[name].dropna()).unique())
    try:
        numerals = choose_numerals(evidence, frame.delimiter, spec["decimal"], spec["thousands"])
    except ValueError as error:
        raise ChoiceError(
            f"{_where(frame, data[suspects], evidence)}: {error}; "
            "say which by decimal: ',' (then the point stands between thousands) or decimal: '.'",
            str(frame.path),
            {"decimal": ","},
        ) from error
    if spec["decimal"] == AUTO and numerals.decimal == ",":
        notes.guess(f"{frame.path}: the comma is the decimal sign (as in {evidence.comma or 'all numbers'})")
    if spec["thousands"] is None and numerals.thousands:
        sign = (
            evidence.grouped.get(numerals.thousands)
            or evidence.three_after_comma
            or evidence.three_after_point
        )
        notes.guess(f"{frame.path}: {numerals.thousands!r} stands between thousands (as in {sign})")
    return numerals, data


def _may_be_thousands(data: pd.DataFrame) -> bool:
    """Whether all numbers with a point have three digits after it and one to three before, none of them 0."""
    names = [name for name in data.columns if pd.api.types.is_float_dtype(data[name])]
    floats = data[names].to_numpy(dtype=np.float64)
    fractions = floats[np.isfinite(floats) & (floats != np.rint(floats))]
    thousandfold = fractions * 1000
    return bool(
        len(fractions)
        and (np.abs(fractions) >= 1).all()
        and (np.abs(fractions) < 1000).all()
        and np.allclose(thousandfold, np.rint(thousandfold), rtol=0, atol=1e-6)
    )


def _where(frame: Frame, data: pd.DataFrame, evidence: Evidence) -> str:
    """Place of the number that makes it unclear how numbers are written."""
    text = evidence.comma or evidence.three_after_comma or evidence.three_after_point
    for name in data.columns:
        rows = np.flatnonzero(data[name].notna() & (normal(data[name]) == text))
        if len(rows):
            return f"{frame.path}, {frame.place(int(rows[0]))}, column {name!r}"
    return str(frame.path)


def _is_numeral_like(column: pd.Series[Any]) -> bool:
    """Whether most of a column of text are numbers in some way of writing them."""
    there = column.dropna()
    if not len(there) or _is_number_column(column) or not isinstance(there.iloc[0], str):
        return False
    return bool(normal(there.astype(str)).str.fullmatch(_NUMERAL).mean() >= _MOSTLY)


def _numbers(
    frame: Frame, column: pd.Series[Any], numerals: Numerals, notes: Notes
) -> NDArray[np.float64] | Text:
    """A column as numbers, NaN where a value is missing; or what it holds instead."""
    name = str(column.name)
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if _is_number_column(column):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    there = column.dropna()
    if pd.api.types.is_datetime64_any_dtype(column) or pd.api.types.is_timedelta64_dtype(column):
        return Text(name, f"times, such as {there.iloc[0]}", classes=False)
    if any(isinstance(cell, str) for cell in there):
        made = _numbers_of_text(frame, column, numerals, notes)
    elif all(isinstance(cell, Real | Decimal | np.bool_) for cell in there):
        made = there.to_numpy(dtype=np.float64)
    else:
        return Text(name, f"{type(there.iloc[0]).__name__}, such as {str(there.iloc[0])[:40]}", classes=False)
    if isinstance(made, Text):
        return made
    values = np.full(len(column), np.nan)
    values[column.notna().to_numpy()] = made
    return values


def _numbers_of_text(
    frame: Frame, column: pd.Series[Any], numerals: Numerals, notes: Notes
) -> NDArray[np.float64] | Text:
    """Numbers in the texts of a column that are not missing; or what they are instead.

    ChoiceError where most are numbers, and some are not.
    """
    texts = column.dropna().astype(str)
    words = booleans(texts)
    if words is not None:
        listed = " and ".join(sorted(texts.unique())[:2])
        notes.guess(f"{frame.path}: column {column.name!r}: {listed} as numbers, 1 for true and 0 for false")
        return words
    values = numerals.parse(texts)
    broken = np.isnan(values)
    if broken.mean() > 1 - _MOSTLY:
        return _describe_text(str(column.name), texts)
    if broken.any():
        raise _broken_value(frame, column, np.flatnonzero(column.notna())[broken])
    _say_signs(frame, str(column.name), texts, values, notes)
    return values


def _say_signs(
    frame: Frame, name: str, texts: pd.Series[str], values: NDArray[np.float64], notes: Notes
) -> None:
    """Say which signs were taken off numbers; ValueError if they say that the numbers differ in unit."""
    found = texts.str.extract(r"([%€$£¥])")[0]
    signs = list(found.dropna().unique())
    if len(signs) > 1 or (signs == ["%"] and (found.isna() & (values != 0)).any()):
        other = next(text for text, sign in zip(texts, found, strict=True) if sign != signs[0])
        first = next(text for text, sign in zip(texts, found, strict=True) if sign == signs[0])
        raise ValueError(
            f"{frame.path}: column {name!r} holds {first!r} and {other!r}, which are of different units; "
            "write all numbers in one"
        )
    if signs:
        notes.guess(f"{frame.path}: column {name!r}: numbers without their sign {signs[0]}")
    negative = texts[are_negative(texts)]
    if len(negative):
        notes.guess(f"{frame.path}: column {name!r}: {len(negative)} like {negative.iloc[0]!r} are negative")


def _broken_value(frame: Frame, column: pd.Series[Any], broken: NDArray[np.intp]) -> ChoiceError:
    """Refuse text in a column of numbers."""
    row, text = int(broken[0]), str(column.iloc[broken[0]])
    more = f" (and {len(broken) - 1} more like it)" if len(broken) > 1 else ""
    problem = (
        f"{frame.path}, {frame.place(row)}, column {column.name!r}: {text!r} is not a finite number{more}. "
    )
    different = list(dict.fromkeys(column.iloc[broken].astype(str)))
    if len(different) > _MOST_SPELLINGS:
        return ChoiceError(
            f"{problem}Mend them; or name the column if it holds classes (label), or leave it out:",
            str(frame.path),
            {"drop": [column.name]},
        )
    return ChoiceError(
        f"{problem}Mend it; or leave the column out (drop), name it if it holds classes (label); or, if the "
        "text stands for a missing value, say so:",
        str(frame.path),
        {
            "missing_values": different,
            "missing": "drop_rows" if len(broken) < 0.01 * len(column) else "median",
        },
    )


def _describe_text(name: str, texts: pd.Series[str]) -> Text:
    different = texts.nunique()
    example = str(texts.iloc[0])
    if pd.to_datetime(texts.head(20), errors="coerce", format="mixed").notna().all():
        return Text(name, f"times, such as {example}", classes=False)
    few = 2 <= different <= min(_MOST_CLASSES, max(len(texts) // 2, 2))
    return Text(name, f"{different} different texts, such as {example[:40]!r}", classes=few)


def _without_row_names(frame: Frame, problems: list[Text], notes: Notes) -> list[Text]:
    """Leave out a first column of text that has no name: it holds names of rows."""
    first = str(frame.columns.columns[0])
    named = [problem for problem in problems if problem.name == first == "Unnamed: 0"]
    for problem in named:
        notes.leave_out(f"{frame.path}: the first column, which has no name: {problem.what}, names of rows")
    return [problem for problem in problems if problem not in named]


def _without_counts(
    frame: Frame, values: Mapping[str, NDArray[np.float64]], notes: Notes
) -> dict[str, NDArray[np.float64]]:
    """Leave out columns that say nothing but which row it is."""
    kept = {}
    for name, column in values.items():
        if name == "Unnamed: 0" and len(values) > 1 and _are_whole(column):
            notes.leave_out(
                f"{frame.path}: the first column, which has no name and whole numbers: an index of rows"
            )
        elif len(values) > 1 and counts_rows(column):
            notes.leave_out(
                f"{frame.path}: column {name!r}, which counts the rows ({column[0]:g}, {column[1]:g} ...); "
                "list it under columns to learn it"
            )
        else:
            kept[name] = column
    return kept


def counts_rows(column: NDArray[np.float64]) -> bool:
    """Whether a column holds every whole number of a range once, in whatever order."""
    if len(column) < 3 or not _are_whole(column):
        return False
    low, high = column.min(), column.max()
    return bool(high - low == len(column) - 1 and len(np.unique(column)) == len(column))


def _are_whole(column: NDArray[np.float64]) -> bool:
    return bool(np.isfinite(column).all() and (column == np.rint(column)).all())


def _refusal(frame: Frame, problems: Sequence[Text], size: int, spec: Mapping[str, Any]) -> ChoiceError:
    """Say which columns hold no numbers, with the command that leaves them out."""
    shown = [f"{problem.name} ({problem.what})" for problem in problems[:5]]
    if len(problems) == size:
        raise _without_numbers(frame, shown, size)
    more = [f"and {len(problems) - 5} more"] if len(problems) > 5 else []
    options: dict[str, Any] = {"drop": [*map(str, spec["drop"]), *(problem.name for problem in problems)]}
    label = next((problem.name for problem in problems if problem.classes), None)
    if label is not None and spec["label_column"] is None:
        options = {"drop": [name for name in options["drop"] if name != label], "label": label}
    return ChoiceError(
        f"{frame.path}: {len(problems)} of {size} columns hold no numbers: {'; '.join([*shown, *more])}\n"
        "Leave them out by drop"
        + (", and name a column of classes as label" if "label" in options else "")
        + ":",
        str(frame.path),
        {key: value for key, value in options.items() if value},
    )


def _without_numbers(frame: Frame, shown: Sequence[str], size: int) -> ValueError:
    """Refuse a table of text alone, with the sign that its fields may lie between."""
    problem = f"{frame.path}: no column holds numbers: {'; '.join(shown)}"
    if not frame.delimiter:
        return ValueError(problem)
    problem += f"; if the fields lie between another sign than {frame.delimiter!r}, set delimiter"
    texts = frame.columns.iloc[:, 0].astype(str).head(100)
    counts = {sign: texts.str.count(re.escape(sign)) for sign in _OTHER_DELIMITERS} if size == 1 else {}
    alike = [sign for sign, count in counts.items() if count.min() == count.max() > 0]
    return (
        ChoiceError(f"{problem}:", str(frame.path), {"delimiter": alike[0]}) if alike else ValueError(problem)
    )


def _classes(frame: Frame, column: pd.Series[Any], missing: str | None) -> NDArray[Any]:
    """The label column: numbers as they are, anything else as text; None where one is missing."""
    absent = np.flatnonzero(column.isna())
    if len(absent) and missing != "drop_rows":
        raise ChoiceError(
            f"{frame.path}, {frame.place(int(absent[0]))}, column {column.name!r}: the class is missing, in "
            f"{len(absent)} rows",
            str(frame.path),
            {"label": column.name, "missing": "drop_rows"},
        )
    if len(absent):
        return np.array([None if pd.isna(one) else one for one in column], dtype=object)
    return column.to_numpy() if pd.api.types.is_numeric_dtype(column) else column.to_numpy(dtype=str)


def shown(names: Iterable[str], most: int = 10) -> str:
    """List names, the rest counted."""
    names = list(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
