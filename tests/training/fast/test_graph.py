"""Steps by numbers on the device, the kind that is captured in a graph, equal the ordinary ones."""

import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from capture_rules import CaptureRefusedError, CaptureRules
from test_explicit import BATCH, CONVOLUTIONAL, DELAYED, VECTORS, examples

from maskaae.method.presets import PAPER, ROBUST, TrainingPlan
from maskaae.models.build import build_for_training, build_model
from maskaae.models.catalogue import CATALOGUE
from maskaae.models.maae import LEARNS_MASK
from maskaae.training.divergence import DivergenceWatch
from maskaae.training.draws import Draws, TrainingData
from maskaae.training.fast import graph
from maskaae.training.fast.graph import GraphTrainer, ScheduledSteps
from maskaae.training.loop import TrainingRun, set_precision
from maskaae.training.stepping import Stepper
from maskaae.training.store import RunStore

STEPS = 60
ANNEALED = PAPER.override({"annealing": 0.5, "fidelity": {"decay": "learning_rate", "ramp": "code"}})


def parts(spec, device="cpu"):
    model = build_model(spec).to(device)
    draws = Draws(model, TrainingData(examples(spec), device), BATCH, device)
    return model, draws, Stepper(model, STEPS, BATCH), DivergenceWatch(spec.seeds)


def steps_of(spec):
    """As many as the cases need; convolutions take long."""
    return STEPS if spec.network == "mlp" else 15


def trained_ordinarily(spec, device="cpu"):
    model, draws, stepper, _ = parts(spec, device)
    for step in range(steps_of(spec)):
        losses = stepper.step(draws.next(), step)
    return model, losses


def trained_by_schedule(spec):
    model, draws, stepper, watch = parts(spec)
    steps = ScheduledSteps(stepper, draws, watch, "cpu")
    for step in range(steps_of(spec)):
        steps.prepare(step)
        losses = steps.take(steps.phase(step))
    return model, losses


def assert_same(one, other, **tolerance):
    (model, losses), (wanted, wanted_losses) = one, other
    torch.testing.assert_close(losses, wanted_losses, **tolerance)
    for name, tensor in wanted.state_dict().items():
        torch.testing.assert_close(model.state_dict()[name], tensor, **tolerance, msg=name)


