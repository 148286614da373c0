"""Examples: as they are stored, as a model takes them, and as it generates them from noise (Figure 6).

Every seed of a model owns its noise, the same at every checkpoint: a seed's numbers depend neither on the
seeds evaluated beside it nor on the batch size, and checkpoints differ by their weights only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

if TYPE_CHECKING:  # the classifier reads examples too, and no model decides its numbers
    from maskaae.models.base import LatentModel


def batches(examples: NDArray[Any], size: int, device: torch.device | str = "cpu") -> Iterator[Tensor]:
    """Yield stored examples, (batch, H, W, C) or (batch, D), in order, without ever holding all of them."""
    for start in range(0, len(examples), size):
        yield torch.from_numpy(np.array(examples[start : start + size])).to(device)


def to_model_input(examples: Tensor) -> Tensor:
    """Float32 (N, D) of stored examples: images uint8 (N, H, W, C) in [0, 1], vectors (N, D) as they are."""
    if examples.dtype == torch.uint8:
        return examples.flatten(1).float() / 255
    return examples


def stretch(x: Tensor) -> Tensor:
    """Min-max stretch of each generated image by itself, as the authors' script does to fakes (not to reals).

    Rows of (N, D) come to run from 0 to 1; a constant image, which has no range to stretch, stays as it is.
    """
    low, high = x.aminmax(dim=1, keepdim=True)
    constant = high == low
    return torch.where(constant, x, (x - low) / torch.where(constant, torch.ones_like(high), high - low))


def to_stored_form(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Bring generated data (N, D) into the form of a stored example, `shape` (H, W, C) or (D,).

    Images are rounded to uint8, as the real ones once were, so that no metric can tell generated from real
    by quantisation. Values outside [0, 1], which a decoder with a sigmoid never gives, are clamped, as
    writing them to an image file would.
    """
    if len(shape) == 1:
        return x
    return (x.clamp(0, 1) * 255).round().to(torch.uint8).view(-1, *shape)


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
    """Yield standard normal noise (seed, batch, noise_size), `sampling.samples` rows in all of every seed."""
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
    test : numpy.ndarray
        Stored examples of the test split, (N, H, W, C) or (N, D).
    generated, reconstructed : int
        Numbers of samples, and of real examples with their reconstructions.
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
    through_mask = model.reconstruct(x)
    shown = next(index for index, seed in enumerate(model.seeds) if seed not in model.lost)
    kinds = {
        "generated": to_stored_form(model.generate(noise)[shown], test.shape[1:]),
        "real": real,
        "reconstructed": to_stored_form(through_mask[shown], test.shape[1:]),
    }
    tables = []
    for kind, examples in kinds.items():
        values = pd.DataFrame(examples.flatten(1).cpu().numpy()).add_prefix("p")
        labels = pd.DataFrame({"kind": kind, "index": np.arange(len(values))})
        tables.append(pd.concat([labels, values], axis=1))
    return pd.concat(tables, ignore_index=True)
