"""Convolutional networks: sizes, seeds that do not touch each other, running statistics, resume, learning."""

import dataclasses
import os
import signal

import numpy as np
import pytest
import torch
from torch.nn import functional

from maskaae.method.presets import PAPER, ROBUST, TrainingPlan
from maskaae.method.spec import ModelSpec
from maskaae.models.base import Draw
from maskaae.models.build import build_model, load_model, model_bytes
from maskaae.networks.convolutional import SeedBatchNormalisation, SeedConvolution, SeedDeconvolution
from maskaae.training.loop import TrainingRun
from maskaae.training.stepping import Stepper
from maskaae.training.store import RunStore, TrainingInterruptedError

NORMALISATIONS = ["batch", "group", "none"]
SPEC = ModelSpec(
    model="maae",
    m=4,
    seeds=(3, 7),
    kind="images",
    shape=(8, 16, 3),
    hidden=(),
    critic_hidden=(12,),
    hyperparameters=PAPER,
    network="convolutional",
    channels=(16, 32),
    normalisation="batch",
)
PLAN = TrainingPlan(steps=12, batch_size=8, log_every=3, checkpoint_every=5)
IMAGES = np.random.default_rng(0).integers(0, 256, size=(60, 8, 16, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def images_for(model, batch=6):
    generator = torch.Generator().manual_seed(1)
    one = torch.rand(batch, model.spec.data_dimension, generator=generator)
    return one.expand(len(model.seeds), -1, -1)


def draw_for(model, batch=6):
    """Numbers of one step, the same for every seed."""
    generator = torch.Generator().manual_seed(0)
    sizes, seeds = model.draw_sizes, len(model.seeds)
    shapes = (
        (sizes.batches, batch, model.spec.data_dimension),
        (sizes.prior, batch, model.m),
        (sizes.mix, batch, 1),
    )
    return Draw(
        *(torch.rand(shape, generator=generator).unsqueeze(1).expand(-1, seeds, -1, -1) for shape in shapes)
    )


def parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_images_to_codes_and_back(normalisation):
    model = build_model(dataclasses.replace(SPEC, normalisation=normalisation))
    x = images_for(model)
    codes = model.encode(x)
    assert codes.shape == (2, 6, 4)
    decoded = model.decode(codes)
    assert decoded.shape == x.shape
    assert ((decoded > 0) & (decoded < 1)).all()


@pytest.mark.parametrize("side", [32, 64])
def test_parameters_add_up_by_hand(side):
    """Sizes of CIFAR-10 and CelebA; channels an eighth of theirs."""
    spec = dataclasses.replace(SPEC, m=10, seeds=(0,), shape=(side, side, 3), channels=(16, 32, 64, 128))
    model = build_model(spec)
    wide = side // 16  # the encoder's last maps
    between = 25 * (16 * 32 + 32 * 64 + 64 * 128)
    scales_and_shifts = 2 * (16 + 32 + 64)
    dense_in = wide * wide * 128 * 10 + 10
    assert parameters(model.encoder) == 25 * 3 * 16 + between + scales_and_shifts + 2 * 128 + dense_in
    dense_out = (10 + 1) * (2 * wide) ** 2 * 128  # 8 x 8 x 128 for images of 64 x 64
    assert parameters(model.decoder) == dense_out + between + scales_and_shifts + 25 * 16 * 3 + 3


def test_a_seed_is_the_plain_convolution_of_its_own_images():
    """One layer against torch's own, image by image: the flattened (H, W, C) order is understood."""
    spec = dataclasses.replace(SPEC, channels=(16,), normalisation="none")
    encoder = build_model(spec).encoder
    x = torch.rand(2, 5, 8 * 16 * 3, generator=torch.Generator().manual_seed(2))
    codes = encoder(x)
    for seed in (0, 1):
        image = torch.stack([row.view(8, 16, 3).permute(2, 0, 1) for row in x[seed]])
        maps = functional.conv2d(image, encoder.layers[0].weight[seed], stride=2, padding=2).relu()
        expected = maps.flatten(1) @ encoder.dense.weight[seed] + encoder.dense.bias[seed]
        torch.testing.assert_close(codes[seed], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layer", [SeedConvolution, SeedDeconvolution])
@pytest.mark.parametrize("side", [4, 32])
def test_small_and_large_maps_are_convolved_alike(layer, side):
    """Small ones in groups, large ones seed after seed: outputs and gradients are those of a seed alone."""
    generators = [torch.Generator().manual_seed(seed) for seed in range(3)]
    together = layer(2, 3, *([2] if layer is SeedConvolution else []), generators)
    x = torch.rand(5, 3 * 2, side, side, requires_grad=True)
    output = together(x)
    output.square().sum().backward()
    for seed in range(3):
        weight = together.weight[seed].detach().requires_grad_()
        own = x[:, 2 * seed : 2 * seed + 2].detach().requires_grad_()
        if layer is SeedConvolution:
            expected = functional.conv2d(own, weight, stride=2, padding=2)
        else:
            expected = functional.conv_transpose2d(own, weight, stride=2, padding=2, output_padding=1)
        expected.square().sum().backward()
        torch.testing.assert_close(output[:, 3 * seed : 3 * seed + 3], expected, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(together.weight.grad[seed], weight.grad, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(x.grad[:, 2 * seed : 2 * seed + 2], own.grad, rtol=1e-4, atol=1e-5)


def test_decoder_puts_each_colour_where_it_is_stored():
    model = build_model(dataclasses.replace(SPEC, normalisation="none"))
    with torch.no_grad():
        model.decoder.layers[-1].bias[1] = torch.tensor([-100.0, 0.0, 100.0])
        images = model.decode(torch.zeros(2, 1, 4))[1].view(8, 16, 3)
    assert torch.equal(images, torch.tensor([0.0, 0.5, 1.0]).expand(8, 16, 3))


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_a_seed_alone_and_beside_others_has_the_same_numbers(normalisation):
    """Weights bit for bit; forward pass, and all that one training step changes, to rounding."""
    spec = dataclasses.replace(SPEC, normalisation=normalisation)
    alone, beside = build_model(dataclasses.replace(spec, seeds=(7,))), build_model(spec)
    for name, tensor in alone.state_dict().items():
        assert torch.equal(tensor[0], beside.state_dict()[name][1]), name
    start = {name: tensor.clone() for name, tensor in beside.state_dict().items()}
    torch.testing.assert_close(
        alone.reconstruct(images_for(alone))[0],
        beside.reconstruct(images_for(beside))[1],
        rtol=1e-4,
        atol=1e-6,
    )
    for model in (alone, beside):
        Stepper(model, steps=1).step(draw_for(model), 0)
    for name, tensor in alone.state_dict().items():
        torch.testing.assert_close(tensor[0], beside.state_dict()[name][1], rtol=1e-3, atol=2e-5)
        if name.startswith(("encoder", "decoder")):  # a constant added to all scores changes no critic's loss
            assert not torch.equal(start[name][1], beside.state_dict()[name][1]), name


def test_another_seeds_images_change_nothing():
    model = build_model(SPEC)
    x = torch.rand(2, 6, model.spec.data_dimension, generator=torch.Generator().manual_seed(3))
    before = model.encode(x)[0]
    x[1] = 1 - x[1]
    assert torch.equal(model.encode(x)[0], before)


@pytest.mark.parametrize("normalisation", ["batch", "group"])
def test_normalised_channels_have_mean_zero_and_variance_one(normalisation):
    model = build_model(dataclasses.replace(SPEC, normalisation=normalisation))
    x = images_for(model, batch=5).view(2, 5, 8, 16, 3).permute(1, 0, 4, 2, 3).flatten(1, 2)
    normal = model.encoder.layers[1](model.encoder.layers[0](x)).view(5, 2, 16, -1)
    axes = (0, 3) if normalisation == "batch" else (2, 3)  # 16 channels are one group
    torch.testing.assert_close(normal.mean(axes), torch.zeros_like(normal.mean(axes)), rtol=0, atol=1e-5)
    variance = normal.var(axes, correction=0)
    torch.testing.assert_close(variance, torch.ones_like(variance), rtol=0, atol=2e-3)


def test_running_statistics_reach_those_of_the_data_and_stand_still_at_evaluation():
    layer = SeedBatchNormalisation(seeds=2, channels=1)
    generator = torch.Generator().manual_seed(4)
    of_seeds = torch.tensor([[3.0, 2.0], [-1.0, 0.5]]).view(1, 2, 2, 1, 1)  # mean and deviation of each
    for _ in range(600):
        noise = torch.randn(16, 2, 4, 4, generator=generator)
        layer(of_seeds[:, :, 0] + of_seeds[:, :, 1] * noise)
    torch.testing.assert_close(layer.running_mean, torch.tensor([[3.0], [-1.0]]), rtol=0, atol=0.15)
    torch.testing.assert_close(layer.running_variance, torch.tensor([[4.0], [0.25]]), rtol=0.1, atol=0)
    layer.eval()
    kept = layer.running_mean.clone()
    torch.testing.assert_close(
        layer(of_seeds[:, :, 0] * torch.ones(1, 2, 4, 4)).mean(), torch.tensor(0.0), rtol=0, atol=0.15
    )
    assert torch.equal(layer.running_mean, kept)


def test_without_momentum_the_running_statistics_stay_as_they_start():
    model = build_model(dataclasses.replace(SPEC, batch_momentum=0.0))
    Stepper(model, steps=1).step(draw_for(model), 0)
    for layers in (model.encoder.layers, model.decoder.layers):
        assert (layers[1].running_mean == 0).all()
        assert (layers[1].running_variance == 1).all()


def test_loaded_model_does_not_depend_on_the_batch(tmp_path):
    """Evaluation uses the running statistics in the file, and so no number depends on the batch size."""
    model = build_model(SPEC)
    Stepper(model, steps=1).step(draw_for(model), 0)
    (tmp_path / "model.safetensors").write_bytes(model_bytes(model))
    loaded = load_model(tmp_path / "model.safetensors")
    assert loaded.spec == SPEC
    assert torch.equal(loaded.encoder.layers[1].running_mean, model.encoder.layers[1].running_mean)
    noise = torch.randn(2, 6, 4, generator=torch.Generator().manual_seed(5))
    halves = torch.cat([loaded.generate(noise[:, :2]), loaded.generate(noise[:, 2:])], dim=1)
    torch.testing.assert_close(loaded.generate(noise), halves, rtol=1e-5, atol=1e-6)


def test_specification_from_before_there_were_kinds_is_an_mlp():
    old = {
        name: value
        for name, value in SPEC.to_dict().items()
        if name not in ("network", "channels", "normalisation", "batch_momentum")
    }
    assert ModelSpec.from_dict({**old, "hidden": [5]}).network == "mlp"


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_stopped_run_resumes_bit_for_bit(tmp_path, normalisation):
    spec = dataclasses.replace(SPEC, normalisation=normalisation)
    whole = TrainingRun(spec, IMAGES, PLAN, RunStore(tmp_path / "whole", {}))
    whole.train()
    stopped = TrainingRun(spec, IMAGES, PLAN, RunStore(tmp_path / "stopped", {}))
    original = stopped._stepper.step

    def step_and_stop(draw, now):
        if now + 1 == 7:
            os.kill(os.getpid(), signal.SIGTERM)
        return original(draw, now)

    stopped._stepper.step = step_and_stop
    with pytest.raises(TrainingInterruptedError):
        stopped.train()
    resumed = TrainingRun(spec, IMAGES, PLAN, RunStore(tmp_path / "stopped", {}))
    assert resumed.step == 7
    resumed.train()
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, resumed.model.state_dict()[name]), name
    assert whole.history.equals(resumed.history)


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_training_lowers_the_reconstruction_error(tmp_path, normalisation):
    """Bars at one of eight places: four dimensions hold all that there is, also in evaluation mode."""
    images = np.full((200, 8, 8, 1), 20, dtype=np.uint8)
    places = np.random.default_rng(2).integers(0, 8, size=200)
    images[np.arange(200), :, places] = 235
    constants = ROBUST.override({"critic_steps": 1, "autoencoder_rate": 3e-3})
    spec = dataclasses.replace(
        SPEC,
        model="wae",
        seeds=(0,),
        shape=(8, 8, 1),
        hyperparameters=constants,
        normalisation=normalisation,
    )
    plan = TrainingPlan(steps=300, batch_size=16, log_every=30, checkpoint_every=300)
    TrainingRun(spec, images, plan, RunStore(tmp_path, {})).train()
    untrained, trained = (
        load_model(tmp_path / f"checkpoints/step_{step:07d}.safetensors") for step in (0, 300)
    )
    x = torch.from_numpy(images[:50]).flatten(1).float().div(255).unsqueeze(0)
    variance = (x - x.mean(dim=1, keepdim=True)).square().mean()
    assert (untrained.reconstruct(x) - x).square().mean() > variance
    assert (trained.reconstruct(x) - x).square().mean() < 0.05 * variance


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "vectors", "shape": (384,)}, "sees only images; vectors need kind: mlp"),
        ({"shape": (28, 28, 1), "channels": (8, 16, 32)}, r"\[8, 16, 32\] .* D = 784"),
        (
            {"shape": (12, 16, 3), "channels": (8, 16, 32)},
            r"multiples of 8, and the images are 12 x 16; give at most 2 channel widths",
        ),
        ({"shape": (9, 16, 3), "channels": (8,)}, "the images are 9 x 16; give kind: mlp"),
        ({"channels": (16, 24), "normalisation": "group"}, "24 cannot be divided into groups of 16"),
    ],
)
def test_data_that_the_network_cannot_take_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        build_model(dataclasses.replace(SPEC, **changes))


