"""TensorFlow 1's RMSProp, against updates computed by hand."""

import math

import pytest
import torch

from maskaae.training.optimisers import OPTIMISERS, TF1RMSProp


def stepped(optimiser, parameter, gradients, rate):
    for gradient in gradients:
        parameter.grad = torch.tensor([gradient], dtype=torch.float64)
        optimiser.step(rate)
    return parameter.item()


def test_first_two_updates_by_hand():
    p = torch.nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    result = stepped(TF1RMSProp([p]), p, [2.0, -1.0], rate=0.1)
    square = 0.9 * 1.0 + 0.1 * 4.0  # the accumulator starts at one
    expected = 1.0 - 0.1 * 2.0 / math.sqrt(square + 1e-10)
    square = 0.9 * square + 0.1 * 1.0
    expected += 0.1 * 1.0 / math.sqrt(square + 1e-10)
    assert result == pytest.approx(expected, rel=1e-14)


def test_epsilon_stands_inside_the_root():
    p = torch.nn.Parameter(torch.tensor([0.0], dtype=torch.float64))
    result = stepped(TF1RMSProp([p], decay=0.0, epsilon=4.0), p, [0.5], rate=1.0)
    assert result == pytest.approx(-0.5 / math.sqrt(0.25 + 4.0))  # outside it would be -0.5 / (0.5 + 2)


def test_torch_rmsprop_takes_another_first_step():
    p = torch.nn.Parameter(torch.tensor([0.0], dtype=torch.float64))
    result = stepped(OPTIMISERS["torch_rmsprop"]([p]), p, [2.0], rate=0.1)
    assert result == pytest.approx(-0.1 * 2.0 / math.sqrt(0.1 * 4.0), rel=1e-6)  # accumulator from zero


def test_scaling_a_loss_changes_nothing_in_the_long_run():
    """Why the released 'decay' of two losses does nothing: RMSProp divides the scale out."""
    results = []
    for scale in (1.0, 0.2):
        p = torch.nn.Parameter(torch.tensor([0.0], dtype=torch.float64))
        optimiser = TF1RMSProp([p])
        stepped(optimiser, p, [scale] * 400, rate=1e-3)  # forget the accumulator's start
        start = p.item()
        results.append(stepped(optimiser, p, [scale] * 100, rate=1e-3) - start)
    assert results[0] == pytest.approx(results[1], rel=1e-6)
    assert results[0] == pytest.approx(-0.1, rel=1e-6)
