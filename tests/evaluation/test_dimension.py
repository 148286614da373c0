"""Estimators of the intrinsic dimension find the n of data whose n is known."""

import numpy as np
import pytest

from maskaae.data.synthetic import GAUSSIAN, default_hidden, make_generator
from maskaae.evaluation.dimension import (
    local_pca,
    mle,
    participation_ratio,
    pca_dimension,
    principal_variances,
    two_nn,
)
from maskaae.evaluation.estimators import ESTIMATORS


def linear(n, count=1000, dimension=20, seed=0):
    """Gaussian data on a flat subspace of n dimensions, equally long in each of them."""
    rng = np.random.default_rng(seed)
    axes, _ = np.linalg.qr(rng.standard_normal((dimension, n)))
    return rng.standard_normal((count, n)) @ axes.T + 3


def swiss_roll(count=4000, seed=0):
    """A rolled-up sheet: curved, two-dimensional, in three dimensions."""
    rng = np.random.default_rng(seed)
    t = 1.5 * np.pi * (1 + 2 * rng.random(count))
    return np.stack([t * np.cos(t), 21 * rng.random(count), t * np.sin(t)], axis=1)


@pytest.mark.parametrize("n", [1, 4, 8])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_estimator_finds_n_on_flat_data(name, n):
    assert ESTIMATORS[name](linear(n)) == pytest.approx(n, rel=0.1)


def test_neighbour_estimators_see_a_curved_sheet_as_two_dimensional_and_pca_does_not():
    roll = swiss_roll()
    assert two_nn(roll) == pytest.approx(2, abs=0.15)
    assert mle(roll) == pytest.approx(2, abs=0.15)
    assert local_pca(roll) == pytest.approx(2, abs=0.15)
    assert pca_dimension(roll) == 3
    assert participation_ratio(roll) > 2.5


def test_neighbour_estimators_on_the_papers_generator():
    rng = np.random.default_rng(0)
    f = make_generator(4, hidden=default_hidden(4), dimension=128, slope=0.2, rng=rng)
    x = f(GAUSSIAN.draw(rng, (2000, 4)))
    assert two_nn(x) == pytest.approx(4, abs=0.6)
    assert mle(x) == pytest.approx(4, abs=0.6)
    assert pca_dimension(x) > 6  # the curvature looks like further dimensions


def test_participation_ratio_by_hand():
    x = np.array([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]])  # variances 8 / 3 and 2 / 3
    np.testing.assert_allclose(principal_variances(x), [8 / 3, 2 / 3])
    assert participation_ratio(x) == pytest.approx((10 / 3) ** 2 / (68 / 9))


def test_pca_counts_the_components_of_99_per_cent():
    x = np.diag(np.sqrt([0.6, 0.3, 0.095, 0.005]))
    assert pca_dimension(np.concatenate([x, -x])) == 3


def test_two_nn_on_three_points_by_hand():
    """Points 0, 1, 3 on a line: ratios 3, 2, 1.5; the smallest two are kept, log(1.5) and log(2)."""
    logs = np.log([1.5, 2.0])
    expected = logs @ -np.log([2 / 3, 1 / 3]) / np.square(logs).sum()
    assert two_nn(np.array([[0.0], [1.0], [3.0]])) == pytest.approx(expected)


@pytest.mark.parametrize("estimator", [two_nn, mle])
def test_duplicates_change_nothing(estimator):
    x = linear(3, count=200)
    assert estimator(np.concatenate([x, x])) == pytest.approx(estimator(x))


def test_too_few_examples_are_refused():
    with pytest.raises(ValueError, match="20 different examples; 20 neighbours need at least 21"):
        mle(linear(2, count=20))
