"""Every model sampled twice: from its prior, and from a mixture of Gaussians fitted to its codes.

An auto-encoder needs no prior to be sampled: a density fitted afterwards to codes of training examples will
do (Ghosh et al., 2020, section 4), and any model may have one. One rule for all of them lets a table show the
model and not its sampler; it is our choice but for the family.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from maskaae.data.dataset import Dataset
from maskaae.evaluation.encoding import encode_all
from maskaae.evaluation.examples import Sampling
from maskaae.evaluation.features import FeatureExtractor, extract, reference_statistics
from maskaae.evaluation.frechet import GaussianStatistics
from maskaae.evaluation.generation import FeatureSpace, measure, prior_samples
from maskaae.evaluation.protocol import Sampler, explain_undefined
from maskaae.models.base import LatentModel
from maskaae.randomness import stream_seed

if TYPE_CHECKING:
    from sklearn.mixture import GaussianMixture

logger = logging.getLogger(__name__)

EXAMPLES = 12_500
"""Training examples, at most, whose codes are used, evenly spread over the training split."""

HELD_OUT = 5
"""Every fifth of these codes only chooses the number of components."""

COMPONENTS = (1, 5, 10, 20)
"""Numbers of components that are tried; RAE's published one is 10."""

ITERATIONS = 200
"""Limit on the steps of expectation maximisation."""


@dataclass(frozen=True)
class LatentMixture:
    """Law of the codes of one seed: a mixture in the open dimensions, in units of their deviations.

    Attributes
    ----------
    varying : numpy.ndarray
        Dimensions that the mask leaves open and in which codes differ, booleans (m,).
    centre, deviation : numpy.ndarray
        Mean and standard deviation of the codes, each (m,).
    mixture : GaussianMixture or None
        Of the standardised codes in the varying dimensions; None without any.
    """

    varying: NDArray[np.bool_]
    centre: NDArray[np.float64]
    deviation: NDArray[np.float64]
    mixture: GaussianMixture | None

    @property
    def components(self) -> int:
        """Number of components that the held-out codes chose; 0 without a varying dimension."""
        return self.mixture.n_components if self.mixture else 0

    def sample(self, size: int, seed: int) -> NDArray[np.float32]:
        """Codes (size, m); `seed` alone decides them."""
        codes = np.tile(self.centre, (size, 1))
        if self.mixture is not None:
            self.mixture.random_state = seed
            drawn = self.mixture.sample(size)[0]  # ordered by component
            shuffled = np.random.default_rng(seed).permutation(drawn)
            codes[:, self.varying] += shuffled * self.deviation[self.varying]
        return codes.astype(np.float32)


