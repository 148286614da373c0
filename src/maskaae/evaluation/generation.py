"""Distances between generated and real examples."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from maskaae.evaluation.examples import to_stored_form
from maskaae.evaluation.features import FeatureExtractor
from maskaae.evaluation.frechet import GaussianStatistics, frechet_distance
from maskaae.evaluation.interface import LatentModel
from maskaae.evaluation.protocol import MaskMode, metric_column
from maskaae.evaluation.sampling import Sampling, sampling_noise
from maskaae.evaluation.seeds import SeedStatistics

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FeatureSpace:
    """A feature space with what the real examples look like in it.

    Attributes
    ----------
    extractor : FeatureExtractor
        Maps stored examples to features.
    reference : GaussianStatistics
        Statistics of the test split.
    """

    extractor: FeatureExtractor
    reference: GaussianStatistics


def generation_metrics(
    model: LatentModel, spaces: Sequence[FeatureSpace], shape: tuple[int, ...], sampling: Sampling
) -> dict[str, list[float]]:
    """Fréchet distances of generated samples to the test split, for the binary and for the soft mask.

    Parameters
    ----------
    model : LatentModel
        The model at one checkpoint.
    spaces : sequence of FeatureSpace
        Where to compare.
    shape : tuple of int
        Shape of one stored example, (H, W, C) or (D,).
    sampling : Sampling
        Samples, batch and seed.

    Returns
    -------
    dict of str to list of float
        A value per seed, by `metric_column`; NaN for a seed that generates NaN or infinite values.
    """
    binary = _distances(model, "binary", spaces, shape, sampling)
    masks_agree = torch.equal(model.mu, model.active.to(model.mu.dtype))  # always so for a WAE
    soft = binary if masks_agree else _distances(model, "soft", spaces, shape, sampling)
    columns = {}
    for name in binary:
        columns[metric_column(name, sampling.samples, "binary")] = binary[name]
        columns[metric_column(name, sampling.samples, "soft")] = soft[name]
    return columns


def _distances(
    model: LatentModel,
    mask: MaskMode,
    spaces: Sequence[FeatureSpace],
    shape: tuple[int, ...],
    sampling: Sampling,
) -> Mapping[str, list[float]]:
    """Fréchet distance of each seed in each feature space; samples are generated once for all spaces."""
    statistics = [SeedStatistics(len(model.seeds), len(space.reference.mean)) for space in spaces]
    for noise in sampling_noise(model, sampling):
        generated = model.generate(noise, mask)  # (seed, batch, D)
        for space, accumulator in zip(spaces, statistics, strict=True):
            accumulator.update(_features(generated, space.extractor, shape))
    return {
        space.extractor.name: [_distance(of_seed, space.reference) for of_seed in accumulator.statistics()]
        for space, accumulator in zip(spaces, statistics, strict=True)
    }


def _features(generated: Tensor, extractor: FeatureExtractor, shape: tuple[int, ...]) -> Tensor:
    """Features (seed, batch, F) of generated data (seed, batch, D)."""
    features = extractor(to_stored_form(generated.flatten(0, 1), shape)).view(*generated.shape[:2], -1)
    # Quantisation makes a valid pixel of a NaN: a diverged sample has to be marked again.
    diverged = ~generated.isfinite().all(dim=2, keepdim=True)  # (seed, batch, 1)
    return features.masked_fill(diverged, torch.nan)


def _distance(generated: GaussianStatistics, reference: GaussianStatistics) -> float:
    if not generated.finite:
        logger.warning("Fréchet distance undefined: generated samples contain NaN or infinite values")
        return float("nan")
    return frechet_distance(generated, reference)
