"""What principal components leave of rows that they were not fitted on."""

import math

import numpy as np
import pytest

from maskaae.training.draws import TrainingData
from maskaae.training.run import linear_share, principal_axes, spread


def plane(rows, seed, noise=0.0):
    """Rows near a plane in five dimensions, off from zero."""
    rng = np.random.default_rng(seed)
    axes = np.random.default_rng(9).standard_normal((2, 5)) * [[3.0], [1.0]]
    x = 7 + rng.standard_normal((rows, 2)) @ axes + noise * rng.standard_normal((rows, 5))
    return TrainingData(x.astype(np.float32), "cpu")


def test_as_many_components_as_the_plane_has_dimensions_leave_nothing():
    one, two, three = linear_share([1, 2, 3], plane(500, 0), plane(200, 1))
    assert 0.01 < one < 0.5
    assert two == pytest.approx(0, abs=1e-6)
    assert three == pytest.approx(0, abs=1e-6)


def test_no_component_leaves_all_and_too_many_are_not_said():
    none, all_, more = linear_share([0, 5, 6], plane(500, 0, noise=0.5), plane(200, 1, noise=0.5))
    assert none == pytest.approx(1, abs=0.05)  # the means of the two parts differ a little
    assert all_ == pytest.approx(0, abs=1e-6)
    assert math.isnan(more)


def test_components_are_those_of_the_rows_that_were_seen():
    """By hand: the share is what a projection on the singular vectors of the seen rows leaves."""
    seen, unseen = plane(50, 0, noise=1.0), plane(40, 1, noise=1.0)
    x, y = spread(seen).numpy(), spread(unseen).numpy()
    axes = np.linalg.svd(x - x.mean(axis=0))[2][:2]
    centred = y - x.mean(axis=0)
    left = ((centred - centred @ axes.T @ axes) ** 2).sum()
    assert linear_share([2], seen, unseen) == [
        pytest.approx(left / ((y - y.mean(axis=0)) ** 2).sum(), rel=1e-4)
    ]


def test_rows_are_spread_evenly_if_there_are_too_many(monkeypatch):
    monkeypatch.setattr("maskaae.training.run.MOST_ROWS", 4)
    data = TrainingData(np.arange(10, dtype=np.float32)[:, None], "cpu")
    assert spread(data).flatten().tolist() == [0, 2, 5, 7]


@pytest.mark.parametrize("count", [0, 3, 40])
def test_the_axes_of_many_columns_are_those_of_few(monkeypatch, count):
    rows = np.random.default_rng(0).standard_normal((40, 60)) * np.linspace(3, 1, 60)
    few = principal_axes(rows, count)
    monkeypatch.setattr("maskaae.training.run.MOST_COLUMNS", 10)
    many = principal_axes(rows, count)
    assert few.shape == many.shape == (60, count)
    known = few[:, :39]  # 40 centred rows have no more
    np.testing.assert_allclose(np.abs((known * many[:, :39]).sum(axis=0)), 1, rtol=1e-6)
