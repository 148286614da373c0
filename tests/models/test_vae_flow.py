"""The inverse autoregressive flow: its log-determinant, the order of its codes, the density it gives."""

import dataclasses

import pytest
import torch

from maskaae.method.presets import PAPER
from maskaae.method.spec import ModelSpec
from maskaae.models.build import build_model
from maskaae.models.vae_flow import AutoregressiveNetwork, InverseAutoregressiveFlow

SPEC = ModelSpec(
    "vae_flow", 3, (3, 7), "vectors", (10,), (16,), (16,), PAPER.override({"vae": {"flow_hidden": 12}})
)


def generators(count=1):
    return [torch.Generator().manual_seed(seed) for seed in range(count)]


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("m", [1, 2, 5])
@pytest.mark.parametrize("steps", [1, 3])
def test_log_determinant_is_that_of_the_jacobian(m, steps):
    flow = InverseAutoregressiveFlow(m, steps, 12, generators())
    codes, context = normal(1, 4, m), 2 * normal(1, 4, m, seed=1)
    _, log_determinant = flow(codes, context)
    for example in range(4):
        at = context[:, example : example + 1]
        jacobian = torch.autograd.functional.jacobian(
            lambda z, at=at: flow(z.view(1, 1, m), at)[0].flatten(), codes[0, example]
        )
        expected = torch.linalg.slogdet(jacobian).logabsdet
        torch.testing.assert_close(log_determinant[0, example], expected, rtol=1e-4, atol=1e-5)


def test_a_code_is_shifted_by_the_codes_before_it_and_by_the_context_alone():
    network = AutoregressiveNetwork(4, 12, generators())
    context = normal(1, 1, 4, seed=1)
    for head in (0, 1):
        jacobian = torch.autograd.functional.jacobian(
            lambda z, head=head: network(z.view(1, 1, 4), context)[head].flatten(), normal(4)
        )
        assert (jacobian.triu() == 0).all()
        assert (jacobian.tril(-1) != 0).any(dim=1)[1:].all()
        by_context = torch.autograd.functional.jacobian(
            lambda c, head=head: network(normal(1, 1, 4), c.view(1, 1, 4))[head].flatten(), context.flatten()
        )
        assert (by_context != 0).any(dim=1).all()


def test_flow_lets_most_of_a_code_through_at_first():
    flow = InverseAutoregressiveFlow(6, 2, 20, generators())
    codes = normal(1, 500, 6)
    moved, _ = flow(codes, torch.zeros_like(codes))
    correlation = torch.corrcoef(torch.cat([codes[0].T, moved[0].T]))[:6, 6:].diagonal()
    assert (correlation > 0.7).all()  # two reversals of the order leave each code in its place


def test_posterior_of_the_flow_is_a_density():
    """Mean of p(z) / q(z|x) over samples of q is one where log q is right."""
    model = build_model(dataclasses.replace(SPEC, seeds=(3,)))
    x = normal(1, 1, 10).expand(1, 20_000, 10)
    with torch.no_grad():
        model.encoder.layers[-1].bias[..., 3:6] = 0.3  # q wider than p, so that the weights stay bounded
        _, divergence = model.sample_posterior(x, normal(1, 20_000, 3, seed=1))
    ratio = torch.exp(-divergence)
    assert ratio.std() > 0.05  # q is not the prior, or there would be nothing to see
    assert ratio.mean().item() == pytest.approx(1.0, abs=4 * ratio.std().item() / 20_000**0.5)
