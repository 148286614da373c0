"""What the encoder makes of the test split: NAC, reconstruction error, Wasserstein estimate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from maskaae.evaluation.examples import batches, to_model_input
from maskaae.evaluation.frechet import SeedStatistics
from maskaae.evaluation.interface import Adversarial, LatentModel
from maskaae.evaluation.nac import nac, normalised_absolute_covariance
from maskaae.evaluation.prior_divergence import prior_divergence
from maskaae.evaluation.protocol import DIVERGENCE_POINTS
from maskaae.evaluation.sampling import Sampling, sampling_noise


def encode_all(model: LatentModel, examples: NDArray[Any], batch: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Encode stored examples with every seed, batch by batch.

    Parameters
    ----------
    model : LatentModel
        The model.
    examples : numpy.ndarray
        Stored examples, (N, H, W, C) or (N, D).
    batch : int
        Examples per forward pass.

    Yields
    ------
    tuple of Tensor
        Model input (seed, batch, D) and unmasked codes (seed, batch, m).
    """
    for part in batches(examples, batch, model.mu.device):
        x = to_model_input(part).expand(len(model.seeds), -1, -1)
        yield x, model.encode(x)


def encoding_metrics(model: LatentModel, test: NDArray[Any], sampling: Sampling) -> dict[str, list[float]]:
    """Measure how every seed encodes and reconstructs the test split.

    Parameters
    ----------
    model : LatentModel
        The model at one checkpoint.
    test : numpy.ndarray
        Stored examples of the test split, (N, H, W, C) or (N, D).
    sampling : Sampling
        The prior's noise, and the batch size.

    Returns
    -------
    dict of str to list of float
        A value per seed of `nac` (eq 18, on unmasked codes), `code_deviation` (standard deviation of codes,
        mean over active dimensions: one where they match the prior; NaN without any), `prior_divergence`
        (`maskaae.evaluation.prior_divergence`, of the first test examples' active dimensions),
        `reconstruction_mse` (mean over examples and values, through the binary mask) and `wasserstein`
        (mean C(mu zp) - mean C(mu z), the W of eq 17, with the soft mask that the critic was trained on; NaN
        for a model without a critic).
    """
    codes_seen = SeedStatistics(len(model.seeds), model.m)
    first_codes: list[Tensor] = []  # at least DIVERGENCE_POINTS of them, (seed, batch, m) each
    squared_error = torch.zeros(len(model.seeds), dtype=torch.float64, device=model.mu.device)
    score = torch.zeros_like(squared_error)
    for x, codes in encode_all(model, test, sampling.batch):
        codes_seen.update(codes)
        if sum(part.shape[1] for part in first_codes) < DIVERGENCE_POINTS:
            first_codes.append(codes)
        reconstruction = model.decode(codes * model.inference_mask("binary").unsqueeze(1))
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
    """Mean standard deviation of encoded active dimensions; the prior's is one.

    Parameters
    ----------
    covariance : numpy.ndarray
        Covariance of codes, (m, m).
    active : numpy.ndarray
        Active dimensions, booleans (m,).

    Returns
    -------
    float
        NaN where no dimension is active.
    """
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


@torch.inference_mode()
def covariance_table(model: LatentModel, test: NDArray[Any], batch: int) -> pd.DataFrame:
    """Tabulate the normalised absolute covariance of encoded test vectors (Figures 10-13).

    Parameters
    ----------
    model : LatentModel
        The model.
    test : numpy.ndarray
        Stored examples of the test split, (N, H, W, C) or (N, D).
    batch : int
        Examples per forward pass; no number depends on it.

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
