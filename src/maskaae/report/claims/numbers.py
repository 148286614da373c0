"""The numbers beside the verdicts: MAAE's counts next to n, its distances next to the best of WAE's."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from maskaae.evaluation.counts import NEARLY
from maskaae.evaluation.protocol import COUNT_RANGE, last
from maskaae.report.claims.measured import Measured, best_capacity, capacities
from maskaae.report.claims.verdict import t_interval


class Accuracy(NamedTuple):
    """How near to n the counts of several runs are.

    Attributes
    ----------
    runs : int
        Runs (seeds times capacities, over all data sets that are looked at).
    exact, nearly : float
        Shares of runs off by 0, and by at most `NEARLY`.
    furthest : int
        The largest error of a run.
    """

    runs: int
    exact: float
    nearly: float
    furthest: int


def counts(measured: Measured) -> pd.DataFrame:
    """Every count of MAAE at capacities from n on, with the true dimension.

    Returns
    -------
    DataFrame
        dataset, n, m, seed, active, and where it was measured active_low and active_high (see
        `maskaae.evaluation.evaluate`): at the last checkpoint; lost seeds have no row.
    """
    metrics = measured.metrics
    ranges = [name for name in COUNT_RANGE if name in metrics]
    columns = ["dataset", "n", "m", "seed", "active", *ranges]
    at_end = last(metrics[metrics["model"] == "maae"]).dropna(subset=["active"])
    tables = [
        at_end[(at_end["dataset"] == dataset) & (at_end["m"] >= n)].assign(n=n).sort_values(["m", "seed"])
        for dataset, n in measured.known.items()
    ]
    found = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)
    return found[columns].astype({"m": int, "active": int})


def accuracy(found: pd.DataFrame) -> Accuracy:
    """Shares of runs whose count is right, and nearly so.

    Parameters
    ----------
    found : DataFrame
        From `counts`, or some of its rows; not empty.
    """
    error = (found["active"] - found["n"]).abs()
    return Accuracy(
        runs=len(error),
        exact=float((error == 0).mean()),
        nearly=float((error <= NEARLY).mean()),
        furthest=int(error.max()),
    )


def relative_distances(measured: Measured) -> pd.DataFrame:
    """MAAE's distance at every capacity, from n on where n is known, over WAE's at WAE's best capacity.

    Each capacity stands for itself: intervals are not corrected for their number; those of statement b2 are.

    Returns
    -------
    DataFrame
        dataset, m, wae_m (WAE's best capacity), ratio (geometric mean over seeds, paired), low, high (95 %
        t-interval of its logarithm; NaN from fewer than two seeds), seeds. Data sets that lack either model
        have no row.
    """
    rows = []
    for dataset in (*measured.known, *measured.images):
        maae, wae = measured.at_end(dataset, "maae"), measured.at_end(dataset, "wae")
        if maae.empty or wae.empty:
            continue
        best = best_capacity(wae)
        for m in [m for m in capacities(maae) if m >= measured.known.get(dataset, 0)]:
            estimate, low, high, seeds = t_interval(np.log(maae[m] / wae[best]))
            rows.append((dataset, m, best, math.exp(estimate), math.exp(low), math.exp(high), seeds))
    return pd.DataFrame(rows, columns=["dataset", "m", "wae_m", "ratio", "low", "high", "seeds"])
