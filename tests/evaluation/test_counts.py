"""The stability score of counts, by hand."""

import numpy as np
import pandas as pd
import pytest

from maskaae.evaluation.dimension import Stability, count_stability, stability


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([8], Stability(8, 1.0, 8, 8, 1)),
        ([8, 8, 9, 12], Stability(8, 0.75, 8, 12, 4)),
        ([3, 7, 8], Stability(7, 2 / 3, 3, 8, 3)),  # each once: 7 and 8 have a neighbour, 7 is smaller
        ([0, 0, 5, 5, 6], Stability(5, 0.6, 0, 6, 5)),
        ([4, 12, 20], Stability(4, 1 / 3, 4, 20, 3)),
    ],
)
def test_score_is_the_share_of_runs_within_one_of_the_most_frequent_count(counts, expected):
    assert stability(counts) == expected


def metrics(counts_of_m):
    rows = [
        {"dataset": "a", "model": "maae", "m": m, "seed": seed, "step": step, "active": count if step else m}
        for m, counts in counts_of_m.items()
        for seed, count in enumerate(counts)
        for step in (0, 100)
    ]
    return pd.DataFrame([*rows, {**rows[0], "model": "wae", "active": 99}])


def test_only_the_last_checkpoint_of_capacities_from_n_to_4_n_counts():
    table = metrics({2: [2, 2], 4: [4, 4], 8: [4, 5], 16: [5, 9], 32: [20, 20]})
    assert count_stability(table, n=4) == Stability(4, 5 / 6, 4, 9, 6)


def test_without_n_the_most_frequent_count_of_runs_with_room_stands_for_it():
    table = metrics({4: [4, 4, 4], 8: [6, 6, 6], 16: [6, 7, 7], 64: [30, 30, 31]})
    assert count_stability(table) == count_stability(table, n=6) == Stability(6, 1.0, 6, 7, 6)


def test_no_run_with_room_has_no_score():
    assert count_stability(metrics({4: [4, 4]})) is None
    assert count_stability(metrics({4: [3, 3]}), n=8) is None


def test_lost_seeds_are_left_out():
    table = metrics({4: [4, 4, 0]})
    table["active"] = table["active"].astype(float).mask(table["seed"] == 2, np.nan)
    assert count_stability(table, n=4) == Stability(4, 1.0, 4, 4, 2)
