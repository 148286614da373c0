"""MMD of codes and prior: an independent computation, its expectation between Gaussians, no bias."""

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.spatial.distance import cdist

from maskaae.models.wae_mmd import SCALES, inverse_multiquadratic, maximum_mean_discrepancy


def expected_kernel(m: int, variance: float, shift: float) -> float:
    """``E k(x, y)`` for ``x - y ~ N(shift e_1, variance I_m)``.

    ``1 / (C + r) = int exp(-t (C + r)) dt``, and the Laplace transform of a non-central chi-squared variable
    has a closed form: one integral over the line is left for each scale.
    """

    def transform(t: float) -> float:
        spread = 1 + 2 * variance * t
        return spread ** (-m / 2) * np.exp(-t * shift**2 / spread)

    widths = [2 * m * scale for scale in SCALES]
    return sum(quad(lambda t, c=c: c * np.exp(-c * t) * transform(t), 0, np.inf)[0] for c in widths)


def expected_discrepancy(m: int, deviation: float, shift: float) -> float:
    """Squared MMD of codes ``N(shift e_1, deviation^2 I_m)`` and the standard normal prior."""
    within = expected_kernel(m, 2 * deviation**2, 0) + expected_kernel(m, 2, 0)
    return within - 2 * expected_kernel(m, 1 + deviation**2, shift)


def test_kernel_is_one_a_scale_at_distance_zero_and_a_half_at_its_width():
    assert inverse_multiquadratic(torch.zeros(1), 3).item() == pytest.approx(len(SCALES))
    at_width = inverse_multiquadratic(torch.tensor([6.0]), 3)  # 2 m for scale one
    assert at_width.item() == pytest.approx(sum(s / (s + 1) for s in SCALES))


def test_discrepancy_equals_a_double_loop_over_pairs():
    random = np.random.default_rng(0)
    codes, prior = random.normal(1, 2, size=(2, 7, 3)), random.normal(size=(2, 7, 3))
    estimate = maximum_mean_discrepancy(torch.from_numpy(codes), torch.from_numpy(prior))

    def kernel(a, b):
        return sum(6 * s / (6 * s + cdist(a, b, "sqeuclidean")) for s in SCALES)

    for value, z, p in zip(estimate, codes, prior, strict=True):
        within = kernel(z, z) + kernel(p, p)
        off_diagonal = (within.sum() - np.trace(within)) / (7 * 6)
        assert value.item() == pytest.approx(off_diagonal - 2 * kernel(z, p).mean())


@pytest.mark.parametrize(("m", "deviation", "shift"), [(1, 1.0, 0.0), (8, 0.5, 0.0), (4, 1.0, 2.0)])
def test_discrepancy_between_gaussians_is_unbiased(m, deviation, shift):
    generator = torch.Generator().manual_seed(0)
    repeats, n = 4000, 8  # so few codes that a biased estimate would be far off
    codes = deviation * torch.randn(repeats, n, m, generator=generator)
    codes[..., 0] += shift
    estimates = maximum_mean_discrepancy(codes, torch.randn(repeats, n, m, generator=generator))
    error = estimates.std() / repeats**0.5
    assert abs(estimates.mean() - expected_discrepancy(m, deviation, shift)) < 4 * error
    biased_by = 2 * len(SCALES) / n  # were the diagonals counted
    assert error < biased_by / 100


def test_gradient_pulls_codes_towards_the_prior():
    generator = torch.Generator().manual_seed(0)
    codes = (3 + 0.1 * torch.randn(1, 64, 2, generator=generator)).requires_grad_()
    prior = torch.randn(1, 64, 2, generator=generator)
    maximum_mean_discrepancy(codes, prior).sum().backward()
    assert (codes.grad.mean(dim=(0, 1)) > 0).all()  # descent lowers the mean of 3
