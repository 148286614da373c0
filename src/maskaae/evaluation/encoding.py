"""What the encoder makes of the test split: NAC (eq 18), reconstruction error, distances from the prior."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from maskaae.evaluation.examples import Sampling, batches, sampling_noise, to_model_input
from maskaae.evaluation.frechet import FloatArray, SeedStatistics
from maskaae.evaluation.protocol import PRIOR_DIVERGENCE_CODES
from maskaae.models.base import LatentModel

logger = logging.getLogger(__name__)

NEIGHBOUR = 5
"""Neighbour whose distance the prior divergence uses: the fifth scatters less than the first (our choice)."""


@runtime_checkable
class Adversarial(Protocol):
    """A model that has a critic."""

    def critic(self, codes: Tensor) -> Tensor:
        """Score (seed, batch) of masked codes (seed, batch, m)."""


def encode_all(model: LatentModel, examples: NDArray[Any], batch: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield, batch by batch, model input (seed, batch, D) and unmasked codes (seed, batch, m)."""
    for part in batches(examples, batch, model.mu.device):
        x = to_model_input(part).expand(len(model.seeds), -1, -1)
        yield x, model.encode(x)


def encoding_metrics(model: LatentModel, test: NDArray[Any], sampling: Sampling) -> dict[str, list[float]]:
    """Measure how every seed encodes and reconstructs the test split, (N, H, W, C) or (N, D) as stored.

    Returns
    -------
    dict of str to list of float
        A value per seed of `nac` (eq 18, on unmasked codes), `code_deviation` (standard deviation of codes,
        mean over active dimensions: one where they match the prior; NaN without any), `prior_divergence`
        (of the first test examples' active dimensions), `reconstruction_mse` (mean over examples and values,
        through the binary mask) and `wasserstein` (mean C(mu zp) - mean C(mu z), the W of eq 17, with the
        soft mask that the critic was trained on; NaN for a model without a critic).
    """
    codes_seen = SeedStatistics(len(model.seeds), model.m)
    first_codes: list[Tensor] = []  # at least PRIOR_DIVERGENCE_CODES of them, (seed, batch, m) each
    squared_error = torch.zeros(len(model.seeds), dtype=torch.float64, device=model.mu.device)
    score = torch.zeros_like(squared_error)
    for x, codes in encode_all(model, test, sampling.batch):
        codes_seen.update(codes)
        if sum(part.shape[1] for part in first_codes) < PRIOR_DIVERGENCE_CODES:
            first_codes.append(codes)
        reconstruction = model.decode_through_mask(codes)
        squared_error += (reconstruction - x).square().mean(dim=2).double().sum(dim=1)
        score += _summed_score(model, codes)
    active = model.active.cpu().numpy()
    covariances = [statistics.covariance for statistics in codes_seen.statistics()]
    return {
        "nac": [nac(covariance, mask) for covariance, mask in zip(covariances, active, strict=True)],
        "code_deviation": [
            code_deviation(covariance, mask) for covariance, mask in zip(covariances, active, strict=True)
        ],
        "prior_divergence": [
            prior_divergence(codes[:, mask], sampling.seed)
            for codes, mask in zip(torch.cat(first_codes, dim=1), model.active, strict=True)
        ],
        "reconstruction_mse": (squared_error / len(test)).tolist(),
        "wasserstein": (_mean_prior_score(model, sampling) - score / len(test)).tolist(),
    }


def code_deviation(covariance: NDArray[np.float64], active: NDArray[np.bool_]) -> float:
    """Mean standard deviation of the active dimensions of a covariance (m, m); NaN where none is active."""
    deviations = np.sqrt(np.diagonal(covariance)[active])
    return float(deviations.mean()) if len(deviations) else np.nan


def _summed_score(model: LatentModel, codes: Tensor) -> Tensor:
    """Sum of the critic's scores of softly masked codes, (seed,); NaN for a model without a critic."""
    if not isinstance(model, Adversarial):
        return torch.full((len(model.seeds),), torch.nan, dtype=torch.float64, device=codes.device)
    return model.critic(codes * model.mu.unsqueeze(1)).double().sum(dim=1)


def _mean_prior_score(model: LatentModel, sampling: Sampling) -> Tensor:
    """Mean of the critic's scores of softly masked prior codes, (seed,)."""
    priors = (noise[..., : model.m] for noise in sampling_noise(model, sampling))
    scores = [_summed_score(model, prior) for prior in priors]
    return torch.stack(scores).sum(dim=0) / sampling.samples


def normalised_absolute_covariance(covariance: FloatArray) -> FloatArray:
    """Normalise a covariance (m, m) to `|Cov_ij| / sqrt(Cov_ii Cov_jj)`, the matrix drawn in Figures 10-13.

    Values are in [0, 1] up to round-off; NaN in the row and column of a constant dimension.
    """
    variances = np.diag(covariance)
    deviations = np.sqrt(np.where(variances > 0, variances, np.nan))
    normalised: FloatArray = np.abs(covariance) / np.outer(deviations, deviations)
    return normalised


