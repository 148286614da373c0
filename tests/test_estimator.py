"""The estimator: what scikit-learn asks of it, the user's units, and what it says of its count."""

import io
import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from numpy.random import RandomState
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from maskaae.counting.answer import Trial
from maskaae.counting.count import as_dataset, count_dimensions
from maskaae.counting.settings import CountSettings
from maskaae.estimator import REFINEMENT_SHARE, MaskAAE

pytestmark = pytest.mark.filterwarnings(
    "ignore::UserWarning", "ignore::sklearn.exceptions.ConvergenceWarning"
)
torch.set_num_threads(1)

# Two independent sources seen through six columns of very different units, and one column that never varies.
SOURCES = np.random.default_rng(0).normal(size=(400, 2))
MIXING = np.random.default_rng(1).normal(size=(2, 6))
SCALES, OFFSETS = np.array([1, 10, 1e3, 1e-3, 5, 0.1]), np.array([0, 1e4, -50, 3, 0, 7])
TABLE = np.column_stack([SOURCES @ MIXING * SCALES + OFFSETS, np.full(400, 42.0)])
FRAME = pd.DataFrame(TABLE, columns=list("abcdefg"))
IMAGES = np.random.default_rng(0).integers(0, 256, (100, 4, 5, 3)).astype(np.uint8)


def small(**changes):
    settings = {"hidden": (32,), "critic_hidden": (16,), "steps": 300, "n_seeds": 1}
    return MaskAAE(**{**settings, **changes})


def tiny(**changes):
    return small(**{"steps": 6, "hidden": (8,), "critic_hidden": (8,), **changes})


@pytest.fixture(scope="module")
def fitted():
    return small(random_state=3).fit(TABLE)


def test_scikit_learn_finds_nothing_wrong():
    estimator = MaskAAE(hidden=(8,), critic_hidden=(8,), steps=12, batch_size=16, n_seeds=1)
    results = check_estimator(estimator, on_fail=None, on_skip=None)
    failed = {each["check_name"]: each["exception"] for each in results if each["status"] == "failed"}
    assert failed == {}
    assert len(results) > 40


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
    scaled = error[:, :6] / TABLE[:, :6].std(axis=0)
    assert fitted.score(TABLE) == pytest.approx(1 - np.square(scaled).mean(), abs=1e-4)


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
        decoded = fitted.model_.generate(torch.zeros(1, 1, fitted.model_.m))[0].numpy()
    np.testing.assert_allclose(fitted.inverse_transform(codes), fitted.in_units(decoded), rtol=1e-6)


@pytest.mark.parametrize("random_state", [3, RandomState(0)])
def test_saved_and_loaded_model_is_the_same(tmp_path, random_state):
    model = tiny(n_seeds=3, random_state=random_state, preset="paper").fit(FRAME)
    model.save(tmp_path)
    loaded = MaskAAE.load(tmp_path)
    np.testing.assert_array_equal(loaded.sample(20, seed=5), model.sample(20, seed=5))
    np.testing.assert_array_equal(loaded.transform(FRAME), model.transform(FRAME))
    state = random_state if random_state == 3 else None
    lists = {"hidden": [8], "critic_hidden": [8], "random_state": state}
    assert loaded.get_params() == model.get_params() | lists
    np.testing.assert_array_equal(loaded.counts_, model.counts_)
    for name in ("seed_", "settled_", "witnesses_", "cautions_", "n_active_", "n_features_in_"):
        assert getattr(loaded, name) == getattr(model, name)
    assert loaded.feature_names_in_.tolist() == list("abcdefg")


def _through_joblib(model):
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    buffer.seek(0)
    return joblib.load(buffer)


@pytest.mark.parametrize(
    "copied",
    [
        lambda model: pickle.loads(pickle.dumps(model)),
        _through_joblib,
        lambda model: clone(model).fit(TABLE),
    ],
    ids=["pickle", "joblib", "clone"],
)
def test_a_copy_gives_the_same_codes_and_samples(fitted, copied):
    again = copied(fitted)
    np.testing.assert_array_equal(again.transform(TABLE), fitted.transform(TABLE))
    np.testing.assert_array_equal(again.sample(5), fitted.sample(5))
    assert not np.array_equal(fitted.sample(5, seed=1), fitted.sample(5, seed=2))


