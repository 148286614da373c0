"""Equations 14 to 17 against values computed by hand and by automatic differentiation."""

import math

import pytest
import torch

from maskaae.method import losses
from maskaae.networks.mlp import MlpCritic
from maskaae.randomness import torch_generator
from maskaae.training.fast.explicit import CriticPass
from maskaae.training.stepping import flatten_parameters_


@pytest.fixture
def critic():
    critic = MlpCritic((5, 16, 12, 1), [torch_generator(seed, "test") for seed in (0, 1, 2)]).double()
    generator = torch.Generator().manual_seed(1)
    for parameter in critic.parameters():  # biases start at zero, where an error in them would not show
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    return critic


@pytest.fixture
def codes():
    generator = torch.Generator().manual_seed(2)
    draw = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)  # noqa: E731
    return draw(3, 7, 5), draw(3, 7, 5), torch.rand(3, 7, 1, generator=generator, dtype=torch.float64)


def autograd_penalty(critic, prior, encoded, mix):
    between = torch.lerp(prior, encoded, mix).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (gradient.norm(dim=-1) - 1).square().mean(dim=1)


def test_cross_entropy_of_an_even_guess_is_log_two_per_pixel():
    x = torch.tensor([[[0.0, 1.0, 0.3]]])
    assert losses.binary_cross_entropy(x, torch.zeros_like(x)).item() == pytest.approx(math.log(2))


def test_squared_error_is_a_mean_over_batch_and_dimensions_for_each_seed():
    x = torch.tensor([[[1.0, 2.0]], [[0.0, 0.0]]])
    assert losses.mean_squared_error(x, torch.zeros_like(x)).tolist() == [2.5, 0.0]


def eq_14(codes, mu):
    x = torch.zeros(len(codes), codes.shape[1], 1)
    return losses.autoencoder_loss(
        x,
        x + 2.0,
        codes,
        mu,
        reconstruction_loss=losses.mean_squared_error,
        variance_weight=100.0,
        sharpness=10.0,
    )


def test_eq_14_by_hand():
    """Variances 1 and 0, and a mask that weighs them by exp(-10 / 4) and 1."""
    loss, terms = eq_14(torch.tensor([[[0.0, 1.0], [2.0, 1.0]]]), torch.tensor([[0.5, 0.0]]))
    variance = math.exp(-2.5) * 1.0 / 2
    assert {name: value.item() for name, value in terms.items()} == {
        "reconstruction": 4.0,
        "variance": pytest.approx(variance),
    }
    assert loss.item() == pytest.approx(4.0 + 100 * variance)


def test_variance_weight_is_one_when_masked_and_exp_minus_a_when_open():
    """Each dimension alone has variance 1."""
    for mu, weight in ((0.0, 1.0), (1.0, math.exp(-10)), (0.5, math.exp(-2.5))):
        _, terms = eq_14(torch.tensor([[[0.0], [2.0]]]), torch.tensor([[mu]]))
        assert terms["variance"].item() == pytest.approx(weight)


def scored_by(scores):
    """Critic that gives these scores, whatever the codes."""
    return lambda codes: scores


def test_wasserstein_is_prior_minus_encoded_and_generator_raises_encoded_scores():
    prior, encoded = torch.tensor([[3.0, 1.0]]), torch.tensor([[0.0, 1.0]])
    assert losses.wasserstein_estimate(prior, encoded).item() == 1.5
    assert losses.generator_loss(scored_by(encoded), torch.zeros(1, 2, 3)).item() == -0.5


def test_wasserstein_terms_of_code_and_text():
    w = torch.tensor([-1.0, 2.0])
    assert losses.WASSERSTEIN_TERMS["one_plus_squared"](w).tolist() == [0.0, 9.0]
    assert losses.WASSERSTEIN_TERMS["squared"](w).tolist() == [1.0, 4.0]


def test_polarisation_is_zero_only_at_zero_and_one_and_sums_over_dimensions():
    found = losses.polarisation(torch.tensor([[0.0, 1.0], [0.5, 0.2]]))
    assert found.tolist() == [0.0, pytest.approx(0.25 + 0.16)]


