"""Where the best model is known: linear networks reach probabilistic PCA, a second stage the law of codes."""

import math

import numpy as np
import pytest
import torch

from maskaae.method.presets import PAPER, TrainingPlan
from maskaae.method.spec import ModelSpec
from maskaae.training.loop import TrainingRun
from maskaae.training.store import RunStore

D = 5
EIGENVALUES = np.array([4.0, 2.0, 0.3, 0.25, 0.2])


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    torch.set_num_threads(1)


def gaussian_data(count=500):
    """Vectors whose sample covariance has exactly these eigenvalues, in a rotated basis, with mean zero."""
    rng = np.random.default_rng(0)
    whitened = rng.standard_normal((count, D))
    whitened -= whitened.mean(axis=0)
    whitened = np.linalg.qr(whitened)[0] * math.sqrt(count)
    rotation = np.linalg.qr(rng.standard_normal((D, D)))[0]
    return (whitened * np.sqrt(EIGENVALUES) @ rotation).astype(np.float32)


def train_linear(folder, model, m, constants):
    """Train encoder and decoder of a single layer each."""
    constants = PAPER.override({"annealing": 0.6, "vae": {"rate": 1e-2, "variance_rate": 2e-2, **constants}})
    spec = ModelSpec(model, m, (0, 1), "vectors", (D,), (), (4,), constants)
    plan = TrainingPlan(steps=1800, batch_size=100, log_every=1800, checkpoint_every=1800)
    run = TrainingRun(spec, gaussian_data(), plan, RunStore(folder, {}))
    run.train()
    return run.model


def bound(model):
    """Negative evidence lower bound over all the data, (seed,)."""
    x = torch.from_numpy(gaussian_data()).expand(2, -1, -1)
    noise = torch.randn(100, *x.shape[:2], model.m, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        terms = [(model.sample_posterior(x, part), x) for part in noise]
        return torch.stack([(model.error(x, z) + kl).mean(dim=1) for (z, kl), x in terms]).mean(dim=0)


def test_linear_vae_of_learned_variance_is_probabilistic_pca(tmp_path):
    """Dai and Wipf (2018); Lucas et al. (2019): the bound is tight there.

    Tipping and Bishop (1999): gamma is the mean of the discarded eigenvalues, eq 8, and the likelihood eq 3.
    """
    model = train_linear(tmp_path, "vae_learned", 2, {})
    gamma = EIGENVALUES[2:].mean()
    likelihood = 0.5 * (D * math.log(2 * math.pi) + np.log(EIGENVALUES[:2]).sum() + 3 * math.log(gamma) + D)
    np.testing.assert_allclose(model.log_gamma.detach().exp(), gamma, rtol=0.03)
    np.testing.assert_allclose(bound(model), likelihood, atol=0.03)
    assert (bound(model) > likelihood - 0.01).all()


def test_linear_vae_of_fixed_variance_gives_up_directions_of_less_variance(tmp_path):
    """A direction of eigenvalue l above gamma has posterior means of variance 1 - gamma / l; others none."""
    model = train_linear(tmp_path, "vae_fixed", 4, {"variance": 1.0})
    assert model.active.sum(dim=1).tolist() == [2, 2]
    variances = model.code_variance.sort(dim=1, descending=True).values
    expected = torch.tensor([1 - 1 / 4.0, 1 - 1 / 2.0, 0.0, 0.0]).expand(2, -1)
    torch.testing.assert_close(variances, expected, atol=0.03, rtol=0)


def test_second_stage_samples_codes_with_the_moments_of_the_first_stages(tmp_path):
    rng = np.random.default_rng(0)
    sides = rng.choice([-1.5, 1.5], size=(4000, 1))
    data = np.hstack([sides, 0.5 * sides + 1]) + 0.2 * rng.standard_normal((4000, 2))
    constants = {
        "annealing": 0.5,
        "vae": {"rate": 2e-3, "variance_rate": 2e-2, "second_hidden": [32, 32], "second_share": 0.9999},
    }
    spec = ModelSpec("two_stage_vae", 2, (0, 1), "vectors", (2,), (), (4,), PAPER.override(constants))
    plan = TrainingPlan(steps=1500, batch_size=100, log_every=1500, checkpoint_every=1500)
    run = TrainingRun(spec, data.astype(np.float32), plan, RunStore(tmp_path, {}))
    posterior = run.model.encoder.layers[-1]  # q(z|x) = N(x, 0.1^2 I): the first stage takes no step
    posterior.weight.data = torch.eye(2, 4).repeat(2, 1, 1)
    posterior.bias.data = torch.tensor([0.0, 0.0, *[2 * math.log(0.1)] * 2]).repeat(2, 1, 1)
    run.train()
    noise = torch.randn(2, 20_000, run.model.noise_size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        codes = run.model.sample_codes(noise).numpy()
    for of_seed in codes:
        np.testing.assert_allclose(of_seed.mean(axis=0), data.mean(axis=0), atol=0.15)
        np.testing.assert_allclose(np.cov(of_seed.T), np.cov(data.T) + 0.01 * np.eye(2), rtol=0.15)
        assert (np.abs(of_seed[:, 0]) < 0.5).mean() < 0.15  # 0.26 of a Gaussian of these moments lies there
