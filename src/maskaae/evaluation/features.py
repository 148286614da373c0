"""Feature spaces in which real and generated examples are compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

import torch
from numpy.typing import NDArray
from torch import Tensor

from maskaae.evaluation.classifier import Classifier, load_classifier
from maskaae.evaluation.examples import batches, to_model_input
from maskaae.evaluation.frechet import GaussianStatistics, StreamingStatistics
from maskaae.evaluation.inception import InceptionFeatures
from maskaae.evaluation.protocol import RAW_LIMIT, too_large_for_raw


class FeatureExtractor(Protocol):
    """Maps stored examples, (N, H, W, C) uint8 or (N, D) float32, to features (N, F) on its own device."""

    @property
    def name(self) -> str:
        """Name of the feature space, as it stands in metric columns and in the config."""

    @property
    def stretches(self) -> tuple[bool, ...]:
        """Whether generated images are measured as they are (False), min-max stretched (True), or both."""

    def __call__(self, examples: Tensor) -> Tensor:
        """Return the features of a batch."""


class RawFeatures:
    """The values themselves: vectors as they are, images flattened and in [0, 1]."""

    name = "raw"
    stretches = (False,)

    def __call__(self, examples: Tensor) -> Tensor:
        """Return the values, (N, D)."""
        return to_model_input(examples)


class ClassifierFeatures:
    """Penultimate layer of the small classifier that was trained on the data set's labels, on its device."""

    name = "classifier"
    stretches = (False,)

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier

    def __call__(self, examples: Tensor) -> Tensor:
        """Return the activations before the last layer, (N, width)."""
        device = self._classifier.head.weight.device
        return self._classifier.penultimate(to_model_input(examples.to(device)))


def load_extractor(
    name: str, weights: Path | str | None, device: torch.device | str = "cpu"
) -> FeatureExtractor:
    """Load the feature extractor `raw`, `classifier` or `inception`; `weights` is its file, where it has any.

    ValueError if there is no such extractor, or its weights are not given.
    """
    if name == RawFeatures.name:
        return RawFeatures()
    loaders: dict[str, Callable[[Path], FeatureExtractor]] = {
        ClassifierFeatures.name: lambda path: ClassifierFeatures(load_classifier(path, device)),
        InceptionFeatures.name: lambda path: InceptionFeatures(path, device),
    }
    if name not in loaders:
        raise ValueError(
            f"features = {name!r}: unknown; choose from {', '.join([RawFeatures.name, *loaders])}"
        )
    if weights is None:
        raise ValueError(f"features = {name!r}: they need a file of weights, none was given")
    return loaders[name](Path(weights))


def extract(examples: NDArray[Any], extractor: FeatureExtractor, batch: int) -> Iterator[Tensor]:
    """Yield features (batch, F) of stored examples, which may be memory-mapped; none depends on the batch."""
    return (extractor(part) for part in batches(examples, batch))


@torch.inference_mode()
def reference_statistics(
    examples: NDArray[Any], extractor: FeatureExtractor, batch: int
) -> GaussianStatistics:
    """Mean and covariance of real examples, stored (N, H, W, C) or (N, D), in a feature space.

    They should be of the *test* split. Memory does not grow with their number, and the result does not depend
    on the batch. ValueError if the features are raw values and too many of them.
    """
    dimension = math.prod(examples.shape[1:])
    if extractor.name == RawFeatures.name and dimension > RAW_LIMIT:
        raise ValueError(too_large_for_raw(dimension))
    parts = extract(examples, extractor, batch)
    first = next(parts)
    statistics = StreamingStatistics(first.shape[1])
    for features in chain([first], parts):
        statistics.update(features.cpu().numpy())
    return statistics.statistics()
