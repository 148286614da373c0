"""Layers whose parameters carry a leading seed axis: as many models as there are seeds, side by side."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

TRUNCATION_LOSS = 0.87962566103423978
"""Standard deviation of a unit normal cut at two deviations; TensorFlow's initialiser divides by it."""


def glorot_normal(shape: tuple[int, ...], fan_in: int, fan_out: int, generator: torch.Generator) -> Tensor:
    """Kernel of a shape from TensorFlow's Glorot normal law [code]: cut at two standard deviations."""
    scale = math.sqrt(2.0 / (fan_in + fan_out)) / TRUNCATION_LOSS
    kernel = torch.empty(shape)
    return nn.init.trunc_normal_(kernel, std=scale, a=-2 * scale, b=2 * scale, generator=generator)


class SeedLinear(nn.Module):
    """One dense layer a seed: (seed, batch, inputs) to (seed, batch, outputs).

    Parameters
    ----------
    inputs, outputs : int
        Widths.
    generators : list of torch.Generator
        One a seed; kernels are Glorot normal, biases zero [code].
    """

    def __init__(self, inputs: int, outputs: int, generators: list[torch.Generator]) -> None:
        super().__init__()
        kernels = [glorot_normal((inputs, outputs), inputs, outputs, g) for g in generators]
        self.weight = nn.Parameter(torch.stack(kernels))
        self.bias = nn.Parameter(torch.zeros(len(generators), 1, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Affine map of each seed."""
        return torch.baddbmm(self.bias, x, self.weight)
