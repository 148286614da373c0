"""Tuning: what it tries, what it chooses, and that it never looks at the test split."""

import dataclasses

import numpy as np
import pytest
import torch

from maskaae.data.dataset import Dataset, DatasetInfo
from maskaae.evaluation.examples import Sampling
from maskaae.method.presets import ROBUST, TrainingPlan
from maskaae.method.spec import ModelSpec
from maskaae.training.run import read_chosen
from maskaae.tuning.candidates import Candidates, nested
from maskaae.tuning.trials import divide, trained_models, tune

NO_LABELS = np.zeros(0, dtype=np.int64)


@pytest.fixture
def dataset() -> Dataset:
    """Vectors on a plane; reading the test split fails."""
    random = np.random.default_rng(0)
    train = (random.normal(size=(500, 2)) @ random.normal(size=(2, 6))).astype(np.float32)
    info = DatasetInfo("plane", "array", "vectors", (6,), 500, 100, 0, 2, {"train": "0"})
    return Dataset(info, train, None, NO_LABELS, NO_LABELS)


def test_every_combination_is_tried_with_keys_in_their_groups():
    candidates = Candidates.from_config({"capacity": 8, "vae.variance": [1, 2], "annealing": [0.1]})
    assert candidates.capacity == 8
    expected = [{"vae": {"variance": 1}, "annealing": 0.1}, {"vae": {"variance": 2}, "annealing": 0.1}]
    assert candidates.overrides == expected
    assert nested({"a.b": 1, "a.c": 2, "d": 3}) == {"a": {"b": 1, "c": 2}, "d": 3}


def test_validation_examples_are_training_examples_that_do_not_train(dataset):
    training, validation = divide(dataset, seed=0)
    assert len(training.train) == 400 and len(validation) == 100
    rows = np.concatenate([training.train, validation])
    assert np.array_equal(np.unique(rows, axis=0), np.unique(dataset.train, axis=0))


def test_a_variance_above_the_datas_own_is_not_chosen(dataset, tmp_path):
    """A decoder of such a variance gives up every direction, and samples only the mean."""
    spec = ModelSpec("vae_fixed", 2, (0,), "vectors", (6,), (16,), (16,), ROBUST)
    table = tune(
        spec,
        dataset,
        TrainingPlan(400, 64, log_every=400, checkpoint_every=400),
        Candidates(2, {"vae.variance": [100.0, 0.05]}).overrides,
        sampling=Sampling(1000, 1000, 0),
    )
    assert table["chosen"].tolist() == [False, True]
    everything = np.trace(np.cov(dataset.train.T))
    assert table["distance"][0] == pytest.approx(everything, rel=0.4)
    assert table["distance"][1] < 0.7 * everything
    table.to_csv(tmp_path / "tuning.csv", index=False)
    assert read_chosen(tmp_path / "tuning.csv") == {"vae": {"variance": 0.05}}


def test_a_candidate_that_diverges_is_not_chosen(dataset):
    """Steps of 1e18 leave no finite loss; the other candidate is trained as if there were none beside it."""
    spec = ModelSpec("vae_fixed", 2, (0, 1), "vectors", (6,), (16,), (16,), ROBUST)
    plan = TrainingPlan(60, 64, log_every=20, checkpoint_every=60)
    overrides = [{"vae": {"rate": 1e18}}, {"vae": {"rate": 1e-3}}]
    table = tune(spec, dataset, plan, overrides, sampling=Sampling(200, 200, 0))
    assert np.isnan(table["distance"][0])
    assert table["chosen"].tolist() == [False, True]
    alone = tune(spec, dataset, plan, overrides[1:], sampling=Sampling(200, 200, 0))
    assert table["distance"][1] == alone["distance"][0]


def test_candidates_side_by_side_are_those_one_after_another(dataset):
    spec = ModelSpec("vae_fixed", 2, (0, 1), "vectors", (6,), (16,), (16,), ROBUST)
    plan = TrainingPlan(60, 64, log_every=20, checkpoint_every=60, on_divergence="continue")
    specs = [
        dataclasses.replace(spec, hyperparameters=ROBUST.override({"vae": {"rate": rate}}))
        for rate in (1e-3, 1e18, 3e-3)
    ]
    together = trained_models(specs, dataset, plan, "cpu")
    assert together[1] is None
    for one, other in zip(specs, together, strict=True):
        (alone,) = trained_models([one], dataset, plan, "cpu")
        if other is not None:
            for name, tensor in alone.state_dict().items():
                assert torch.equal(tensor, other.state_dict()[name]), name


def test_without_tuning_nothing_is_overridden():
    assert read_chosen(None) == {}
