"""The documentation site: messages that Troubleshooting quotes are those that the code gives."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
OTHERS = {"Directory cannot be locked", "Incomplete files", "MissingRuleException", "Nothing to be done"}
"""Messages of Snakemake."""
OTHERS |= {"No module named 'maskaae'", "No space left on device"}
"""Messages of Python and the system."""


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
