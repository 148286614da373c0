"""A text of a few kinds of blocks, written as Markdown or as one HTML page with its pictures inside."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from maskaae.report.markup import markdown_table

STYLE = """body { max-width: 46em; margin: 2em auto; padding: 0 1em; font: 16px/1.5 system-ui, sans-serif; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
td, th { border-bottom: 1px solid #ccc; padding: 0.2em 0.8em; text-align: left; }
pre, code { background: #f4f4f4; } pre { padding: 0.8em; overflow-x: auto; } img { max-width: 100%; }"""


@dataclass(frozen=True)
class Heading:
    """A title, of level 1, or a heading."""

    text: str
    level: int = 2

    def markdown(self) -> str:
        """As Markdown."""
        return f"{'#' * self.level} {self.text}"

    def html(self) -> str:
        """As HTML."""
        return f"<h{self.level}>{inline(self.text)}</h{self.level}>"


@dataclass(frozen=True)
class Paragraph:
    """Sentences; `code` and **bold** as in Markdown."""

    text: str

    def markdown(self) -> str:
        """As Markdown."""
        return self.text

    def html(self) -> str:
        """As HTML."""
        return f"<p>{inline(self.text)}</p>"


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: Sequence[str]

    def markdown(self) -> str:
        """As Markdown."""
        return "\n".join(f"- {item}" for item in self.items)

    def html(self) -> str:
        """As HTML."""
        return "<ul>" + "".join(f"<li>{inline(item)}</li>" for item in self.items) + "</ul>"


@dataclass(frozen=True)
class Table:
    """A table; `align` has a letter a column, "l" or "r"."""

    columns: Sequence[str]
    lines: Sequence[Sequence[object]]
    align: str = ""

    def markdown(self) -> str:
        """As Markdown."""
        lines = [[str(cell).replace("|", r"\|") for cell in line] for line in self.lines]
        return markdown_table(self.columns, lines, self.align)

    def html(self) -> str:
        """As HTML."""
        head = "".join(f"<th>{inline(name)}</th>" for name in self.columns)
        rows = ["".join(f"<td>{inline(str(cell))}</td>" for cell in line) for line in self.lines]
        return f"<table><tr>{head}</tr>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"


@dataclass(frozen=True)
class Code:
    """Lines to type."""

    text: str
    language: str = "python"

    def markdown(self) -> str:
        """As Markdown."""
        return f"```{self.language}\n{self.text}\n```"

    def html(self) -> str:
        """As HTML."""
        return f"<pre>{html.escape(self.text)}</pre>"


@dataclass(frozen=True)
class Picture:
    """A png file with what it shows."""

    path: Path
    caption: str

    def markdown(self) -> str:
        """As Markdown, which names the file."""
        return f"![{self.caption}]({self.path})\n\n*{self.caption}*"

    def html(self) -> str:
        """As HTML, with the file inside."""
        data = base64.b64encode(self.path.read_bytes()).decode()
        image = f'<img alt="{html.escape(self.caption)}" src="data:image/png;base64,{data}">'
        return f"<figure>{image}<figcaption>{inline(self.caption)}</figcaption></figure>"


Block = Heading | Paragraph | Bullets | Table | Code | Picture


def inline(text: str) -> str:
    """HTML of a text with `code` and **bold**."""
    escaped = html.escape(text, quote=False)
    escaped = re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped)
    return re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", escaped)


def to_markdown(blocks: Sequence[Block]) -> str:
    """Write blocks as Markdown."""
    return "\n\n".join(block.markdown() for block in blocks) + "\n"


def to_html(blocks: Sequence[Block], title: str) -> str:
    """Write blocks as one HTML page."""
    body = "\n".join(block.html() for block in blocks)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>\n'
        f"<style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )
