"""Terms of the evidence lower bound, against torch.distributions and against values worked out by hand."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from maskaae.models.vae import bernoulli_error, gaussian_divergence, gaussian_error
from maskaae.models.vae_flow import flow_divergence


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_divergence_of_a_shifted_unit_gaussian_is_half_the_squared_shift():
    mean = torch.tensor([[[3.0, 4.0]]])
    assert gaussian_divergence(mean, torch.zeros_like(mean)).item() == pytest.approx(12.5)


def test_divergence_is_that_of_torch_distributions():
    mean, log_variance = normal(2, 5, 3), normal(2, 5, 3, seed=1)
    expected = kl_divergence(Normal(mean, torch.exp(log_variance / 2)), Normal(0.0, 1.0)).sum(dim=-1)
    torch.testing.assert_close(gaussian_divergence(mean, log_variance), expected)


def test_undecided_bernoulli_pixels_cost_one_bit_each():
    x = torch.tensor([[[0.0, 1.0, 0.3]]])
    assert bernoulli_error(x, torch.zeros_like(x)).item() == pytest.approx(3 * math.log(2))


def test_errors_are_negative_log_likelihoods_of_torch_distributions():
    x, output = normal(2, 5, 7), normal(2, 5, 7, seed=1)
    black_or_white = (x > 0).double()
    expected = -Bernoulli(logits=output).log_prob(black_or_white).sum(dim=-1)
    torch.testing.assert_close(bernoulli_error(black_or_white, output), expected)

    log_gamma = torch.tensor([-2.0, 0.5], dtype=torch.float64)
    deviation = torch.exp(log_gamma / 2).view(2, 1, 1)
    expected = -Normal(output, deviation).log_prob(x).sum(dim=-1)
    squared_error = (x - output).square().sum(dim=-1)
    torch.testing.assert_close(gaussian_error(squared_error, log_gamma, 7), expected)


def test_the_best_decoder_variance_is_the_mean_squared_error():
    squared_error = normal(2, 40).square() * 6
    log_gamma = torch.log(squared_error.mean(dim=1) / 6).requires_grad_()
    best = gaussian_error(squared_error, log_gamma, 6).mean(dim=1)
    (gradient,) = torch.autograd.grad(best.sum(), log_gamma)
    assert gradient.abs().max() < 1e-12
    for change in (-0.1, 0.1):
        assert (gaussian_error(squared_error, log_gamma + change, 6).mean(dim=1) > best).all()


def test_flow_divergence_of_an_affine_map_averages_to_that_of_the_gaussian_it_makes():
    count = 200_000
    mean, log_variance = torch.tensor([0.5, -1.0]), torch.tensor([-0.4, 0.2])
    scale = torch.tensor([0.5, 1.5])
    noise = normal(1, count, 2).float()
    codes = scale * (mean + torch.exp(log_variance / 2) * noise)
    log_determinant = scale.log().sum().expand(1, count)
    estimate = flow_divergence(noise, log_variance, codes, log_determinant).mean()
    exact = gaussian_divergence((scale * mean).view(1, 1, 2), (log_variance + 2 * scale.log()).view(1, 1, 2))
    assert estimate.item() == pytest.approx(exact.item(), abs=0.01)
