"""All estimators of the dimension that are compared with models that count: on neighbours, and FLIPD."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maskaae.evaluation.dimension import Floats, local_pca, mle, participation_ratio, pca_dimension, two_nn
from maskaae.evaluation.flipd import PLAN, FlipdPlan, flipd

ESTIMATORS: Mapping[str, Callable[[Floats], float]] = {
    "participation_ratio": participation_ratio,
    "pca": pca_dimension,
    "two_nn": two_nn,
    "mle": mle,
    "local_pca": local_pca,
}
"""Estimators by their name in `results/tables/dimensions.csv`."""


def estimate(
    train: NDArray[Any], seeds: Iterable[int], examples: int, plan: FlipdPlan = PLAN
) -> pd.DataFrame:
    """Ask every estimator, once a seed, each time of other training examples.

    Parameters
    ----------
    train : ndarray
        Training split, vectors (N, D) or images (N, H, W, C). FLIPD trains a network on all of it.
    seeds : iterable of int
        Each chooses its examples, and what FLIPD draws.
    examples : int
        How many the others see; all where there are fewer.
    plan : FlipdPlan
        Network and training of FLIPD.

    Returns
    -------
    DataFrame
        method, seed, estimate, seconds.
    """
    import sklearn.neighbors  # noqa: F401 (before the clock starts)

    rows = []
    for seed in seeds:
        chosen = np.random.default_rng(seed).permutation(len(train))[:examples]
        x = np.asarray(train[np.sort(chosen)], dtype=np.float64).reshape(len(chosen), -1)
        for method, estimator in ESTIMATORS.items():
            rows.append({"method": method, "seed": seed, **_timed(estimator, x)})
        rows.append(
            {"method": "flipd", "seed": seed, **_timed(flipd, train.reshape(len(train), -1), seed, plan)}
        )
    return pd.DataFrame(rows)


def _timed(estimator: Callable[..., float], *arguments: object) -> dict[str, float]:
    """What an estimator says, and how long it took."""
    started = time.perf_counter()
    value = estimator(*arguments)
    return {"estimate": value, "seconds": round(time.perf_counter() - started, 3)}
