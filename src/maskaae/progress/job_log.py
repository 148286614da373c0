"""Reading the logs that jobs write (`maskaae.logs`): how far a training is, and what ended a job."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

RECORD = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),\d{3} (DEBUG|INFO|WARNING|ERROR|CRITICAL) (.*)")
STEP = re.compile(r"step (\d+) of (\d+) .* ([\d.]+) steps/s")
"""What `maskaae.training.loop.Progress` writes every few seconds."""
READ = 65_536
"""Bytes at the end of a log that are looked at."""


@dataclass(frozen=True)
class Record:
    """One message of a job.

    Attributes
    ----------
    time : float
        Seconds since 1970; whole ones.
    level : str
        Python's name of it.
    message : str
        Text, perhaps of several lines.
    """

    time: float
    level: str
    message: str


@dataclass(frozen=True)
class Steps:
    """How far a training is."""

    done: int
    wanted: int
    per_second: float

    @property
    def seconds_left(self) -> float:
        """Time that the rest takes at this speed."""
        return (self.wanted - self.done) / max(self.per_second, 1e-9)


def records(text: str) -> Iterator[Record]:
    """Yield the messages in the text of a log; lines that start no message go on with the one before."""
    head: re.Match[str] | None = None
    lines: list[str] = []
    for line in text.splitlines():
        found = RECORD.fullmatch(line)
        if found is None:
            lines.append(line)
            continue
        if head is not None:
            yield _record(head, lines)
        head, lines = found, [found[3]]
    if head is not None:
        yield _record(head, lines)


def _record(head: re.Match[str], lines: list[str]) -> Record:
    return Record(datetime.fromisoformat(head[1]).timestamp(), head[2], "\n".join(lines).rstrip())


def read_end(path: Path) -> str:
    """Return the last part of a file, from a whole line on; nothing, if there is no such file."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - READ))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return text if size <= READ else text.partition("\n")[2]


def steps_of(path: Path, since: float) -> Steps | None:
    """How far the training that writes this log is; None if it has not said so since a time."""
    for record in reversed(list(records(read_end(path)))):
        found = STEP.match(record.message)
        if found and record.time >= int(since):
            return Steps(int(found[1]), int(found[2]), float(found[3]))
    return None


def error_of(path: Path, since: float) -> str | None:
    """Return the message of what ended the job that writes this log; None without one since a time."""
    errors = [record for record in records(read_end(path)) if record.level == "ERROR"]
    return errors[-1].message if errors and errors[-1].time >= int(since) else None
