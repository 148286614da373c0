"""What is said about reading own data: guesses, what was left out, warnings, and choices to make."""

from __future__ import annotations

import logging
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
    """

    guessed: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def guess(self, sentence: str) -> None:
        """Say what was guessed."""
        _say_once(self.guessed, sentence)

    def leave_out(self, sentence: str) -> None:
        """Say what was left out."""
        _say_once(self.left_out, sentence)

    def warn(self, sentence: str) -> None:
        """Say what may spoil the result."""
        _say_once(self.warnings, sentence)

    def details(self) -> dict[str, list[str]]:
        """What a data set's json stores under `reading`."""
        return {"guessed": self.guessed, "left_out": self.left_out, "warnings": self.warnings}


def _say_once(sentences: list[str], sentence: str) -> None:
    if sentence not in sentences:
        sentences.append(sentence)
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
        text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        if key in _VARIABLES:
            words.append(f"{_VARIABLES[key]}={shlex.quote(text)}")
        else:
            rest.append(f"{key}={text}")
    if rest:
        words.append(f"OPTIONS={shlex.quote(' '.join(rest))}")
    return f"make own {' '.join(words)}"
