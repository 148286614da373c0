"""What a training step draws: batches of the examples on the device, and noise.

Each seed owns its generator, so its neighbours do not change its numbers.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from maskaae.models.base import Draw, LatentModel
from maskaae.randomness import stacked_integers, stacked_normal, stacked_uniform, torch_generator


class TrainingData:
    """Examples kept as they are stored (uint8 images stay uint8) and converted a batch at a time.

    Parameters
    ----------
    examples : np.ndarray
        Images uint8 (N, H, W, C) or vectors float32 (N, D); may be memory-mapped.
    device : torch.device or str
        Where batches are wanted; the whole set is put there.
    """

    def __init__(self, examples: np.ndarray, device: torch.device | str) -> None:
        with warnings.catch_warnings():  # memory-mapped files are read-only, and nothing here writes to them
            warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
            self._flat = torch.from_numpy(examples.reshape(len(examples), -1)).to(device)
        self._scale = 1.0 / 255.0 if examples.dtype == np.uint8 else None

    def __len__(self) -> int:
        return len(self._flat)

    def gather(self, indices: Tensor) -> Tensor:
        """Return the examples at ``indices`` (any shape), as float32 (*shape, D); images in [0, 1]."""
        rows = self._flat.index_select(0, indices.flatten()).view(*indices.shape, -1)
        return rows if self._scale is None else rows.float().mul_(self._scale)


class Draws:
    """Draws the batches and the noise of one training step after another.

    Parameters
    ----------
    model : LatentModel
        Says how many draws a step takes.
    data : TrainingData
        Batches come from here, with replacement [code].
    batch_size : int
        Examples in a batch.
    device : torch.device or str
        Where the numbers are made.
    """

    def __init__(
        self, model: LatentModel, data: TrainingData, batch_size: int, device: torch.device | str
    ) -> None:
        self.generators = [torch_generator(seed, "training", device) for seed in model.seeds]
        self._sizes = model.draw_sizes
        self._data, self._batch_size, self._m = data, batch_size, model.m

    def next(self) -> Draw:
        """Random numbers of the next training step."""
        batch, sizes = self._batch_size, self._sizes
        indices = stacked_integers(self.generators, len(self._data), (sizes.batches, batch))
        prior = stacked_normal(self.generators, (sizes.prior, batch, self._m))
        mix = stacked_uniform(self.generators, (sizes.mix, batch, 1))
        cuts = stacked_uniform(self.generators, (sizes.cuts, batch, 1))
        return Draw(
            batches=self._data.gather(indices).transpose(0, 1),
            prior=prior.transpose(0, 1),
            mix=mix.transpose(0, 1),
            cuts=cuts.transpose(0, 1),
        )

    def state(self) -> list[Tensor]:
        """Generator states, one a seed."""
        return [generator.get_state() for generator in self.generators]

    def restore(self, states: Sequence[Tensor]) -> None:
        """Go back to :meth:`state`."""
        for generator, state in zip(self.generators, states, strict=True):
            generator.set_state(state)
