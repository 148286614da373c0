"""A text file as lines of fields: its encoding, comments, delimiter, and which line holds the names."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from maskaae.data.own.header import is_missing
from maskaae.data.own.notes import Notes
from maskaae.data.own.numerals import AUTO
from maskaae.data.own.sniff import DAMAGE, opened

WHITESPACE = "whitespace"
DELIMITERS = ("\t", ";", "|", ",", WHITESPACE)
"""Tried in this order where two fit equally well. The comma comes late: it may be a decimal sign."""

_COMMENT = ("#", "%", "//")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_RULE = re.compile(r"(?=.*--)(?=.*[|+])[-+|:= ]+")
_TOKENS = re.compile(r'"(?:[^"]|"")*"|\S+')


@dataclass(frozen=True)
class Text:
    """A text file that can be read line by line, as often as need be.

    Attributes
    ----------
    skip : tuple of int
        Lines, counted from 1, that are neither data nor names.
    """

    path: Path
    encoding: str
    skip: frozenset[int] = frozenset()

    def lines(self, comments: set[int] | None = None) -> Iterator[tuple[int, str]]:
        """Yield number and text of each line with something on it that is no comment.

        The numbers of comments are added to `comments`, if it is given.
        """
        try:
            with opened(self.path) as file, io.TextIOWrapper(file, self.encoding, newline="") as text:
                for number, line in enumerate(_physical_lines(text), start=1):
                    if not line.strip() or number in self.skip:
                        continue
                    if not _is_comment(line):
                        yield number, line
                    elif comments is not None:
                        comments.add(number)
        except DAMAGE as error:
            raise ValueError(f"{self.path}: cannot be read as text ({error})") from error

    def comment_above(self) -> str | None:
        """Last comment before the first line of data; None if there is none just above it."""
        before = None
        with opened(self.path) as file, io.TextIOWrapper(file, self.encoding, newline="") as text:
            for number, line in enumerate(_physical_lines(text), start=1):
                if not line.strip() or number in self.skip:
                    continue
                if not _is_comment(line):
                    break
                before = line
        return before

    def records(self, delimiter: str, comments: set[int] | None = None) -> Iterator[tuple[int, list[str]]]:
        """Yield the line in which each record ends, and its fields; ValueError if they run together."""
        if delimiter == WHITESPACE:
            for number, line in self.lines(comments):
                yield number, _TOKENS.findall(line)
            return
        at = 0

        def counted() -> Iterator[str]:
            nonlocal at
            for number, line in self.lines(comments):
                at = number
                yield line

        try:
            for fields in csv.reader(counted(), delimiter=delimiter, skipinitialspace=True):
                if fields:
                    yield at, fields
        except csv.Error as error:
            raise ValueError(f"{self.path}: cannot be read as text ({error})") from error


def _is_comment(line: str) -> bool:
    """Whether a line is a comment, or a rule drawn between the head and the rows of a table."""
    start = line.lstrip()
    if start.startswith("#") and is_missing(re.split(r'[\t;|,"]', start, maxsplit=1)[0]):
        return False  # a workbook's error, such as #DIV/0!
    return start.startswith(_COMMENT) or (
        start.startswith(("-", "+", "|", ":", "=")) and _RULE.fullmatch(start.strip()) is not None
    )


def _physical_lines(text: TextIO) -> Iterator[str]:
    """Lines that end in a line feed, a carriage return or both."""
    for piece in text:
        if "\r" in piece.rstrip("\r\n"):
            yield from (line + "\n" for line in re.split(r"\r(?!\n)", piece.rstrip("\r\n")))
        else:
            yield piece


def find_encoding(path: Path, encoding: str, notes: Notes) -> str:
    """Name the encoding of a text file; UTF-8 needs no words, what else is guessed is said.

    ValueError if it is no text.
    """
    with opened(path) as file:
        head = file.read(1 << 16)
        bom = next((name for mark, name in _BOMS if head.startswith(mark)), None)
        wide = bom or _wide_encoding(head)
        if encoding != AUTO:
            return "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
        if wide:
            if wide != "utf-8-sig":
                notes.guess(f"{path}: text in {wide.upper()}")
            return wide
        if b"\0" in head or sum(head.count(bytes([code])) for code in range(9)) > len(head) // 50:
            raise ValueError(
                f"{path}: cannot be read as text: it holds bytes that no text has ({head[:8]!r} ...). "
                "If they are numbers one after another, numpy.save('x.npy', numpy.fromfile(path, 'float32')"
                ".reshape(-1, D)) makes what is read, with their type and D columns"
            )
        decoder = codecs.getincrementaldecoder("utf-8")()
        other = False
        piece = head
        while piece:
            try:
                decoder.decode(piece)
            except UnicodeDecodeError:
                other = True
                break
            piece = file.read(1 << 20)
    if not other:
        return "utf-8-sig"
    notes.guess(
        f"{path}: not UTF-8, so read as Windows' cp1252 (Latin-1 with more); numbers are the same, names may "
        "not be: set encoding if they look wrong"
    )
    return "cp1252" if _decodes(path, "cp1252") else "latin-1"


def _wide_encoding(head: bytes) -> str | None:
    """UTF-16 without a mark: Western text has a zero in every other byte."""
    half = max(len(head) // 2, 1)
    if head[1::2].count(0) > 0.7 * half and head[0::2].count(0) < 0.1 * half:
        return "utf-16-le"
    if head[0::2].count(0) > 0.7 * half and head[1::2].count(0) < 0.1 * half:
        return "utf-16-be"
    return None


def _decodes(path: Path, encoding: str) -> bool:
    try:
        with opened(path) as file, io.TextIOWrapper(file, encoding) as text:
            while text.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return False
    return True
