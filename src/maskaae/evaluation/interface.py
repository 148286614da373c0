"""What evaluation asks of a model; any model that offers it can be evaluated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from torch import Tensor


class LatentModel(Protocol):
    """A model with an encoder and a decoder; every tensor carries a leading seed axis."""

    @property
    def m(self) -> int:
        """Capacity: the assumed latent dimension."""

    @property
    def seeds(self) -> Sequence[int]:
        """Seeds, in the order of the seed axis."""

    @property
    def lost(self) -> Mapping[int, str]:
        """Seeds whose training diverged, with the reason."""

    @property
    def mu(self) -> Tensor:
        """Mask values, (seed, m)."""

    @property
    def active(self) -> Tensor:
        """Which dimensions the model uses, booleans (seed, m)."""

    @property
    def noise_size(self) -> int:
        """Standard normal numbers that one generated example takes."""

    def inference_mask(self, mask: str) -> Tensor:
        """Return the mask that codes pass on their way to the decoder, (seed, m): `binary` or `soft`."""

    def encode(self, x: Tensor) -> Tensor:
        """Return unmasked codes (seed, batch, m) of data (seed, batch, D)."""

    def decode(self, codes: Tensor) -> Tensor:
        """Return data (seed, batch, D) of masked codes (seed, batch, m)."""

    def generate(self, noise: Tensor, mask: str = "binary") -> Tensor:
        """Return data (seed, batch, D) decoded from standard normal noise (seed, batch, noise_size)."""


@runtime_checkable
class WeighsDimensions(Protocol):
    """A model that has measured what each of its dimensions is worth."""

    def count_at_weight(self, factor: float) -> Tensor:
        """Return how many dimensions, (seed,), are best at `factor` times the reconstruction's weight."""


@runtime_checkable
class Adversarial(Protocol):
    """A model that has a critic."""

    def critic(self, codes: Tensor) -> Tensor:
        """Return the score (seed, batch) of masked codes (seed, batch, m)."""