@pytest.mark.parametrize(("term", "match"), [("one_plus_squared", 9.0), ("squared", 4.0)])
def test_eq_17_by_hand(term, match):
    loss = losses.mask_loss(
        torch.tensor([0.1]),
        torch.tensor([2.0]),
        torch.tensor([0.25]),
        wasserstein_term=term,
        reconstruction_weight=1000.0,
        wasserstein_weight=0.5,
        ramp=8.0,
    )
    assert loss.item() == pytest.approx(100 + 0.5 * match + 2)


def test_penalty_of_a_linear_critic_is_its_squared_distance_from_norm_one():
    critic = MlpCritic((2, 1), [torch_generator(0, "test")])
    critic.layers[0].weight.data = torch.tensor([[[3.0], [4.0]]])  # gradient norm 5 everywhere
    z = torch.zeros(1, 6, 2)
    loss, terms = losses.critic_loss(critic, z + 1, z, torch.rand(1, 6, 1), penalty_weight=10.0)
    assert terms["penalty"].item() == pytest.approx(16.0)
    assert (loss.item(), terms["wasserstein"].item()) == pytest.approx((160 + 7, -7))


def test_explicit_input_gradient_equals_automatic_differentiation(critic, codes):
    z = codes[0].requires_grad_()
    (expected,) = torch.autograd.grad(critic(z).sum(), z)
    torch.testing.assert_close(critic.input_gradient(z), expected)


def closed_form(critic, encoded, prior, mix):
    """Loss, Wasserstein estimate and penalty; the gradient is left with the parameters."""
    flatten_parameters_(critic)
    critic_pass = CriticPass(critic, encoded.shape[1], penalty_weight=10.0)
    return critic_pass.loss(critic_pass.rows(encoded, prior, mix))


def test_critic_loss_in_closed_form_equals_twice_automatic_differentiation(critic, codes):
    encoded, prior, mix = codes
    penalty = autograd_penalty(critic, prior, encoded, mix)
    wasserstein = losses.wasserstein_estimate(critic(prior), critic(encoded))
    wanted = 10 * penalty - wasserstein
    expected = torch.autograd.grad(
        wanted.sum(), list(critic.parameters()), materialize_grads=True, allow_unused=True
    )
    plain, terms = losses.critic_loss(critic, encoded, prior, mix, penalty_weight=10.0)
    found = closed_form(critic, encoded, prior, mix)
    for form in ((plain, terms["wasserstein"], terms["penalty"]), found):
        torch.testing.assert_close(form, (wanted, wasserstein, penalty))
    for parameter, gradient in zip(critic.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)


def test_closed_form_of_a_linear_critic():
    critic = MlpCritic((2, 1), [torch_generator(0, "test")])
    critic.layers[0].weight.data = torch.tensor([[[3.0], [4.0]]])  # gradient norm 5 everywhere
    z = torch.zeros(1, 6, 2)
    loss, wasserstein, penalty = closed_form(critic, z, z + 1, torch.rand(1, 6, 1))
    assert (loss.item(), wasserstein.item(), penalty.item()) == pytest.approx((153.0, 7.0, 16.0))
    # by the kernel: 2 * 10 * (5 - 1) * (3, 4) / 5 from the penalty, minus (1, 1) from the estimate
    torch.testing.assert_close(critic.layers[0].weight.grad.flatten(), torch.tensor([47.0, 63.0]))


def test_flat_critic_has_a_finite_gradient():
    critic = MlpCritic((2, 4, 1), [torch_generator(0, "test")])
    for parameter in critic.parameters():
        parameter.data.zero_()
    z = torch.randn(1, 3, 2, generator=torch.Generator().manual_seed(0))
    _, _, penalty = closed_form(critic, z, z + 1, torch.full((1, 3, 1), 0.5))
    assert penalty.item() == 1.0
    assert all(torch.isfinite(parameter.grad).all() for parameter in critic.parameters())
