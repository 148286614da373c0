"""Rows that training never sees decide the count, and a search of settled length ends when it has settled."""

import dataclasses
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from maskaae.data.dataset import Dataset, DatasetInfo
from maskaae.method.nested import SearchLength, fewer
from maskaae.method.presets import PAPER, ROBUST, TrainingPlan
from maskaae.method.spec import ModelSpec
from maskaae.models.build import build_model
from maskaae.training.draws import Draws, TrainingData
from maskaae.training.loop import TrainingRun
from maskaae.training.run import prepare_run
from maskaae.training.store import RunStore, TrainingInterruptedError

SPEC = ModelSpec("maae", 4, (0, 1), "vectors", (6,), (12,), (12,), ROBUST)
DATA = np.random.default_rng(0).normal(size=(100, 6)).astype(np.float32)
PLAN = TrainingPlan(
    steps=48, batch_size=8, log_every=4, checkpoint_every=6, length="settled", shortest_search=6
)


def run_of(folder, spec=SPEC, plan=PLAN, data=DATA):
    return TrainingRun(spec, data, plan, RunStore(folder, {}))


def trained(folder, spec=SPEC, plan=PLAN, data=DATA):
    run = run_of(folder, spec, plan, data)
    run.train()
    return run


def recorded(tmp_path, plan, spec=SPEC):
    info = DatasetInfo("d", "array", "vectors", (6,), 100, 0, 0, None, {"train": "0"})
    none = np.empty(0, np.int64)
    return prepare_run(spec, Dataset(info, DATA, DATA[:0], none, none), plan, tmp_path).train()


# --- rows that training never sees


def test_the_released_training_takes_all_rows(tmp_path):
    """Not a bit of the preset `paper` depends on the share; a WAE of `robust` decides nothing either."""
    plan = dataclasses.replace(PLAN, steps=24, length="fixed")
    for model, hyperparameters in (("maae", PAPER), ("wae", ROBUST)):
        spec = dataclasses.replace(SPEC, model=model, hyperparameters=hyperparameters)
        one, other = (
            trained(tmp_path / f"{model}{share}", spec, dataclasses.replace(plan, validation_share=share))
            for share in (0.0, 0.5)
        )
        assert other.unseen is None
        for name, tensor in one.model.state_dict().items():
            assert torch.equal(tensor, other.model.state_dict()[name]), name


@pytest.mark.parametrize("ahead", [1, 3])
def test_eq_17_is_measured_on_rows_that_nothing_else_sees(ahead):
    """Every value is the number of its row: 10 of 50 rows are in no batch but that of the mask's update."""
    data = np.repeat(np.arange(50, dtype=np.float32)[:, None], 6, axis=1)
    seen, unseen = TrainingData(data, "cpu").cut(0.2, seed=0)
    draws = Draws(build_model(SPEC), seen, 8, "cpu", ahead, unseen=unseen)
    batches = torch.stack([draws.next().batches[..., 0] for _ in range(60)])  # (step, update, seed, batch)
    trains, measures = set(batches[:, :-1].unique().tolist()), set(batches[:, -1].unique().tolist())
    assert (len(trains), len(measures)) == (40, 10)
    assert not trains & measures


def test_the_validation_part_depends_on_neither_the_seeds_nor_the_values(tmp_path):
    one = run_of(tmp_path / "1")
    other = run_of(tmp_path / "2", dataclasses.replace(SPEC, seeds=(7,)), data=DATA + 1)
    again = run_of(tmp_path / "3", plan=dataclasses.replace(PLAN, validation_seed=1))
    assert torch.equal(one.unseen._rows, other.unseen._rows)
    assert not torch.equal(one.unseen._rows, again.unseen._rows)
    assert len(one.unseen) == 10
    assert len(one.data) == 90


