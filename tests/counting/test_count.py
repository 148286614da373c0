"""Counting on data of known dimension, in a second or two of training."""

import dataclasses

import numpy as np
import pytest
import torch

from maskaae.counting.count import as_dataset, count_and_keep, count_dimensions
from maskaae.counting.rounds import train_round
from maskaae.counting.settings import CountSettings

torch.set_num_threads(1)

TINY = CountSettings(seeds=(0, 1), steps=400, shortest_search=100, hidden=(32,), critic_hidden=(16,))


def plane(rows=600, n=2, dimension=8, noise=0.01):
    rng = np.random.default_rng(4)
    x = rng.standard_normal((rows, n)) @ rng.standard_normal((n, dimension))
    return x + noise * rng.standard_normal(x.shape)


@pytest.fixture(scope="module")
def counted():
    events = []
    return (*count_and_keep(as_dataset(plane())[0], TINY, events.append), events)


def test_each_seed_has_a_vote_and_each_witness_sees_the_plane(counted):
    """So short a search finds no more than that some of the eight dimensions are not needed."""
    count, runs, told = counted
    assert list(count.counts) == [int(run.model.active.sum()) for run in runs]
    assert 2 <= count.dimensions < 8
    assert count.agreeing == count.counts.count(count.dimensions)
    assert told == [count.witnesses, count.rounds[0].trial, count.rounds[0]]
    assert all(abs(witness.dimension - 2) < 1 for witness in count.witnesses if witness.dimension)


def test_errors_are_measured_on_rows_that_training_never_saw(counted):
    count, runs, _ = counted
    assert count.rows == 540
    assert [run.record["validation"]["rows"] for run in runs] == [60, 60]
    assert 0 < count.validation_error < 0.3
    assert set(count.answer.validation_error) == set(count.answer.training_error) == {0, 1}


def test_it_is_told_whether_the_search_settled(counted):
    count, runs, _ = counted
    steps = [step for run in runs for step in run.record["search"]["settled"].values()]
    assert count.settled == all(step is not None for step in steps)
    assert count.steps == max(run.record["steps"] for run in runs)


def test_a_search_of_fixed_length_does_not_tell():
    settings = dataclasses.replace(TINY, steps=20, shortest_search=None, capacity=3)
    assert count_dimensions(as_dataset(plane())[0], settings).settled is None


def test_the_released_method_is_counted_too():
    settings = dataclasses.replace(TINY, preset="paper", steps=20)
    count = count_dimensions(as_dataset(plane())[0], settings)
    assert count.settled is None
    assert count.validation_error is None


def test_a_count_held_down_by_its_capacity_is_made_again_with_twice_of_it():
    settings = dataclasses.replace(TINY, capacity=2, steps=200, shortest_search=None)
    count = count_dimensions(as_dataset(plane())[0], settings)
    assert [each.trial.capacity for each in count.rounds][:2] == [2, 4]


def test_models_are_those_of_the_round_that_answers(monkeypatch):
    """All that there is is kept, and eq 17 is larger with twice as many: the answer stays at m = 2."""

    def full_and_worse_with_more(trial, dataset, settings):
        done, runs = train_round(trial, dataset, settings)
        full = dict.fromkeys(done.counts, trial.capacity)
        return dataclasses.replace(done, counts=full, objective=dict.fromkeys(full, trial.capacity)), runs

    monkeypatch.setattr("maskaae.counting.count.train_round", full_and_worse_with_more)
    settings = dataclasses.replace(TINY, capacity=2, steps=20, shortest_search=None)
    count, runs = count_and_keep(as_dataset(plane())[0], settings)
    assert [each.trial.capacity for each in count.rounds] == [2, 4]
    assert (count.dimensions, {run.model.m for run in runs}) == (2, {2})


def test_processes_change_no_number(counted):
    count, _, _ = counted
    again = count_dimensions(as_dataset(plane())[0], dataclasses.replace(TINY, jobs=2))
    assert again.answer.counts == count.answer.counts
    assert again.answer.validation_error == pytest.approx(count.answer.validation_error)


def test_images_are_counted_too():
    images = np.random.default_rng(0).integers(0, 256, (200, 4, 4, 1)).astype(np.uint8)
    settings = dataclasses.replace(TINY, seeds=(0,), steps=20, shortest_search=None)
    count = count_dimensions(as_dataset(images)[0], settings)
    assert count.dimension == 16
    assert count.rounds[0].trial.capacity == 16


def test_images_are_counted_with_convolutional_nets():
    """Discs of three places, sizes or greys: the channels stand in the round, and in the specification."""
    rng = np.random.default_rng(0)
    x, y, grey = (rng.uniform(low, high, (200, 1, 1)) for low, high in ((5, 11), (5, 11), (60, 200)))
    rows, columns = np.mgrid[:16, :16]
    images = np.where((columns - x) ** 2 + (rows - y) ** 2 < 16, grey, 20).astype(np.uint8)[..., None]
    settings = dataclasses.replace(TINY, seeds=(0,), steps=8, shortest_search=2)
    count, (run,) = count_and_keep(as_dataset(images)[0], settings)
    assert count.answer.trial.channels == (8, 16)
    assert (run.model.spec.network, run.model.spec.channels) == ("convolutional", (8, 16))
    assert run.model.spec.normalisation == "batch"
    assert count.to_dict()["rounds"][0]["trial"]["channels"] == [8, 16]
