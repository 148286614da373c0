"""How far generated examples are from real ones: Fréchet distance, KID, precision and recall."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from maskaae.evaluation.examples import Sampling, sampling_noise, stretch, to_stored_form
from maskaae.evaluation.features import FeatureExtractor
from maskaae.evaluation.frechet import GaussianStatistics, SeedStatistics, frechet_distance
from maskaae.evaluation.protocol import MaskMode, Measure, metric_column
from maskaae.models.base import LatentModel

logger = logging.getLogger(__name__)

KID_SUBSET = 1000
"""Vectors per subset of KID, torch-fidelity's default; all of them where there are fewer."""

KID_SUBSETS = 100
"""Random subsets of KID, at most: torch-fidelity's default."""

KID_DRAWS = 5
"""KID has subsets enough to draw every generated vector so often on average; with more, the mean over subsets
hardly moves (our choice)."""

NeighbourhoodMeasure = Literal["kid", "precision", "recall"]


@dataclass(frozen=True)
class FeatureSpace:
    """A feature space with what the real examples look like in it.

    Attributes
    ----------
    reference : GaussianStatistics
        Statistics of the test split.
    real : Tensor or None
        Features (N, F) of the test split, if KID, precision and recall are wanted: those need all features of
        the generated samples too, so that memory grows with their number.
    training : GaussianStatistics or None
        Statistics of the training split, if the distance to it is wanted too.
    """

    extractor: FeatureExtractor
    reference: GaussianStatistics
    real: Tensor | None = None
    training: GaussianStatistics | None = None


class Quantity(NamedTuple):
    """What is measured, whatever the mask."""

    features: str
    stretched: bool
    measure: Measure

    def column(self, samples: int, mask: MaskMode) -> str:
        """Name of its column, for one mask."""
        return metric_column(self.features, samples, mask, stretched=self.stretched, measure=self.measure)


def generation_metrics(
    model: LatentModel, spaces: Sequence[FeatureSpace], shape: tuple[int, ...], sampling: Sampling
) -> dict[str, list[float]]:
    """Compare generated samples with the test split, for the binary and for the soft mask.

    `shape` is that of one stored example, (H, W, C) or (D,). The result holds a value per seed by
    `metric_column`; NaN for a seed that generates NaN or infinite values.
    """
    binary = measure(prior_samples(model, "binary", sampling), spaces, shape, sampling.seed)
    # A model without a mask has ones for both.
    masks_agree = torch.equal(model.inference_mask("soft"), model.inference_mask("binary"))
    soft = binary
    if not masks_agree:
        soft = measure(prior_samples(model, "soft", sampling), spaces, shape, sampling.seed)
    columns = {}
    for quantity in binary:
        columns[quantity.column(sampling.samples, "binary")] = binary[quantity]
        columns[quantity.column(sampling.samples, "soft")] = soft[quantity]
    return columns


def prior_samples(model: LatentModel, mask: MaskMode, sampling: Sampling) -> Iterator[Tensor]:
    """Yield data (seed, batch, D) that a model generates of its prior, or of what it has in its place."""
    return (model.generate(noise, mask) for noise in sampling_noise(model, sampling))


def measure(
    samples: Iterable[Tensor], spaces: Sequence[FeatureSpace], shape: tuple[int, ...], seed: int
) -> dict[Quantity, list[float]]:
    """Measure generated data (seed, batch, D), which are gone through once for all feature spaces.

    `shape` is that of one stored example. The result holds a value per seed; NaN for a seed whose data are
    not finite. KID's random subsets come from `seed`.
    """
    views = [(space, stretched) for space in spaces for stretched in space.extractor.stretches]
    remaining = iter(samples)
    first = next(remaining)
    comparisons = [_Comparison(space, stretched, len(first)) for space, stretched in views]
    for generated in chain([first], remaining):
        for comparison in comparisons:
            comparison.add(generated, shape)
    return {
        quantity: values
        for comparison in comparisons
        for quantity, values in comparison.measure(seed).items()
    }


