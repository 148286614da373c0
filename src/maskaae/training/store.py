"""Files of a run in progress: checkpoints, the state that a killed run resumes from, and the request to stop.

They live in a folder that the workflow does not know as an output, because outputs of a failed job are
deleted. Every file is written beside its place, flushed to disk and renamed: a reader sees all or nothing.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import shutil
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import torch

logger = logging.getLogger(__name__)

STATE_NAME = re.compile(r"state_(\d+)\.pt")
STATES_KEPT = 2
"""One to resume from, one to fall back to should the newer be damaged."""


class StateMismatchError(RuntimeError):
    """The saved state belongs to another configuration, data set or version of the code."""


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, also after a power cut.

    Raises
    ------
    OSError
        If that is not possible; names the file.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        words = f"{error.strerror}; its {len(content):,} bytes could not be written"
        raise OSError(error.errno, words, str(path)) from error


class RunStore:
    """Checkpoints and resume state of one run in progress.

    A state is resumed only if its fingerprint agrees: configuration, data, code.
    """

    def __init__(self, folder: Path, fingerprint: Mapping[str, str]) -> None:
        self._folder = folder
        self._fingerprint = dict(fingerprint)
        shutil.rmtree(self._discarded, ignore_errors=True)  # of a process that was killed there

    @property
    def checkpoints(self) -> Path:
        """Folder of the model checkpoints."""
        return self._folder / "checkpoints"

    def save_checkpoint(self, step: int, model: bytes) -> None:
        """Keep the model as it was after ``step`` training steps."""
        write_atomically(self.checkpoints / f"step_{step:07d}.safetensors", model)

    def last_checkpoint(self) -> Path | None:
        """Newest checkpoint, or None before the first."""
        return max(self.checkpoints.glob("step_*.safetensors"), default=None)

    def keep_diverged(self, step: int, model: bytes) -> Path:
        """Keep a model that is not finite for inspection, apart from checkpoints and states."""
        path = self._folder / f"diverged_{step:07d}.safetensors"
        write_atomically(path, model)
        return path

    def save_state(self, step: int, state: Mapping[str, Any]) -> None:
        """Keep all that is needed to go on after ``step`` training steps; drop all but the last two."""
        buffer = io.BytesIO()
        torch.save({"fingerprint": self._fingerprint, "step": step, **state}, buffer)
        write_atomically(self._folder / f"state_{step:07d}.pt", buffer.getvalue())
        for old in self._states()[STATES_KEPT:]:
            old.unlink()

    def load_state(self) -> dict[str, Any] | None:
        """Return the newest readable state, or None when there is nothing to resume from.

        Raises
        ------
        StateMismatchError
            If the state was saved under another fingerprint.
        """
        for path in self._states():
            state = self._read(path)
            if state is not None:
                self._check_fingerprint(path, state["fingerprint"])
                logger.info("resuming from %s, step %d", path, state["step"])
                return state
        return None

    def publish_checkpoints(self, folder: Path) -> None:
        """Put the checkpoints into their final folder too, replacing what is there.

        They stay here as well until :meth:`discard`: a process killed meanwhile can publish them again.
        """
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        for path in self.checkpoints.glob("step_*.safetensors"):
            try:
                os.link(path, folder / path.name)
            except OSError:  # a file system without links
                shutil.copyfile(path, folder / path.name)

    def discard(self) -> None:
        """Remove the folder of the run in progress: all of it or nothing, also when killed meanwhile."""
        self._folder.replace(self._discarded)
        shutil.rmtree(self._discarded)

    @property
    def _discarded(self) -> Path:
        return self._folder.with_name(self._folder.name + ".discarded")

    def _states(self) -> list[Path]:
        """State files, newest first."""
        return sorted(
            (p for p in self._folder.glob("state_*.pt") if STATE_NAME.fullmatch(p.name)), reverse=True
        )

    @staticmethod
    def _read(path: Path) -> dict[str, Any] | None:
        try:
            state: dict[str, Any] = torch.load(path, weights_only=True)
        except Exception as error:  # torch raises many kinds for a damaged file
            logger.warning("%s cannot be read (%s): falling back to the state before it", path, error)
            return None
        return state

    def _check_fingerprint(self, path: Path, saved: Mapping[str, str]) -> None:
        for key, value in self._fingerprint.items():
            if saved.get(key) != value:
                raise StateMismatchError(
                    f"{path}: saved with another {key} ({saved.get(key)!r}, now {value!r}); "
                    f"restore the old {key} to finish that run, or delete {self._folder} to start again"
                )


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


class TrainingInterruptedError(KeyboardInterrupt):
    """Training was asked to stop and has saved its state; no `except Exception` goes on after it."""


class StopRequest:
    """Context in which SIGINT (Ctrl-C), SIGTERM and SIGUSR1 set a flag instead of ending the process.

    A scheduler may send the signal twice within a tenth of a second; the second changes nothing. Outside of
    the main thread, which alone gets signals, it does nothing.
    """

    def __init__(self) -> None:
        self.received: str | None = None
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.received = signal.Signals(number).name
