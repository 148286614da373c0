"""Maximum mean discrepancy between codes and prior, the penalty of WAE-MMD."""

from __future__ import annotations

import torch
from torch import Tensor

SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Widths of the kernel, as multiples of ``2 m`` (the released code of Tolstikhin et al., 2018)."""


def inverse_multiquadratic(squared_distances: Tensor, m: int) -> Tensor:
    """Sum of kernels ``k(x, y) = C / (C + |x - y|^2)`` with ``C = 2 m s``, s in `SCALES`.

    ``2 m`` is the expected squared distance of two standard normal codes (Tolstikhin et al., 2018,
    section 4); the sum over scales is their released code's.

    Parameters
    ----------
    squared_distances : Tensor
        ``|x - y|^2``, any shape.
    m : int
        Dimensions of a code.
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
    it may be negative.

    Parameters
    ----------
    codes, prior : Tensor
        Encoded data and draws from the prior, each (seed, batch, m).

    Returns
    -------
    Tensor
        Shape (seed,).
    """
    n, m = codes.shape[1:]
    kernel = inverse_multiquadratic(pairwise_squared_distances(torch.cat((codes, prior), dim=1)), m)
    within = (1.0 - torch.eye(n, dtype=codes.dtype, device=codes.device)) / (n * (n - 1))
    between = torch.full_like(within, -1.0 / n**2)
    weights = torch.cat((torch.cat((within, between), dim=1), torch.cat((between, within), dim=1)))
    return (kernel * weights).sum(dim=(1, 2))
