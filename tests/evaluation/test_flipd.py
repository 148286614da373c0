"""FLIPD against the closed form on a flat Gaussian, where the score is known, and after a short training."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from maskaae.evaluation.flipd import FlipdPlan, flipd, flipd_at, knee, noise_of, train_score

N, D = 3, 10
BRIEF = FlipdPlan(hidden=64, steps=1500, batch_size=128, rows=256, times=tuple(np.geomspace(0.02, 0.5, 20)))


def flat(rows, n=N, dimension=D, seed=0):
    """Gaussian rows that fill the first n axes."""
    x = torch.randn(rows, n, generator=torch.Generator().manual_seed(seed))
    return torch.cat([x, torch.zeros(rows, dimension - n)], dim=1)


def known_score(noisy, t):
    """Score of flat data with noise of covariance psi^2 + sigma^2 on the first axes, sigma^2 on others."""
    psi, sigma = noise_of(t)
    on, off = psi.square() + sigma.square(), sigma.square()
    return -torch.cat([noisy[:, :N] / on[:, None], noisy[:, N:] / off[:, None]], dim=1)


def test_the_diffusion_keeps_the_variance():
    psi, sigma = noise_of(torch.tensor([0.0, 0.1, 0.5, 1.0]))
    torch.testing.assert_close(psi.square() + sigma.square(), torch.ones(4))
    # The integral of 0.1 + 19.9 t from 0 to 0.1 is 0.1095.
    assert psi[1] == pytest.approx(np.exp(-0.1095 / 2))
    assert (sigma[0], psi[3] < 0.01) == (0, True)


@pytest.mark.parametrize("time", [0.01, 0.1, 0.4])
def test_flipd_with_the_known_score_is_the_closed_form(time):
    """With psi^2 + sigma^2 = 1 it is `n - sigma^2 n + sigma^2 psi^2 |x|^2`."""
    x = flat(200)
    psi, sigma = noise_of(torch.tensor([time]))
    expected = N - sigma.square() * N + sigma.square() * psi.square() * x.square().sum(dim=1)
    found = flipd_at(known_score, x, time, 1, torch.Generator().manual_seed(1))
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=2e-3)


def test_flipd_goes_to_the_dimension_with_the_noise():
    found = flipd_at(known_score, flat(500), 0.001, 1, torch.Generator().manual_seed(1))
    assert found.mean() == pytest.approx(N, abs=0.01)


def test_random_signs_find_the_trace_of_a_jacobian_that_is_not_diagonal():
    turn = torch.linalg.qr(torch.randn(D, D, generator=torch.Generator().manual_seed(2)))[0]
    x, time = flat(4000) @ turn.T, 0.05
    found = flipd_at(
        lambda noisy, t: known_score(noisy @ turn, t) @ turn.T, x, time, 4, torch.Generator().manual_seed(3)
    )
    assert found.mean() == pytest.approx(N, abs=0.1)


def test_the_knee_is_where_a_falling_curve_bends_most():
    times, curve = np.array([0.0, 1, 2, 3, 4, 5]), np.array([10.0, 5, 3, 2.5, 2.2, 2.0])
    # Below the line by 1 - x - y: 0, 0.8 - 3/8, 0.6 - 1/8, 0.4 - 0.5/8, ...: the largest is at 2.
    assert knee(times, curve) == 3.0
    assert knee(times, curve[::-1]) == 2.0


def test_flat_data_need_no_training():
    """What the network starts from is the best linear prediction, which is right for Gaussian rows."""
    rows, untrained = flat(3000, n=2, dimension=8).numpy(), replace(BRIEF, steps=1)
    found = flipd(rows, 0, untrained)
    assert found == pytest.approx(2, abs=0.3)
    assert flipd(4 * rows + 1, 0, untrained) == pytest.approx(found, abs=0.05)


def test_training_finds_that_a_curved_sheet_has_two_dimensions():
    """Linearly it fills five."""
    z = torch.randn(3000, 2, generator=torch.Generator().manual_seed(0)).numpy()
    products = np.stack([z[:, 0] ** 2, z[:, 0] * z[:, 1], z[:, 1] ** 2], axis=1)
    rows = np.concatenate([z, products, np.zeros((3000, 3))], axis=1)
    assert flipd(rows, 0, replace(BRIEF, steps=1)) > 3.5
    assert flipd(rows, 0, BRIEF) < 3.5


def test_the_seed_decides():
    x, plan = flat(300), FlipdPlan(hidden=8, steps=5, batch_size=16)
    first, again, other = (train_score(x, plan, seed).layers[0].weight for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