def test_record_tells_what_was_learned_by_heart(tmp_path):
    """A decoder that gives every row back leaves nothing unexplained; one of the mean, all."""
    run = recorded(tmp_path, dataclasses.replace(PLAN, validation_share=0.25))
    record = run.record["validation"]
    assert record["rows"] == 25
    assert run.record["plan"]["validation_share"] == 0.25
    for part in ("seen", "unseen"):
        assert set(record["unexplained"][part]) == {"0", "1"}
        assert all(0.2 < share < 1.2 for share in record["unexplained"][part].values())
    assert set(record["linear"]) == {"0", "1"}


def test_record_says_nothing_of_a_validation_part_that_there_is_not(tmp_path):
    assert "validation" not in recorded(tmp_path, dataclasses.replace(PLAN, validation_share=0.0)).record


# --- a search of settled length


def read_twice(counts, longest=8000):
    """A search that was read at 1000 and 2000 steps, and has tried nothing yet."""
    search = SearchLength.planned(longest, 1000)
    for _ in range(2):
        search.read(counts, [True] * len(counts))
    return search


def test_search_is_read_twice_and_then_tries_fewer_dimensions():
    search = SearchLength.planned(9000, 1000)
    assert search.end == 1000
    search.read([9, 5], [True, True])
    assert (search.end, search.limits, search.settled()) == (2000, [], [None, None])
    search.read([8, 7], [True, True])
    assert (search.end, search.limits, search.finished) == (3000, [6, 5], False)
    assert search.settled() == [None, None]  # fewer dimensions may still do


def test_trials_halve_the_gap_until_it_is_known_how_many_dimensions_are_too_few():
    """A trial is better where it has the 13 dimensions of the data, or the 8; 16 need three, 8 need two."""
    search = read_twice([16, 8])
    needed, counts, limits = (13, 8), [16, 8], []
    while not search.finished:
        limits.append(list(search.limits))
        better = [limit is not None and limit >= n for limit, n in zip(search.limits, needed, strict=True)]
        counts = [
            limit if yes else count for limit, yes, count in zip(search.limits, better, counts, strict=True)
        ]
        search.read(counts, [True, True], better)
    assert limits == [[12, 6], [14, 7], [13, None]]
    assert (counts, search.end, search.settled()) == ([13, 8], 5000, [4000, 1000])


@pytest.mark.parametrize(
    ("count", "too_few", "limit"),
    [
        (1, 0, None),
        (2, 0, 1),
        (8, 7, None),
        (16, 14, 15),
        (40, 37, 38),
        (40, 38, None),
        (64, 60, None),
        (19, 14, 16),
    ],
)
def test_a_count_is_known_to_a_sixteenth_of_it(count, too_few, limit):
    assert fewer(count, too_few) == limit


def test_counts_that_grew_with_the_length_are_searched_for_twice_as_long_again():
    search = SearchLength.planned(16000, 1000)
    for counts in ([4], [9], [9], [9]):  # trials with 7 and 8 are refused
        search.read(counts, [True], [False])
    assert (search.grown, search.settled()) == ([True], [None])
    assert search.end == 4000 + 2000  # searched for 2000 without the trials
    search.read([10], [True])
    search.read([10], [True], [False])
    assert (search.limits, search.finished) == ([9], False)
    search.read([10], [True], [False])
    assert (search.grown, search.finished, search.settled()) == ([False], True, [2000])


def test_counts_that_trials_bring_back_have_not_grown():
    """A longer search finds four more, and a trial shows that they are not needed."""
    search = SearchLength.planned(8000, 1000)
    search.read([8], [True])
    search.read([12], [True])
    search.read([8], [True], [True])
    search.read([8], [True], [False])
    search.read([8], [True], [False])
    assert (search.grown, search.finished, search.settled()) == ([False], True, [3000])


def test_trials_end_with_the_longest_search():
    search = read_twice([16], longest=3500)
    assert search.end == 3000
    search.read([12], [True], [True])
    assert (search.finished, search.end, search.settled()) == (True, 3000, [None])


def test_a_search_without_time_for_twice_its_shortest_length_is_of_fixed_length():
    search = SearchLength.planned(300, 200)
    search.read([4], [True])
    assert (search.ends, search.finished, search.settled()) == ((300,), True, [None])


