"""Dense networks whose parameters lead with a seed axis: as many models as there are seeds, side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import cast

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

    Kernels start Glorot normal, from one generator a seed, and biases at zero [code].
    """

    def __init__(self, inputs: int, outputs: int, generators: list[torch.Generator]) -> None:
        super().__init__()
        kernels = [glorot_normal((inputs, outputs), inputs, outputs, g) for g in generators]
        self.weight = nn.Parameter(torch.stack(kernels))
        self.bias = nn.Parameter(torch.zeros(len(generators), 1, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Affine map of each seed."""
        return torch.baddbmm(self.bias, x, self.weight)


class Mlp(nn.Module):
    """ReLU network with a linear last layer: (seed, batch, widths[0]) to (seed, batch, widths[-1])."""

    def __init__(self, widths: Sequence[int], generators: list[torch.Generator]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            SeedLinear(inputs, outputs, generators) for inputs, outputs in pairwise(widths)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Output before any squashing."""
        *hidden, last = self.layers
        for layer in hidden:
            x = layer(x).relu_()
        out: Tensor = last(x)
        return out


class MlpCritic(Mlp):
    """Critic on latent codes: m, ReLU layers, one score [code]."""

    def forward(self, codes: Tensor) -> Tensor:
        """Scores (seed, batch) of codes (seed, batch, m)."""
        return super().forward(codes).squeeze(-1)

    def input_gradient(self, codes: Tensor) -> Tensor:
        """Gradient of each score by its own code, (seed, batch, m), as an explicit product of the layers.

        A ReLU network is linear around almost every point, so its gradient is the product of its kernels with
        the rows of closed units struck out. Written out, it needs no second differentiation, and can itself
        be differentiated by the kernels, which is all that the gradient penalty asks for.
        """
        *hidden, last = (cast(SeedLinear, layer) for layer in self.layers)
        open_units = self._open_units(codes)
        gradient = last.weight.transpose(1, 2)  # (seed, 1, width)
        for layer, is_open in zip(reversed(hidden), reversed(open_units), strict=True):
            gradient = torch.bmm(gradient * is_open, layer.weight.transpose(1, 2))  # (seed, batch, width)
        return gradient

    @torch.no_grad()
    def _open_units(self, codes: Tensor) -> list[Tensor]:
        """1 where a hidden unit is above zero, else 0, for each hidden layer, (seed, batch, width)."""
        masks = []
        x = codes
        for layer in list(self.layers)[:-1]:
            x = layer(x).relu_()
            masks.append((x > 0).to(x.dtype))
        return masks