def test_without_scaling_the_model_sees_the_data_as_they_are():
    scaled = (TABLE[:, :6] - OFFSETS) / SCALES
    model = tiny(scaling="none").fit(scaled)
    np.testing.assert_array_equal(model._stored(scaled), scaled.astype(np.float32))
    assert model.record_["scaling"] is None


def test_works_in_a_pipeline_and_gives_frames():
    pipeline = make_pipeline(StandardScaler(), tiny()).set_output(transform="pandas")
    codes = pipeline.fit_transform(FRAME)
    assert len(codes) == 400
    assert list(codes.columns) == [f"maskaae{place}" for place in range(codes.shape[1])]
    assert list(pipeline[-1].get_feature_names_out()) == list(codes.columns)


@pytest.mark.parametrize("backend", ["sequential", "threading"])
def test_a_grid_search_prefers_the_better_reconstruction(backend):
    with joblib.parallel_backend(backend, n_jobs=2 if backend == "threading" else 1):
        search = GridSearchCV(tiny(), {"steps": [2, 60]}, cv=2).fit(TABLE)
    assert search.best_params_ == {"steps": 60}
    assert search.best_estimator_.n_features_in_ == 7


def test_frames_lists_and_arrays_are_the_same_data():
    of_frame, of_list = tiny().fit(FRAME), tiny().fit(TABLE.tolist())
    np.testing.assert_array_equal(of_frame.transform(FRAME), of_list.transform(TABLE))
    assert of_frame.feature_names_in_.tolist() == list("abcdefg")
    assert not hasattr(of_list, "feature_names_in_")
    with pytest.raises(ValueError, match="feature names should match"):
        of_frame.transform(FRAME[list("gfedcba")])


def test_codes_have_the_precision_of_the_data(fitted):
    assert fitted.transform(TABLE).dtype == np.float64
    assert fitted.transform(TABLE.astype(np.float32)).dtype == np.float32


def test_images_come_back_as_images():
    model = tiny().fit(IMAGES)
    assert model.sample(7).shape == (7, 4, 5, 3)
    assert model.sample(7).dtype == np.uint8
    assert model.inverse_transform(model.transform(IMAGES)).shape == IMAGES.shape
    assert model.n_features_in_ == 60
    with pytest.raises(ValueError, match=r"images \(5, 4, 3\); the model was trained on \(4, 5, 3\)"):
        model.transform(IMAGES.transpose(0, 2, 1, 3))
    with pytest.raises(ValueError, match="trained on images"):
        model.transform(np.zeros((3, 60)))


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (np.zeros((100, 4, 4)), ValueError, "expected numbers"),
        (np.array([["a"]] * 100), ValueError, "could not convert"),
        (np.vstack([TABLE, np.full(7, np.nan)]), ValueError, "contains NaN"),
        (csr_array(TABLE), TypeError, "Sparse data was passed"),
        (TABLE[:1], ValueError, "1 sample"),
        (np.ones((50, 7)), ValueError, "equal"),
    ],
)
def test_unusable_data_are_refused_by_what_is_wrong(data, error, message):
    with pytest.raises(error, match=message):
        tiny().fit(data)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"capacity": 8}, "capacity = 8: must be from 1 to 7"),
        ({"capacity": 0}, "capacity = 0: must be from 1 to 7"),
        ({"capacity": -2}, "capacity = -2: must be from 1 to 7"),
        ({"hidden": ()}, r"hidden = \(\): give one width or more"),
        ({"critic_hidden": (0,)}, "critic_hidden"),
        ({"preset": "best"}, "preset = 'best' is unknown; give 'paper' or 'robust'"),
        ({"scaling": "max"}, "scaling = 'max' is unknown; give 'standardise' or 'none'"),
        ({"n_seeds": 0}, "n_seeds = 0: must be at least 1"),
        ({"steps": 0}, "steps = 0: must be at least 2"),
        ({"batch_size": 0}, "batch_size = 0"),
        ({"device": "gpu"}, "device = 'gpu'.*give 'cpu'"),
        ({"n_jobs": 0}, "jobs = 0"),
        ({"n_jobs": -1}, "n_jobs = -1: must be at least 1"),
        ({"widest": -1}, "widest = -1: must be at least 0"),
        ({"random_state": -1}, "random_state = -1: must be at least 0"),
    ],
)
def test_wrong_parameters_are_refused_by_what_is_right(changes, message):
    with pytest.raises(ValueError, match=message):
        tiny(**changes).fit(TABLE)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"capacity": "8"}, "capacity = '8': give a whole number"),
        ({"capacity": 2.5}, "capacity = 2.5: give a whole number"),
        ({"n_seeds": 2.0}, "n_seeds = 2.0: give a whole number"),
        ({"steps": "x"}, "steps = 'x': give a whole number"),
        ({"widest": None}, "widest = None: give a whole number"),
        ({"validation_share": "x"}, "validation_share = 'x': give a number"),
        ({"hidden": 64}, r"hidden = 64: give one width or more, as \(128, 128\)"),
        ({"critic_hidden": None}, "critic_hidden = None: give one width or more"),
        ({"hidden": (32.0,)}, r"hidden = \(32.0,\): give one width or more"),
    ],
)
def test_parameters_of_a_wrong_type_are_refused_by_their_name(changes, message):
    with pytest.raises(TypeError, match=message):
        tiny(**changes).fit(TABLE)


