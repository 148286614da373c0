"""Verdicts on constructed intervals, and the interval itself by hand."""

import math

import numpy as np
import pytest

from maskaae.report.claims.verdict import Bounds, Verdict, at_every, together, verdict
from maskaae.report.statistics import Interval, t_interval

ABOVE_ONE, NEAR_ONE = Bounds(1.0), Bounds(0.95, 1.05)


@pytest.mark.parametrize(
    ("low", "high", "bounds", "expected"),
    [
        (1.1, 1.3, ABOVE_ONE, Verdict.SUPPORTED),
        (0.9, 1.3, ABOVE_ONE, Verdict.INCONCLUSIVE),
        (0.7, 0.9, ABOVE_ONE, Verdict.NOT_SUPPORTED),
        (0.97, 1.02, NEAR_ONE, Verdict.SUPPORTED),
        (0.97, 1.2, NEAR_ONE, Verdict.INCONCLUSIVE),
        (0.5, 2.0, NEAR_ONE, Verdict.INCONCLUSIVE),
        (1.06, 1.2, NEAR_ONE, Verdict.NOT_SUPPORTED),
        (math.nan, math.nan, ABOVE_ONE, Verdict.INCONCLUSIVE),
    ],
)
def test_verdict_is_where_the_interval_lies(low, high, bounds, expected):
    assert verdict(Interval((low + high) / 2, low, high, 5), bounds) is expected


def test_t_interval_by_hand():
    """Of 1, 2, 3: standard error 1 / sqrt(3), t(0.975, 2) = 4.3027."""
    interval = t_interval([1.0, 2.0, np.nan, 3.0])
    assert interval.seeds == 3
    assert interval.estimate == pytest.approx(2)
    assert interval.high - 2 == pytest.approx(4.3027 / math.sqrt(3), rel=1e-4)


def test_two_seeds_give_a_wide_interval_and_one_none():
    two = t_interval([1.0, 2.0])
    assert two.high - two.estimate == pytest.approx(12.706 * 0.5, rel=1e-4)
    assert math.isnan(t_interval([1.0]).low)
    assert t_interval([]).seeds == 0


def test_t_interval_covers_the_mean_as_often_as_it_says():
    random = np.random.default_rng(0)
    intervals = [t_interval(random.standard_normal(5)) for _ in range(2000)]
    covered = np.mean([interval.low <= 0 <= interval.high for interval in intervals])
    assert covered == pytest.approx(0.95, abs=0.015)


def test_the_place_that_fails_decides_over_those_that_hold():
    values = {"m = 4": [2.0, 2.1, 1.9], "m = 8": [0.5, 0.51, 0.52], "m = 16": [1.5, 1.4, 1.6]}
    decisive = at_every(values, ABOVE_ONE)
    assert (decisive.where, decisive.verdict) == ("m = 8", Verdict.NOT_SUPPORTED)


def test_among_places_that_hold_the_nearest_to_the_bound_is_shown():
    values = {"m = 4": [2.0, 2.01, 1.99], "m = 16": [1.5, 1.51, 1.49]}
    decisive = at_every(values, ABOVE_ONE)
    assert (decisive.where, decisive.verdict) == ("m = 16", Verdict.SUPPORTED)


def test_intervals_are_wider_where_more_places_must_hold():
    values = [1.0, 2.0, 3.0]
    alone = at_every({"a": values}, ABOVE_ONE).interval
    among = at_every({"a": values, "b": values, "c": values, "d": values}, ABOVE_ONE).interval
    assert among == t_interval(values, 1 - 0.05 / 4)
    assert among.high > alone.high


def test_several_statements_are_supported_only_if_all_are():
    good, bad, open_, none = (
        Verdict.SUPPORTED,
        Verdict.NOT_SUPPORTED,
        Verdict.INCONCLUSIVE,
        Verdict.NOT_TESTED,
    )
    assert together([good, open_, none]) is open_
    assert together([good, open_, bad]) is bad
    assert together([good, good]) is good
    assert together([good, none]) is open_
    assert together([bad, none]) is bad
    assert together([none, none]) is none


def test_seeds_that_would_decide_are_the_first_whose_interval_keeps_the_bound():
    """Of spread 1 and mean 1: half an interval of 6 seeds is 2.571 / sqrt(6) = 1.05, of 7 seeds 0.925."""
    values = np.array([0.0, 1.0, 2.0])
    assert t_interval(values).high - 1 == pytest.approx(4.3027 / math.sqrt(3), rel=1e-4)
    decisive = at_every({"m = 4": values}, Bounds(0.0))
    assert decisive.outlook == (Verdict.SUPPORTED, 7)


def test_one_place_beyond_its_bound_is_enough_to_refuse_and_all_places_are_needed_to_support():
    near, far, wide = [1.05, 1.15, 1.25], [1.0, 1.3, 1.6], [-1.0, 0.9, 2.8]
    within = at_every({"near": near, "far": far}, Bounds(1.0)).outlook
    alone = [
        at_every({"near": near, "other": near}, Bounds(1.0)),
        at_every({"far": far, "x": far}, Bounds(1.0)),
    ]
    assert within.leans is Verdict.SUPPORTED
    assert within.seeds == max(one.outlook.seeds for one in alone)
    beyond = at_every({"near": near, "wide": wide}, Bounds(1.0)).outlook
    assert beyond.leans is Verdict.NOT_SUPPORTED
    assert beyond.seeds > within.seeds


def test_nothing_is_looked_ahead_for_where_a_verdict_stands_or_no_interval_does():
    assert at_every({"m = 4": [2.0, 2.1, 1.9]}, ABOVE_ONE).outlook.leans is None
    assert at_every({"m = 4": [2.0]}, ABOVE_ONE).outlook.leans is None
    on_the_bound = at_every({"m = 4": [0.9, 1.0, 1.1]}, ABOVE_ONE).outlook
    assert math.isinf(on_the_bound.seeds)
