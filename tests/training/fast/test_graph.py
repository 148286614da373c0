"""Steps by numbers on the device, the kind that is captured in a graph, equal the ordinary ones."""

import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from test_explicit import BATCH, CONVOLUTIONAL, DELAYED, VECTORS, examples

from maskaae.method.presets import PAPER, ROBUST
from maskaae.models.build import build_model
from maskaae.training.divergence import DivergenceWatch
from maskaae.training.draws import Draws, TrainingData
from maskaae.training.fast import graph
from maskaae.training.fast.graph import GraphTrainer, ScheduledSteps
from maskaae.training.loop import TrainingPlan, TrainingRun
from maskaae.training.stepping import Stepper
from maskaae.training.store import RunStore

STEPS = 60
ANNEALED = PAPER.override({"annealing": 0.5, "fidelity": {"decay": "learning_rate", "ramp": "code"}})


def parts(spec, device="cpu"):
    model = build_model(spec).to(device)
    draws = Draws(model, TrainingData(examples(spec), device), BATCH, device)
    return model, draws, Stepper(model, STEPS, BATCH), DivergenceWatch(spec.seeds)


def trained_ordinarily(spec, device="cpu"):
    model, draws, stepper, _ = parts(spec, device)
    for step in range(STEPS):
        losses = stepper.step(draws.next(), step)
    return model, losses


def trained_by_schedule(spec):
    model, draws, stepper, watch = parts(spec)
    steps = ScheduledSteps(stepper, stepper.explicit, draws, watch, "cpu")
    for step in range(STEPS):
        steps.prepare(step)
        losses = steps.take(steps.masks_at(step))
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
    ],
    ids=[
        "annealing and decay",
        "delay and ramp",
        "wae",
        "convolutional",
        "robust: Adam, search and refinement",
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
    assert stepper.takes_rates_from_device is takes


def test_watch_names_the_step_of_a_scheduled_divergence():
    model, draws, stepper, watch = parts(VECTORS)
    steps = ScheduledSteps(stepper, stepper.explicit, draws, watch, "cpu")
    for step in range(5):
        if step == 3:
            model.critic.layers[0].weight.data[1] = float("nan")
        steps.prepare(step)
        steps.take(masked=True)
    (found,) = watch.found()
    assert (found.seed, found.step) == (VECTORS.seeds[1], 3)


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
@pytest.mark.parametrize(
    "spec",
    [
        VECTORS,
        dataclasses.replace(VECTORS, hyperparameters=DELAYED),
        CONVOLUTIONAL,
        dataclasses.replace(VECTORS, hyperparameters=ROBUST, steps=STEPS),
    ],
)
def test_replayed_graph_equals_ordinary_steps_on_the_gpu(spec):
    model, draws, stepper, watch = parts(spec, "cuda")
    steps = ScheduledSteps(stepper, stepper.explicit, draws, watch, "cuda")
    trainer = GraphTrainer(steps, draws.generators, "cuda")
    for step in range(STEPS):
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
