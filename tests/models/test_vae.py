"""Variational auto-encoders in the shared loop: their updates, active units, stages, resume and seeds."""

import dataclasses
import os
import signal

import numpy as np
import pytest
import torch

from maskaae.method.presets import PAPER, TrainingPlan
from maskaae.method.spec import ModelSpec
from maskaae.models.base import Draw
from maskaae.models.build import build_model, load_model, model_bytes
from maskaae.training.loop import TrainingRun
from maskaae.training.store import RunStore, TrainingInterruptedError

CONSTANTS = PAPER.override(
    {"vae": {"rate": 1e-3, "flow_hidden": 12, "second_hidden": [10, 10], "second_share": 0.5}}
)
SPEC = ModelSpec("vae", 4, (3, 7), "images", (2, 5, 1), (16,), (16,), CONSTANTS)
PLAN = TrainingPlan(steps=24, batch_size=8, log_every=4, checkpoint_every=6)
IMAGES = np.random.default_rng(0).integers(0, 256, size=(60, 2, 5, 1), dtype=np.uint8)
MODELS = ("vae", "vae_fixed", "vae_learned", "vae_flow", "two_stage_vae")


def spec_of(model, **changes):
    return dataclasses.replace(SPEC, model=model, **changes)


def train(folder, spec, plan=PLAN, data=IMAGES):
    run = TrainingRun(spec, data, plan, RunStore(folder, {}))
    run.train()
    return run


def noise_for(model, batch=5):
    return torch.randn(2, batch, model.noise_size, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("model", "updates"),
    [
        ("vae", ["autoencoder"]),
        ("vae_fixed", ["autoencoder"]),
        ("vae_learned", ["autoencoder", "decoder_variance"]),
        ("vae_flow", ["autoencoder", "decoder_variance"]),
    ],
)
def test_a_step_maximises_one_bound_and_every_weight_has_a_part_in_it(model, updates):
    model = build_model(spec_of(model))
    generator = torch.Generator().manual_seed(0)
    draw = Draw(
        torch.rand(1, 2, 8, 10, generator=generator),
        torch.randn(1, 2, 8, 4, generator=generator),
        torch.empty(0),
    )
    groups, names = model.parameter_groups(), []
    for update in model.updates_with(draw, model.constants(0), model.phase(0)):
        names.append(update.name)
        gradients = torch.autograd.grad(update.loss.sum(), groups[update.name], retain_graph=True)
        assert all(gradient.abs().sum() > 0 for gradient in gradients)
    assert names == updates
    assert {id(p) for group in groups.values() for p in group} == {id(p) for p in model.parameters()}


def test_bound_in_the_history_is_the_sum_of_its_terms(tmp_path):
    for model in ("vae", "vae_flow"):
        last = train(tmp_path / model, spec_of(model)).history.iloc[-1]
        assert last["autoencoder"] == pytest.approx(last["reconstruction"] + last["divergence"], rel=1e-5)


def test_decoder_variance_takes_the_gradient_of_the_bound():
    model = build_model(spec_of("vae_learned"))
    model.log_gamma.data = torch.tensor([-1.0, 0.7])
    draw = Draw(torch.rand(1, 2, 8, 10), torch.randn(1, 2, 8, 4), torch.empty(0))
    of_bound, of_its_own = (
        torch.autograd.grad(update.loss.sum(), model.log_gamma)[0]
        for update in model.updates_with(draw, model.constants(0), model.phase(0))
    )
    torch.testing.assert_close(of_bound, of_its_own)


def test_active_units_are_those_whose_posterior_mean_varies():
    model = build_model(spec_of("vae"))
    mean = torch.tensor([5.0, -3.0, 0.0, 0.0])  # a mean far from zero says nothing about x
    deviation = torch.tensor([0.0, 0.09, 0.11, 1.0])  # variances 0, 0.0081, 0.0121, 1
    signs = torch.tensor([1.0, -1.0]).repeat(50).view(1, 100, 1)
    model.fit_codes((mean + deviation * signs).expand(2, -1, -1))
    assert model.active.tolist() == [[False, False, True, True]] * 2