def test_one_dimension_needs_no_trial():
    search = read_twice([1])
    assert (search.finished, search.end, search.settled()) == (True, 2000, [1000])


def test_a_lost_seed_is_not_waited_for():
    search = SearchLength.planned(800, 200)
    search.read([3, 0], [True, True])
    search.read([3, 5], [True, False])
    assert (search.in_trial, search.limits) == (True, [2, None])


def test_a_search_of_fixed_length_cannot_tell_whether_it_settled():
    search = SearchLength.planned(400, None)
    search.read([3], [True])
    assert (search.finished, search.end, search.settled()) == (True, 400, [None])


def test_schedules_of_a_trial_are_those_of_the_second_half_of_a_search():
    search = read_twice([16])
    assert [search.share(step) for step in (2000, 2500, 2999)] == [0.5, 0.75, pytest.approx(1.0, abs=1e-3)]


def counting(run, readings, better=(False, False)):
    """Let the readings of a run count what is given, and every trial come out alike."""
    left = iter(readings)
    run.model.count_at_weight = lambda factor: torch.tensor(next(left))
    run.model._is_better = lambda: torch.tensor(better)
    return run


def test_run_takes_the_share_of_its_search_and_says_so(tmp_path):
    """From 6 steps on the counts stay within one, and a trial up to 18 is worse: 36 steps of at most 48."""
    run = counting(run_of(tmp_path), [[2, 3], [3, 3], [3, 3]])
    run.train()
    assert (run.step, run.history["step"].max()) == (36, 36)
    assert run.model.active.sum(dim=1).tolist() == [3, 3]
    record = run.model.schedule_record()
    assert set(record["search"].pop("objective")) == {"0", "1"}
    assert record == {
        "search": {
            "steps": 18,
            "readings": [
                {"step": 6, "counts": {"0": 2, "1": 3}},
                {"step": 12, "counts": {"0": 3, "1": 3}},
                {"step": 18, "counts": {"0": 3, "1": 3}},
            ],
            "settled": {"0": 6, "1": 6},
        }
    }
    names = [path.name for path in sorted(Path(tmp_path, "checkpoints").iterdir())]
    assert names[-1] == "step_0000036.safetensors"


def test_run_ends_unsettled_where_there_is_no_time_to_search_twice_as_long(tmp_path):
    """The first seed has grown by two with the length; 12 more steps would be past the longest search, 24."""
    run = counting(run_of(tmp_path), [[2, 3], [4, 3], [4, 3]])
    run.train()
    assert run.step == 36
    assert run.model.schedule_record()["search"]["settled"] == {"0": None, "1": 6}


def in_a_trial(tmp_path):
    """A model whose two seeds have counted 4 dimensions twice, and try 3."""
    model = run_of(tmp_path).model
    model.cut_reconstruction[:] = torch.linspace(1.0, 0.0, model.m + 1)
    model.cut_wasserstein[:] = 0.0
    for step in (6, 12):
        assert model.prepare(step)
    assert model.search.limits == [3, 3]
    return model


def test_a_trial_trains_and_opens_no_more_dimensions_than_it_may(tmp_path):
    model = in_a_trial(tmp_path)
    assert model.active.sum(dim=1).tolist() == [3, 3]
    draws = Draws(model, TrainingData(DATA, "cpu"), 200, "cpu")
    lengths = model.gates(draws.next(), model.constants(12), mask_learns=True).sum(dim=-1)
    assert lengths.max() == 3


