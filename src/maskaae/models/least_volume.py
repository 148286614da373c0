"""Least Volume: an auto-encoder that makes the product of its codes' deviations small."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import torch
from torch import Tensor

from maskaae.method import losses
from maskaae.method.spec import ModelSpec
from maskaae.models.base import Draw, Update
from maskaae.models.fitted_gaussian import RankedDirections
from maskaae.networks.mlp import Mlp, SeedLinear

VOLUME_WEIGHT = 0.1
"""``lambda``, on the volume where the squared error is a mean over values [our choice].

No value suits every n: in trials of 5,000 steps 0.3 left too few dimensions everywhere, 0.03 found n = 4
and closed nothing of 32 at n = 16; 0.1 lies between.
"""
VOLUME_OFFSET = 1.0
"""``eta``, added to each deviation so that none pulls infinitely; 1 in the released commands."""


class LipschitzMlp(Mlp):
    """Network with layers divided by their spectral norms: outputs lie no further apart than inputs."""

    def forward(self, x: Tensor) -> Tensor:
        """Output before any squashing."""
        *hidden, last = (cast(SeedLinear, layer) for layer in self.layers)
        for layer in hidden:
            x = torch.baddbmm(layer.bias, x, _normalised(layer.weight)).relu()
        return torch.baddbmm(last.bias, x, _normalised(last.weight))


def _normalised(kernel: Tensor) -> Tensor:
    """Kernel (seed, inputs, outputs) of spectral norm one."""
    norm: Tensor = torch.linalg.matrix_norm(kernel, ord=2, keepdim=True)
    return kernel / norm


def volume(codes: Tensor) -> Tensor:
    """Geometric mean of deviations, each with `VOLUME_OFFSET`, of codes (seed, batch, m): (seed,).

    Chen and Fuge, 2024, section 2.1.
    """
    return (codes.std(dim=1) + VOLUME_OFFSET).log().mean(dim=1).exp()


class LeastVolumeAutoEncoder(RankedDirections):
    """Least Volume (Chen and Fuge, 2024, arXiv 2404.17773).

    Squared error and volume are made small together; the decoder is 1-Lipschitz, so that the volume cannot be
    had by shrinking all codes. The dimension is the number of deviations that are not small; from 5 % of the
    largest on they count [our choice]. ReLU layers, as everywhere here, not leaky ones.

    Raises
    ------
    ValueError
        If the networks are not MLPs: only of these is the spectral norm that of the layer's matrix.
    """

    least_share = 0.05
    can_be_captured = False  # a spectral norm is found by a solver that waits for the device

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        if spec.network != "mlp":
            raise ValueError(
                f"least_volume: network kind {spec.network!r} has no spectral norm here; use 'mlp'"
            )
        self.decoder = LipschitzMlp((spec.m, *reversed(spec.hidden), spec.data_dimension), self.generators)

    def updates_with(self, draw: Draw, constants: tuple[()], phase: int) -> Iterator[Update]:
        """Yield squared error and volume."""
        x = draw.batches[0]
        codes = self.encode(x)
        error = losses.mean_squared_error(x, self.decode(codes))
        size = volume(codes)
        self.note(reconstruction=error, volume=size)
        yield Update("autoencoder", error + VOLUME_WEIGHT * size)

    def measure_spread(self, codes: Tensor, covariance: Tensor) -> Tensor:
        """Deviation of each dimension."""
        return covariance.diagonal(dim1=1, dim2=2).sqrt()
