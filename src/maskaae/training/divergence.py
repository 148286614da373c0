"""Notices the first loss that is not a number, without making a GPU wait at every step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor


class TrainingDivergedError(RuntimeError):
    """A loss became infinite or not a number."""

    def __init__(self, step: int, loss: str, seed: int) -> None:
        super().__init__(
            f"training diverged: loss {loss!r} of seed {seed} is not finite at step {step}; "
            "lower the learning rates of this update or look at the checkpoint before this step"
        )
        self.step, self.loss, self.seed = step, loss, seed


class DivergenceWatch:
    """Remembers, on the device, the first step at which each loss of each seed was not finite."""

    def __init__(self, seeds: Sequence[int]) -> None:
        self._seeds = seeds
        self._first: dict[str, Tensor] = {}  # name -> (seed,), -1 while all is well

    def look(self, losses: Mapping[str, Tensor], step: int) -> None:
        """Take in the losses of one step, each (times, seed)."""
        for name, values in losses.items():
            finite = torch.isfinite(values).all(dim=0)  # (seed,)
            first = self._first.setdefault(name, torch.full_like(finite, -1, dtype=torch.int64))
            first.masked_fill_(~finite & (first < 0), step)

    def check(self) -> None:
        """Raise for the earliest bad loss seen so far; costs one transfer from the device.

        Raises
        ------
        TrainingDivergedError
            Names step, loss and seed.
        """
        found = [
            (step, order, name, seed)
            for order, (name, first) in enumerate(self._first.items())
            for seed, step in zip(self._seeds, first.tolist(), strict=True)
            if step >= 0
        ]
        if found:
            step, _, name, seed = min(found)
            raise TrainingDivergedError(step, name, seed)
