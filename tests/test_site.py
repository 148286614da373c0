"""The site: messages in Troubleshooting are those that the code gives, and links lead somewhere."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "docs"))

import check_links  # noqa: E402

PAGE = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
OTHERS = {"Directory cannot be locked", "Incomplete files", "MissingRuleException", "Nothing to be done"}
"""Messages of Snakemake."""
OTHERS |= {"No module named 'maskaae'", "No space left on device", "make"}
"""Messages of Python, the system and shells."""


def quoted() -> list[str]:
    """The words of each entry that a reader would search for."""
    found = []
    for entry in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]:
        hidden = re.search(r"<!-- message: (.+?) -->", entry)
        heading = re.match(r"`(.+?)`", entry)
        if hidden or heading:
            found.append(hidden[1] if hidden else heading[1])
    return found


@pytest.fixture(scope="module")
def sources() -> str:
    """All that may print: library, scripts, workflow, Makefile; strings over several lines joined."""
    paths = [*ROOT.glob("src/**/*.py"), *ROOT.glob("scripts/*.py"), *ROOT.glob("workflow/**/*.smk")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in [*paths, ROOT / "Makefile"])
    return re.sub(r'"\s*\n\s*f?"', "", text)


def test_troubleshooting_has_at_least_twenty_entries():
    assert len(re.findall(r"^### ", PAGE, flags=re.MULTILINE)) >= 20


@pytest.mark.parametrize("message", [words for words in quoted() if words not in OTHERS])
def test_quoted_message_is_one_that_the_code_gives(message, sources):
    assert message in sources


@pytest.mark.parametrize(
    ("link", "found"),
    [
        ("other.md", []),
        ("other.md#two-words-and-nac", []),
        ("#here", []),
        ("https://example.org/nothing", []),
        ("missing.md", ["missing.md: there is no such file"]),
        ("other.md#three", ["other.md#three: that page has no such heading"]),
    ],
)
def test_a_link_that_leads_nowhere_is_found(link, found, tmp_path):
    (tmp_path / "other.md").write_text("# Two words, and `NAC`\n\n```\n# three\n```\n")
    page = tmp_path / "page.md"
    page.write_text(f"## Here\n\n[words]({link}), `[code](nowhere.md)`\n")
    assert list(check_links.dead(page)) == found


def test_no_link_inside_the_repository_is_dead():
    assert {page.name: links for page in check_links.pages() if (links := list(check_links.dead(page)))} == {}
