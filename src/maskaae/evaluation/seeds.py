"""Streaming statistics along the seed axis."""

from __future__ import annotations

from torch import Tensor

from maskaae.evaluation.frechet import GaussianStatistics, StreamingStatistics


class SeedStatistics:
    """Mean and covariance of the vectors of every seed, accumulated batch by batch in float64.

    Parameters
    ----------
    seeds : int
        Length of the seed axis.
    features : int
        Features per vector.
    """

    def __init__(self, seeds: int, features: int) -> None:
        self._of_seed = [StreamingStatistics(features) for _ in range(seeds)]

    def update(self, vectors: Tensor) -> None:
        """Add a batch of vectors, (seed, batch, features)."""
        for statistics, of_seed in zip(self._of_seed, vectors.cpu().numpy(), strict=True):
            statistics.update(of_seed)

    def statistics(self) -> list[GaussianStatistics]:
        """Return the statistics of each seed."""
        return [statistics.statistics() for statistics in self._of_seed]
