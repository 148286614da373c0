"""Turns a polite request to stop (SIGTERM, SIGUSR1) into a saved state."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGTERM, signal.SIGUSR1)


class TrainingInterruptedError(RuntimeError):
    """Training was asked to stop and has saved its state."""


class StopRequest:
    """Context in which SIGTERM and SIGUSR1 set a flag instead of ending the process.

    A scheduler may send the signal twice within a tenth of a second; the second changes nothing.
    """

    def __init__(self) -> None:
        self.received: str | None = None
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopRequest:
        self._previous = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.received = signal.Signals(number).name
