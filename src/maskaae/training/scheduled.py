"""Training steps that read everything that changes from one to the next from the device.

A step of this kind needs nothing from the host, so it can be captured in a CUDA graph and replayed. It is the
same function, uncaptured, that tests run on a CPU against the ordinary step.
"""

from __future__ import annotations

import torch
from torch import Tensor

from maskaae.models.explicit import ExplicitUpdates
from maskaae.models.maae import StepConstants
from maskaae.training.divergence import DivergenceWatch
from maskaae.training.draws import Draws
from maskaae.training.stepping import Stepper

ROWS = 1000
"""Steps whose learning rates and factors are put on the device at once."""


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
        self._draws.make_ready()
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
        updates = self._explicit.updates_with(self._draws.take(), constants, masked)
        losses = self._stepper.apply(updates, rates)
        self._watch.look(losses, self._step)
        self._step += 1
        return losses

    def masks_at(self, step: int) -> bool:
        """Whether a step updates the mask."""
        return self._explicit.masks_at(step)
