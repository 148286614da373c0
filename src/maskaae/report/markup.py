"""Tables in Markdown and in LaTeX, and what is written in Markdown as a page for a browser."""

import html
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

Lines = Sequence[Sequence[object]]


def _alignment(columns: Sequence[str], align: str) -> str:
    """One letter a column, "l" or "r": if none are given, the first column is set left, the others right."""
    return align or "l" + "r" * (len(columns) - 1)


def markdown_table(columns: Sequence[str], lines: Lines, align: str = "") -> str:
    """Table in Markdown; `align` has a letter a column, "l" or "r"."""
    rules = [{"l": ":--", "r": "--:"}[side] for side in _alignment(columns, align)]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in (columns, rules, *lines))


def latex_table(columns: Sequence[str], lines: Lines, align: str = "") -> str:
    """Tabular in LaTeX, which needs the booktabs package; `align` has a letter a column, "l" or "r"."""
    head, *body = (" & ".join(latex_text(str(text)) for text in row) + r" \\" for row in (columns, *lines))
    begin = rf"\begin{{tabular}}{{{_alignment(columns, align)}}}"
    return "\n".join([begin, r"\toprule", head, r"\midrule", *body, r"\bottomrule", r"\end{tabular}"])


def latex_text(text: str) -> str:
    """Escape LaTeX's special characters outside of ``$...$``, and write ± and – as LaTeX does."""
    parts = text.split("$")
    parts[::2] = [re.sub(r"([_%&#])", r"\\\1", part) for part in parts[::2]]
    return "$".join(parts).replace("±", r"$\pm$").replace("–", "--")


class Language(NamedTuple):
    """How a document is written: a table, a heading, bold text, a line of the note."""

    table: Callable[[Sequence[str], Lines], str]
    heading: str
    bold: str
    remark: str

    def remarks(self, note: str) -> str:
        """Write every line of a note."""
        return "\n".join(self.remark.format(line) for line in note.splitlines())


MARKDOWN = Language(markdown_table, "## {}", "**{}**", "{}")
LATEX = Language(latex_table, "% {}", r"\textbf{{{}}}", "% {}")


PAGE = """<!doctype html>
<meta charset="utf-8">
<style>
body {{ font-family: sans-serif; margin: 2em; max-width: 70em; }}
table {{ border-collapse: collapse; margin: 1em 0; }}
th, td {{ border-bottom: 1px solid #ccc; padding: 0.3em 0.8em; text-align: left; }}
.r {{ text-align: right; }}
</style>
{}
"""
INLINE = [
    ("b", r"\*\*(.+?)\*\*"),
    ("i", r"\*(\S(?:.*?\S)?)\*"),
    ("i", r"\$(.+?)\$"),
    ("code", r"`(.+?)`"),
]
"""Tag of HTML for what Markdown writes so within a line."""


def write_document(text: str, markdown: str | Path, page: str | Path) -> None:
    """Write a document of headings, tables and paragraphs as it is, and as a page for a browser."""
    Path(markdown).write_text(text, encoding="utf-8")
    blocks = re.split(r"\n{2,}", text.strip())
    Path(page).write_text(PAGE.format("\n".join(map(_html_block, blocks))), encoding="utf-8")


def _html_block(block: str) -> str:
    if block.startswith("|"):
        return _html_table(block.splitlines())
    if block.startswith("#"):
        return f"<h2>{_html_text(block.lstrip('# '))}</h2>"
    return f"<p>{_html_text(block)}</p>"


def _html_table(lines: Sequence[str]) -> str:
    head, rule, *body = (re.split(r"(?<!\\)\|", line.strip()[1:-1]) for line in lines)
    sides = ["r" if cell.strip().endswith(":") else "l" for cell in rule]
    rows = [
        "".join(
            f'<{tag} class="{side}">{_html_text(cell.strip())}</{tag}>'
            for side, cell in zip(sides, row, strict=True)
        )
        for tag, row in [("th", head), *(("td", row) for row in body)]
    ]
    return "<table>\n" + "\n".join(f"<tr>{row}</tr>" for row in rows) + "\n</table>"


def _html_text(text: str) -> str:
    text = html.escape(text.replace(r"\|", "|"), quote=False)
    for tag, pattern in INLINE:
        text = re.sub(pattern, rf"<{tag}>\1</{tag}>", text)
    return text
