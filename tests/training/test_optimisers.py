"""TensorFlow 1's RMSProp, against updates computed by hand."""

import math

import pytest
import torch

from maskaae.training.optimisers import OPTIMISERS, Adam, TF1RMSProp


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


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.5, 0.9)])
@pytest.mark.parametrize("as_tensor", [False, True])
def test_adam_is_torchs(betas, as_tensor):
    """The rate falls, as it does when a run is annealed; a captured step gives it as a tensor."""
    generator = torch.Generator().manual_seed(0)
    ours = torch.nn.Parameter(torch.randn(50, generator=generator, dtype=torch.float64))
    theirs = torch.nn.Parameter(ours.detach().clone())
    optimiser, reference = Adam([ours], betas), torch.optim.Adam([theirs], betas=betas)
    for rate in (0.1, 0.1, 0.05, 0.01):
        ours.grad = theirs.grad = torch.randn(50, generator=generator, dtype=torch.float64)
        reference.param_groups[0]["lr"] = rate
        reference.step()
        optimiser.step(torch.tensor([rate], dtype=torch.float64) if as_tensor else rate)
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=0.0)


def test_adam_goes_on_from_its_state():
    def run(stop):
        generator = torch.Generator().manual_seed(0)
        p = torch.nn.Parameter(torch.ones(5))
        optimiser = Adam([p], (0.5, 0.9))
        for step in range(6):
            if step == stop:
                state = optimiser.state_dict()
                optimiser = Adam([p], (0.5, 0.9))
                optimiser.load_state_dict(state)
            p.grad = torch.randn(5, generator=generator)
            optimiser.step(0.1)
        return p.detach()

    assert torch.equal(run(stop=3), run(stop=None))
