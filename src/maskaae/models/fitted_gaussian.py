"""Deterministic auto-encoders without a prior: they are sampled through a Gaussian fitted to their codes."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from maskaae.method.spec import ModelSpec
from maskaae.models.base import LatentModel

RATE = 1e-3
"""Learning rate of Adam [our choice, for runs of thousands of steps]."""


class FittedGaussian(LatentModel):
    """Auto-encoder that is sampled by the Gaussian of its codes; a subclass gives networks and loss."""

    fitted_examples = 10_000
    centre: Tensor  # mean of the codes, (seed, 1, m)
    factor: Tensor  # a root of their covariance, (seed, m, m)

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        seeds, m = len(spec.seeds), spec.m
        self.register_buffer("centre", torch.zeros(seeds, 1, m))
        self.register_buffer("factor", torch.eye(m).repeat(seeds, 1, 1))

    def learning_rates(self, step: int) -> dict[str, float]:
        """Constant rate."""
        return {"autoencoder": RATE}

    def optimiser(self, group: str) -> str:
        """Adam as published."""
        return "adam_published"

    def fit_codes(self, codes: Tensor) -> None:
        """Fit the Gaussian."""
        self.centre.copy_(codes.mean(dim=1, keepdim=True))
        values, axes = torch.linalg.eigh(covariance(codes))
        self.factor.copy_(values.clamp_min(0).sqrt().unsqueeze(2) * axes.transpose(1, 2))

    def generate(self, noise: Tensor, mask: str = "binary") -> Tensor:
        """Decode codes of the fitted Gaussian; there is no mask."""
        return self.decode(self.centre + noise @ self.factor)


def covariance(codes: Tensor) -> Tensor:
    """Covariance (seed, m, m), float64, of codes (seed, example, m)."""
    centred = (codes - codes.mean(dim=1, keepdim=True)).double()
    return centred.transpose(1, 2) @ centred / (codes.shape[1] - 1)


class RankedDirections(FittedGaussian):
    """Auto-encoder that counts the directions its codes spread in; a subclass says what the spread is.

    A direction counts as active when its spread is above a share of the largest; the count masks nothing.
    """

    least_share: float
    """Share of the largest spread from which on a direction is active."""
    spread: Tensor  # of each direction, (seed, m)

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.register_buffer("spread", torch.zeros(len(spec.seeds), spec.m))

    @property
    def active(self) -> Tensor:
        """Directions in which codes spread at the last checkpoint, booleans (seed, m)."""
        return self.spread > self.least_share * self.spread.amax(dim=1, keepdim=True)

    def inference_mask(self, mask: str) -> Tensor:
        """Ones: the model has no mask."""
        return torch.ones_like(super().inference_mask(mask))

    @abstractmethod
    def measure_spread(self, codes: Tensor, covariance: Tensor) -> Tensor:
        """Spread of each direction (seed, m) of codes (seed, example, m) with a covariance (seed, m, m)."""

    def fit_codes(self, codes: Tensor) -> None:
        """Fit the Gaussian, and measure the spread."""
        super().fit_codes(codes)
        self.spread.copy_(self.measure_spread(codes, covariance(codes)))

    def monitors(self) -> dict[str, Tensor]:
        """Terms of the loss at the last training step, and the count of the last checkpoint."""
        return {**self.terms, "active": self.active.sum(dim=1)}