class _Comparison:
    """Collects generated samples of every seed in one feature space, plain or stretched."""

    def __init__(self, space: FeatureSpace, stretched: bool, seeds: int) -> None:
        self._space = space
        self._stretched = stretched
        self._statistics = SeedStatistics(seeds, len(space.reference.mean))
        self._kept: list[Tensor] = []

    def add(self, generated: Tensor, shape: tuple[int, ...]) -> None:
        """Add generated data (seed, batch, D)."""
        x = generated.flatten(0, 1)
        examples = to_stored_form(stretch(x) if self._stretched else x, shape)
        features = self._space.extractor(examples).view(*generated.shape[:2], -1)
        # Quantisation makes a valid pixel of a NaN: such a sample has to be marked again.
        broken = ~generated.isfinite().all(dim=2, keepdim=True)  # (seed, batch, 1)
        features = features.masked_fill(broken, torch.nan)
        self._statistics.update(features)
        if self._keeps_features:
            self._kept.append(features)

    def measure(self, seed: int) -> dict[Quantity, list[float]]:
        """Return a value per seed of everything that is measured here."""
        generated = self._statistics.statistics()
        references: dict[Measure, GaussianStatistics | None] = {
            "frechet": self._space.reference,
            "frechet_train": self._space.training,
        }
        return {
            self._quantity(name): [_distance(of_seed, reference) for of_seed in generated]
            for name, reference in references.items()
            if reference is not None
        } | self._neighbourhood(seed)

    def _neighbourhood(self, seed: int) -> dict[Quantity, list[float]]:
        real = self._space.real
        if real is None or not self._keeps_features:
            return {}
        measured = [
            neighbourhood_measures(of_seed, real, seed=seed) for of_seed in torch.cat(self._kept, dim=1)
        ]
        return {self._quantity(name): [values[name] for values in measured] for name in measured[0]}

    @property
    def _keeps_features(self) -> bool:
        return self._space.real is not None and not self._stretched

    def _quantity(self, measure: Measure) -> Quantity:
        return Quantity(self._space.extractor.name, self._stretched, measure)


def _distance(generated: GaussianStatistics, reference: GaussianStatistics) -> float:
    if not generated.finite:
        logger.warning("Fréchet distance undefined: generated samples contain NaN or infinite values")
        return float("nan")
    return frechet_distance(generated, reference)


def neighbourhood_measures(
    generated: Tensor, real: Tensor, *, seed: int
) -> dict[NeighbourhoodMeasure, float]:
    """Kernel distance, precision and recall of generated against real features, by torch-fidelity.

    Parameters
    ----------
    generated, real : Tensor
        Features (N, F) and (K, F), float32; the real ones of the test split.
    seed : int
        Seed of KID's random subsets.

    Returns
    -------
    dict of str to float
        `kid`: mean over random subsets (`kid_subsets`) of the unbiased squared MMD with the cubic kernel
        (Binkowski et al. 2018); `precision` and `recall`: shares in [0, 1] by balls of the third neighbour
        (Kynkäänniemi et al. 2019), against as many real examples as were generated, if there are so many,
        spread evenly over the split. All NaN if a generated feature is not finite.
    """
    # Imported here: it takes many seconds, since torchvision comes with it.
    from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, kid_features_to_metric
    from torch_fidelity.metric_prc import KEY_METRIC_PRECISION, KEY_METRIC_RECALL, prc_features_to_metric

    if not generated.isfinite().all():
        return {"kid": math.nan, "precision": math.nan, "recall": math.nan}
    subset = min(KID_SUBSET, len(generated), len(real))
    kid = kid_features_to_metric(
        generated,
        real,
        kid_subsets=kid_subsets(len(generated), subset),
        kid_subset_size=subset,
        rng_seed=seed,
        verbose=False,
    )
    as_many = spread_evenly(real, len(generated)).to(generated.device)
    prc = prc_features_to_metric(generated, as_many, save_cpu_ram=True, verbose=False)
    return {
        "kid": kid[KEY_METRIC_KID_MEAN],
        "precision": prc[KEY_METRIC_PRECISION],
        "recall": prc[KEY_METRIC_RECALL],
    }


def spread_evenly(vectors: Tensor, most: int) -> Tensor:
    """At most so many of the vectors (N, F), spread evenly, in their order; all where N is less."""
    count = min(most, len(vectors))
    return vectors[torch.arange(count) * len(vectors) // count]


def kid_subsets(generated: int, subset: int) -> int:
    """Number of random subsets of KID for so many generated vectors."""
    return min(KID_SUBSETS, math.ceil(KID_DRAWS * generated / subset))
