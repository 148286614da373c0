"""Notices the first value of a run that is not finite, without making a GPU wait at every step."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor


@dataclass(frozen=True)
class Divergence:
    """The first value of a seed that was infinite or not a number."""

    seed: int
    step: int  # training step, from 0, that gave the value
    what: str  # as "loss 'critic'", "gradient of the encoder" or "mask"

    def __str__(self) -> str:
        return f"{self.what} is not finite at step {self.step}"


class TrainingDivergedError(RuntimeError):
    """A loss, a gradient or a mask value became infinite or not a number."""

    def __init__(self, found: Divergence, last_good: Path | None, left: Path) -> None:
        super().__init__(
            f"training diverged: {found.what} of seed {found.seed} is not finite at step {found.step}. "
            f"Last good checkpoint: {last_good}; the model as it is now: {left}. Lower the learning rates, "
            "or finish the other seeds without this one (training: on_divergence: continue)"
        )
        self.found = found


class DivergenceWatch:
    """Remembers, on the device, the first step at which each value of each seed was not finite."""

    def __init__(self, seeds: Sequence[int]) -> None:
        self._seeds = seeds
        self._first: dict[tuple[str, ...], Tensor] = {}  # names of rows -> (row, seed), -1 while all is well

    def look(self, values: Mapping[str, Tensor], step: int | Tensor, what: str = "loss {!r}") -> None:
        """Take in values of one step by name, each (seed,) or (times, seed); ``what`` puts names in words."""
        tables = {what.format(name): value.view(-1, len(self._seeds)) for name, value in values.items()}
        rows = tuple(name for name, table in tables.items() for _ in table)
        finite = torch.isfinite(torch.cat(list(tables.values())))  # (row, seed), all names in one operation
        if rows not in self._first:
            self._first[rows] = torch.full_like(finite, -1, dtype=torch.int64)
        first = self._first[rows]
        # Not masked_fill_, which fetches a step that stands on the device: no graph could hold that.
        first.copy_(torch.where(~finite & (first < 0), step, first))

    def found(self, known: Collection[int] = ()) -> list[Divergence]:
        """Return the first divergence of each seed that is not ``known``, earliest first.

        It costs a transfer from the device for each set of names that was looked at.
        """
        earliest: dict[int, Divergence] = {}
        for rows, table in self._first.items():
            for what, first in zip(rows, table.tolist(), strict=True):
                for seed, step in zip(self._seeds, first, strict=True):
                    known_before = seed in known or (seed in earliest and earliest[seed].step <= step)
                    if step >= 0 and not known_before:
                        earliest[seed] = Divergence(seed, step, what)
        return sorted(earliest.values(), key=lambda divergence: divergence.step)
