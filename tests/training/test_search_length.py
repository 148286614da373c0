"""Rows that training never sees decide the count, and a search of settled length ends when it has settled."""

import dataclasses
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from maskaae.data.dataset import Dataset, DatasetInfo
from maskaae.method.presets import PAPER, ROBUST, TrainingPlan
from maskaae.method.schedules import SearchLength
from maskaae.method.spec import ModelSpec
from maskaae.models.build import build_model
from maskaae.training.draws import Draws, TrainingData
from maskaae.training.loop import TrainingRun
from maskaae.training.run import train_run
from maskaae.training.store import RunStore, TrainingInterruptedError

SPEC = ModelSpec("maae", 4, (0, 1), "vectors", (6,), (12,), (12,), ROBUST)
DATA = np.random.default_rng(0).normal(size=(100, 6)).astype(np.float32)
PLAN = TrainingPlan(
    steps=48, batch_size=8, log_every=4, checkpoint_every=6, length="settled", shortest_search=5
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
    return train_run(spec, Dataset(info, DATA, DATA[:0], none, none), plan, tmp_path)


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


def test_record_says_nothing_of_a_validation_part_that_there_is_not(tmp_path):
    assert "validation" not in recorded(tmp_path, dataclasses.replace(PLAN, validation_share=0.0)).record


# --- a search of settled length


def test_search_doubles_until_twice_the_length_changes_no_count_by_more_than_one():
    search = SearchLength.planned(8000, 1000)
    assert search.ends == (1000, 2000, 4000, 8000)
    for counts, end in (([9, 5], 2000), ([8, 7], 4000), ([8, 8], 4000)):
        assert not search.finished
        search.read(counts, [True, True])
        assert search.end == end
    assert search.finished
    assert search.settled() == [1000, 2000]


def test_search_that_never_settles_ends_at_the_longest():
    search = SearchLength.planned(300, 100)
    for counts in ([9, 5], [4, 5]):
        search.read(counts, [True, True])
    assert (search.ends, search.finished, search.end) == ((150, 300), True, 300)
    assert search.settled() == [None, 150]


def test_a_lost_seed_is_not_waited_for():
    search = SearchLength.planned(400, 100)
    search.read([3, 0], [True, True])
    search.read([3, 5], [True, False])
    assert search.finished
    assert search.end == 200


def test_a_search_of_fixed_length_cannot_tell_whether_it_settled():
    search = SearchLength.planned(400, None)
    search.read([3], [True])
    assert (search.finished, search.end, search.settled()) == (True, 400, [None])


def counting(run, readings):
    """Let the readings of a run count what is given."""
    left = iter(readings)
    run.model.count_at_weight = lambda factor: torch.tensor(next(left))
    return run


def test_run_takes_the_share_of_its_search_and_says_so(tmp_path):
    """Readings at 6, 12 and 24 of at most 24 steps: from 12 on nothing changes, so 24 steps, not 48."""
    run = counting(run_of(tmp_path), [[2, 3], [3, 3]])
    run.train()
    assert (run.step, run.history["step"].max()) == (24, 24)
    assert run.model.active.sum(dim=1).tolist() == [3, 3]
    assert run.model.schedule_record() == {
        "search": {
            "steps": 12,
            "readings": [
                {"step": 6, "counts": {"0": 2, "1": 3}},
                {"step": 12, "counts": {"0": 3, "1": 3}},
            ],
            "settled": {"0": 6, "1": 6},
        }
    }
    names = [path.name for path in sorted(Path(tmp_path, "checkpoints").iterdir())]
    assert names[-1] == "step_0000024.safetensors"


def test_run_that_does_not_settle_takes_all_steps(tmp_path):
    run = counting(run_of(tmp_path), [[2, 3], [4, 3], [2, 3]])
    run.train()
    assert run.step == 48
    assert run.model.schedule_record()["search"]["settled"] == {"0": None, "1": 6}


def test_record_holds_length_and_readings(tmp_path):
    record = recorded(tmp_path / "settled", PLAN).record
    assert record["steps"] in {24, 48}
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


@pytest.mark.parametrize("step", [4, 6, 7, 12, 13, 20])  # about the readings at 6 and 12, and after
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
