"""Samples from a mixture fitted to codes: scikit-learn's likelihood, components by held-out codes."""

import dataclasses

import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture

from maskaae.data.dataset import Dataset, DatasetInfo
from maskaae.evaluation.evaluate import evaluate_run
from maskaae.evaluation.examples import Sampling
from maskaae.evaluation.features import RawFeatures, reference_statistics
from maskaae.evaluation.mixture import COMPONENTS, compare_samplers, fit_mixture, mixture_samples
from maskaae.method.presets import ROBUST
from maskaae.method.spec import ModelSpec
from maskaae.models.build import build_model

OPEN = np.ones(2, dtype=bool)


def clusters(number, size=4000, seed=0, dimensions=2):
    """Codes in some clusters far from each other along the first axis, (size, dimensions)."""
    random = np.random.default_rng(seed)
    codes = random.normal(size=(size, dimensions))
    codes[:, 0] += 12.0 * random.integers(number, size=size)
    return codes.astype(np.float32)


@pytest.mark.parametrize(("number", "expected"), [(1, [1]), (5, [5, 10])])
def test_held_out_codes_choose_the_number_of_components(number, expected):
    codes = clusters(number, size=1000, dimensions=8)
    assert fit_mixture(codes, np.ones(8, dtype=bool), seed=0).components in expected


def test_few_codes_are_not_given_more_components_than_they_can_fill():
    assert fit_mixture(clusters(3, size=60), OPEN, seed=0).components in (1, 5)


def test_the_mixture_is_scikit_learns_of_four_fifths_of_the_standardised_codes():
    codes = clusters(5).astype(np.float64)
    fitted = fit_mixture(codes, OPEN, seed=3)
    standard = (codes - codes.mean(axis=0)) / codes.std(axis=0)
    kept = np.arange(len(codes)) % 5 != 0
    reference = GaussianMixture(fitted.components, max_iter=200, random_state=3).fit(standard[kept])
    assert fitted.mixture.score(standard) == pytest.approx(reference.score(standard), rel=1e-9)


def test_samples_have_the_moments_of_the_codes_and_no_order():
    codes = clusters(5, size=20_000) @ np.array([[0.01, 0.0], [0.0, 100.0]], dtype=np.float32) + 7
    drawn = fit_mixture(codes, OPEN, seed=0).sample(20_000, seed=1)
    np.testing.assert_allclose(drawn.mean(axis=0), codes.mean(axis=0), rtol=0.02, atol=3)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(codes.T), rtol=0.05, atol=0.3)
    halves = drawn[:10_000], drawn[10_000:]
    assert abs(halves[0][:, 0].mean() - halves[1][:, 0].mean()) < 0.02


def test_one_seed_gives_one_sample_and_another_gives_another():
    fitted = fit_mixture(clusters(2), OPEN, seed=0)
    np.testing.assert_array_equal(fitted.sample(50, seed=1), fitted.sample(50, seed=1))
    assert not np.array_equal(fitted.sample(50, seed=1), fitted.sample(50, seed=2))


def test_masked_and_constant_dimensions_are_left_out_of_the_fit():
    codes = np.column_stack([clusters(2), np.full(4000, 3.0), clusters(1, seed=1)])
    fitted = fit_mixture(codes, np.array([True, False, True, True, True]), seed=0)
    assert fitted.varying.tolist() == [True, False, False, True, True]
    assert fitted.mixture.means_.shape[1] == 3
    np.testing.assert_array_equal(fitted.sample(10, seed=0)[:, 2], 3.0)


def test_codes_without_an_open_dimension_have_no_mixture_and_one_sample():
    fitted = fit_mixture(clusters(2), ~OPEN, seed=0)
    assert fitted.components == 0
    assert len(np.unique(fitted.sample(10, seed=0), axis=0)) == 1


@pytest.fixture(scope="module")
def dataset():
    """Vectors on a bent curve of one dimension in three, as no Gaussian prior of an untrained model is."""
    random = np.random.default_rng(0)
    angle = random.uniform(0, 6, size=900)
    x = np.column_stack([np.cos(angle), np.sin(angle), angle]).astype(np.float32)
    info = DatasetInfo("curve", "array", "vectors", (3,), 600, 300, 0, None, {})
    nothing = np.zeros(0, np.int64)
    return Dataset(info, x[:600], x[600:], nothing, nothing)


