"""The mixture of Gaussians that RAE samples: scikit-learn's likelihood, its moments, its determinism."""

import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from maskaae.models.rae import COMPONENTS, LatentMixture
from maskaae.randomness import stream_seed

SEEDS = (3, 8)


@pytest.fixture(scope="module")
def codes() -> torch.Tensor:
    """Three clusters for one seed, four for the other, (seed, example, 2)."""
    random = np.random.default_rng(0)
    centres = [np.array([[0, 0], [4, 0], [0, 5]]), np.array([[0, 0], [9, 0], [0, 9], [9, 9]])]
    points = [c[random.integers(len(c), size=1500)] + random.normal(size=(1500, 2)) for c in centres]
    return torch.tensor(np.stack(points), dtype=torch.float32)


@pytest.fixture(scope="module")
def fitted(codes: torch.Tensor) -> LatentMixture:
    mixture = LatentMixture(SEEDS, 2)
    mixture.fit(codes)
    return mixture


def test_likelihood_is_that_of_scikit_learns_mixture(codes, fitted):
    for index, seed in enumerate(SEEDS):
        start = stream_seed(seed, "mixture") % 2**32
        reference = GaussianMixture(COMPONENTS, max_iter=2000, random_state=start).fit(codes[index].double())
        ours = MixtureSameFamily(
            Categorical(fitted.weights[index]),
            MultivariateNormal(fitted.means[index], scale_tril=fitted.factors[index]),
        )
        expected = torch.from_numpy(reference.score_samples(codes[index].double()))
        torch.testing.assert_close(ours.log_prob(codes[index]).double(), expected, rtol=1e-4, atol=1e-4)


def test_samples_have_the_moments_of_the_fitted_codes(codes, fitted):
    noise = torch.randn(2, 40_000, 3, generator=torch.Generator().manual_seed(0))
    samples = fitted.sample(noise)
    # EM's last step matches mean and covariance of the whole mixture to those of the codes.
    for drawn, seen in zip(samples, codes, strict=True):
        torch.testing.assert_close(drawn.mean(dim=0), seen.mean(dim=0), rtol=0, atol=0.08)
        torch.testing.assert_close(drawn.T.cov(), seen.T.cov(), rtol=0.03, atol=0.1)


def test_each_seed_samples_its_own_mixture(fitted):
    """One seed's clusters reach (9, 9), where the other's has nothing."""
    samples = fitted.sample(torch.randn(2, 2000, 3, generator=torch.Generator().manual_seed(0)))
    far = (samples > 7).all(dim=-1).float().mean(dim=1)
    assert far[0] == 0
    assert far[1] == pytest.approx(0.25, abs=0.05)


def test_before_fitting_it_is_the_prior():
    noise = torch.randn(2, 5, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(LatentMixture(SEEDS, 3).sample(noise), noise[..., :3])


def test_component_follows_its_weight_up_to_the_ends_of_the_noise():
    mixture = LatentMixture((0,), 1)
    mixture.weights[:] = 0.0
    mixture.weights[0, 2], mixture.weights[0, 5] = 0.25, 0.75
    mixture.means[0, :, 0] = torch.arange(COMPONENTS, dtype=torch.float32)
    choice = torch.tensor([-40.0, -0.70, -0.65, 0.0, 3.0])  # the quarter lies at -0.674
    noise = torch.stack((torch.zeros_like(choice), choice), dim=-1).unsqueeze(0)
    assert mixture.sample(noise).flatten().tolist() == [2, 2, 5, 5, 5]
