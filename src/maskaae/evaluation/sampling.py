"""The noise that models are sampled with, and a few samples for the eye (Figure 6).

Every seed of a model owns its noise, the same at every checkpoint: a seed's numbers depend neither on the
seeds evaluated beside it nor on the batch size, and checkpoints differ by their weights only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from maskaae.evaluation.examples import batches, to_model_input, to_stored_form
from maskaae.evaluation.interface import LatentModel


@dataclass(frozen=True)
class Sampling:
    """How many samples are generated, and from which noise.

    Attributes
    ----------
    samples : int
        Generated samples per seed and checkpoint.
    batch : int
        Examples per seed in a forward pass; no number depends on it.
    seed : int
        Seed of the noise, beside the model's own.
    """

    samples: int = 10_000
    batch: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what gives no covariance or no batch."""
        if self.samples < 2:
            raise ValueError(f"samples = {self.samples}: a covariance needs at least 2 generated samples")
        if self.batch < 1:
            raise ValueError(f"batch = {self.batch}: must be at least 1")


def sampling_noise(model: LatentModel, sampling: Sampling) -> Iterator[Tensor]:
    """Yield the noise of every seed of a model, batch by batch.

    Parameters
    ----------
    model : LatentModel
        Gives seeds, noise size and device.
    sampling : Sampling
        Samples, batch and seed.

    Yields
    ------
    Tensor
        Standard normal, (seed, batch, noise_size); `sampling.samples` rows per seed in all.
    """
    # NumPy fills arrays value by value, on the host: the numbers depend on neither batch size nor device.
    generators = [np.random.default_rng([sampling.seed, seed]) for seed in model.seeds]
    for start in range(0, sampling.samples, sampling.batch):
        size = (min(sampling.batch, sampling.samples - start), model.noise_size)
        noise = np.stack([g.standard_normal(size, dtype=np.float32) for g in generators])
        yield torch.from_numpy(noise).to(model.mu.device)


@torch.inference_mode()
def sample_table(
    model: LatentModel, test: NDArray[Any], *, generated: int, reconstructed: int, seed: int
) -> pd.DataFrame:
    """Tabulate samples of the model's first seed beside real examples and their reconstructions.

    Samples and reconstructions pass the binary mask. They are the first of each, never a choice; a seed that
    was lost in training is passed over.

    Parameters
    ----------
    model : LatentModel
        The model.
    test : numpy.ndarray
        Stored examples of the test split, (N, H, W, C) or (N, D).
    generated : int
        Number of generated samples.
    reconstructed : int
        Number of real examples, and of reconstructions.
    seed : int
        Seed of the sampling noise, beside the model's own.

    Returns
    -------
    pandas.DataFrame
        Columns kind (`generated`, `real` or `reconstructed`), index (a reconstruction has that of its real
        example) and p0 .. p{D-1} (uint8 for images).
    """
    noise = next(sampling_noise(model, Sampling(generated, generated, seed)))  # (seed, generated, noise)
    real = next(batches(test, reconstructed, model.mu.device))
    x = to_model_input(real).expand(len(model.seeds), -1, -1)
    through_mask = model.decode(model.encode(x) * model.inference_mask("binary").unsqueeze(1))
    shown = next(index for index, seed in enumerate(model.seeds) if seed not in model.lost)
    kinds = {
        "generated": to_stored_form(model.generate(noise)[shown], test.shape[1:]),
        "real": real,
        "reconstructed": to_stored_form(through_mask[shown], test.shape[1:]),
    }
    tables = []
    for kind, examples in kinds.items():
        values = pd.DataFrame(examples.flatten(1).cpu().numpy()).add_prefix("p")
        tables.append(pd.concat([_labels(kind, len(values)), values], axis=1))
    return pd.concat(tables, ignore_index=True)


def _labels(kind: str, count: int) -> pd.DataFrame:
    return pd.DataFrame({"kind": kind, "index": np.arange(count)})
