"""IRMAE: an auto-encoder whose codes pass linear layers, which keeps their rank low."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from maskaae.method import losses
from maskaae.method.spec import ModelSpec
from maskaae.models.base import Draw, Update
from maskaae.models.fitted_gaussian import RankedDirections
from maskaae.randomness import stacked_uniform

DEPTH = 4
"""Linear layers; the paper tries 2 to 8 [our choice]."""


class LinearLayers(nn.Module):
    """Square linear layers without biases, started as torch's, (seed, batch, m) to the same shape."""

    def __init__(self, m: int, generators: list[torch.Generator]) -> None:
        super().__init__()
        self.weight = nn.Parameter((2 * stacked_uniform(generators, (DEPTH, m, m)) - 1) / math.sqrt(m))

    def forward(self, codes: Tensor) -> Tensor:
        """Apply the layers in turn."""
        for kernel in self.weight.unbind(dim=1):
            codes = codes @ kernel
        return codes


class ImplicitRankMinimizingAutoEncoder(RankedDirections):
    """IRMAE (Jing, Zbontar and LeCun, 2020, arXiv 2010.00679).

    An auto-encoder on the squared error with linear layers behind the encoder: gradient descent on a product
    of matrices prefers low rank (section 3). The dimension is the number of singular values of the codes'
    covariance that are not small; from 1 % of the largest on they count [our choice].
    """

    least_share = 0.01

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.linear = LinearLayers(spec.m, self.generators)

    def encode(self, x: Tensor) -> Tensor:
        """Codes (seed, batch, m) behind the linear layers."""
        codes: Tensor = self.linear(self.encoder(x))
        return codes

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """All layers, updated together."""
        children = (self.encoder, self.linear, self.decoder)
        return {"autoencoder": [parameter for child in children for parameter in child.parameters()]}

    def updates_with(self, draw: Draw, constants: tuple[()], phase: int) -> Iterator[Update]:
        """Yield the squared error."""
        x = draw.batches[0]
        error = losses.mean_squared_error(x, self.decode(self.encode(x)))
        self.note(reconstruction=error)
        yield Update("autoencoder", error)

    def measure_spread(self, codes: Tensor, covariance: Tensor) -> Tensor:
        """Singular values of the codes' covariance."""
        values: Tensor = torch.linalg.eigvalsh(covariance)
        return values.clamp_min(0)