def test_a_seed_goes_back_to_what_it_was_if_its_trial_makes_eq_17_larger(tmp_path):
    """The first seed's error is 0 with three dimensions, the second's as large as with none."""
    model = in_a_trial(tmp_path)
    before = {name: values.clone() for name, values in model.state_dict().items()}
    with torch.no_grad():
        for values in model.parameters():
            values.add_(1.0)
    model.cut_reconstruction[0, 3], model.cut_reconstruction[1] = 0.0, 1.0
    model.prepare(18)
    for name, values in model.encoder.state_dict().items():
        assert torch.equal(values[0], before[f"encoder.{name}"][0] + 1.0), name
        assert torch.equal(values[1], before[f"encoder.{name}"][1]), name
    assert torch.equal(model.cut_reconstruction[1], before["cut_reconstruction"][1])
    assert model.search.limits == [2, None]
    assert model.search.readings[-1] == [3, 4]
    # What more dimensions were worth to a poorer model does not count, whatever the weight.
    assert model.count_at_weight(1000.0).tolist() == [2, 4]
    model.search.limits = [None, None]
    model._begin_stage()
    assert model.count_at_weight(1000.0).tolist() == [3, 4]


def test_a_seed_without_a_trial_waits_as_it_is_for_those_that_have_one(tmp_path):
    """Eq 17 of both has become smaller, but the second seed's count is known already."""
    model = in_a_trial(tmp_path)
    model.search.limits = [3, None]
    model._begin_stage()
    before = {name: values.clone() for name, values in model.encoder.state_dict().items()}
    with torch.no_grad():
        for values in model.parameters():
            values.add_(1.0)
    model.cut_reconstruction[:, 3] = -1.0
    model.prepare(18)
    for name, values in model.encoder.state_dict().items():
        assert torch.equal(values[0], before[name][0] + 1.0), name
        assert torch.equal(values[1], before[name][1]), name


def test_record_holds_the_smallest_eq_17_that_the_search_has_measured(tmp_path):
    """Half the variance is left with two dimensions, and W is 1 or infinite: 40 / unit * 0.5 + (1 + 1)^2."""
    model = run_of(tmp_path).model
    model.cut_reconstruction[:] = torch.tensor([1.0, 0.9, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5][: model.m + 1])
    model.cut_wasserstein[:] = 1.0
    model.cut_wasserstein[1] = torch.inf
    model.search.read([2, 2], [True, True])
    weight = ROBUST.reconstruction_weight / model.spec.reconstruction_unit
    wanted = {"0": pytest.approx(0.5 * weight + ROBUST.wasserstein_weight * 4.0), "1": None}
    assert model.schedule_record()["search"]["objective"] == wanted


def test_record_holds_length_and_readings(tmp_path):
    record = recorded(tmp_path / "settled", PLAN).record
    assert record["steps"] in {24, 36, 48}
    assert record["search"]["readings"][0]["step"] == 6
    fixed = recorded(tmp_path / "fixed", dataclasses.replace(PLAN, length="fixed")).record
    assert (fixed["steps"], fixed["search"]["settled"]) == (48, {"0": None, "1": None})


def test_schedules_follow_the_new_length(tmp_path):
    """Rates have fallen where a reading is due, and are full again when the search goes on."""
    model = run_of(tmp_path).model
    model.count_at_weight = lambda factor: torch.tensor([2, 3])

    def share(step):
        return model.rate_share("critic", step, model.run_length(48))

    assert (share(0), share(5), model.constants(5).shortest_cut) == (1.0, pytest.approx(1 / 1.5), 0.9)
    model.prepare(6)
    assert (share(6), model.constants(6).shortest_cut) == (1.0, 0.75)
    assert share(11) < 0.5


@pytest.mark.parametrize("step", [4, 6, 7, 12, 13, 15, 16, 18, 22])  # about the readings, and after
def test_stopped_search_of_settled_length_resumes_bit_for_bit(tmp_path, step):
    whole = trained(tmp_path / "whole")
    stopped = run_of(tmp_path / "stopped")
    original = stopped._stepper.step

    def stepped(draw, now):
        if now + 1 == step:
            os.kill(os.getpid(), signal.SIGTERM)
        return original(draw, now)

    stopped._stepper.step = stepped
    with pytest.raises(TrainingInterruptedError):
        stopped.train()
    resumed = trained(tmp_path / "stopped")
    assert resumed.step == whole.step
    assert resumed.model.schedule_record() == whole.model.schedule_record()
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, resumed.model.state_dict()[name]), name
