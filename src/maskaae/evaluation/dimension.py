"""How many dimensions data have: estimators that need no training, and how far trained models agree.

The estimators (PCA, TwoNN, MLE, local PCA) are written out here, on scikit-learn's neighbours, because
scikit-dimension, which has them, brings a compiler of 190 MB along.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskaae.evaluation.protocol import last

Floats = NDArray[np.float64]

NEARLY = 1
"""Counts at most so far from the most frequent one agree with it (our choice)."""
LARGEST_FACTOR = 4
"""Capacities from n to so many times n are looked at for agreement."""

PCA_SHARE = 0.99
"""Share of the variance that `pca_dimension` explains."""
MLE_NEIGHBOURS = 20
LOCAL_NEIGHBOURS = 100
"""Neighbours of the maximum likelihood and of the local PCA, scikit-dimension's defaults."""
LOCAL_SHARE = 0.05
"""A local component is large from this share of the largest variance on (Fukunaga & Olsen 1971)."""
DISCARDED = 0.1
"""Share of the largest distance ratios that TwoNN leaves out (Facco et al. 2017)."""


def participation_ratio(x: Floats) -> float:
    """Ratio `(sum l)^2 / sum l^2` of the eigenvalues l of the covariance of x (N, D): from 1 to D."""
    variances = principal_variances(x)
    return float(variances.sum() ** 2 / np.square(variances).sum())


def pca_dimension(x: Floats) -> float:
    """Smallest number of principal components that explain 99 % of the variance."""
    explained = np.cumsum(principal_variances(x))
    return float(np.searchsorted(explained, PCA_SHARE * explained[-1]) + 1)


def two_nn(x: Floats) -> float:
    """Estimate from the ratio of the distances to the second and to the first neighbour (Facco et al. 2017).

    The ratio r has the law `F(r) = 1 - r^-d`; d is the slope, through the origin, of `-log(1 - F)` on
    `log r`, without the largest tenth of the ratios. Duplicates in x (N, D) are taken once, since they lie at
    distance zero.
    """
    distances, _ = neighbours(np.unique(x, axis=0), 2)
    return two_nn_of(distances)


def two_nn_of(distances: Floats) -> float:
    """TwoNN's estimate from the distances `(N, >= 2)` to neighbours, nearest first, none of them 0."""
    ratios = np.sort(np.log(distances[:, 1] / distances[:, 0]))
    kept = int(len(ratios) * (1 - DISCARDED))
    exceedance = -np.log1p(-np.arange(1, kept + 1) / len(ratios))
    return float(ratios[:kept] @ exceedance / np.square(ratios[:kept]).sum())


def mle(x: Floats) -> float:
    """Maximum likelihood of the distances to the nearest neighbours (Levina & Bickel 2004).

    The inverses of the examples' estimates are averaged, as the likelihood of all examples together asks
    (MacKay & Ghahramani 2005). Duplicates in x (N, D), more than `MLE_NEIGHBOURS` rows, are taken once.
    """
    distances, _ = neighbours(np.unique(x, axis=0), MLE_NEIGHBOURS)
    return mle_of(distances)


def mle_of(distances: Floats) -> float:
    """MLE's estimate from the distances `(N, k)` to k neighbours, nearest first, none of them 0."""
    inverse = np.log(distances[:, -1:] / distances[:, :-1]).mean(axis=1)  # of each example's dimension
    return float(1 / inverse.mean())


def local_pca(x: Floats) -> float:
    """Mean number of large principal components of neighbourhoods (Fukunaga & Olsen 1971) in x (N, D)."""
    _, places = neighbours(x, LOCAL_NEIGHBOURS)
    return float(np.mean([large_components(x[near]) for near in places]))


def large_components(x: Floats) -> int:
    """Principal components of x (N, D) with at least `LOCAL_SHARE` of the largest one's variance."""
    variances = principal_variances(x)
    return int((variances > LOCAL_SHARE * variances[0]).sum())


def principal_variances(x: Floats) -> Floats:
    """Variances along the principal axes, largest first, `(min(N, D),)`."""
    singular_values = np.linalg.svd(x - x.mean(axis=0), compute_uv=False)
    variances: Floats = np.square(singular_values) / (len(x) - 1)
    return variances


def neighbours(x: Floats, wanted: int) -> tuple[Floats, NDArray[np.int64]]:
    """Distances and places, nearest first, of the neighbours of every example, itself left out.

    ValueError if there are too few different examples.
    """
    from sklearn.neighbors import NearestNeighbors  # here: it takes a second, and figures only need counts

    if len(x) <= wanted:
        raise ValueError(f"{len(x)} different examples; {wanted} neighbours need at least {wanted + 1}")
    distances, places = NearestNeighbors(n_neighbors=wanted).fit(x).kneighbors()
    return distances, places


class Stability(NamedTuple):
    """Agreement of runs on the count of active dimensions.

    Attributes
    ----------
    mode : int
        Most frequent count.
    share : float
        The score: share of the runs whose count is within `NEARLY` of the mode, from 0 to 1.
    low, high : int
        Smallest and largest count.
    runs : int
        Number of runs, seeds times capacities.
    """

    mode: int
    share: float
    low: int
    high: int
    runs: int

    def __str__(self) -> str:
        """Words for a caption."""
        spread = f"{self.low} to {self.high}" if self.high > self.low else f"all {self.low}"
        return f"count {self.mode} ± {NEARLY} in {self.share:.0%} of {self.runs} runs ({spread})"


def stability(counts: Sequence[int]) -> Stability:
    """Score the counts, one a run, of seeds, of capacities that had room for the count, or of both.

    The mode is the most frequent count; of several, that with more runs near it, then the smaller.

    Examples
    --------
    >>> str(stability([8, 8, 9, 12]))
    'count 8 ± 1 in 75% of 4 runs (8 to 12)'
    """
    occurrences = Counter(counts)

    def near(count: int) -> int:
        return sum(occurrences[count + step] for step in range(-NEARLY, NEARLY + 1))

    mode = max(occurrences, key=lambda count: (occurrences[count], near(count), -count))
    return Stability(mode, near(mode) / len(counts), min(counts), max(counts), len(counts))


def count_stability(metrics: pd.DataFrame, n: float | None = None) -> Stability | None:
    """Score MAAE's counts on one data set, at the last checkpoint, over seeds and over m from n to 4 n.

    Where n is None or NaN, the most frequent count of the runs that masked a dimension stands for it. Seeds
    that were lost are left out; a mask that collapsed counts as 0. None if no run has a capacity in that
    range. `metrics` holds a row a seed and checkpoint.
    """
    counts = last(metrics[metrics["model"] == "maae"]).dropna(subset=["active"])
    return stability_over_capacities(counts.rename(columns={"active": "count"}), n)


def stability_over_capacities(counts: pd.DataFrame, n: float | None = None) -> Stability | None:
    """Score counts, a row a run with its `m` and its `count`; see `count_stability`."""
    if n is None or pd.isna(n):
        masked = counts.loc[counts["count"] < counts["m"], "count"]
        if masked.empty:
            return None
        n = stability(masked.astype(int).tolist()).mode
    chosen = counts.loc[counts["m"].between(max(n, 1), LARGEST_FACTOR * max(n, 1)), "count"]
    return None if chosen.empty else stability(chosen.astype(int).tolist())
