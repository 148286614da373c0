"""The estimator: the user's units on the way in and out, scaling kept with the model, active codes."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from maskaae.estimator import MaskAAE

torch.set_num_threads(1)

# Two independent sources seen through six columns of very different units, and one column that never varies.
SOURCES = np.random.default_rng(0).normal(size=(400, 2))
MIXING = np.random.default_rng(1).normal(size=(2, 6))
SCALES, OFFSETS = np.array([1, 10, 1e3, 1e-3, 5, 0.1]), np.array([0, 1e4, -50, 3, 0, 7])
TABLE = np.column_stack([SOURCES @ MIXING * SCALES + OFFSETS, np.full(400, 42.0)])


def small(**changes):
    settings = {"hidden": (32,), "critic_hidden": (16,), "steps": 300, "seed": 3}
    return MaskAAE(4, **{**settings, **changes})


@pytest.fixture(scope="module")
def fitted():
    return small().fit(TABLE)


def test_samples_have_the_units_of_the_data(fitted):
    sample = fitted.sample(2000)
    assert sample.shape == (2000, 7)
    spread = TABLE.std(axis=0)[:6]
    assert (np.abs(sample.mean(axis=0)[:6] - TABLE.mean(axis=0)[:6]) < spread).all()
    assert (sample.std(axis=0)[:6] > 0.1 * spread).all()
    assert (sample.std(axis=0)[:6] < 5 * spread).all()


def test_reconstruction_explains_most_of_every_column(fitted):
    error = TABLE - fitted.inverse_transform(fitted.transform(TABLE))
    assert (error[:, :6].var(axis=0) < 0.3 * TABLE[:, :6].var(axis=0)).all()


def test_codes_are_those_of_the_active_dimensions(fitted):
    codes = fitted.transform(TABLE[:10])
    assert codes.shape == (10, fitted.n_active_)
    with torch.inference_mode():
        stored = torch.from_numpy(fitted._stored(TABLE[:10]))[None]
        expected = fitted.model_.encode(stored)[0][:, fitted.model_.active[0]]
    np.testing.assert_allclose(codes, expected.numpy(), rtol=1e-5, atol=1e-6)


def test_masked_dimensions_decode_as_zero(fitted):
    """What inverse_transform decodes is what the model generates through its binary mask."""
    codes = np.zeros((1, fitted.n_active_), dtype=np.float32)
    with torch.inference_mode():
        decoded = fitted.model_.generate(torch.zeros(1, 1, 4))[0].numpy()
    np.testing.assert_allclose(fitted.inverse_transform(codes), fitted.in_units(decoded), rtol=1e-6)


def test_saved_and_loaded_model_gives_the_same_samples(fitted, tmp_path):
    fitted.save(tmp_path)
    loaded = MaskAAE.load(tmp_path)
    np.testing.assert_array_equal(loaded.sample(20, seed=5), fitted.sample(20, seed=5))
    np.testing.assert_array_equal(loaded.transform(TABLE), fitted.transform(TABLE))
    assert loaded.get_params() == fitted.get_params() | {"hidden": (32,), "critic_hidden": (16,)}


def test_equal_seeds_give_equal_models_and_samples(fitted):
    again = clone(fitted).fit(TABLE)
    np.testing.assert_array_equal(again.sample(5), fitted.sample(5))
    assert not np.array_equal(fitted.sample(5, seed=1), fitted.sample(5, seed=2))


def test_without_scaling_the_model_sees_the_data_as_they_are():
    scaled = (TABLE[:, :6] - OFFSETS) / SCALES
    model = small(steps=5, scaling="none").fit(scaled)
    np.testing.assert_array_equal(model._stored(scaled), scaled.astype(np.float32))
    assert model.record_["scaling"] is None


def test_works_in_a_pipeline():
    pipeline = make_pipeline(FunctionTransformer(), small(steps=5))
    assert len(pipeline.fit_transform(TABLE)) == 400


def test_images_come_back_as_images():
    images = np.random.default_rng(0).integers(0, 256, (100, 4, 5, 3)).astype(np.uint8)
    model = small(steps=5).fit(images)
    assert model.sample(7).shape == (7, 4, 5, 3)
    assert model.sample(7).dtype == np.uint8
    assert model.inverse_transform(model.transform(images)).shape == images.shape


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.zeros((100, 4, 4)), "expected numbers"),
        (np.array([["a"]] * 100), "expected numbers"),
        (np.vstack([TABLE, np.full(7, np.nan)]), "row 400, column 0"),
        (TABLE[:20], "fewer than batch_size = 64"),
    ],
)
def test_unusable_data_are_refused_by_what_is_wrong(data, message):
    with pytest.raises(ValueError, match=message):
        small(steps=5).fit(data)


def test_other_shapes_than_those_trained_on_are_refused(fitted):
    with pytest.raises(ValueError, match=r"shape \(3,\) per example; the model was trained on \(7,\)"):
        fitted.transform(TABLE[:, :3])
    with pytest.raises(ValueError, match="expected"):
        fitted.inverse_transform(np.zeros((2, 9)))


def test_unfinished_run_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"model\.safetensors is missing"):
        MaskAAE.load(tmp_path)
