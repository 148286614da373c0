"""Stability score: how far seeds and capacities agree on the count of active dimensions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from maskaae.evaluation.protocol import last

NEARLY = 1
"""Counts at most so far from the most frequent one agree with it (our choice)."""
WEIGHT_RANGE = 4.0
"""A count is firm if the reconstruction may weigh so many times less or more (our choice)."""
LARGEST_FACTOR = 4
"""Capacities from n to so many times n are looked at."""


class Stability(NamedTuple):
    """Agreement of runs on the count.

    Attributes
    ----------
    mode : int
        The most frequent count.
    share : float
        The score: share of the runs whose count is the mode or `NEARLY` so, from 0 to 1.
    low, high : int
        Smallest and largest count.
    runs : int
        Runs (seeds times capacities).
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
    """Score the counts of several runs.

    The mode is the most frequent count; of several, the one with more runs near it, then the smaller.

    Parameters
    ----------
    counts : sequence of int
        One a run: of seeds, of capacities that had room for the count, or both; not empty.

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

    Where n is not known, the most frequent count of the runs that masked a dimension stands for it. Seeds
    that were lost are left out; a mask that collapsed counts as 0.

    Parameters
    ----------
    metrics : DataFrame
        Runs of one data set, a row a seed and checkpoint.
    n : float, optional
        True latent dimension; None or NaN: unknown.

    Returns
    -------
    Stability or None
        None if no run has a capacity in that range.
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
