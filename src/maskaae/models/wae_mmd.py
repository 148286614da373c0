"""Wasserstein auto-encoder whose codes are held to the prior by the maximum mean discrepancy."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from maskaae.models.base import Draw, DrawSizes, LatentModel, Update

SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Widths of the kernel, as multiples of ``2 m`` (the released code of Tolstikhin et al., 2018)."""


def inverse_multiquadratic(squared_distances: Tensor, m: int) -> Tensor:
    """Sum of kernels ``k(x, y) = C / (C + |x - y|^2)`` with ``C = 2 m s``, s in `SCALES`.

    ``2 m`` is the expected squared distance of two standard normal codes of m dimensions (Tolstikhin et al.,
    2018, section 4); the sum over scales is their released code's.
    """
    # Numbers of the host, not a tensor made of them, which no captured step could bring to a GPU.
    widths = (2.0 * m * scale for scale in SCALES)
    return torch.stack([width / (width + squared_distances) for width in widths]).sum(dim=0)


def pairwise_squared_distances(points: Tensor) -> Tensor:
    """Squared distances (seed, points, points) within the points (seed, points, m) of each seed."""
    norms = points.square().sum(dim=-1)  # (seed, points)
    products = torch.bmm(points, points.transpose(1, 2))
    return (norms.unsqueeze(1) + norms.unsqueeze(2) - 2.0 * products).clamp_min(0.0)  # round-off


def maximum_mean_discrepancy(codes: Tensor, prior: Tensor) -> Tensor:
    """Unbiased estimate of the squared discrepancy (Tolstikhin et al., 2018, algorithm 2).

    ``sum_{i != j} [k(z_i, z_j) + k(p_i, p_j)] / (n (n - 1)) - 2 sum_ij k(z_i, p_j) / n^2``; being unbiased,
    it may be negative. Codes z and draws p from the prior, each (seed, batch, m), to (seed,).
    """
    n, m = codes.shape[1:]
    kernel = inverse_multiquadratic(pairwise_squared_distances(torch.cat((codes, prior), dim=1)), m)
    within = (1.0 - torch.eye(n, dtype=codes.dtype, device=codes.device)) / (n * (n - 1))
    between = torch.full_like(within, -1.0 / n**2)
    weights = torch.cat((torch.cat((within, between), dim=1), torch.cat((between, within), dim=1)))
    return (kernel * weights).sum(dim=(1, 2))


def squared_cost(x: Tensor, reconstruction: Tensor) -> Tensor:
    """Squared error ``mean |x - G(E(x))|^2``, (seed,), the cost of Tolstikhin et al. (2018, section 4).

    Summed over data dimensions, averaged over the batch.
    """
    return (x - reconstruction).square().sum(dim=2).mean(dim=1)


class MmdAutoEncoder(LatentModel):
    """WAE-MMD (Tolstikhin et al., 2018, eq 4, algorithm 2): squared error plus lambda times the discrepancy.

    The encoder is deterministic, and the squared error is scaled as in the released code. That code's
    pre-training of the encoder on the prior's first two moments is left out.
    """

    @property
    def draw_sizes(self) -> DrawSizes:
        """One batch and as many draws from the prior."""
        return DrawSizes(batches=1, prior=1)

    def optimiser(self, group: str) -> str:
        """Adam with the released code's constants."""
        return "adam_wae"

    def learning_rates(self, step: int) -> dict[str, float]:
        """Published rate."""
        return {"autoencoder": self.spec.hyperparameters.deterministic.wae_rate}

    def updates_with(self, draw: Draw, constants: tuple[()], phase: int) -> Iterator[Update]:
        """Yield eq 4."""
        h = self.spec.hyperparameters.deterministic
        x = draw.batches[0]
        codes = self.encode(x)
        cost = h.cost_weight * squared_cost(x, self.decode(codes))
        discrepancy = maximum_mean_discrepancy(codes, draw.prior[0])
        self.note(reconstruction=cost, discrepancy=discrepancy)
        yield Update("autoencoder", cost + h.penalty_weight * discrepancy)