@pytest.mark.parametrize(
    "spec",
    [
        dataclasses.replace(VECTORS, hyperparameters=ANNEALED),
        dataclasses.replace(VECTORS, hyperparameters=DELAYED),
        dataclasses.replace(VECTORS, model="wae"),
        CONVOLUTIONAL,
        dataclasses.replace(VECTORS, hyperparameters=ROBUST, steps=STEPS),
        dataclasses.replace(VECTORS, hyperparameters=ROBUST, steps=STEPS, shortest_search=10),
    ],
    ids=[
        "annealing and decay",
        "delay and ramp",
        "wae",
        "convolutional",
        "robust: Adam, search and refinement",
        "robust: search of settled length",
    ],
)
def test_steps_by_numbers_on_the_device_equal_the_ordinary_ones(spec, monkeypatch):
    monkeypatch.setattr(graph, "ROWS", 7)  # the table is filled several times
    assert_same(trained_by_schedule(spec), trained_ordinarily(spec), rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize(
    ("optimiser", "takes"), [("tf1_rmsprop", True), ("adam", True), ("torch_rmsprop", False)]
)
def test_our_optimisers_take_rates_from_the_device_and_torchs_do_not(optimiser, takes):
    """Only the first kind can be captured in a graph."""
    hyperparameters = PAPER.override({"fidelity": {"optimiser": optimiser}})
    stepper = parts(dataclasses.replace(VECTORS, hyperparameters=hyperparameters))[2]
    assert stepper.can_be_captured is takes


def test_watch_names_the_step_of_a_scheduled_divergence():
    model, draws, stepper, watch = parts(VECTORS)
    steps = ScheduledSteps(stepper, draws, watch, "cpu")
    for step in range(5):
        if step == 3:
            model.critic.layers[0].weight.data[1] = float("nan")
        steps.prepare(step)
        steps.take(LEARNS_MASK)
    (found,) = watch.found()
    assert (found.seed, found.step) == (VECTORS.seeds[1], 3)


def test_fused_layer_and_penalty_equal_the_ordinary_ones():
    interpreted("""
import torch
from maskaae.training.fast import explicit, fused
draw = torch.Generator().manual_seed(0)
x, kernel, bias = (torch.randn(shape, generator=draw) for shape in ((3, 5, 4), (3, 4, 6), (3, 1, 6)))
wanted, out = torch.empty(2, 3, 5, 6)
explicit.hidden_layer(x, kernel, bias, wanted)
fused.hidden_layer(x, kernel, bias, out)
torch.testing.assert_close(out, wanted)
assert (wanted == 0).any() and (wanted > 0).any()
fused.hidden_layer(x * torch.nan, kernel, bias, out)
assert out.isnan().all()  # a network that has diverged must not look well
gradient = torch.randn(3, 5, 4, generator=draw)
gradient[1, 2] = 0.0  # a critic that is flat there
norm = gradient.norm(dim=-1, keepdim=True)
square = torch.empty(3, 5, 1)
scaled = gradient.clone()
fused.penalty_(scaled, square, 0.7, 1e-30)
torch.testing.assert_close(square, (norm - 1) ** 2)
torch.testing.assert_close(scaled, 0.7 * (norm - 1) / norm.clamp_min(1e-30) * gradient)
""")


ALL_MODELS = {
    name: dataclasses.replace(VECTORS, model=name, steps=STEPS, shape=(3, 4, 1), kind="images")
    if name == "vae"
    else dataclasses.replace(VECTORS, model=name, steps=STEPS)
    for name in CATALOGUE
} | {
    "convolutional": CONVOLUTIONAL,
    "robust": dataclasses.replace(VECTORS, hyperparameters=ROBUST, steps=STEPS),
}


@pytest.mark.parametrize("name", ALL_MODELS)
@pytest.mark.parametrize("form", ["as trained", "automatic"])
def test_steps_of_every_model_and_phase_hold_nothing_that_a_capture_refuses(name, form):
    few = 4  # the stages of a run take half of it, or a third and two thirds: each is visited
    spec = dataclasses.replace(ALL_MODELS[name], steps=few)
    model = build_for_training(spec)
    draws = Draws(model, TrainingData(examples(spec), "cpu"), BATCH, "cpu", ahead=2 * few)
    stepper = Stepper(model, few, BATCH if form == "as trained" else None)
    if not stepper.can_be_captured:
        assert name == "least_volume"
        return
    steps = ScheduledSteps(stepper, draws, DivergenceWatch(spec.seeds), "cpu")
    phases = set()
    for step in range(few):
        steps.prepare(step)
        phases.add(steps.phase(step))
        with CaptureRules():
            steps.take(steps.phase(step))
    assert len(phases) == (2 if name in {"robust", "two_stage_vae", "wae_nested"} else 1)


def test_the_rules_of_capture_refuse_what_a_gpu_refused():
    """The first capture on a GPU failed on this line; and a solver's answer is read from the device."""
    first, step = torch.zeros(3), torch.tensor(5.0)
    with CaptureRules():
        for refused in (
            lambda: first.masked_fill_(first < 1, step),
            step.item,
            lambda: first[first < 1],
            lambda: first.new_tensor([1.0, 2.0]),
            lambda: bool(step > 0),
        ):
            with pytest.raises(CaptureRefusedError):
                refused()


def test_numbers_drawn_ahead_go_on_where_a_saved_state_left_them():
    def numbers(draws, count):
        return [draws.next() for _ in range(count)]

    def fresh():
        return Draws(build_model(VECTORS), TrainingData(examples(VECTORS), "cpu"), BATCH, "cpu", ahead=4)

    for taken in (0, 1, 4, 6):
        whole, stopped, resumed = fresh(), fresh(), fresh()
        wanted = numbers(whole, taken + 7)[taken:]
        numbers(stopped, taken)
        resumed.restore(stopped.state())
        for draw, other in zip(numbers(resumed, 7), wanted, strict=True):
            for one, two in zip(draw, other, strict=True):
                assert torch.equal(one, two)


def test_no_step_of_those_drawn_ahead_repeats_another():
    draws = Draws(build_model(VECTORS), TrainingData(examples(VECTORS), "cpu"), BATCH, "cpu", ahead=3)
    seen = [draws.next().prior.clone() for _ in range(7)]
    assert len({tensor.sum().item() for tensor in seen}) == 7


def interpreted(program):
    """Run a program with Triton's interpreter, for kernels on the CPU; it must be on before the import."""
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


def test_fused_rmsprop_equals_the_ordinary_one():
    interpreted("""
import torch
from maskaae.training.fast.fused import rmsprop_
from maskaae.training.optimisers import TF1RMSProp
draw = torch.Generator().manual_seed(0)
p = torch.nn.Parameter(torch.randn(2500, generator=draw))
q, square = p.detach().clone(), torch.ones(2500)
ordinary = TF1RMSProp([p], epsilon=1e-3)
square += 1e-3
for rate in (0.1, 0.01, 0.03):
    p.grad = torch.randn(2500, generator=draw)
    rmsprop_(q, p.grad, square, torch.tensor([rate]), decay=0.9, epsilon=1e-3)
    ordinary.step(rate)
    torch.testing.assert_close(q, p.detach())
torch.testing.assert_close(square, ordinary.state_dict()["squares"][0])
""")


def test_fused_adam_equals_the_ordinary_one():
    interpreted("""
import torch
from maskaae.training.optimisers import Adam, FusedAdam
draw = torch.Generator().manual_seed(0)
p = torch.nn.Parameter(torch.randn(2500, generator=draw))
q = torch.nn.Parameter(p.detach().clone())
large = 1e-2  # an epsilon that counts
ordinary, fused = Adam([p], (0.5, 0.9), large), FusedAdam([q], (0.5, 0.9), large)
for rate in (0.1, 0.01, 0.03):
    p.grad = q.grad = torch.randn(2500, generator=draw)
    ordinary.step(rate)
    fused.step(torch.tensor([rate]))
    torch.testing.assert_close(q.detach(), p.detach())
for name in ("means", "squares"):
    torch.testing.assert_close(fused.state_dict()[name], ordinary.state_dict()[name])
""")


@pytest.mark.gpu
@pytest.mark.parametrize("name", ALL_MODELS)
def test_replayed_graph_equals_ordinary_steps_on_the_gpu(name):
    """In full single precision: equal weights are wanted, and TF32 rounds by how a product is cut up."""
    spec = ALL_MODELS[name]
    set_precision("float32")
    model, draws, stepper, watch = parts(spec, "cuda")
    if not stepper.can_be_captured:
        return
    trainer = GraphTrainer(ScheduledSteps(stepper, draws, watch, "cuda"), "cuda")
    for step in range(steps_of(spec)):
        losses = trainer.step(step)
    torch.cuda.synchronize()
    assert_same((model, losses), trained_ordinarily(spec, "cuda"), rtol=1e-3, atol=1e-4)


@pytest.mark.gpu
def test_run_that_replays_a_graph_resumes_with_the_same_numbers(tmp_path):
    plan = TrainingPlan(steps=40, batch_size=BATCH, log_every=5, checkpoint_every=20)
    data = np.random.default_rng(0).normal(size=(100, 12)).astype(np.float32)
    whole = TrainingRun(VECTORS, data, plan, RunStore(tmp_path / "whole", {}), "cuda")
    whole.train()
    for state in (tmp_path / "whole").glob("state_0000040.pt"):
        state.unlink()  # go back to step 20
    resumed = TrainingRun(VECTORS, data, plan, RunStore(tmp_path / "whole", {}), "cuda")
    assert resumed.step == 20
    resumed.train()
    for name, tensor in whole.model.state_dict().items():
        torch.testing.assert_close(resumed.model.state_dict()[name], tensor, rtol=0, atol=0, msg=name)
