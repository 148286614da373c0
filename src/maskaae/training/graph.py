"""Whole training steps as a CUDA graph: one launch a step, and no work of the host between its kernels."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import torch
from torch import Tensor

from maskaae.training.scheduled import ScheduledSteps

logger = logging.getLogger(__name__)

WARM_UP = 3
"""Steps taken uncaptured first: libraries set themselves up then, which cannot be captured."""


@dataclass
class CapturedStep:
    """A step in a graph, and the memory that its losses appear in."""

    graph: torch.cuda.CUDAGraph
    losses: dict[str, Tensor]


def capture(steps: ScheduledSteps, masked: bool, stream: torch.cuda.Stream) -> CapturedStep:
    """Capture the next step without taking it.

    Parameters
    ----------
    steps : ScheduledSteps
        Has taken steps of this kind before.
    masked : bool
        Whether the step updates the mask.
    stream : torch.cuda.Stream
        Where the steps before were taken.
    """
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        losses = steps.take(masked)
    return CapturedStep(graph, losses)


class GraphTrainer:
    """Takes training steps on a GPU, from the fourth of each kind on by replaying a graph.

    There are two kinds of step, with and without the mask's update. The ordinary steps before a capture are
    part of the training, and so are all replays: a run that is stopped and resumed gives the same numbers.

    Parameters
    ----------
    steps : ScheduledSteps
        Takes the steps.
    device : torch.device or str
        A CUDA device.
    """

    def __init__(self, steps: ScheduledSteps, device: torch.device | str) -> None:
        self._steps = steps
        torch.cuda.synchronize(device)  # what was put on the device so far may have come by another stream
        self.stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        """Where steps are taken; a caller that queues its own work there waits for no other run."""
        self._taken = {True: 0, False: 0}
        self._captured: dict[bool, CapturedStep] = {}

    def step(self, step: int) -> dict[str, Tensor]:
        """Take one training step; its losses are valid until the next one.

        Returns
        -------
        dict of str to Tensor
            Loss of each update, by name, shape (times, seed).
        """
        current = torch.cuda.current_stream()
        if current == self.stream:
            return self._take(step)
        self.stream.wait_stream(current)
        with torch.cuda.stream(self.stream):
            losses = self._take(step)
        current.wait_stream(self.stream)
        return losses

    def _take(self, step: int) -> dict[str, Tensor]:
        """Take a step on the current stream: ordinarily at first, then from a graph."""
        self._steps.prepare(step)
        masked = self._steps.masks_at(step)
        if self._taken[masked] < WARM_UP:
            self._taken[masked] += 1
            return self._steps.take(masked)
        if masked not in self._captured:
            self._captured[masked] = capture(self._steps, masked, self.stream)
            logger.info("captured a training step %s the mask's update", "with" if masked else "without")
        captured = self._captured[masked]
        captured.graph.replay()
        return captured.losses
