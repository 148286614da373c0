"""The Fréchet distance against closed forms and an independent reference."""

import mpmath
import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from maskaae.evaluation import frechet
from maskaae.evaluation.frechet import GaussianStatistics, StreamingStatistics, frechet_distance


def gaussian(mean, covariance, count=10_000):
    return GaussianStatistics(np.asarray(mean, dtype=float), np.asarray(covariance, dtype=float), count)


def random_covariance(rng, dimensions, rank=None):
    factor = rng.standard_normal((dimensions, rank or 2 * dimensions))
    return factor @ factor.T / factor.shape[1]


def fitted(vectors):
    statistics = StreamingStatistics(vectors.shape[1])
    statistics.update(vectors)
    return statistics.statistics()


def sqrtm_distance(a, b):
    """Textbook form of the distance, by the matrix square root."""
    root = scipy.linalg.sqrtm(a.covariance @ b.covariance).real
    return np.sum((a.mean - b.mean) ** 2) + np.trace(a.covariance + b.covariance - 2 * root)


@pytest.mark.parametrize("dimensions", [1, 7, 128])
def test_equal_gaussians_are_at_distance_zero(dimensions):
    rng = np.random.default_rng(dimensions)
    a = gaussian(rng.standard_normal(dimensions), random_covariance(rng, dimensions))
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-12 * dimensions)


def test_equal_covariances_leave_the_squared_distance_of_the_means():
    rng = np.random.default_rng(0)
    covariance = random_covariance(rng, 16)
    shift = rng.standard_normal(16)
    distance = frechet_distance(gaussian(np.zeros(16), covariance), gaussian(shift, covariance))
    assert distance == pytest.approx(shift @ shift, rel=1e-12)


def test_one_dimension_by_hand():
    # (1 - 3)^2 + (2 - 5)^2 for standard deviations 2 and 5
    assert frechet_distance(gaussian([1], [[4]]), gaussian([3], [[25]])) == pytest.approx(13, rel=1e-14)


def test_diagonal_covariances_have_a_closed_form():
    rng = np.random.default_rng(1)
    mean_a, mean_b = rng.standard_normal((2, 20))
    deviation_a, deviation_b = rng.uniform(0.1, 3, (2, 20))
    distance = frechet_distance(
        gaussian(mean_a, np.diag(deviation_a**2)), gaussian(mean_b, np.diag(deviation_b**2))
    )
    assert distance == pytest.approx(
        np.sum((mean_a - mean_b) ** 2 + (deviation_a - deviation_b) ** 2), rel=1e-12
    )


@pytest.mark.parametrize("condition", [1e2, 1e6, 1e12, 1e18])
def test_commuting_covariances_have_a_closed_form_at_any_condition_number(condition):
    rng = np.random.default_rng(2)
    basis, _ = np.linalg.qr(rng.standard_normal((64, 64)))
    spectrum_a = np.geomspace(1, 1 / condition, 64)
    spectrum_b = 2 * rng.permutation(64) / 64
    a = gaussian(np.zeros(64), (basis * spectrum_a) @ basis.T)
    b = gaussian(np.zeros(64), (basis * spectrum_b) @ basis.T)
    expected = np.sum((np.sqrt(spectrum_a) - np.sqrt(spectrum_b)) ** 2)
    # a variance below 1e-16 of the largest is not representable beside it; its root is an error of 1e-8
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9 if condition <= 1e12 else 1e-7)


@pytest.mark.parametrize("dimensions", [2, 32, 128])
def test_random_covariances_agree_with_the_matrix_square_root(dimensions):
    rng = np.random.default_rng(dimensions)
    a = gaussian(rng.standard_normal(dimensions), random_covariance(rng, dimensions))
    b = gaussian(rng.standard_normal(dimensions), 3 * random_covariance(rng, dimensions))
    assert frechet_distance(a, b) == pytest.approx(sqrtm_distance(a, b), rel=1e-9)


def test_random_covariances_agree_with_forty_digit_arithmetic():
    rng = np.random.default_rng(3)
    a = gaussian(np.zeros(5), random_covariance(rng, 5))
    b = gaussian(np.zeros(5), random_covariance(rng, 5))
    with mpmath.workdps(40):
        product = mpmath.matrix(a.covariance.tolist()) * mpmath.matrix(b.covariance.tolist())
        eigenvalues = mpmath.eig(product, left=False, right=False)
        root_trace = float(sum(mpmath.re(mpmath.sqrt(value)) for value in eigenvalues))
    expected = np.trace(a.covariance + b.covariance) - 2 * root_trace
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-12)


def test_singular_covariances_in_orthogonal_subspaces_share_nothing():
    a = gaussian(np.zeros(4), np.diag([1.0, 2, 0, 0]))
    b = gaussian(np.zeros(4), np.diag([0.0, 0, 3, 4]))
    assert frechet_distance(a, b) == pytest.approx(10, rel=1e-12)