def test_collapsed_posterior_is_counted_in_a_run_and_masks_nothing(tmp_path):
    run = TrainingRun(spec_of("vae"), IMAGES, dataclasses.replace(PLAN, steps=1), RunStore(tmp_path, {}))
    last = run.model.encoder.layers[-1]
    last.weight.data[0, :, :3] = 0.0  # seed 3: means of units 0, 1 and 2 do not depend on x
    last.weight.data[1, :, :1] = 0.0
    last.weight.data[:, :, 3:4] *= 20
    last.weight.data[1, :, 1:3] *= 20
    last.bias.data[..., :4] = 2.0
    run.train()
    model = load_model(tmp_path / "checkpoints/step_0000001.safetensors")
    assert model.active.sum(dim=1).tolist() == [1, 3]
    noise = noise_for(model)
    torch.testing.assert_close(model.generate(noise), model.decode(noise))


def test_cross_entropy_of_vectors_is_refused():
    with pytest.raises(ValueError, match=r"model 'vae': cross-entropy sees only images; .* vae_fixed"):
        build_model(spec_of("vae", kind="vectors", shape=(10,)))


@pytest.mark.parametrize("model", MODELS)
def test_model_file_gives_the_same_model_back(tmp_path, model):
    original = train(tmp_path, spec_of(model)).model
    (tmp_path / "model.safetensors").write_bytes(model_bytes(original))
    loaded = load_model(tmp_path / "model.safetensors")
    noise = noise_for(original)
    torch.testing.assert_close(loaded.generate(noise), original.generate(noise), rtol=0, atol=0)
    assert loaded.generate(noise).shape == (2, 5, 10)
    assert torch.equal(loaded.active, original.active)


@pytest.mark.parametrize("model", MODELS)
def test_a_seed_beside_another_gives_the_numbers_it_gives_alone(tmp_path, model):
    together = train(tmp_path / "two", spec_of(model)).model.state_dict()
    alone = train(tmp_path / "one", spec_of(model, seeds=(7,))).model.state_dict()
    for name, tensor in alone.items():
        torch.testing.assert_close(together[name][1], tensor[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("model", "step"), [("vae_flow", 9), ("two_stage_vae", 7), ("two_stage_vae", 17)])
def test_stopped_run_resumes_bit_for_bit(tmp_path, model, step):
    whole = train(tmp_path / "whole", spec_of(model))
    stopped = TrainingRun(spec_of(model), IMAGES, PLAN, RunStore(tmp_path / "stopped", {}))
    original = stopped._stepper.step

    def step_and_stop(draw, now):
        if now + 1 == step:
            os.kill(os.getpid(), signal.SIGTERM)
        return original(draw, now)

    stopped._stepper.step = step_and_stop
    with pytest.raises(TrainingInterruptedError):
        stopped.train()
    resumed = train(tmp_path / "stopped", spec_of(model))
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, resumed.model.state_dict()[name]), name
    assert whole.history.equals(resumed.history)


def test_two_stages_share_the_run_and_the_first_stands_still_in_the_second(tmp_path):
    history = train(tmp_path, spec_of("two_stage_vae")).history
    assert history.query("step <= 12")["second_autoencoder"].isna().all()
    assert history.query("step > 12")["autoencoder"].isna().all()
    assert np.isfinite(
        history.query("step > 12")[["second_autoencoder", "second_divergence"]].to_numpy()
    ).all()
    half, end = (
        load_model(tmp_path / f"checkpoints/step_{step:07d}.safetensors").state_dict() for step in (12, 24)
    )
    for name in half:
        moved = not torch.equal(half[name], end[name])
        assert moved == name.startswith("second"), name


def test_each_stage_is_annealed_at_its_own_end():
    constants = CONSTANTS.override({"annealing": 0.5})
    model = build_model(spec_of("two_stage_vae", hyperparameters=constants, steps=1000))
    assert model.learning_rates(250)["autoencoder"] == pytest.approx(1e-3)
    assert model.learning_rates(375)["autoencoder"] == pytest.approx(0.5e-3)
    assert model.learning_rates(499)["decoder_variance"] == pytest.approx(1e-4 / 250)
    assert model.learning_rates(500)["second_autoencoder"] == pytest.approx(1e-3)
