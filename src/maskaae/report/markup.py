"""Tables in Markdown and in LaTeX."""

import re
from collections.abc import Callable, Sequence
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
