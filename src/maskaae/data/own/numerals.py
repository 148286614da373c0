"""Numbers as people write them: decimal commas, thousands separators, percent and currency signs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

AUTO = "auto"
BLANKS = "\u00a0\u202f\u2009"
"""Blanks that typesetters put between thousands; read as a plain blank."""

_SIGNS = re.compile(r"^(?P<minus>[+-]?)[€$£¥]\s*|\s*[%€$£¥]$")
_NEGATIVE = re.compile(r"^\((?P<inside>[^+\-()]*\d[^()]*)\)$|^(?P<before>[\d.,' ]*\d[\d.,' ]*)-$")
"""A number in brackets, as accountants write negative ones, or with its minus behind it."""
_WHOLE = re.compile(r"[+-]?\d+(?:[eEdD][+-]?\d+)?")
_BOOLEANS = {
    **{"true": 1.0, "false": 0.0, "t": 1.0, "f": 0.0},
    **{"yes": 1.0, "no": 0.0, "y": 1.0, "n": 0.0},
    **{"ja": 1.0, "nein": 0.0},
}


@dataclass(frozen=True)
class Numerals:
    """How numbers are written in a file.

    Attributes
    ----------
    decimal : str
        Decimal sign, "." or ",".
    thousands : str
        Separator of thousands; "" if there is none.
    """

    decimal: str = "."
    thousands: str = ""

    def pattern(self) -> re.Pattern[str]:
        """Match a whole number or decimal fraction, its thousands grouped by threes or not at all."""
        decimal = re.escape(self.decimal)
        grouped = rf"\d{{1,3}}(?:{re.escape(self.thousands)}\d{{3}})+|" if self.thousands else ""
        return re.compile(
            rf"[+-]?(?:(?:{grouped}\d+)(?:{decimal}\d*)?|{decimal}\d+)(?:[eEdD][+-]?\d+)?"
            r"|[+-]?(?:inf|infinity)",
            re.IGNORECASE,
        )

    def parse(self, texts: pd.Series[str]) -> NDArray[np.float64]:
        """Read texts as numbers, NaN where one is no number."""
        plain = normal(texts)
        fits = plain.str.fullmatch(self.pattern()).to_numpy(dtype=bool, na_value=False)
        if self.thousands:
            plain = plain.str.replace(self.thousands, "", regex=False)
        if self.decimal != ".":
            plain = plain.str.replace(self.decimal, ".", regex=False)
        plain = plain.str.replace("[dD]", "e", regex=True)  # Fortran's exponents
        values = np.full(len(texts), np.nan)
        values[fits] = plain[fits].astype(np.float64).to_numpy()
        return values


@dataclass(frozen=True)
class Evidence:
    """An example of each way in which the numbers of a file are written; None where there is none.

    Attributes
    ----------
    point, comma : str or None
        A number that can only be read with that decimal sign.
    three_after_point, three_after_comma : str or None
        A number such as `1,234`, whose sign may be decimal or stand between thousands.
    grouped : dict of str
        Separator of thousands to a number that has it.
    """

    point: str | None
    comma: str | None
    three_after_point: str | None
    three_after_comma: str | None
    grouped: dict[str, str]


def normal(texts: pd.Series[str]) -> pd.Series[str]:
    """Texts without quotes and signs of currency and percent, with plain blanks and a minus in front."""
    plain = texts.astype(str).str.strip().str.strip("'").str.replace("\u2212", "-", regex=False)
    plain = plain.str.replace(f"[{BLANKS}]", " ", regex=True).str.replace("\u2019", "'", regex=False)
    if plain.str.contains(r"[()]|-$", regex=True).any():
        plain = plain.str.replace(_NEGATIVE, _with_minus, regex=True)
    return plain.str.replace(_SIGNS, lambda match: match["minus"] or "", regex=True)


def _with_minus(match: re.Match[str]) -> str:
    return f"-{match['inside'] or match['before']}"


def are_negative(texts: pd.Series[str]) -> pd.Series[bool]:
    """Whether texts are numbers in brackets, or with a minus behind them."""
    return texts.str.strip().str.fullmatch(_NEGATIVE.pattern)


def booleans(texts: pd.Series[str]) -> NDArray[np.float64] | None:
    """Numbers for a column of two words like true and false; None if it holds others."""
    words = texts.astype(str).str.strip().str.lower()
    if not set(words.unique()) <= set(_BOOLEANS):
        return None
    return np.array([_BOOLEANS[word] for word in words])


def find_evidence(texts: Iterable[str]) -> Evidence:
    """Look through texts of number columns for what tells one way of writing numbers from another."""
    found: dict[str, str] = {}
    grouped: dict[str, str] = {}
    for text in texts:
        digits = text.lstrip("+-")
        if _WHOLE.fullmatch(digits):
            continue
        for separator, pattern in _GROUPED.items():
            if pattern.fullmatch(digits):
                grouped.setdefault(separator, text)
        found.setdefault(_decimal_sign(digits), text)
    return Evidence(found.get("."), found.get(","), found.get(".000"), found.get(",000"), grouped)


_GROUPED = {
    ",": re.compile(r"\d{1,3}(,\d{3}){2,}|\d{1,3}(,\d{3})+\.\d*"),
    ".": re.compile(r"\d{1,3}(\.\d{3}){2,}|\d{1,3}(\.\d{3})+,\d*"),
    " ": re.compile(r"\d{1,3}( \d{3})+([.,]\d*)?"),
    "'": re.compile(r"\d{1,3}('\d{3})+([.,]\d*)?"),
}
"""Numbers that have a separator for certain, by separator."""


def _decimal_sign(digits: str) -> str:
    """Decimal sign of a number without a sign, then 000 where it may stand between thousands; "" if none."""
    match = re.fullmatch(r"([\d.,' ]*)([.,])(\d*)(?:([eEdD])[+-]?\d+)?", digits)
    if match is None or not re.search(r"\d", digits):
        return ""
    before, sign, after, exponent = match.groups()
    if sign in before:
        return ""
    unclear = len(after) == 3 and re.fullmatch(r"[1-9]\d{0,2}", before) and not exponent
    return f"{sign}000" if unclear else sign


def choose_numerals(evidence: Evidence, delimiter: str, decimal: str, thousands: str | None) -> Numerals:
    """Say how the numbers of a file are written, `decimal` and `thousands` as in the configuration.

    ValueError, with an example of each, if they may be written in two ways.
    """
    if decimal == AUTO and thousands in (",", "."):
        decimal = "." if thousands == "," else ","
    if decimal == AUTO:
        decimal = _choose_decimal(evidence, delimiter)
    if thousands is None:
        other = "," if decimal == "." else "."
        unclear = evidence.three_after_comma if other == "," else evidence.three_after_point
        separators = [separator for separator in evidence.grouped if separator != decimal]
        thousands = separators[0] if separators else other if unclear else ""
    return Numerals(decimal, thousands)


def _choose_decimal(evidence: Evidence, delimiter: str) -> str:
    if evidence.comma and evidence.point:
        raise ValueError(f"{evidence.comma!r} has a decimal comma and {evidence.point!r} a decimal point")
    if evidence.comma or evidence.point:
        return "," if evidence.comma else "."
    if {",", "."} & set(evidence.grouped):
        return "." if "," in evidence.grouped else ","
    if evidence.three_after_comma and (delimiter != "," or evidence.three_after_point):
        number = evidence.three_after_comma
        whole, fraction = number.split(",")
        raise ValueError(f"{number!r} may be {whole}.{fraction} or {whole}{fraction}")
    if evidence.three_after_point and delimiter == ";":  # where it is usual, the comma is decimal
        number = evidence.three_after_point
        raise ValueError(f"{number!r} may be {number} or {number.replace('.', '')}")
    return "."
