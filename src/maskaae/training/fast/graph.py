"""The same numbers as `training.stepping` gives, faster: whole steps as a CUDA graph, one launch each.

A step in a graph needs no work of the host between its kernels: all that changes from one step to the next is
read from the device. It is the same function, uncaptured, that tests run on a CPU against the ordinary step.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from maskaae.models.maae import StepConstants
from maskaae.training.divergence import DivergenceWatch
from maskaae.training.draws import Draws
from maskaae.training.fast.explicit import ExplicitUpdates
from maskaae.training.stepping import Stepper

logger = logging.getLogger(__name__)


ROWS = 1000
"""Steps whose learning rates and factors are put on the device at once."""

WARM_UP = 3
"""Steps taken uncaptured first: libraries set themselves up then, which cannot be captured."""


class ScheduledSteps:
    """Takes training steps by numbers that stand on the device.

    Parameters
    ----------
    stepper : Stepper
        Takes the updates.
    explicit : ExplicitUpdates
        Gives them.
    draws : Draws
        Random numbers, made on the device.
    watch : DivergenceWatch
        Sees the losses of every step.
    device : torch.device or str
        Where all of these are.
    """

    def __init__(
        self,
        stepper: Stepper,
        explicit: ExplicitUpdates,
        draws: Draws,
        watch: DivergenceWatch,
        device: torch.device | str,
    ) -> None:
        self._stepper, self._explicit, self._draws, self._watch = stepper, explicit, draws, watch
        self._names = list(stepper.rates(0))
        self._table = torch.zeros(ROWS, len(self._names) + len(StepConstants._fields), device=device)
        self._step = torch.zeros((), dtype=torch.int64, device=device)
        self._first = torch.zeros((), dtype=torch.int64, device=device)  # step of the table's first row
        self._loaded = range(0)

    def prepare(self, step: int) -> None:
        """Make ready for a step, its numbers on the device; the next :meth:`take` is that step."""
        self._stepper.prepare(step)
        if step not in self._loaded:
            self._loaded = range(step, step + ROWS)
            self._table.copy_(torch.tensor([self._row(s) for s in self._loaded]))
            self._step.fill_(step)
            self._first.fill_(step)

    def _row(self, step: int) -> list[float]:
        constants = self._explicit.constants(step)
        return [*self._stepper.rates(step).values(), *map(float, constants)]

    def take(self, masked: bool) -> dict[str, Tensor]:
        """Take the next step, with or without the mask's update; nothing is read from the host.

        Returns
        -------
        dict of str to Tensor
            Loss of each update, by name, shape (times, seed).
        """
        row = self._table.index_select(0, (self._step - self._first).view(1))[0].unbind()
        rates = dict(zip(self._names, row[: len(self._names)], strict=True))
        constants = StepConstants(*row[len(self._names) :])
        updates = self._explicit.updates_with(self._draws.next(), constants, masked)
        losses = self._stepper.apply(updates, rates)
        self._watch.look(losses, self._step)
        self._step += 1
        return losses

    def masks_at(self, step: int) -> bool:
        """Whether a step updates the mask."""
        return self._explicit.masks_at(step)


@dataclass
class CapturedStep:
    """A step in a graph, and the memory that its losses appear in."""

    graph: torch.cuda.CUDAGraph
    losses: dict[str, Tensor]


def capture(
    steps: ScheduledSteps, masked: bool, generators: Sequence[torch.Generator], stream: torch.cuda.Stream
) -> CapturedStep:
    """Capture the next step without taking it.

    Parameters
    ----------
    steps : ScheduledSteps
        Has taken steps of this kind before.
    masked : bool
        Whether the step updates the mask.
    generators : sequence of torch.Generator
        All generators that the step draws from; each replay advances them.
    stream : torch.cuda.Stream
        Where the steps before were taken.
    """
    graph = torch.cuda.CUDAGraph()
    for generator in generators:
        graph.register_generator_state(generator)
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
    generators : sequence of torch.Generator
        All generators that they draw from.
    device : torch.device or str
        A CUDA device.
    """

    def __init__(
        self, steps: ScheduledSteps, generators: Sequence[torch.Generator], device: torch.device | str
    ) -> None:
        self._steps, self._generators = steps, generators
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
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
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            self._steps.prepare(step)
            losses = self._take(self._steps.masks_at(step))
        current.wait_stream(self._stream)
        return losses

    def _take(self, masked: bool) -> dict[str, Tensor]:
        """Take a step on the current stream: ordinarily at first, then from a graph."""
        if self._taken[masked] < WARM_UP:
            self._taken[masked] += 1
            return self._steps.take(masked)
        if masked not in self._captured:
            self._captured[masked] = capture(self._steps, masked, self._generators, self._stream)
            logger.info("captured a training step %s the mask's update", "with" if masked else "without")
        captured = self._captured[masked]
        captured.graph.replay()
        return captured.losses
