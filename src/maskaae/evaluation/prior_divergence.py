"""How far the encoded distribution is from the prior (requirement R2 of Theorem 1), from nearest neighbours.

Theorem 1 rests on the cross-entropy of prior and encoded distribution being infinite where the codes fill a
surface of fewer dimensions. So is the divergence `KL(codes || prior)`, and it is the divergence that is
measured: the cross-entropy itself cannot be read off a sample in many dimensions. Of the 16-dimensional
N(0, 0.7^2 I) the usual neighbour estimate of it (Wang, Kulkarni & Verdu 2009) is 3 nats below the truth, even
below its least value, because the neighbours of a prior's point among the codes are nowhere near it; the
neighbours of a code are.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

from maskaae.evaluation.protocol import DIVERGENCE_POINTS

NEIGHBOUR = 5
"""Which neighbour's distance is used: the fifth scatters less than the first (our choice)."""


def prior_divergence(codes: Tensor, seed: int = 0) -> float:
    """Estimate the divergence `KL(q || N(0, I))` of the law q of codes from the prior.

    It is `E|z|^2 / 2 + k/2 log(2 pi) - h(q)`, where the entropy h(q) is half the log determinant of the
    codes' covariance and the entropy of the whitened codes, from the distances to their `NEIGHBOUR`-th
    neighbour (Kozachenko & Leonenko 1987). A sample of the prior, whose divergence is zero, is measured in
    the same way and taken off: what is wrong with neighbour distances in many dimensions is wrong with both.
    For Gaussian codes no bias is left, whatever their mean and covariance. On a surface of n < k dimensions
    the truth is infinite and the estimate grows as `(k / n - 1) log N` with the number N of codes, so only
    estimates from equally many codes can be compared.

    Parameters
    ----------
    codes : Tensor
        Codes (N, k) of one model, active dimensions only.
    seed : int
        Seed of the prior's sample.

    Returns
    -------
    float
        Nats; infinite if the codes leave out a direction altogether; NaN if there is no dimension, no more
        codes than dimensions and neighbours, or a code that is not finite.
    """
    codes = codes[:DIVERGENCE_POINTS].double().cpu()
    count, dimension = codes.shape
    if dimension == 0 or count <= max(dimension, NEIGHBOUR) or not codes.isfinite().all():
        return math.nan
    half_norm = 0.5 * float(codes.square().sum(dim=1).mean())
    return half_norm - 0.5 * dimension - _relative_entropy(codes) + _prior_entropy(count, dimension, seed)


def _relative_entropy(points: Tensor) -> float:
    """Entropy of the law of points (N, k), up to what depends on N and k alone."""
    dimension = points.shape[1]
    factor, singular = torch.linalg.cholesky_ex(torch.cov(points.T).reshape(dimension, dimension))
    if singular:
        return -math.inf
    white = torch.linalg.solve_triangular(factor, points.T, upper=False).T  # (N, k), covariance one
    distances = torch.cdist(white, white)  # (N, N), each point at distance zero from itself
    nearest = distances.topk(NEIGHBOUR + 1, dim=1, largest=False).values[:, -1]
    return float(factor.diagonal().log().sum() + dimension * nearest.log().mean())


@lru_cache(maxsize=64)
def _prior_entropy(count: int, dimension: int, seed: int) -> float:
    """The same of a sample of the prior; kept, since all seeds and checkpoints of a run ask for it."""
    generator = torch.Generator().manual_seed(seed)
    return _relative_entropy(torch.randn(count, dimension, generator=generator, dtype=torch.float64))