def built(model="rae", m=3):
    spec = ModelSpec(model, m, (0, 4), "vectors", (3,), (16,), (16,), ROBUST)
    return build_model(spec).eval().requires_grad_(False)


def compared(model, dataset, batch=100):
    reference = reference_statistics(dataset.test, RawFeatures(), 100)
    sampling = Sampling(samples=200, batch=batch, seed=5)
    return compare_samplers(model, dataset, RawFeatures(), reference, sampling)


@pytest.mark.parametrize("model", ["rae", "wae", "maae", "vae_learned", "two_stage_vae", "irmae"])
def test_every_model_is_measured_by_both_samplers_and_the_same_measures(dataset, model):
    table = compared(built(model), dataset)
    assert table[["sampler", "seed"]].values.tolist() == [
        [sampler, seed] for sampler in ("prior", "mixture") for seed in (0, 4)
    ]
    measures = ["fd_raw_200", "fd_raw_200_train", "kid_raw_200", "precision_raw_200", "recall_raw_200"]
    assert table[measures].notna().all(axis=None)
    assert set(table.loc[table["sampler"] == "mixture", "components"]) <= set(COMPONENTS)


def test_the_priors_distance_is_that_of_the_evaluation(dataset):
    model = built("wae")
    reference = {"raw": reference_statistics(dataset.test, RawFeatures(), 100)}
    metrics = evaluate_run([(0, model)], dataset.test, reference, [RawFeatures()], Sampling(200, 50, 5))
    prior = compared(model, dataset).query("sampler == 'prior'")
    np.testing.assert_allclose(prior["fd_raw_200"], metrics["fd_raw_200"], rtol=1e-9)


def test_a_mixture_is_nearer_than_the_prior_of_a_model_that_was_never_held_to_it(dataset):
    """An invertible model whose codes fill the curve; N(0, I) decodes to a ball around it."""

    class Identity(type(built())):
        def encode(self, x):
            return x

        def decode(self, codes):
            return codes

        def generate(self, noise, mask="binary"):
            return noise

    model = built()
    model.__class__ = Identity
    table = compared(model, dataset).groupby("sampler")["fd_raw_200"].mean()
    assert table["mixture"] < 0.1 * table["prior"]


def test_numbers_depend_on_neither_batch_nor_the_seeds_beside(dataset):
    model = built()
    table, other = compared(model, dataset), compared(model, dataset, batch=37)
    np.testing.assert_allclose(table["fd_raw_200"], other["fd_raw_200"], rtol=1e-5)
    alone = build_model(dataclasses.replace(model.spec, seeds=(4,))).eval().requires_grad_(False)
    row = compared(alone, dataset).set_index("sampler")["fd_raw_200"]
    beside = table[table["seed"] == 4].set_index("sampler")["fd_raw_200"]
    np.testing.assert_allclose(row, beside, rtol=1e-4)


def test_a_seed_that_was_lost_has_a_reason_and_no_number(dataset):
    model = built()
    model.lost = {4: "loss at step 3"}
    with torch.no_grad():
        for parameter in model.parameters():
            parameter[1] = torch.nan
    table = compared(model, dataset)
    gone = table[table["seed"] == 4]
    assert gone[["fd_raw_200", "kid_raw_200", "precision_raw_200"]].isna().all(axis=None)
    assert gone["undefined"].str.startswith("lost: ").all()
    assert table.loc[table["seed"] == 0, "fd_raw_200"].notna().all()


def test_codes_pass_the_mask_on_their_way_to_the_decoder(dataset):
    model = built("maae")
    with torch.no_grad():
        model.mask_parameter[:, 0] = 0.0  # closed
    mixtures = [fit_mixture(np.random.default_rng(0).normal(size=(500, 3)), np.array([True] * 3), 0)] * 2
    sampling = Sampling(samples=20, batch=20)
    (through,) = mixture_samples(model, mixtures, sampling)
    other = model.decoder.forward
    seen = []
    model.decoder.forward = lambda codes: seen.append(codes) or other(codes)
    (again,) = mixture_samples(model, mixtures, sampling)
    assert torch.equal(through, again)
    assert (seen[0][..., 0] == 0).all()
    assert (seen[0][..., 1] != 0).all()
