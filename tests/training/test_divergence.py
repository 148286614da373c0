"""Numbers that go wrong in one seed: caught wherever they appear, while the other seeds stay as they were."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from maskaae.method.presets import PAPER, TrainingPlan
from maskaae.method.spec import ModelSpec
from maskaae.models.build import load_model
from maskaae.training.divergence import DivergenceWatch, TrainingDivergedError
from maskaae.training.loop import TrainingRun
from maskaae.training.store import RunStore

SPEC = ModelSpec("maae", 4, (5, 1, 7), "vectors", (6,), (12,), (12,), PAPER)
PLAN = TrainingPlan(steps=24, batch_size=8, log_every=4, checkpoint_every=6)
GO_ON = dataclasses.replace(PLAN, on_divergence="continue")
DATA = np.random.default_rng(0).normal(size=(100, 6)).astype(np.float32)


def start(folder, plan=PLAN, spec=SPEC):
    return TrainingRun(spec, DATA, plan, RunStore(folder, {}))


def poison(run, what, step, value=math.nan):
    """Spoil one value of seed 1 before a step (weights, mask) or after it (gradient)."""
    original = run._stepper.step

    def step_spoilt(draw, now):
        if now == step and what == "weight":
            run.model.decoder.layers[0].weight.data[1, 0, 0] = value
        if now == step and what == "mask":
            run.model.mask_parameter.data[1, 2] = value
        losses = original(draw, now)
        if now == step and what == "gradient":
            run.model.critic.layers[0].weight.grad[1, 0, 0] = value
        return losses

    run._stepper.step = step_spoilt


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize(
    ("what", "step", "message"),
    [
        ("weight", 9, "loss 'autoencoder' of seed 1 is not finite at step 9"),
        ("gradient", 11, "gradient of the critic of seed 1 is not finite at step 11"),
        ("gradient", 23, "gradient of the critic of seed 1 is not finite at step 23"),  # the last step
    ],
)
def test_a_value_that_is_not_finite_is_named_where_it_first_appears(tmp_path, what, step, message, value):
    run = start(tmp_path)
    poison(run, what, step, value)
    with pytest.raises(TrainingDivergedError, match=message):
        run.train()


def test_a_mask_that_is_not_a_number_stops_the_run(tmp_path):
    run = start(tmp_path)
    poison(run, "mask", 9)
    with pytest.raises(TrainingDivergedError, match="of seed 1 is not finite at step 9"):
        run.train()


def test_the_mask_itself_is_watched():
    watch = DivergenceWatch((0, 1))
    watch.look({"mask": torch.tensor([1.0, math.nan])}, 3, "{}")
    assert [str(found) for found in watch.found()] == ["mask is not finite at step 3"]
    assert watch.found(known=[1]) == []


def test_no_checkpoint_and_no_state_is_saved_after_the_first_bad_value(tmp_path):
    run = start(tmp_path)
    poison(run, "weight", 11)
    with pytest.raises(TrainingDivergedError):
        run.train()
    assert sorted(p.name for p in (tmp_path / "checkpoints").iterdir())[-1] == "step_0000006.safetensors"
    for path in (tmp_path / "checkpoints").iterdir():
        assert all(tensor.isfinite().all() for tensor in load_model(path).state_dict().values())
    assert sorted(p.name for p in tmp_path.glob("state_*")) == ["state_0000006.pt"]


@pytest.fixture(scope="module")
def lost(tmp_path_factory):
    """A run that lost seed 1 at step 9 and went on."""
    folder = tmp_path_factory.mktemp("lost")
    run = start(folder, GO_ON)
    poison(run, "weight", 9)
    run.train()
    return run, folder


def test_the_other_seeds_end_bit_for_bit_as_without_the_accident(tmp_path, lost):
    whole = start(tmp_path)
    whole.train()
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor[[0, 2]], lost[0].model.state_dict()[name][[0, 2]]), name
    columns = list(whole.history.columns)
    others = lost[0].history.query("seed != 1")[columns]
    assert others.to_csv(index=False) == whole.history.query("seed != 1").to_csv(index=False)


def test_history_and_checkpoints_say_when_and_why_a_seed_was_lost(lost):
    run, folder = lost
    reason = "loss 'autoencoder' is not finite at step 9"
    rows = run.history.query("seed == 1").set_index("step")
    assert rows.loc[[4, 8], "undefined"].isna().all()
    assert rows.loc[[4, 8], "mu_0"].notna().all()
    assert (rows.loc[[12, 16, 20, 24], "undefined"] == f"lost: {reason}").all()
    assert rows.loc[[12, 16, 20, 24]].drop(columns=["seed", "undefined"]).isna().all(axis=None)
    models = {p.stem: load_model(p).lost for p in (folder / "checkpoints").iterdir()}
    assert models["step_0000006"] == {}
    assert models["step_0000012"] == models["step_0000024"] == {1: reason}


def test_a_run_that_lost_a_seed_resumes_to_the_same_history(tmp_path, lost):
    stopped = start(tmp_path, GO_ON)
    poison(stopped, "weight", 9)
    original = stopped._store.save_state

    def save_and_die(step, state):
        original(step, state)
        if step == 18:
            raise KeyboardInterrupt

    stopped._store.save_state = save_and_die
    with pytest.raises(KeyboardInterrupt):
        stopped.train()
    resumed = start(tmp_path, GO_ON)
    resumed.train()
    assert resumed.history.equals(lost[0].history)
    assert resumed.model.lost == lost[0].model.lost


def test_a_run_of_lost_seeds_alone_stops(tmp_path):
    run = start(tmp_path, GO_ON, dataclasses.replace(SPEC, seeds=(5, 1)))
    poison(run, "weight", 9)
    original = run._stepper.step

    def also_the_first(draw, now):
        if now == 14:
            run.model.mask_parameter.data[0] = math.nan
        return original(draw, now)

    run._stepper.step = also_the_first
    with pytest.raises(TrainingDivergedError, match="seed 5 is not finite at step 14"):
        run.train()
