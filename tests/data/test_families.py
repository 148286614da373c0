"""Families of maps of known rank, beside the paper's generator: formulas by hand, and rank on the data."""

import numpy as np
import pytest

from maskaae.data.dataset import load_dataset
from maskaae.data.families import FAMILIES, Net, Polynomial, Scaled, Sinusoids, linear
from maskaae.data.registry import SOURCES, resolve
from maskaae.data.synthetic import draw_generator


def spec_of(**keys):
    return resolve({"name": "toy", "source": "synthetic", "n": 4, "n_train": 400, "n_test": 50, **keys})


def prepare(folder, **keys):
    SOURCES["synthetic"].prepare(spec_of(**keys), raw=folder / "raw", folder=folder)
    return load_dataset(folder)


def drawn(family, n=4, **keys):
    return draw_generator(spec_of(family=family, n=n, **keys), np.random.default_rng(5))


def test_the_registry_names_every_family():
    known = SOURCES["synthetic"].keys["family"]["enum"]
    assert known == ["paper", *FAMILIES]


def test_the_papers_generator_is_the_one_that_it_was():
    """Values of version 0.1: data sets that were made then are made again to the same bytes."""
    generator = draw_generator(spec_of(), np.random.default_rng(0))
    outputs = generator(np.random.default_rng(1).standard_normal((10, 4)))
    assert outputs[0, :4] == pytest.approx([-0.337905, 1.739247, 0.462228, -0.494549], abs=1e-6)


def test_a_net_by_hand():
    net = Net((np.array([[1.0], [-2.0]]), np.array([[3.0, 1.0]])), np.tanh, lambda b: 1 - np.tanh(b) ** 2)
    assert net(np.array([[0.5]])) == pytest.approx(3 * np.tanh(0.5) + np.tanh(-1.0))
    slope = 3 / np.cosh(0.5) ** 2 - 2 / np.cosh(1.0) ** 2
    assert net.jacobian(np.array([0.5])) == pytest.approx(slope)


def test_sinusoids_by_hand():
    waves = Sinusoids(np.array([[1.0, 2.0]]), np.array([0.5]))
    assert waves(np.array([[0.1, 0.2]])) == pytest.approx(np.sin(1.0))
    np.testing.assert_allclose(waves.jacobian(np.array([0.1, 0.2])), [[np.cos(1.0), 2 * np.cos(1.0)]])


def test_a_polynomial_by_hand():
    """2 a + 3 b + 5 a a + 7 a b + 11 b b at a = 2, b = 1."""
    curve = Polynomial(np.array([[2.0, 3.0]]), np.array([[5.0, 7.0, 11.0]]))
    assert curve(np.array([[2.0, 1.0]])) == pytest.approx(4 + 3 + 20 + 14 + 11)
    np.testing.assert_allclose(curve.jacobian(np.array([2.0, 1.0])), [[2 + 20 + 7, 3 + 14 + 22]])


def test_strengths_of_the_linear_family_fall_as_one_over_the_place():
    weights = linear(5, 30, 0, np.random.default_rng(0)).weights[0]
    variances = np.linalg.eigvalsh(weights.T @ weights)[::-1]
    np.testing.assert_allclose(variances, 1 / np.arange(1, 6))


@pytest.mark.parametrize("family", FAMILIES)
def test_the_jacobian_agrees_with_finite_differences(family):
    generator, latent = drawn(family), np.random.default_rng(1).standard_normal(4)
    assert isinstance(generator, Scaled)
    steps = 1e-6 * np.eye(4)
    numeric = (generator(latent + steps) - generator(latent - steps)).T / 2e-6
    np.testing.assert_allclose(generator.jacobian(latent), numeric, atol=1e-6)


@pytest.mark.parametrize("n", [2, 8, 16, 32])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_rank_is_n_at_every_example(family, n):
    """Not only at the 32 points that `prepare` looks at."""
    generator = drawn(family, n=n, dimension=100)
    for latent in np.random.default_rng(2).standard_normal((100, n)):
        values = np.linalg.svd(generator.jacobian(latent), compute_uv=False)
        assert values[n - 1] > 1e-4 * values[0]


@pytest.mark.parametrize("family", FAMILIES)
def test_no_two_examples_lie_on_top_of_each_other(family):
    """A map that folded or closed on itself would bring far latents together."""
    generator, latents = (
        drawn(family, n=2, dimension=40),
        np.random.default_rng(3).uniform(-1.5, 1.5, (600, 2)),
    )
    apart = np.linalg.norm(latents[:, None] - latents[None], axis=-1)
    images = generator(latents)
    distances = np.linalg.norm(images[:, None] - images[None], axis=-1)
    assert (distances[apart > 0.5] > 0.05 * np.median(distances)).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_the_data_are_of_unit_variance_and_the_same_for_the_same_seed(tmp_path, family):
    data = prepare(tmp_path / "a", family=family, n_train=5000)
    again, other = (prepare(tmp_path / str(seed), family=family, seed=seed) for seed in (0, 1))
    assert data.info.n == 4
    assert data.info.details["family"] == family
    assert data.train.var(axis=0).mean() == pytest.approx(1, rel=0.1)
    np.testing.assert_array_equal(data.train[:400], again.train)
    assert not np.allclose(again.train, other.train)


@pytest.mark.parametrize("family", FAMILIES)
def test_noise_adds_its_variance_and_nothing_else(tmp_path, family):
    clean, noisy = (prepare(tmp_path / str(noise), family=family, noise=noise).train for noise in (0.0, 0.5))
    assert (noisy - clean).std() == pytest.approx(0.5, rel=0.02)
    assert abs((noisy - clean).mean()) < 0.01


def test_the_relu_net_is_flat_piece_by_piece_and_the_smooth_ones_are_not():
    latent, step = np.full(4, 0.3), 1e-7 * np.ones(4)
    for family, flat in (("deep_relu", True), ("linear", True), ("tanh", False), ("polynomial", False)):
        generator = drawn(family)
        assert np.array_equal(generator.jacobian(latent), generator.jacobian(latent + step)) is flat
