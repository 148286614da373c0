"""Estimators of the intrinsic dimension that need no training: PCA, TwoNN, MLE, local PCA.

They are written out here, on scikit-learn's neighbours, because scikit-dimension, which has them, brings a
compiler of 190 MB along.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

Floats = NDArray[np.float64]

PCA_SHARE = 0.99
"""Share of the variance that `pca_dimension` explains."""
MLE_NEIGHBOURS = 20
LOCAL_NEIGHBOURS = 100
"""Neighbours of the maximum likelihood and of the local PCA, scikit-dimension's defaults."""
LOCAL_SHARE = 0.05
"""A local component counts from this share of the largest variance on (Fukunaga & Olsen 1971)."""
DISCARDED = 0.1
"""Share of the largest distance ratios that TwoNN leaves out (Facco et al. 2017)."""


def participation_ratio(x: Floats) -> float:
    """Participation ratio `(sum l)^2 / sum l^2` of the covariance's eigenvalues l, between 1 and D.

    Parameters
    ----------
    x : ndarray (N, D)
        Examples.
    """
    variances = principal_variances(x)
    return float(variances.sum() ** 2 / np.square(variances).sum())


def pca_dimension(x: Floats) -> float:
    """Smallest number of principal components that explain 99 % of the variance."""
    explained = np.cumsum(principal_variances(x))
    return float(np.searchsorted(explained, PCA_SHARE * explained[-1]) + 1)


def two_nn(x: Floats) -> float:
    """Estimate from the ratio of the distances to the second and to the first neighbour (Facco et al. 2017).

    The ratio r has the law `F(r) = 1 - r^-d`; d is the slope, through the origin, of `-log(1 - F)` on
    `log r`, without the largest tenth of the ratios.

    Parameters
    ----------
    x : ndarray (N, D)
        Examples; duplicates are counted once, since they lie at distance zero.
    """
    distances, _ = _neighbours(np.unique(x, axis=0), 2)
    ratios = np.sort(np.log(distances[:, 1] / distances[:, 0]))
    kept = int(len(ratios) * (1 - DISCARDED))
    exceedance = -np.log1p(-np.arange(1, kept + 1) / len(ratios))
    return float(ratios[:kept] @ exceedance / np.square(ratios[:kept]).sum())


def mle(x: Floats) -> float:
    """Maximum likelihood of the distances to the nearest neighbours (Levina & Bickel 2004).

    The inverses of the examples' estimates are averaged, as the likelihood of all examples together asks
    (MacKay & Ghahramani 2005).

    Parameters
    ----------
    x : ndarray (N, D)
        Examples, more than `MLE_NEIGHBOURS`; duplicates are counted once.
    """
    distances, _ = _neighbours(np.unique(x, axis=0), MLE_NEIGHBOURS)
    inverse = np.log(distances[:, -1:] / distances[:, :-1]).mean(axis=1)  # of each example's dimension
    return float(1 / inverse.mean())


def local_pca(x: Floats) -> float:
    """Mean number of large principal components of neighbourhoods (Fukunaga & Olsen 1971).

    Parameters
    ----------
    x : ndarray (N, D)
        Examples, more than `LOCAL_NEIGHBOURS`.
    """
    _, neighbours = _neighbours(x, LOCAL_NEIGHBOURS)
    counts = [_large_components(x[near]) for near in neighbours]
    return float(np.mean(counts))


def _large_components(x: Floats) -> int:
    variances = principal_variances(x)
    return int((variances > LOCAL_SHARE * variances[0]).sum())


def principal_variances(x: Floats) -> Floats:
    """Variances along the principal axes, largest first, `(min(N, D),)`."""
    singular_values = np.linalg.svd(x - x.mean(axis=0), compute_uv=False)
    variances: Floats = np.square(singular_values) / (len(x) - 1)
    return variances


def _neighbours(x: Floats, count: int) -> tuple[Floats, NDArray[np.int64]]:
    """Distances and places, nearest first, of the neighbours of every example, itself left out.

    Raises
    ------
    ValueError
        If there are too few different examples.
    """
    if len(x) <= count:
        raise ValueError(f"{len(x)} different examples; {count} neighbours need at least {count + 1}")
    distances, places = NearestNeighbors(n_neighbors=count).fit(x).kneighbors()
    return distances, places


ESTIMATORS: Mapping[str, Callable[[Floats], float]] = {
    "participation_ratio": participation_ratio,
    "pca": pca_dimension,
    "two_nn": two_nn,
    "mle": mle,
    "local_pca": local_pca,
}
"""Estimators by their name in `results/tables/dimensions.csv`."""


def estimate(train: NDArray[Any], seeds: Iterable[int], examples: int) -> pd.DataFrame:
    """Ask every estimator, once a seed, each time of other training examples.

    Parameters
    ----------
    train : ndarray
        Training split, vectors (N, D) or images (N, H, W, C).
    seeds : iterable of int
        Each chooses its examples.
    examples : int
        How many; all where there are fewer.

    Returns
    -------
    DataFrame
        method, seed, estimate, seconds.
    """
    rows = []
    for seed in seeds:
        chosen = np.random.default_rng(seed).permutation(len(train))[:examples]
        x = np.asarray(train[np.sort(chosen)], dtype=np.float64).reshape(len(chosen), -1)
        for method, estimator in ESTIMATORS.items():
            started = time.perf_counter()
            value = estimator(x)
            seconds = time.perf_counter() - started
            rows.append({"method": method, "seed": seed, "estimate": value, "seconds": round(seconds, 3)})
    return pd.DataFrame(rows)
