"""The interval over seeds says no more than its seeds can carry."""

import numpy as np
import pandas as pd
import pytest

from maskaae.report.statistics import interval_label, over_seeds, seed_interval


def test_three_seeds_get_the_t_interval() -> None:
    # mean 2, standard error 1 / sqrt(3), t(0.975, 2) = 4.302653
    half = 4.302653 / np.sqrt(3)
    assert seed_interval([1, 2, 3]) == pytest.approx((2, 2 - half, 2 + half, 3, "t95"))


def test_two_seeds_get_their_range() -> None:
    assert seed_interval([5.0, 1.0]) == (3.0, 1.0, 5.0, 2, "range")


def test_logarithms_give_a_geometric_mean_and_an_interval_above_zero() -> None:
    mean, low, high, seeds, kind = seed_interval([1.0, 10.0, 100.0], logs=True)
    half = 4.302653 * np.log(10) / np.sqrt(3)  # t(0.975, 2) times the standard error of the logarithms
    assert (mean, low, high) == pytest.approx((10, 10 * np.exp(-half), 10 * np.exp(half)))
    assert (seeds, kind) == (3, "log_t95")
    assert seed_interval([4.0, 1.0], logs=True) == pytest.approx((2, 1, 4, 2, "range"))
    with pytest.raises(ValueError, match="a value of 0 has no logarithm"):
        seed_interval([0.0, 1.0, 2.0], logs=True)


def test_one_seed_gets_no_interval() -> None:
    mean, low, high, seeds, kind = seed_interval([4.0])
    assert (mean, seeds, kind) == (4.0, 1, "single")
    assert np.isnan([low, high]).all()


def test_an_undefined_value_counts_as_no_seed() -> None:
    assert seed_interval([5.0, np.nan, 1.0]) == seed_interval([5.0, 1.0])
    assert seed_interval([np.nan]).kind == "none"


def test_every_row_of_a_group_carries_its_interval_even_under_repeated_index_labels() -> None:
    frame = pd.DataFrame({"m": [4, 4, 8, 8], "value": [1.0, 3.0, 5.0, np.nan]}, index=[0, 0, 0, 0])
    summary = over_seeds(frame, by=["m"])
    assert summary["mean"].tolist() == [2, 2, 5, 5]
    assert summary["seeds"].tolist() == [2, 2, 1, 1]
    assert summary["kind"].tolist() == ["range", "range", "single", "single"]


@pytest.mark.parametrize(
    ("seeds", "words"),
    [
        ([[1, 2, 3]], "95 % interval of the mean, 3 seeds"),
        ([[1, 2, 3], [1, np.nan, 2]], "95 % interval of the mean, 3 seeds (some points fewer)"),
        ([[1, 2]], "range of 2 seeds"),
        ([[1]], "one seed, no interval"),
        ([[np.nan]], "no value"),
    ],
)
def test_the_label_says_which_interval_was_drawn(seeds: list[list[float]], words: str) -> None:
    frame = pd.DataFrame([seed_interval(values)._asdict() for values in seeds])
    assert interval_label(frame) == words
