"""Fill what is made in the pages from the csv under docs/results, or say which pages are behind.

python docs/make_pages.py            # make pages
python docs/make_pages.py --check    # part of make lint: exit code 1, and the pages, if one is behind

A page marks the place of a part; whatever stands between the marks is replaced:

    <!-- score: made by make pages -->
    <!-- end of score -->

Parts are named in `parts_claims.py`, `parts_results.py`, `parts_performance.py`, `parts_reliability.py` and
`parts_table1.py`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import parts_claims
import parts_performance
import parts_reliability
import parts_results
import parts_table1

REPOSITORY = Path(__file__).resolve().parents[1]
BLOCK = re.compile(
    r"(?P<start><!-- (?P<name>[\w.]+): made by [^>\n]* -->\n)(?P<text>.*?)(?P<end><!-- end of (?P=name) -->)",
    re.DOTALL,
)
START = re.compile(r"<!-- ([\w.]+): made by ")

Parts = Mapping[str, Callable[[], str]]


def all_parts() -> Parts:
    """Every part that a page may hold, by name."""
    return {
        **parts_claims.parts(),
        **parts_results.parts(),
        **parts_performance.parts(),
        **parts_reliability.parts(),
        **parts_table1.parts(),
    }


def pages() -> Iterator[Path]:
    """Every page that people write, README first."""
    yield REPOSITORY / "README.md"
    docs = sorted((REPOSITORY / "docs").rglob("*.md"))
    yield from (path for path in docs if "results" not in path.parts or path.name == "README.md")


def filled(text: str, parts: Parts) -> str:
    """Text of a page with every part as it is today.

    Raises
    ------
    ValueError
        If a mark has no end, or names no part.
    """
    opened, closed = START.findall(text), [match["name"] for match in BLOCK.finditer(text)]
    if opened != closed:
        broken = next(name for name in opened if opened.count(name) != closed.count(name))
        raise ValueError(f"{broken}: no line '<!-- end of {broken} -->' behind its mark")
    unknown = sorted(set(opened) - set(parts))
    if unknown:
        raise ValueError(f"{unknown[0]}: no such part; known: {', '.join(sorted(parts))}")
    # A blank line on both sides: Markdown reads what stands beside a comment as part of it.
    return BLOCK.sub(lambda match: f"{match['start']}\n{parts[match['name']]()}\n\n{match['end']}", text)


def behind(text: str, parts: Parts) -> list[str]:
    """Names of the parts of a page that are not as they would be filled today."""
    now = BLOCK.finditer(filled(text, parts))
    return [
        old["name"] for old, new in zip(BLOCK.finditer(text), now, strict=True) if old["text"] != new["text"]
    ]


def main() -> None:
    """Fill or check all pages."""
    parts, late = all_parts(), []
    for page in pages():
        text = page.read_text(encoding="utf-8")
        name = page.relative_to(REPOSITORY)
        try:
            names = behind(text, parts)
            if "--check" not in sys.argv[1:] and names:
                page.write_text(filled(text, parts), encoding="utf-8")
        except ValueError as error:
            sys.exit(f"{name}: {error}")
        late += [f"{name}: {', '.join(names)}"] if names else []
    if late and "--check" in sys.argv[1:]:
        sys.exit("\n".join(["Pages behind their csv; `make pages` fills them:", *late]))


if __name__ == "__main__":
    main()
