"""Tables as text: cells of an interval, Markdown and LaTeX."""

import re
from collections.abc import Sequence

from maskaae.report.statistics import SeedInterval


def cell(interval: SeedInterval, decimals: int) -> str:
    """Text of a cell: mean ± half the t-interval; mean [range] of two seeds; one seed's value; – for none."""
    if interval.kind == "none":
        return "–"
    mean = f"{interval.mean:.{decimals}f}"
    if interval.kind == "t95":
        return f"{mean} ± {interval.high - interval.mean:.{decimals}f}"
    if interval.kind == "range":
        return f"{mean} [{interval.low:.{decimals}f}, {interval.high:.{decimals}f}]"
    return mean


def markdown_table(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Table in Markdown: the first column set left, the others right."""
    rows = [columns, [":--", *["--:"] * (len(columns) - 1)], *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def latex_table(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Tabular in LaTeX (needs the booktabs package): the first column set left, the others right."""
    rows = [" & ".join(map(latex_text, line)) + r" \\" for line in (columns, *lines)]
    return "\n".join(
        [
            r"\begin{tabular}{l" + "r" * (len(columns) - 1) + "}",
            r"\toprule",
            rows[0],
            r"\midrule",
            *rows[1:],
            r"\bottomrule",
            r"\end{tabular}",
        ]
    )


def latex_text(text: str) -> str:
    """Escape LaTeX's special characters outside of ``$...$``, and write ± and – as LaTeX does."""
    parts = text.split("$")
    parts[::2] = [re.sub(r"([_%&#])", r"\\\1", part) for part in parts[::2]]
    return "$".join(parts).replace("±", r"$\pm$").replace("–", "--")