def nac(covariance: FloatArray, active: NDArray[np.bool_]) -> float:
    """Mean off-diagonal normalised absolute covariance over the active dimensions (eq 18), in [0, 1].

    Parameters
    ----------
    covariance : numpy.ndarray
        Covariance of encoded vectors, (m, m).
    active : numpy.ndarray
        Dimensions that the mask leaves open, (m,); all of them for a WAE.

    Returns
    -------
    float
        0 for uncorrelated dimensions. NaN, with the reason in the log, where it is undefined: with fewer than
        two active dimensions, or when an active dimension is constant or not finite.
    """
    chosen = np.flatnonzero(active)
    if len(chosen) < 2:
        logger.warning("NAC undefined: %d active dimension(s), it needs at least 2", len(chosen))
        return float("nan")
    variances = np.diag(covariance)[chosen]
    degenerate = chosen[~(np.isfinite(variances) & (variances > 0))]
    if len(degenerate):
        logger.warning("NAC undefined: active dimension(s) %s constant or not finite", degenerate.tolist())
        return float("nan")
    normalised = normalised_absolute_covariance(covariance[np.ix_(chosen, chosen)])
    return float(normalised[~np.eye(len(chosen), dtype=bool)].mean())


def prior_divergence(codes: Tensor, seed: int = 0) -> float:
    """Estimate the divergence `KL(q || N(0, I))`, in nats, of the law q of codes from the prior (R2).

    It is `E|z|^2 / 2 + k/2 log(2 pi) - h(q)`, where the entropy h(q) is half the log determinant of the
    codes' covariance and the entropy of the whitened codes, from the distances to their `NEIGHBOUR`-th
    neighbour (Kozachenko & Leonenko 1987). Draws from the prior, whose divergence is zero, are measured alike
    and their value taken off: neighbour distances in many dimensions are wrong by as much for both. For
    Gaussian codes no bias is left, whatever their mean and covariance. On a surface of n < k dimensions the
    truth is infinite and the estimate grows as `(k / n - 1) log N` with the number N of codes, so only
    estimates from equally many codes can be compared.

    Theorem 1 rests on the cross-entropy of prior and encoded distribution being infinite where the codes fill
    a surface of fewer dimensions. So is this divergence, and the cross-entropy itself cannot be read off
    codes in many dimensions: of the 16-dimensional N(0, 0.7^2 I) its usual neighbour estimate (Wang, Kulkarni
    & Verdu 2009) is 3 nats below the truth, even below its least value, because no code lies near a point of
    the prior. Here only distances between codes are used.

    Parameters
    ----------
    codes : Tensor
        Codes (N, k) of one model, active dimensions only; the first `PRIOR_DIVERGENCE_CODES` are used.
    seed : int
        Seed of the draws from the prior.

    Returns
    -------
    float
        Infinite if the codes leave out a direction altogether; NaN if there is no dimension, no more codes
        than dimensions and neighbours, or a code that is not finite.
    """
    codes = codes[:PRIOR_DIVERGENCE_CODES].double().cpu()
    size, dimension = codes.shape
    if dimension == 0 or size <= max(dimension, NEIGHBOUR) or not codes.isfinite().all():
        return math.nan
    half_norm = 0.5 * float(codes.square().sum(dim=1).mean())
    return half_norm - 0.5 * dimension - _relative_entropy(codes) + _prior_entropy(size, dimension, seed)


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
def _prior_entropy(size: int, dimension: int, seed: int) -> float:
    """`_relative_entropy` of draws from the prior; kept, since all seeds and checkpoints of a run need it."""
    generator = torch.Generator().manual_seed(seed)
    return _relative_entropy(torch.randn(size, dimension, generator=generator, dtype=torch.float64))


@torch.inference_mode()
def covariance_table(model: LatentModel, test: NDArray[Any], batch: int) -> pd.DataFrame:
    """Tabulate the normalised absolute covariance of encoded test vectors (Figures 10-13).

    Returns
    -------
    pandas.DataFrame
        Columns seed, i, j, value (NaN where a dimension is constant), active_i, active_j; a row per seed and
        pair of dimensions. Lost seeds are left out.
    """
    codes_seen = SeedStatistics(len(model.seeds), model.m)
    for _, codes in encode_all(model, test, batch):
        codes_seen.update(codes)
    active = model.active.cpu().numpy()
    i, j = np.indices((model.m, model.m)).reshape(2, -1)
    tables = []
    for seed, mask, statistics in zip(model.seeds, active, codes_seen.statistics(), strict=True):
        if seed in model.lost:
            continue
        value = normalised_absolute_covariance(statistics.covariance)[i, j]
        columns = {"i": i, "j": j, "value": value, "active_i": mask[i], "active_j": mask[j]}
        tables.append(pd.DataFrame({"seed": seed, **columns}))
    return pd.concat(tables, ignore_index=True)
