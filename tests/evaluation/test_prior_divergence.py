"""Divergence of codes from the prior: Gaussians whose value is known, and a surface, where it is infinite."""

import math

import pytest
import torch

from maskaae.evaluation.encoding import prior_divergence
from maskaae.evaluation.protocol import PRIOR_DIVERGENCE_CODES as CODES


def normal(dimension, seed=0, count=CODES):
    return torch.randn(count, dimension, generator=torch.Generator().manual_seed(100 + seed))


def gaussian_divergence(mean, deviation):
    """KL(N(mean, diag(deviation^2)) || N(0, I)) in closed form."""
    return float((0.5 * (deviation**2 + mean**2 - 1) - deviation.log()).sum())


@pytest.mark.parametrize("dimension", [1, 2, 8, 32])
@pytest.mark.parametrize("law", ["prior", "narrow", "wide", "uneven and shifted"])
def test_known_divergence_of_gaussians_is_found_in_few_and_in_many_dimensions(dimension, law):
    mean, deviation = {
        "prior": (torch.zeros(dimension), torch.ones(dimension)),
        "narrow": (torch.zeros(dimension), torch.full((dimension,), 0.7)),
        "wide": (torch.zeros(dimension), torch.full((dimension,), 1.5)),
        "uneven and shifted": (torch.full((dimension,), 0.3), torch.linspace(0.3, 1.5, dimension)),
    }[law]
    estimates = [prior_divergence(mean + deviation * normal(dimension, seed), seed) for seed in range(5)]
    assert sum(estimates) / 5 == pytest.approx(
        gaussian_divergence(mean, deviation), abs=0.15 + 0.01 * dimension
    )


def test_correlated_gaussian_codes():
    covariance = torch.tensor([[1.0, 0.9], [0.9, 1.0]])
    codes = normal(2) @ torch.linalg.cholesky(covariance).T
    assert prior_divergence(codes) == pytest.approx(-0.5 * math.log(1 - 0.9**2), abs=0.1)


def test_on_a_surface_the_estimate_grows_with_the_codes_as_its_dimension_says():
    """White codes of 8 dimensions that fill a surface of 2: (8 / 2 - 1) log(1000 / 250) = 4.2 nats more."""
    angles = 2 * math.pi * torch.rand(CODES, 2, generator=torch.Generator().manual_seed(1))
    turns = torch.cat([angles, 2 * angles], dim=1)
    codes = math.sqrt(2) * torch.cat([turns.cos(), turns.sin()], dim=1)
    few, many = prior_divergence(codes[:250]), prior_divergence(codes)
    assert many - few == pytest.approx(3 * math.log(4), rel=0.25)
    assert many > 5


def test_codes_without_spread_in_one_direction_diverge_infinitely():
    codes = normal(3)
    codes[:, 2] = 0.0
    assert prior_divergence(codes) == math.inf


@pytest.mark.parametrize("codes", [normal(0), normal(4)[:4], torch.full((CODES, 2), math.nan)])
def test_undefined_divergence_is_nan(codes):
    assert math.isnan(prior_divergence(codes))


def test_more_codes_than_the_protocol_asks_for_change_nothing():
    codes = normal(3, count=CODES + 50)
    assert prior_divergence(codes) == prior_divergence(codes[:CODES])
