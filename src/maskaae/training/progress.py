"""Tells how a training run is getting on: a line an interval in a log, a bar on a terminal."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta

from tqdm import tqdm

logger = logging.getLogger(__name__)

SLOW_RUN = timedelta(hours=12)
"""A run on a CPU that will take longer is worth a warning."""


class Progress:
    """Reports steps, losses, active counts, speed and time left.

    Parameters
    ----------
    steps : int
        Training steps of the whole run.
    first_step : int
        Step that this process starts from.
    device : str
        Where it trains.
    seconds : float
        Shortest time between two log lines.
    """

    def __init__(self, steps: int, first_step: int, device: str, seconds: float = 10.0) -> None:
        self._steps, self._first, self._device, self._interval = steps, first_step, device, seconds
        self._start = self._last_line = time.monotonic()
        self._warned = False
        self._bar = tqdm(total=steps, initial=first_step, disable=not sys.stderr.isatty(), unit="step")

    def report(self, step: int, losses: Mapping[str, float], active: Sequence[int]) -> None:
        """Take in the state after ``step`` steps: losses averaged over seeds, active count of each seed."""
        self._bar.update(step - self._bar.n)
        self._bar.set_postfix(active=",".join(map(str, active)), refresh=False)
        now = time.monotonic()
        if now - self._last_line < self._interval and step < self._steps:
            return
        self._last_line = now
        speed = (step - self._first) / max(now - self._start, 1e-9)
        left = timedelta(seconds=round((self._steps - step) / max(speed, 1e-9)))
        text = "  ".join(f"{name} {value:.4g}" for name, value in losses.items())
        counts = ", ".join(map(str, active))
        logger.info(
            "step %d of %d  %s  active %s  %.1f steps/s  %s left",
            step,
            self._steps,
            text,
            counts,
            speed,
            left,
        )
        self._warn_if_slow(left)

    def _warn_if_slow(self, left: timedelta) -> None:
        if self._device == "cpu" and left > SLOW_RUN and not self._warned:
            self._warned = True
            logger.warning(
                "this run trains on a CPU and needs about %s more; a GPU is meant for this length", left
            )

    def close(self) -> None:
        """Take the bar off the terminal."""
        self._bar.close()
