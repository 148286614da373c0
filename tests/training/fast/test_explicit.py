"""The written-out training step gives the numbers of the plain one, for every loss and kind of network."""

import dataclasses

import numpy as np
import pytest
import torch

from maskaae.method.presets import PAPER, ROBUST
from maskaae.method.spec import ModelSpec
from maskaae.models.base import Draw
from maskaae.models.build import build_model
from maskaae.training.draws import Draws, TrainingData
from maskaae.training.fast.explicit import explicit_updates
from maskaae.training.stepping import Stepper

BATCH = 8
VECTORS = ModelSpec("maae", 5, (0, 3), "vectors", (12,), (16, 14), (15, 16), PAPER)
IMAGES = dataclasses.replace(VECTORS, kind="images", shape=(8, 8, 1))
CONVOLUTIONAL = dataclasses.replace(
    IMAGES, network="convolutional", hidden=(), channels=(16, 32), normalisation="batch"
)
DELAYED = PAPER.override({"mask_delay": 50, "ramp_doubling_steps": 10, "fidelity": {"decay": "loss"}})

# With a variance penalty, which `robust` has switched off: the two forms write it out differently.
NESTED = ROBUST.override({"variance_weight": 1.0})


def examples(spec):
    rng = np.random.default_rng(0)
    if spec.kind == "images":
        return rng.integers(0, 256, size=(40, *spec.shape), dtype=np.uint8)
    return rng.normal(size=(40, *spec.shape)).astype(np.float32)


def trained(spec, steps, batch):
    """Model, losses and monitors after some steps in double precision: rounding cannot hide an error."""
    model = build_model(spec).double()
    draws = Draws(model, TrainingData(examples(spec), "cpu"), BATCH, "cpu")
    stepper = Stepper(model, steps, batch)
    for step in range(steps):
        losses = stepper.step(Draw(*(numbers.double() for numbers in draws.next())), step)
    return model, losses, model.monitors()


@pytest.mark.parametrize("model", ["maae", "wae"])
@pytest.mark.parametrize(
    "spec",
    [
        VECTORS,
        IMAGES,
        dataclasses.replace(IMAGES, hyperparameters=PAPER.override({"fidelity": {"reconstruction": "mse"}})),
        dataclasses.replace(VECTORS, hyperparameters=DELAYED),
        dataclasses.replace(VECTORS, hyperparameters=PAPER.override({"fidelity": {"optimiser": "adam"}})),
        CONVOLUTIONAL,
        dataclasses.replace(VECTORS, hyperparameters=NESTED),
        dataclasses.replace(CONVOLUTIONAL, hyperparameters=NESTED),
    ],
    ids=[
        "mse",
        "bce",
        "mse of images",
        "delay and ramp",
        "adam",
        "convolutional",
        "nested",
        "nested convolutional",
    ],
)
def test_written_out_step_equals_the_plain_one_over_a_run(model, spec):
    steps = 100 if spec.network == "mlp" else 20  # convolutions take long
    spec = dataclasses.replace(spec, model=model, steps=steps)
    plain, plain_losses, plain_monitors = trained(spec, steps, None)
    fast, fast_losses, fast_monitors = trained(spec, steps, BATCH)
    for name, wanted in plain.state_dict().items():
        torch.testing.assert_close(fast.state_dict()[name], wanted, rtol=1e-6, atol=1e-9, msg=name)
    torch.testing.assert_close(fast_losses, plain_losses, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(fast_monitors, plain_monitors, rtol=1e-6, atol=1e-9)


def test_only_the_masks_update_of_an_mlp_is_left_to_automatic_differentiation():
    model = build_model(VECTORS)
    draws = Draws(model, TrainingData(examples(VECTORS), "cpu"), BATCH, "cpu")
    Stepper(model, 1, BATCH)  # lays the parameters out
    updates = explicit_updates(model, BATCH).updates_with(draws.next(), model.constants(0), model.phase(0))
    assert [u.name for u in updates if not u.differentiated] == ["mask"]
