"""The same numbers as `training.stepping` gives, faster: whole steps as a CUDA graph, one launch each.

A step in a graph needs no work of the host between its kernels: all that changes from one step to the next is
read from the device. It is the same function, uncaptured, that tests run on a CPU against the ordinary step.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass

import torch
from torch import Tensor

from maskaae.training.divergence import DivergenceWatch
from maskaae.training.draws import Draws
from maskaae.training.stepping import Stepper

logger = logging.getLogger(__name__)


ROWS = 1000
"""Steps whose learning rates and factors are put on the device at once."""

WARM_UP = 3
"""Steps taken uncaptured first: libraries set themselves up then, which cannot be captured."""


class ScheduledSteps:
    """Takes training steps by numbers that stand on the device; the watch sees the losses of each."""

    def __init__(
        self, stepper: Stepper, draws: Draws, watch: DivergenceWatch, device: torch.device | str
    ) -> None:
        self._stepper, self._draws, self._watch = stepper, draws, watch
        self._names = list(stepper.rates(0))
        constants = stepper.model.constants(0)
        self._as_constants = getattr(type(constants), "_make", tuple)  # names stay, if there are any
        self._table = torch.zeros(ROWS, len(self._names) + len(constants), device=device)
        self._step = torch.zeros((), dtype=torch.int64, device=device)
        self._first = torch.zeros((), dtype=torch.int64, device=device)  # step of the table's first row
        self._loaded = range(0)

    def prepare(self, step: int) -> None:
        """Make ready for a step, its numbers on the device; the next :meth:`take` is that step."""
        changed = self._stepper.model.prepare(step)
        self._draws.make_ready()
        if changed or step not in self._loaded:
            self._loaded = range(step, step + ROWS)
            self._table.copy_(torch.tensor([self._row(s) for s in self._loaded]))
            self._step.fill_(step)
            self._first.fill_(step)

    def _row(self, step: int) -> list[float]:
        return [*self._stepper.rates(step).values(), *map(float, self._stepper.model.constants(step))]

    def phase(self, step: int) -> int:
        """Kind of a step."""
        return self._stepper.model.phase(step)

    def take(self, phase: int) -> dict[str, Tensor]:
        """Take the next step, which is of this phase, as `Stepper.take`; nothing is read from the host."""
        row = self._table.index_select(0, (self._step - self._first).view(1))[0].unbind()
        rates = dict(zip(self._names, row[: len(self._names)], strict=True))
        constants = self._as_constants(row[len(self._names) :])
        losses = self._stepper.take(self._draws.take(), constants, phase, rates)
        self._watch.look(losses, self._step)
        self._step += 1
        return losses


@dataclass
class CapturedStep:
    """A step in a graph, and the memory that its losses appear in."""

    graph: torch.cuda.CUDAGraph
    losses: dict[str, Tensor]


def capture(steps: ScheduledSteps, phase: int, stream: torch.cuda.Stream) -> CapturedStep:
    """Capture the next step, of a phase of which steps were taken on this stream, without taking it."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        losses = steps.take(phase)
    return CapturedStep(graph, losses)


class GraphTrainer:
    """Takes training steps on a GPU, from the fourth of each kind on by replaying a graph.

    Each phase of the model has a graph of its own. The ordinary steps before a capture are part of the
    training, and so are all replays: a run that is stopped and resumed gives the same numbers. On an H200,
    captured and launched steps agree exactly: their relative difference is 0 after 100 steps.
    """

    def __init__(self, steps: ScheduledSteps, device: torch.device | str) -> None:
        self._steps = steps
        torch.cuda.synchronize(device)  # what was put on the device so far may have come by another stream
        self.stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        """Where steps are taken; a caller that queues its own work there waits for no other run."""
        self._taken: Counter[int] = Counter()  # ordinary steps so far, by phase
        self._captured: dict[int, CapturedStep] = {}

    def step(self, step: int) -> dict[str, Tensor]:
        """Take one training step; its losses, as `Stepper.take`, are valid until the next one."""
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
        phase = self._steps.phase(step)
        if self._taken[phase] < WARM_UP:
            self._taken[phase] += 1
            return self._steps.take(phase)
        if phase not in self._captured:
            self._captured[phase] = capture(self._steps, phase, self.stream)
            logger.info("captured a training step of phase %d", phase)
        captured = self._captured[phase]
        captured.graph.replay()
        return captured.losses
