"""Feature spaces in which real and generated examples are compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import torch
from numpy.typing import NDArray
from torch import Tensor

from maskaae.evaluation.classifier import Classifier, load_classifier
from maskaae.evaluation.examples import batches, to_model_input
from maskaae.evaluation.frechet import GaussianStatistics, StreamingStatistics


class FeatureExtractor(Protocol):
    """Maps stored examples, (N, H, W, C) uint8 or (N, D) float32, to features (N, F) on the same device."""

    @property
    def name(self) -> str:
        """Name of the feature space, as it stands in metric columns and in the config."""

    def __call__(self, examples: Tensor) -> Tensor:
        """Return the features of a batch."""


class RawFeatures:
    """The values themselves: vectors as they are, images flattened and in [0, 1]."""

    name = "raw"

    def __call__(self, examples: Tensor) -> Tensor:
        """Return the values, (N, D)."""
        return to_model_input(examples)


class ClassifierFeatures:
    """Penultimate layer of the small classifier that was trained on the data set's labels.

    Parameters
    ----------
    classifier : Classifier
        A trained classifier, on the device of the examples.
    """

    name = "classifier"

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier

    def __call__(self, examples: Tensor) -> Tensor:
        """Return the activations before the last layer, (N, width)."""
        return self._classifier.penultimate(to_model_input(examples))


def load_extractor(
    name: str, weights: Path | str | None, device: torch.device | str = "cpu"
) -> FeatureExtractor:
    """Load a feature extractor by name.

    Parameters
    ----------
    name : str
        `raw` or `classifier`.
    weights : path, optional
        File of the extractor's weights, where it has any.
    device : torch.device or str
        Where it shall run.

    Returns
    -------
    FeatureExtractor

    Raises
    ------
    ValueError
        If there is no such extractor, or its weights are not given.
    """
    if name == RawFeatures.name:
        return RawFeatures()
    loaders = {ClassifierFeatures.name: lambda path: ClassifierFeatures(load_classifier(path, device))}
    if name not in loaders:
        raise ValueError(
            f"features = {name!r}: unknown; choose from {', '.join([RawFeatures.name, *loaders])}"
        )
    if weights is None:
        raise ValueError(f"features = {name!r}: they need a file of weights, none was given")
    return loaders[name](Path(weights))


@torch.inference_mode()
def reference_statistics(
    examples: NDArray[Any], extractor: FeatureExtractor, *, batch: int, device: torch.device | str = "cpu"
) -> GaussianStatistics:
    """Mean and covariance of real examples in a feature space.

    Parameters
    ----------
    examples : numpy.ndarray
        Stored examples of the *test* split, (N, H, W, C) or (N, D).
    extractor : FeatureExtractor
        The feature space.
    batch : int
        Examples per forward pass; the result does not depend on it.
    device : torch.device or str
        Where the features are computed.

    Returns
    -------
    GaussianStatistics
        In float64.
    """
    width = extractor(next(batches(examples, 1, device))).shape[1]
    statistics = StreamingStatistics(width)
    for part in batches(examples, batch, device):
        statistics.update(extractor(part).cpu().numpy())
    return statistics.statistics()