@pytest.mark.long
@pytest.mark.parametrize(("side", "last"), [(32, 2), (64, 4)])
def test_one_step_of_the_full_networks_of_cifar_and_celeba(side, last):
    """128-256-512-1024 channels and the paper's critic: every layer's shape, and a step changes every one."""
    spec = dataclasses.replace(
        SPEC,
        m=128,
        seeds=(0,),
        shape=(side, side, 3),
        channels=(128, 256, 512, 1024),
        critic_hidden=(1024, 1024, 1024, 1024),
    )
    model = build_model(spec)
    shapes = []

    def note(module, inputs, maps):
        shapes.append(tuple(maps.shape))

    for module in [*model.encoder.modules(), *model.decoder.modules()]:
        if isinstance(module, SeedConvolution | SeedDeconvolution):
            module.register_forward_hook(note)
    x = images_for(model, batch=2)
    assert model.decode(model.encode(x)).shape == (1, 2, side * side * 3)
    assert shapes == [
        *((2, 128 * 2**depth, side >> depth + 1, side >> depth + 1) for depth in range(4)),
        *((2, 128 * 2**depth, side >> depth, side >> depth) for depth in (2, 1, 0)),
        (2, 3, side, side),
    ]
    assert model.encoder.dense.weight.shape == (1, last * last * 1024, 128)
    assert model.decoder.dense.weight.shape == (1, 128, (2 * last) ** 2 * 1024)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    Stepper(model, steps=1).step(draw_for(model, batch=2), 0)
    for name, tensor in model.state_dict().items():
        assert tensor.isfinite().all(), name
        if name.startswith(("encoder", "decoder")):
            assert not torch.equal(before[name], tensor), name
