"""Mean over seeds, and the interval that so few of them can carry."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import stdtrit

LEVEL = 0.95

Kind = Literal["t95", "range", "single", "none"]


class SeedInterval(NamedTuple):
    """Mean over seeds with its interval; what is undefined is NaN.

    Attributes
    ----------
    mean, low, high : float
        In the unit of the values.
    seeds : int
        Number of seeds that have a value.
    kind : {"t95", "range", "single", "none"}
        What ``low`` and ``high`` are.
    """

    mean: float
    low: float
    high: float
    seeds: int
    kind: Kind


def seed_interval(values: ArrayLike) -> SeedInterval:
    """Mean over seeds and its interval.

    From three seeds on, the 95 % t-interval of the mean. For two it would be 13 times as wide as the seeds
    lie apart, so they get their range; one seed gets no interval (our choice).

    Parameters
    ----------
    values : array_like, shape (seed,)
        One value a seed; NaN where it is undefined, and then left out.
    """
    defined = np.asarray(values, dtype=np.float64)
    defined = defined[~np.isnan(defined)]
    count = len(defined)
    if count == 0:
        return SeedInterval(np.nan, np.nan, np.nan, 0, "none")
    mean = float(defined.mean())
    if count == 1:
        return SeedInterval(mean, np.nan, np.nan, 1, "single")
    if count == 2:
        return SeedInterval(mean, float(defined.min()), float(defined.max()), 2, "range")
    half = float(stdtrit(count - 1, (1 + LEVEL) / 2) * defined.std(ddof=1) / np.sqrt(count))  # t quantile
    return SeedInterval(mean, mean - half, mean + half, count, "t95")


def over_seeds(frame: pd.DataFrame, by: Sequence[str], value: str = "value") -> pd.DataFrame:
    """Add mean, low, high, seeds and kind of each group to all of its rows.

    Parameters
    ----------
    frame : DataFrame
        One row a group and seed.
    by : sequence of str
        Columns that name a group.
    value : str
        The column to summarise.
    """
    groups = frame.groupby(list(by), sort=False, dropna=False)[value]
    group = groups.ngroup()
    summary = pd.DataFrame(
        [seed_interval(values) for _, values in groups], columns=list(SeedInterval._fields)
    )
    return frame.assign(**{name: group.map(summary[name]) for name in SeedInterval._fields})


def interval_label(frame: pd.DataFrame) -> str:
    """Words for what the intervals of a figure are, from the ``kind`` and ``seeds`` that it was drawn with.

    Where a seed's value is undefined the interval rests on fewer seeds, which the words add.
    """
    drawn = frame[frame["kind"] != "none"]
    if drawn.empty:
        return "no value"
    most = drawn["seeds"].max()
    words = {
        "t95": f"95 % interval of the mean, {most} seeds",
        "range": "range of 2 seeds",
        "single": "one seed, no interval",
    }
    label = words[drawn.loc[drawn["seeds"] == most, "kind"].iloc[0]]
    return label if drawn["seeds"].min() == most else f"{label} (some points fewer)"
