"""Find links inside the repository that lead nowhere: part of `make lint`, without network.

python docs/check_links.py

Every relative link and picture of every page is looked up. The file must be there, and the heading too if the
link names one. Addresses elsewhere are left to `make links`, which asks them.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
CODE = re.compile(r"^(`{3,}|~{3,}).*?^\1|`[^`\n]*`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^()\s]+)\)")
ELSEWHERE = re.compile(r"[a-z]+:")
HEADING = re.compile(r"^#{1,6} +(.+?)\s*$", re.MULTILINE)


def pages() -> list[Path]:
    """Every page in Markdown, those at the root of the repository first."""
    docs = sorted((REPOSITORY / "docs").rglob("*.md"))
    return [*sorted(REPOSITORY.glob("*.md")), REPOSITORY / "config/README.md", *docs]


@cache
def anchors(page: Path) -> frozenset[str]:
    """What links may name in a page: its headings as GitHub and MyST spell them."""
    fenced = re.compile(r"^(`{3,}|~{3,}).*?^\1", re.MULTILINE | re.DOTALL)
    text, seen, found = fenced.sub("", page.read_text(encoding="utf-8")), Counter[str](), set()
    for heading in HEADING.findall(text):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        found.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return frozenset(found)


def dead(page: Path) -> Iterator[str]:
    """Links of a page that lead nowhere, each with what is missing."""
    for link in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))):
        if ELSEWHERE.match(link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists():
            yield f"{link}: there is no such file"
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            yield f"{link}: that page has no such heading"


def main() -> None:
    """List dead links of all pages; the exit code is 1 if there are any."""
    found = [f"{page.relative_to(REPOSITORY)}: {link}" for page in pages() for link in dead(page)]
    sys.exit("\n".join(["Links that lead nowhere:", *found]) if found else 0)


if __name__ == "__main__":
    main()