def fit_mixture(codes: NDArray[Any], is_open: NDArray[np.bool_], seed: int) -> LatentMixture:
    """Fit a mixture with full covariances to the codes (N, m) of one seed, in its open dimensions (m,).

    Of the numbers in `COMPONENTS` the one is taken under which the held-out codes are most likely.
    """
    codes = codes.astype(np.float64)
    centre, deviation = codes.mean(axis=0), codes.std(axis=0)
    varying = is_open & (deviation > 0)
    if not varying.any():
        return LatentMixture(varying, centre, deviation, None)
    standard = (codes[:, varying] - centre[varying]) / deviation[varying]
    held_out = np.arange(len(codes)) % HELD_OUT == 0
    fits = [_fit(standard[~held_out], number, seed) for number in COMPONENTS if number <= len(codes) // 10]
    likelihoods = [fit.score(standard[held_out]) for fit in fits]
    chosen = fits[int(np.argmax(likelihoods))]
    logger.info(
        "mixture of %d Gaussians in %d dimensions; mean log-likelihood of held-out codes, by components: %s",
        chosen.n_components,
        varying.sum(),
        {fit.n_components: round(score, 3) for fit, score in zip(fits, likelihoods, strict=True)},
    )
    return LatentMixture(varying, centre, deviation, chosen)


def _fit(codes: NDArray[np.float64], components: int, seed: int) -> GaussianMixture:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a number that does not settle may still be best
        return GaussianMixture(components, max_iter=ITERATIONS, random_state=seed).fit(codes)


def spread(train: NDArray[Any]) -> NDArray[Any]:
    """At most `EXAMPLES` training examples, spread evenly over the split, in its order."""
    rows = np.linspace(0, len(train), min(EXAMPLES, len(train)), endpoint=False).astype(int)
    chosen: NDArray[Any] = train[rows]
    return chosen


def fit_mixtures(model: LatentModel, examples: NDArray[Any], batch: int) -> list[LatentMixture | None]:
    """Fit a mixture for every seed of a model to codes of training examples; None where not finite."""
    parts = [codes.cpu().numpy() for _, codes in encode_all(model, examples, batch)]
    codes = np.concatenate(parts, axis=1)  # (seed, example, m)
    is_open = (model.inference_mask("binary") > 0).cpu().numpy()
    return [
        fit_mixture(of_seed, opened, _numpy_seed(seed, "mixture")) if np.isfinite(of_seed).all() else None
        for seed, of_seed, opened in zip(model.seeds, codes, is_open, strict=True)
    ]


def _numpy_seed(seed: int, purpose: str) -> int:
    """Seed of a stream, of the length that scikit-learn takes."""
    return stream_seed(seed, purpose) % 2**32


def mixture_samples(
    model: LatentModel, mixtures: list[LatentMixture | None], sampling: Sampling
) -> Iterator[Tensor]:
    """Yield data (seed, batch, D) decoded from codes of the mixtures; NaN for a seed that has none."""
    size = sampling.samples
    nothing = np.full((size, model.m), np.nan, np.float32)
    drawn = [
        nothing if mixture is None else mixture.sample(size, _numpy_seed(seed, f"codes {sampling.seed}"))
        for seed, mixture in zip(model.seeds, mixtures, strict=True)
    ]
    codes = torch.from_numpy(np.stack(drawn)).to(model.mu.device)  # (seed, sample, m)
    for start in range(0, size, sampling.batch):
        yield model.decode_through_mask(codes[:, start : start + sampling.batch])


@torch.inference_mode()
def compare_samplers(
    model: LatentModel,
    dataset: Dataset,
    extractor: FeatureExtractor,
    reference: GaussianStatistics,
    sampling: Sampling,
) -> pd.DataFrame:
    """Measure samples of a model from its prior, and from the mixture fitted to its codes.

    Parameters
    ----------
    dataset : Dataset
        Its training split is for codes and the distance `frechet_train`, its test split for all else.
    extractor : FeatureExtractor
        Feature space of all measures.
    reference : GaussianStatistics
        Statistics of the test split in it.

    Returns
    -------
    pandas.DataFrame
        A row per seed and sampler (`prior`, `mixture`): m, seed, sampler, components (of the mixture; 0 for
        the prior), active, and a column a measure (`metric_column`). NaN, with the reason in `undefined`,
        where a seed was lost or its samples are not finite.
    """
    examples = spread(dataset.train)
    mixtures = fit_mixtures(model, examples, sampling.batch)
    space = FeatureSpace(
        extractor,
        reference,
        real=torch.cat(list(extract(dataset.test, extractor, sampling.batch))),
        training=reference_statistics(examples, extractor, sampling.batch),
    )
    samples = {
        "prior": prior_samples(model, "binary", sampling),
        "mixture": mixture_samples(model, mixtures, sampling),
    }
    numbers = {"prior": [0] * len(mixtures), "mixture": [fit.components if fit else 0 for fit in mixtures]}
    tables = []
    for sampler in get_args(Sampler):
        measured = measure(samples[sampler], [space], dataset.info.shape, sampling.seed)
        columns = {
            quantity.column(sampling.samples, "binary"): values for quantity, values in measured.items()
        }
        keys = {"m": model.m, "seed": list(model.seeds), "sampler": sampler, "components": numbers[sampler]}
        table = pd.DataFrame({**keys, "active": model.active.sum(dim=1).tolist(), **columns})
        tables.append(explain_undefined(table, model.lost))
    return pd.concat(tables, ignore_index=True)