def test_a_point_mass_is_at_the_trace_of_the_other():
    rng = np.random.default_rng(4)
    covariance = random_covariance(rng, 6)
    distance = frechet_distance(gaussian(np.ones(6), np.zeros((6, 6))), gaussian(np.zeros(6), covariance))
    assert distance == pytest.approx(6 + np.trace(covariance), rel=1e-12)


def test_fewer_samples_than_dimensions_equal_the_distance_in_their_common_subspace():
    rng = np.random.default_rng(5)
    basis, _ = np.linalg.qr(rng.standard_normal((300, 10)))  # 10 dimensions embedded in 300
    inner_a, inner_b = rng.standard_normal((40, 10)), 2 + 1.5 * rng.standard_normal((50, 10))
    inner = frechet_distance(fitted(inner_a), fitted(inner_b))
    assert frechet_distance(fitted(inner_a @ basis.T), fitted(inner_b @ basis.T)) == pytest.approx(
        inner, rel=1e-9
    )


@pytest.mark.parametrize("rank", [1, 9, 30, 59])
def test_deficient_covariances_need_no_eigenvectors(rank, monkeypatch):
    """The slow way out is for covariances that pivots cannot factor: those with a negative direction."""
    monkeypatch.setattr(frechet, "_eigen_factor", lambda covariance: pytest.fail("took the slow way"))
    rng = np.random.default_rng(rank)
    a = gaussian(np.zeros(60), random_covariance(rng, 60, rank))
    b = gaussian(np.zeros(60), random_covariance(rng, 60, rank))
    # mostly zeros under the root, each of which comes out as some 1e-8: a looser bound than elsewhere
    assert frechet_distance(a, b) == pytest.approx(sqrtm_distance(a, b), rel=1e-5)


def test_a_covariance_that_rounding_lifts_to_full_rank():
    """Variances down to 1e-13 in a random basis, against the identity: (deviation - 1)^2 summed."""
    rng = np.random.default_rng(0)
    basis, _ = np.linalg.qr(rng.standard_normal((5, 5)))
    variances = np.array([4.0, 1.0, 0.25, 1e-13, 1e-13])
    narrow = GaussianStatistics(np.zeros(5), (basis * variances) @ basis.T, 100)
    unit = GaussianStatistics(np.zeros(5), np.eye(5), 100)
    expected = ((np.sqrt(variances) - 1) ** 2).sum()
    assert frechet_distance(narrow, unit) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(unit, narrow) == pytest.approx(expected, rel=1e-9)


def test_a_singular_covariance_at_distance_zero_of_itself_does_not_add_up_round_off():
    rng = np.random.default_rng(6)
    a = fitted(rng.standard_normal((50, 400)))
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-10)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), dimensions=st.integers(1, 12), count=st.integers(2, 30))
def test_symmetric_and_never_negative(seed, dimensions, count):
    rng = np.random.default_rng(seed)
    a, b = fitted(rng.standard_normal((count, dimensions))), fitted(rng.standard_normal((count, dimensions)))
    there, back = frechet_distance(a, b), frechet_distance(b, a)
    assert there >= 0
    assert there == pytest.approx(back, rel=1e-9, abs=1e-12)


def test_streamed_statistics_equal_those_of_all_vectors_at_once():
    rng = np.random.default_rng(7)
    vectors = 1e4 + rng.standard_normal((1000, 5))  # far from zero, where sums of squares would lose digits
    statistics = StreamingStatistics(5)
    for chunk in np.split(vectors, [1, 1, 300, 999]):
        statistics.update(chunk)
    streamed = statistics.statistics()
    assert streamed.n_vectors == 1000
    np.testing.assert_allclose(streamed.mean, vectors.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(streamed.covariance, np.cov(vectors.T), rtol=0, atol=1e-11)


def test_statistics_refuse_what_has_no_covariance_or_the_wrong_shape():
    statistics = StreamingStatistics(3)
    statistics.update(np.zeros((1, 3)))
    with pytest.raises(ValueError, match="at least 2 vectors, got 1"):
        statistics.statistics()
    with pytest.raises(ValueError, match=r"shape \(2, 4\): expected \(N, 3\)"):
        statistics.update(np.zeros((2, 4)))
    with pytest.raises(ValueError, match=r"expected \(F,\) and \(F, F\)"):
        gaussian(np.zeros(3), np.eye(4))


def test_distance_refuses_other_dimensions_nan_and_indefinite_matrices():
    a = gaussian(np.zeros(2), np.eye(2))
    with pytest.raises(ValueError, match="2 features against 3"):
        frechet_distance(a, gaussian(np.zeros(3), np.eye(3)))
    with pytest.raises(ValueError, match="NaN or infinite"):
        frechet_distance(a, gaussian([np.nan, 0], np.eye(2)))
    with pytest.raises(ValueError, match="positive semi-definite"):
        frechet_distance(a, gaussian(np.zeros(2), np.diag([1.0, -0.5])))
