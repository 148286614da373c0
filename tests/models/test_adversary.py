"""The two players' losses by hand, and their optimum."""

import math

import pytest
import torch

from maskaae.models.aae import discriminator_loss, non_saturating_loss


def test_losses_by_hand():
    prior, encoded = torch.tensor([[math.log(3), 0.0]]), torch.tensor([[0.0, -math.log(3)]])
    # D(z') = 3/4, 1/2 on the prior; D(z) = 1/2, 1/4 on codes
    expected = -(math.log(3 / 4) + math.log(1 / 2)) / 2 - (math.log(1 / 2) + math.log(3 / 4)) / 2
    assert discriminator_loss(prior, encoded).item() == pytest.approx(expected)
    assert non_saturating_loss(encoded).item() == pytest.approx(-(math.log(1 / 2) + math.log(1 / 4)) / 2)


def test_a_discriminator_that_cannot_tell_loses_two_log_two():
    undecided = torch.zeros(3, 5)
    assert discriminator_loss(undecided, undecided).tolist() == pytest.approx([2 * math.log(2)] * 3)


def test_optimal_discriminator_reaches_the_jensen_shannon_divergence():
    """For laws p and q the optimum is 2 log 2 - 2 JS(p, q) (Goodfellow et al., 2014, theorem 1)."""
    p, q = torch.tensor([0.7, 0.2, 0.1]), torch.tensor([0.1, 0.3, 0.6])
    counts = torch.tensor([700, 200, 100]), torch.tensor([100, 300, 600])
    logits = (p / q).log()
    loss = discriminator_loss(*(logits.repeat_interleave(n).unsqueeze(0) for n in counts))
    middle = (p + q) / 2
    divergence = ((p * (p / middle).log()).sum() + (q * (q / middle).log()).sum()) / 2
    assert loss.item() == pytest.approx(2 * math.log(2) - 2 * divergence.item(), rel=1e-5)


def test_losses_stay_finite_when_the_discriminator_is_certain():
    certain = torch.full((1, 4), 200.0)
    assert discriminator_loss(-certain, certain).item() == pytest.approx(400)
    assert non_saturating_loss(-certain).item() == pytest.approx(200)
