"""The loop: resume equals not stopping, a seed alone equals a seed among others, trouble is named."""

import dataclasses
import os
import re
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from maskaae.method.presets import PAPER, ROBUST, TrainingPlan
from maskaae.method.spec import ModelSpec
from maskaae.models.build import load_model
from maskaae.training.divergence import TrainingDivergedError
from maskaae.training.loop import TrainingRun
from maskaae.training.run import PreparedRun, train_side_by_side
from maskaae.training.store import RunStore, StateMismatchError, TrainingInterruptedError

SPEC = ModelSpec("maae", 4, (0, 1), "vectors", (6,), (12,), (12,), PAPER)
PLAN = TrainingPlan(steps=24, batch_size=8, log_every=4, checkpoint_every=6)
DATA = np.random.default_rng(0).normal(size=(100, 6)).astype(np.float32)


def train(folder, spec=SPEC, plan=PLAN, data=DATA, fingerprint=None):
    run = TrainingRun(spec, data, plan, RunStore(folder, fingerprint or {"code": "1"}))
    run.train()
    return run


def stop_after(run, step, number=signal.SIGTERM):
    """Send this process a signal, by default as a scheduler does, when the run has taken ``step`` steps."""
    original = run._stepper.step

    def step_and_stop(draw, now):
        if now + 1 == step:
            os.kill(os.getpid(), number)
            os.kill(os.getpid(), number)  # schedulers send it twice
        return original(draw, now)

    run._stepper.step = step_and_stop


def assert_same_run(one, other):
    for name, tensor in one.model.state_dict().items():
        assert torch.equal(tensor, other.model.state_dict()[name]), name
    assert one.history.equals(other.history)


def test_ctrl_c_saves_the_state(tmp_path):
    stopped = TrainingRun(SPEC, DATA, PLAN, RunStore(tmp_path / "stopped", {"code": "1"}))
    stop_after(stopped, 7, signal.SIGINT)
    with pytest.raises(KeyboardInterrupt, match="SIGINT received: state saved at step 7"):
        stopped.train()
    assert_same_run(train(tmp_path / "whole"), train(tmp_path / "stopped"))


@pytest.mark.parametrize("optimiser", ["tf1_rmsprop", "torch_rmsprop", "adam"])
@pytest.mark.parametrize("step", [1, 12, 17])
def test_stopped_run_resumes_bit_for_bit(tmp_path, step, optimiser):
    spec = dataclasses.replace(SPEC, hyperparameters=PAPER.override({"fidelity": {"optimiser": optimiser}}))
    whole = train(tmp_path / "whole", spec)
    stopped = TrainingRun(spec, DATA, PLAN, RunStore(tmp_path / "stopped", {"code": "1"}))
    stop_after(stopped, step)
    with pytest.raises(TrainingInterruptedError, match=f"SIGTERM received: state saved at step {step}"):
        stopped.train()
    resumed = train(tmp_path / "stopped", spec)
    assert_same_run(whole, resumed)
    assert sorted(p.name for p in (tmp_path / "whole/checkpoints").iterdir()) == sorted(
        p.name for p in (tmp_path / "stopped/checkpoints").iterdir()
    )


@pytest.mark.parametrize("step", [7, 14, 15, 20])  # in the search, at its end, just after it, and later
def test_stopped_nested_training_resumes_bit_for_bit(tmp_path, step):
    spec = dataclasses.replace(SPEC, hyperparameters=ROBUST)
    whole = train(tmp_path / "whole", spec)
    stopped = TrainingRun(spec, DATA, PLAN, RunStore(tmp_path / "stopped", {"code": "1"}))
    stop_after(stopped, step)
    with pytest.raises(TrainingInterruptedError):
        stopped.train()
    assert_same_run(whole, train(tmp_path / "stopped", spec))


def test_runs_stopped_side_by_side_are_all_saved_and_resume_bit_for_bit(tmp_path):
    plan = dataclasses.replace(PLAN, log_every=6)
    specs = {"narrow": SPEC, "wide": dataclasses.replace(SPEC, hidden=(16,))}

    def prepared(name):
        store = RunStore(tmp_path / name, {"code": "1"})
        return PreparedRun(TrainingRun(specs[name], DATA, plan, store), store, {})

    runs = [prepared(name) for name in specs]
    stop_after(runs[0].training, 3)
    with pytest.raises(TrainingInterruptedError):
        list(train_side_by_side(runs))
    again = {name: prepared(name) for name in specs}
    assert {name: run.training.step for name, run in again.items()} == {"narrow": 3, "wide": 1}
    assert len(list(train_side_by_side(list(again.values())))) == 2
    for name, spec in specs.items():
        assert_same_run(train(tmp_path / f"{name}_whole", spec, plan), again[name].training)


def test_same_seed_same_numbers_and_another_seed_other_numbers(tmp_path):
    one, two = train(tmp_path / "1"), train(tmp_path / "2")
    assert_same_run(one, two)
    other = train(tmp_path / "3", dataclasses.replace(SPEC, seeds=(5, 1)))
    assert not torch.equal(one.model.mask_parameter[0], other.model.mask_parameter[0])


