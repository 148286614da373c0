"""Encoder, decoder and critic networks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from maskaae.networks.layers import SeedLinear


class Mlp(nn.Module):
    """ReLU network with a linear last layer: (seed, batch, widths[0]) to (seed, batch, widths[-1]).

    Parameters
    ----------
    widths : sequence of int
        Layer sizes from input to output.
    generators : list of torch.Generator
        One a seed.
    """

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
        """Gradient of each score by its own code, as an explicit product of the layers.

        A ReLU network is linear around almost every point, so its gradient is the product of its kernels with
        the rows of closed units struck out. Written out, it needs no second differentiation, and can itself
        be differentiated by the kernels, which is all that the gradient penalty asks for.

        Returns
        -------
        Tensor
            Shape (seed, batch, m).
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