def test_data_that_no_training_can_follow_are_refused():
    with pytest.raises(ValueError, match=r"seeds 0 diverged .* far from all others"):
        tiny(scaling="none", preset="paper").fit(TABLE * 1e25)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_missing_gpu_is_said():
    with pytest.raises(ValueError, match="device = 'cuda': there is no such GPU here; give 'cpu'"):
        tiny(device="cuda").fit(TABLE)


def test_a_count_with_room_to_spare_is_the_count_of_the_command():
    model = tiny(n_seeds=3, random_state=5).fit(TABLE)
    settings = CountSettings(
        seeds=(5, 6, 7),
        steps=6,
        refinement_share=REFINEMENT_SHARE,
        hidden=(8,),
        critic_hidden=(8,),
    )
    count = count_dimensions(as_dataset(TABLE)[0], settings)
    assert tuple(model.counts_) == count.counts
    assert model.n_active_ == count.dimensions == model.transform(TABLE).shape[1]
    assert model.settled_ == count.settled
    assert model.witnesses_ == {witness.name: witness.dimension for witness in count.witnesses}
    assert model.cautions_ == count.warnings


@pytest.mark.parametrize("channels", [(), (8, 16)])
def test_estimator_and_command_search_equally_long(channels):
    ours, theirs = MaskAAE()._settings(rows=1000), CountSettings()
    trial = Trial(32, (128, 128), (128, 128), channels)
    searches = [each.longest(trial) * (1 - each.refinement_share) for each in (ours, theirs)]
    assert searches[0] == searches[1] == (3600 if channels else 14_400)
    assert ours.first_reading(trial) == theirs.first_reading(trial)


def test_a_count_that_is_held_down_is_warned_about():
    """The released mask is open at first, and keeps in so short a run all columns that there are."""
    with pytest.warns(ConvergenceWarning, match="keeps all of 7 dimensions"):
        tiny(preset="paper", capacity=2).fit(TABLE)


def test_few_rows_are_warned_about_and_smaller_than_a_batch():
    with pytest.warns(UserWarning, match="rows to learn from"):
        model = tiny(batch_size=64).fit(TABLE[:20])
    assert model.record_["plan"]["batch_size"] == 20


def test_every_caution_is_a_warning():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = tiny().fit(load_iris().data)
    said = {str(each.message) for each in caught}
    assert {f"{each.sentence} {each.remedy}" for each in model.cautions_} <= said


def test_what_is_not_fitted_says_so():
    with pytest.raises(NotFittedError):
        MaskAAE().transform(TABLE)
    with pytest.raises(NotFittedError):
        MaskAAE().sample(3)


def test_codes_of_another_width_are_refused(fitted):
    with pytest.raises(ValueError, match="expected"):
        fitted.inverse_transform(np.zeros((2, 9)))


def test_unfinished_run_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"model\.safetensors is missing"):
        MaskAAE.load(tmp_path)