def test_a_seed_beside_four_others_gives_the_numbers_it_gives_alone(tmp_path):
    together = train(tmp_path / "five", dataclasses.replace(SPEC, seeds=(0, 1, 2, 3, 4)))
    alone = train(tmp_path / "one", dataclasses.replace(SPEC, seeds=(3,)))
    for name, tensor in alone.model.state_dict().items():
        torch.testing.assert_close(together.model.state_dict()[name][3], tensor[0], rtol=1e-4, atol=1e-5)
    row = together.history.query("seed == 3").reset_index(drop=True)
    np.testing.assert_allclose(row.to_numpy(float), alone.history.to_numpy(float), rtol=1e-3, atol=1e-4)


def test_history_has_a_row_a_seed_and_interval_with_the_mask(tmp_path):
    history = train(tmp_path).history
    assert history[["step", "seed"]].to_numpy().tolist() == [
        [s, seed] for s in range(4, 25, 4) for seed in (0, 1)
    ]
    assert {
        "autoencoder",
        "reconstruction",
        "variance",
        "critic",
        "penalty",
        "generator",
        "wasserstein",
    } <= set(history)
    assert {"mask", "regulariser", "ramp", "active", "mu_0", "mu_3"} <= set(history)
    assert np.isfinite(history.to_numpy()).all()


def test_loss_terms_in_the_history_add_up(tmp_path):
    last = train(tmp_path).history.iloc[-1]
    assert last["autoencoder"] == pytest.approx(last["reconstruction"] + 100 * last["variance"], rel=1e-5)
    assert last["critic"] == pytest.approx(10 * last["penalty"] - last["wasserstein"], rel=1e-4, abs=1e-6)


def test_checkpoints_are_models_of_their_step(tmp_path):
    run = train(tmp_path)
    names = sorted(p.name for p in (tmp_path / "checkpoints").iterdir())
    assert names == [f"step_{step:07d}.safetensors" for step in (0, 6, 12, 18, 24)]
    last = load_model(tmp_path / "checkpoints" / names[-1])
    assert torch.equal(last.mask_parameter, run.model.mask_parameter)


def test_damaged_state_falls_back_to_the_one_before(tmp_path, caplog):
    whole = train(tmp_path / "whole")
    train(tmp_path / "damaged")
    newest = max((tmp_path / "damaged").glob("state_*.pt"))
    newest.write_bytes(newest.read_bytes()[:100])
    resumed = train(tmp_path / "damaged")
    assert_same_run(whole, resumed)
    assert "falling back" in caplog.text


@pytest.mark.parametrize("key", ["code", "data"])
def test_state_of_another_configuration_is_refused(tmp_path, key):
    train(tmp_path, fingerprint={"code": "1", "data": "1"})
    with pytest.raises(StateMismatchError, match=f"saved with another {key} .*delete"):
        train(tmp_path, fingerprint={"code": "1", "data": "1", key: "2"})


def test_loss_that_is_not_finite_stops_the_run_with_step_loss_and_seed(tmp_path):
    run = TrainingRun(SPEC, DATA, PLAN, RunStore(tmp_path, {}))
    original = run._stepper.step

    def poison(draw, now):
        if now == 9:
            run.model.critic.layers[0].weight.data[1] = float("nan")
        return original(draw, now)

    run._stepper.step = poison
    with pytest.raises(
        TrainingDivergedError, match="loss 'critic' of seed 1 is not finite at step 9"
    ) as caught:
        run.train()
    assert max(p.name for p in tmp_path.glob("state_*.pt")) == "state_0000006.pt"  # the last good one
    last_good, left = re.search(r"checkpoint: (\S+); .* now: (\S+)\. ", str(caught.value)).groups()
    assert last_good.endswith("checkpoints/step_0000006.safetensors")
    assert not load_model(Path(left)).critic.layers[0].weight[1].isfinite().all()


def test_training_lowers_the_reconstruction_error_and_uint8_images_work(tmp_path):
    images = np.random.default_rng(1).integers(0, 256, size=(50, 3, 2, 1), dtype=np.uint8)
    spec = dataclasses.replace(SPEC, model="wae", kind="images", shape=(3, 2, 1))
    history = train(tmp_path, spec, dataclasses.replace(PLAN, steps=600, log_every=20), images).history
    first, last = history["reconstruction"].iloc[:2].mean(), history["reconstruction"].iloc[-6:].mean()
    assert last < first - 0.02


def test_true_decay_lowers_two_learning_rates_at_step_5r():
    spec = dataclasses.replace(SPEC, hyperparameters=PAPER.override({"fidelity": {"decay": "learning_rate"}}))
    from maskaae.models.build import build_model

    model = build_model(spec)
    assert model.learning_rates(374) == {"autoencoder": 5e-4, "critic": 1e-4, "generator": 1e-4, "mask": 5e-4}
    late = {"autoencoder": 1e-4, "critic": 1e-4, "generator": 1e-4, "mask": 1e-4}
    assert model.learning_rates(375) == pytest.approx(late)
