"""Normalised absolute covariance (eq 18) by hand."""

import logging

import numpy as np
import pytest

from maskaae.evaluation.encoding import nac, normalised_absolute_covariance

COVARIANCE = np.array([[4.0, -3.0, 1.0], [-3.0, 9.0, 0.0], [1.0, 0.0, 1.0]])
"""Correlations -1/2 (0, 1), 1/2 (0, 2), 0 (1, 2)."""


def test_nac_is_the_mean_absolute_correlation():
    assert nac(COVARIANCE, np.array([True, True, True])) == pytest.approx((0.5 + 0.5 + 0) / 3)


def test_masked_dimensions_do_not_count():
    assert nac(COVARIANCE, np.array([True, True, False])) == pytest.approx(0.5)
    assert nac(COVARIANCE, np.array([False, True, True])) == 0


def test_a_constant_masked_dimension_does_no_harm():
    covariance = COVARIANCE.copy()
    covariance[2] = covariance[:, 2] = 0
    assert nac(covariance, np.array([True, True, False])) == pytest.approx(0.5)


@pytest.mark.parametrize("active", [[False, False, False], [False, True, False]])
def test_undefined_with_fewer_than_two_active_dimensions(active, caplog):
    with caplog.at_level(logging.WARNING):
        assert np.isnan(nac(COVARIANCE, np.array(active)))
    assert f"{sum(active)} active dimension(s)" in caplog.text


@pytest.mark.parametrize("variance", [0.0, np.nan])
def test_undefined_with_a_constant_or_diverged_dimension_which_is_named(variance, caplog):
    covariance = COVARIANCE.copy()
    covariance[1] = covariance[:, 1] = variance
    with caplog.at_level(logging.WARNING):
        assert np.isnan(nac(covariance, np.array([True, True, True])))
    assert "[1] constant or not finite" in caplog.text


def test_the_matrix_has_a_unit_diagonal_and_nan_where_a_dimension_is_constant():
    covariance = COVARIANCE.copy()
    covariance[2] = covariance[:, 2] = 0
    matrix = normalised_absolute_covariance(covariance)
    np.testing.assert_allclose(matrix[:2, :2], [[1, 0.5], [0.5, 1]])
    assert np.isnan(matrix[2]).all() and np.isnan(matrix[:, 2]).all()
