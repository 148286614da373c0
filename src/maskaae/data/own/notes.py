"""What is said about reading own data: guesses, what was left out, warnings, and choices to make."""

from __future__ import annotations

import json
import logging
import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

logger = logging.getLogger(__name__)


@dataclass
class Notes:
    """Sentences about one reading, each in the log at once and stored with the data set.

    Attributes
    ----------
    guessed : list of str
        What the files do not say outright: delimiter, decimal sign, encoding, which arrays are examples.
    left_out : list of str
        What is in the files and not learned.
    warnings : list of str
        What may spoil the result.
    quiet : bool
        Whether nothing goes into the log: for a look ahead, after which all is said again.
    """

    guessed: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    quiet: bool = False

    def guess(self, sentence: str) -> None:
        """Say what was guessed."""
        self._say(self.guessed, sentence)

    def leave_out(self, sentence: str) -> None:
        """Say what was left out."""
        self._say(self.left_out, sentence)

    def warn(self, sentence: str) -> None:
        """Say what may spoil the result."""
        self._say(self.warnings, sentence)

    def keep(self, sentence: str) -> None:
        """Keep a warning that the log has already."""
        self.warnings.append(sentence)

    def details(self) -> dict[str, list[str]]:
        """What a data set's json stores under `reading`."""
        return {"guessed": self.guessed, "left_out": self.left_out, "warnings": self.warnings}

    def _say(self, sentences: list[str], sentence: str) -> None:
        if sentence not in sentences:
            sentences.append(sentence)
            if not self.quiet:
                logger.warning(sentence)


class ChoiceError(ValueError):
    """Data that can be read once the user has chosen something.

    Attributes
    ----------
    problem : str
        File, place and what is wrong.
    options : dict
        Keys of the data set that would settle it, with a value each; `label` stands for the classes.
    path : str
        File or folder that `DATA=` named.
    """

    def __init__(self, problem: str, path: str, options: Mapping[str, Any]) -> None:
        super().__init__(f"{problem}\n{command(path, options)}")
        self.problem = problem
        self.path = path
        self.options = dict(options)


_VARIABLES = {"drop": "DROP", "label": "LABEL", "missing": "MISSING"}
"""Variables of `make own` of their own; further keys go into OPTIONS."""


def command(path: str, options: Mapping[str, Any]) -> str:
    """Write the command that reads the data with some keys set, to copy and paste."""
    words = [f"DATA={shlex.quote(path)}"]
    rest = []
    for key, value in options.items():
        # A list is text with commas, as long as no part of it has one.
        as_json = isinstance(value, list) and any("," in str(one) for one in value)
        listed = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        text = json.dumps(value, ensure_ascii=False) if as_json else listed
        if key in _VARIABLES and not as_json:
            words.append(f"{_VARIABLES[key]}={shlex.quote(text)}")
        else:
            rest.append(_word(f"{key}={text}"))
    if rest:
        words.append(f"OPTIONS={shlex.quote(' '.join(rest))}")
    return f"make own {' '.join(words)}"


def _word(text: str) -> str:
    """A word within OPTIONS: in double quotes where blanks or quotes would cut it."""
    if not re.search(r"[\s'\"\\]", text):
        return text
    escaped = re.sub(r'(["\\])', r"\\\1", text)
    return f'"{escaped}"'


def settings(variables: Mapping[str, str]) -> dict[str, Any]:
    """Options from the variables of `make own`: the inverse of `command`.

    ValueError if OPTIONS holds something other than `key=value`.
    """
    made: dict[str, Any] = {key: variables[name] for key, name in _VARIABLES.items() if variables.get(name)}
    for word in shlex.split(variables.get("OPTIONS", "")):
        key, equals, text = word.partition("=")
        if not (key and equals):
            raise ValueError(f"OPTIONS: {word!r}: give key=value, with blanks between several")
        made[key] = _typed(text)
    return made


def _typed(text: str) -> Any:
    """A value as JSON has it, else as text."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return {"True": True, "False": False}.get(text, text)


if __name__ == "__main__":
    given = settings(os.environ)
    print(json.dumps(given, ensure_ascii=False) if given else "", end="")
