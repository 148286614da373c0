"""The mask: its values and its projection."""

import math

import pytest
import torch

from maskaae.method.mask import active_dimensions, mask_values, project_


def test_mask_is_one_minus_exp_of_minus_m():
    mu = mask_values(torch.tensor([[0.0, math.log(2.0), 5.0, math.inf]], dtype=torch.float64))
    assert mu.tolist() == [[0.0, pytest.approx(0.5), pytest.approx(1 - math.exp(-5)), 1.0]]


def test_released_start_has_mean_mask_080_and_98_percent_active():
    start = 5 * torch.rand(1, 200_000, generator=torch.Generator().manual_seed(0))
    mu = mask_values(start)
    assert mu.mean().item() == pytest.approx(0.80, abs=0.005)
    assert active_dimensions(mu, 0.1).float().mean().item() == pytest.approx(0.98, abs=0.005)
    assert (mu < 0.5).float().mean().item() == pytest.approx(0.14, abs=0.005)


def test_projection_moves_only_what_is_negative():
    parameter = torch.nn.Parameter(torch.tensor([[-1.0, 0.0, 2.0]]))
    project_(parameter)
    assert parameter.tolist() == [[0.0, 0.0, 2.0]]


def test_dimension_at_the_threshold_is_active():
    assert active_dimensions(torch.tensor([[0.1, 0.0999]]), 0.1).tolist() == [[True, False]]
