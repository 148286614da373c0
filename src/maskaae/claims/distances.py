"""How far MAAE's samples are from the data, next to the best that WAE reaches at any capacity."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from maskaae.claims.measured import Measured, best_capacity, capacities
from maskaae.claims.verdict import t_interval


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
