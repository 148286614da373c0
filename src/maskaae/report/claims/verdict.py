"""From an interval over seeds, and bounds, to a verdict."""

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from numpy.typing import ArrayLike
from scipy.special import stdtrit

from maskaae.report.statistics import LEVEL, Interval, t_interval

MOST_SEEDS = 1000
"""More than anyone would train."""


class Verdict(StrEnum):
    """What an interval says about a statement."""

    SUPPORTED = "supported"
    NOT_SUPPORTED = "not supported"
    INCONCLUSIVE = "inconclusive"
    NOT_TESTED = "not tested"


class Bounds(NamedTuple):
    """Where a statistic lies if a statement is true."""

    low: float = -math.inf
    high: float = math.inf


def verdict(interval: Interval, bounds: Bounds) -> Verdict:
    """Supported if all of the interval is within the bounds, not supported if none, else inconclusive."""
    if math.isnan(interval.low):
        return Verdict.INCONCLUSIVE
    if bounds.low <= interval.low and interval.high <= bounds.high:
        return Verdict.SUPPORTED
    if interval.high < bounds.low or interval.low > bounds.high:
        return Verdict.NOT_SUPPORTED
    return Verdict.INCONCLUSIVE


def slack(interval: Interval, bounds: Bounds) -> float:
    """Distance of an interval's nearer end from its bound, negative where it is beyond it."""
    if math.isnan(interval.low):
        return -math.inf
    return min(interval.low - bounds.low, bounds.high - interval.high)


WORST_FIRST = (Verdict.NOT_SUPPORTED, Verdict.INCONCLUSIVE, Verdict.SUPPORTED)


def together(verdicts: list[Verdict]) -> Verdict:
    """Verdict on several statements at once: the worst; supported only if every one of them was tested."""
    tested = [one for one in verdicts if one is not Verdict.NOT_TESTED]
    if not tested:
        return Verdict.NOT_TESTED
    worst = min(tested, key=WORST_FIRST.index)
    partly = worst is Verdict.SUPPORTED and len(tested) < len(verdicts)
    return Verdict.INCONCLUSIVE if partly else worst


class Outlook(NamedTuple):
    """What an inconclusive statement would come to with more seeds, if means and spreads stayed as they are.

    Attributes
    ----------
    leans : Verdict, optional
        The verdict that would come; none if there is one already, or no interval to judge by.
    seeds : float
        Seeds, at least, with which it comes: NaN where nothing is open, infinite from `MOST_SEEDS` on.
    """

    leans: Verdict | None = None
    seeds: float = math.nan


def seeds_to_decide(interval: Interval, bounds: Bounds, level: float) -> float:
    """Seeds whose t-interval would no longer span a bound, its mean and spread being those of an interval.

    Infinite if it takes `MOST_SEEDS` or more.
    """
    distance = min(abs(interval.estimate - bound) for bound in bounds)
    spread = (
        (interval.high - interval.estimate) * math.sqrt(interval.seeds) / _quantile(interval.seeds, level)
    )
    enough = (
        count
        for count in range(interval.seeds + 1, MOST_SEEDS)
        if _quantile(count, level) * spread / math.sqrt(count) <= distance
    )
    return next(enough, math.inf)


def _quantile(seeds: int, level: float) -> float:
    return float(stdtrit(seeds - 1, (1 + level) / 2))  # of Student's t


def outlook(intervals: list[Interval], bounds: Bounds, level: float) -> Outlook:
    """Look ahead for a statement that must hold at several places, with an interval at each.

    Where a mean lies outside the bounds one such place is enough to refuse the statement; otherwise all that
    are open must be decided.
    """
    open_ = [one for one in intervals if verdict(one, bounds) is Verdict.INCONCLUSIVE]
    if any(math.isnan(one.low) for one in open_) or not open_:
        return Outlook()
    outside = [one for one in open_ if not bounds.low <= one.estimate <= bounds.high]
    if outside:
        return Outlook(Verdict.NOT_SUPPORTED, min(seeds_to_decide(one, bounds, level) for one in outside))
    return Outlook(Verdict.SUPPORTED, max(seeds_to_decide(one, bounds, level) for one in open_))


class Decisive(NamedTuple):
    """The place, of several at which a statement must hold, that decides, and the verdict for all of them."""

    where: str
    interval: Interval
    verdict: Verdict
    outlook: Outlook


def at_every(values: Mapping[str, ArrayLike], bounds: Bounds) -> Decisive:
    """Judge a statement that must hold at several places, say at every capacity.

    Each place gets an interval of level `1 - 0.05 / places` (Bonferroni), so that the verdict, either way, is
    wrong in at most 5 % of cases. `values` are those over seeds at each place, at least one.
    """
    level = 1 - (1 - LEVEL) / len(values)
    judged = [(name, t_interval(of_seeds, level)) for name, of_seeds in values.items()]
    where, interval = min(
        judged, key=lambda one: (WORST_FIRST.index(verdict(one[1], bounds)), slack(one[1], bounds))
    )
    found = verdict(interval, bounds)
    ahead = outlook([one for _, one in judged], bounds, level) if found is Verdict.INCONCLUSIVE else Outlook()
    return Decisive(where, interval, found, ahead)
