"""What a training step draws: batches of the examples on the device, and noise.

Each seed owns its generator, so its neighbours do not change its numbers.
"""

from __future__ import annotations

import warnings
from copy import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor

from maskaae.models.base import Draw, LatentModel
from maskaae.randomness import stacked_integers, stacked_normal, stacked_uniform, torch_generator

AHEAD = 64
"""Steps whose numbers a GPU draws at once: a generator costs some launches, however many numbers it draws."""


class TrainingData:
    """Examples kept on the device as they are stored, and converted a batch at a time.

    Images uint8 (N, H, W, C) or vectors float32 (N, D); they may be memory-mapped.
    """

    _rows: Tensor | None = None  # those that belong to a part of the examples, in place of all

    def __init__(self, examples: np.ndarray, device: torch.device | str) -> None:
        with warnings.catch_warnings():  # memory-mapped files are read-only, and nothing here writes to them
            warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
            self._flat = torch.from_numpy(examples.reshape(len(examples), -1)).to(device)
        self._scale = 1.0 / 255.0 if examples.dtype == np.uint8 else None

    @property
    def device(self) -> torch.device:
        """Where the examples are."""
        return self._flat.device

    def __len__(self) -> int:
        return len(self._flat if self._rows is None else self._rows)

    def cut(self, share: float, seed: int) -> tuple[TrainingData, TrainingData]:
        """Cut the examples in two: what trains, and a share of them, at least one, that decides.

        The rows of the second part depend on the number of examples and on the seed alone.
        """
        order = np.random.default_rng(seed).permutation(len(self))
        size = max(1, round(share * len(self)))
        return self._part(order[size:]), self._part(order[:size])

    def _part(self, rows: np.ndarray) -> TrainingData:
        part = copy(self)  # the examples themselves are shared
        part._rows = torch.from_numpy(np.sort(rows)).to(self._flat.device)
        return part

    def gather(self, indices: Tensor) -> Tensor:
        """Return the examples at ``indices`` (any shape), as float32 (*shape, D); images in [0, 1]."""
        return self.at(self.places(indices))

    def places(self, indices: Tensor) -> Tensor:
        """Where the examples at ``indices`` of this part stand among all."""
        if self._rows is None:
            return indices
        return self._rows.index_select(0, indices.flatten()).view(indices.shape)

    def at(self, places: Tensor) -> Tensor:
        """Return the examples at ``places`` among all, as :meth:`gather` does."""
        rows = self._flat.index_select(0, places.flatten()).view(*places.shape, -1)
        return rows if self._scale is None else rows.float().mul_(self._scale)


class Draws:
    """Draws the batches, with replacement [code], and the noise of one training step after another.

    Parameters
    ----------
    model : LatentModel
        Says in `draw_sizes` how many draws a step takes.
    data, batch_size, device
        Where batches come from, their size, and where numbers are made.
    ahead : int, optional
        Steps whose numbers are drawn at once; one on a CPU and ``AHEAD`` on a GPU, unless given. The numbers
        depend on it.
    unseen : TrainingData, optional
        Where batches come from that training must not see, cut from the same examples; None: from ``data``.
    """

    def __init__(
        self,
        model: LatentModel,
        data: TrainingData,
        batch_size: int,
        device: torch.device | str,
        ahead: int | None = None,
        *,
        unseen: TrainingData | None = None,
    ) -> None:
        self._generators = [torch_generator(seed, "training", device) for seed in model.seeds]
        self._sizes = model.draw_sizes
        self._data, self._unseen = data, unseen or data
        self._batch_size, self._m = batch_size, model.m
        self._ahead = ahead or (AHEAD if torch.device(device).type == "cuda" else 1)
        self._numbers: list[Tensor] = []  # of the steps ahead, each (seed, step, ...)
        self._used = self._ahead
        self._before = self._generator_states()
        self._place = torch.zeros(1, dtype=torch.int64, device=device)

    def next(self) -> Draw:
        """Random numbers of the next training step."""
        self.make_ready()
        return self.take()

    def make_ready(self) -> None:
        """Draw ahead if all numbers are used; the next :meth:`take` finds its own on the device."""
        if self._used == self._ahead:
            self._draw_ahead()
        self._used += 1

    def take(self) -> Draw:
        """Random numbers of the next step, after :meth:`make_ready`; nothing is asked of the host."""
        seen, unseen, prior, mix, cuts = (self._of_step(numbers) for numbers in self._numbers)
        self._place += 1
        places = self._data.places(seen)
        if self._sizes.unseen:  # gathered at once: a batch of images is large
            places = torch.cat((places, self._unseen.places(unseen)))
        return Draw(self._data.at(places), prior, mix, cuts)

    def _of_step(self, numbers: Tensor) -> Tensor:
        """Numbers of the next step, the seed axis second: (seed, step, count, ...) to (count, seed, ...)."""
        of_step = numbers[:, 0] if self._ahead == 1 else numbers.index_select(1, self._place).squeeze(1)
        return of_step.transpose(0, 1)

    def _draw_ahead(self) -> None:
        """Fill the numbers of the steps ahead, where they stand: a graph reads them there."""
        self._before = self._generator_states()
        sizes, batch, steps = self._sizes, self._batch_size, self._ahead
        fresh = [
            stacked_integers(self._generators, len(self._data), (steps, sizes.batches - sizes.unseen, batch)),
            stacked_integers(self._generators, len(self._unseen), (steps, sizes.unseen, batch)),
            stacked_normal(self._generators, (steps, sizes.prior, batch, self._m)),
            stacked_uniform(self._generators, (steps, sizes.mix, batch, 1)),
            stacked_uniform(self._generators, (steps, sizes.cuts, batch, 1)),
        ]
        if self._ahead == 1 or not self._numbers:
            self._numbers = fresh
        else:
            for numbers, newer in zip(self._numbers, fresh, strict=True):
                numbers.copy_(newer)
        self._used = 0
        self._place.zero_()

    def _generator_states(self) -> list[Tensor]:
        return [generator.get_state() for generator in self._generators]

    def state(self) -> dict[str, Any]:
        """Generator states, one a seed, before the last drawing, and how many of its steps are used."""
        if not self._numbers:
            return {"generators": self._before, "used": 0}
        return {"generators": self._before, "used": self._used}

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to :meth:`state`."""
        for generator, before in zip(self._generators, state["generators"], strict=True):
            generator.set_state(before)
        self._draw_ahead()
        self._used = state["used"]
        self._place.fill_(self._used)
