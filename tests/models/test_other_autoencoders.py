"""WAE-MMD, WAE-GAN, AAE and RAE: what each step updates, what its losses are, how it samples."""

import dataclasses

import numpy as np
import pytest
import torch

from maskaae.method.presets import PAPER, ROBUST, TrainingPlan
from maskaae.method.spec import ModelSpec
from maskaae.models.aae import discriminator_loss, non_saturating_loss
from maskaae.models.base import Draw
from maskaae.models.build import build_model, load_model, model_bytes
from maskaae.models.wae_mmd import maximum_mean_discrepancy
from maskaae.training.loop import TrainingRun
from maskaae.training.store import RunStore

SPEC = ModelSpec("wae_mmd", 4, (3, 7), "vectors", (10,), (16,), (16,), PAPER)
MODELS = ("wae_mmd", "wae_gan", "aae", "rae")
STEP = {
    "wae_mmd": ["autoencoder"],
    "wae_gan": ["discriminator", "autoencoder"],
    "aae": ["autoencoder", "discriminator", "generator"],
    "rae": ["autoencoder"],
}


def built(model: str, **changes: object):
    return build_model(dataclasses.replace(SPEC, model=model, **changes))


def draw_for(model, batch: int = 8) -> Draw:
    generator = torch.Generator().manual_seed(0)
    sizes, seeds = model.draw_sizes, len(model.seeds)
    return Draw(
        torch.rand(sizes.batches, seeds, batch, model.spec.data_dimension, generator=generator),
        torch.randn(sizes.prior, seeds, batch, model.m, generator=generator),
        torch.rand(sizes.mix, seeds, batch, 1, generator=generator),
    )


def losses_of(model, draw: Draw) -> dict[str, torch.Tensor]:
    return {
        update.name: update.loss for update in model.updates_with(draw, model.constants(0), model.phase(0))
    }


def train(folder, model: str, data: np.ndarray, steps: int, **changes: object):
    spec = dataclasses.replace(SPEC, model=model, shape=data.shape[1:], **changes)
    plan = TrainingPlan(steps, batch_size=32, log_every=steps, checkpoint_every=steps)
    run = TrainingRun(spec, data, plan, RunStore(folder, {"code": "1"}))
    run.train()
    return run.model


@pytest.mark.parametrize("name", MODELS)
def test_a_step_asks_for_the_published_updates_in_their_order(name):
    model = built(name)
    assert [
        update.name for update in model.updates_with(draw_for(model), model.constants(0), model.phase(0))
    ] == STEP[name]
    assert set(model.parameter_groups()) == set(STEP[name]) == set(model.learning_rates(0))


@pytest.mark.parametrize("name", MODELS)
def test_each_update_has_a_gradient_for_its_own_parameters(name):
    model = built(name)
    groups = model.parameter_groups()
    for update in model.updates_with(draw_for(model), model.constants(0), model.phase(0)):
        gradients = torch.autograd.grad(
            update.loss.sum(), groups[update.name], allow_unused=True, retain_graph=True
        )
        assert all(g is not None and bool(g.abs().sum() > 0) for g in gradients), update.name


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("network", ["mlp", "convolutional"])
def test_every_model_trains_on_images_with_both_kinds_of_network(tmp_path, name, network):
    images = np.random.default_rng(0).integers(0, 256, size=(64, 8, 8, 1), dtype=np.uint8)
    model = train(tmp_path, name, images, 2, kind="images", network=network, channels=(8, 16))
    generated = model.generate(
        torch.randn(2, 5, model.noise_size, generator=torch.Generator().manual_seed(0))
    )
    assert generated.shape == (2, 5, 64)
    assert ((generated >= 0) & (generated <= 1)).all()


@pytest.mark.parametrize("name", MODELS)
def test_a_seed_trains_as_it_does_alone(tmp_path, name):
    data = np.random.default_rng(0).normal(size=(100, 10)).astype(np.float32)
    together = train(tmp_path / "two", name, data, 12)
    alone = train(tmp_path / "one", name, data, 12, seeds=(7,))
    for key, tensor in alone.state_dict().items():
        torch.testing.assert_close(together.state_dict()[key][1], tensor[0], rtol=1e-4, atol=1e-5)


def test_wae_mmd_is_the_weighted_squared_error_plus_ten_discrepancies():
    model = built("wae_mmd")
    draw = draw_for(model)
    x, prior = draw.batches[0], draw.prior[0]
    codes = model.encode(x)
    squared = (x - model.decode(codes)).square().sum(dim=2).mean(dim=1)  # summed over dimensions
    expected = 0.05 * squared + 10 * maximum_mean_discrepancy(codes, prior)
    torch.testing.assert_close(losses_of(model, draw)["autoencoder"], expected)


def test_wae_gan_and_aae_differ_in_cost_weight_and_schedule():
    """With equal weights: one update descends both terms in WAE-GAN, two updates one term each in AAE."""
    gan, aae = built("wae_gan"), built("aae")
    aae.load_state_dict(gan.state_dict())  # the same networks by the same names
    draw = draw_for(aae)
    x, prior = draw.batches[0], draw.prior[0]
    codes = gan.encode(x)
    error = (x - gan.decode(codes)).square()
    fooling = non_saturating_loss(gan.discriminator(codes))
    telling = discriminator_loss(gan.discriminator(prior), gan.discriminator(codes))
    ours = losses_of(gan, Draw(draw.batches[:1], draw.prior, draw.mix))
    torch.testing.assert_close(ours["autoencoder"], 0.05 * error.sum(dim=2).mean(dim=1) + 10 * fooling)
    torch.testing.assert_close(ours["discriminator"], 10 * telling)
    theirs = losses_of(aae, Draw(x.expand(2, -1, -1, -1), draw.prior, draw.mix))
    torch.testing.assert_close(theirs["autoencoder"], error.mean(dim=(1, 2)))
    torch.testing.assert_close(theirs["generator"], fooling)
    torch.testing.assert_close(theirs["discriminator"], telling)


def test_rae_adds_the_codes_size_and_the_decoders_weights_but_not_its_biases():
    model = built("rae")
    draw = draw_for(model)
    x = draw.batches[0]
    codes = model.encode(x)
    kernels = [layer.weight for layer in model.decoder.layers]
    size = sum(kernel.square().sum(dim=(1, 2)) for kernel in kernels)
    expected = (x - model.decode(codes)).square().mean(dim=(1, 2))
    expected = expected + 1e-4 * codes.square().mean(dim=(1, 2)) + 1e-7 * size
    before = losses_of(model, draw)["autoencoder"]
    torch.testing.assert_close(before, expected)
    torch.testing.assert_close(model.decoder_size(), size)


def test_a_saved_rae_samples_the_same_without_being_fitted_again(tmp_path, monkeypatch):
    data = np.random.default_rng(0).normal(size=(200, 10)).astype(np.float32)
    model = train(tmp_path, "rae", data, 4)
    (tmp_path / "model.safetensors").write_bytes(model_bytes(model))
    monkeypatch.setattr(
        "maskaae.models.rae.RegularisedAutoEncoder.fit_codes", lambda *_: pytest.fail("fitted again")
    )
    loaded = load_model(tmp_path / "model.safetensors")
    noise = torch.randn(2, 50, 4, generator=torch.Generator().manual_seed(1))
    assert torch.equal(loaded.generate(noise), model.generate(noise))
    assert not torch.equal(loaded.factor[0], loaded.factor[1])


@pytest.mark.parametrize("name", ["wae_mmd", "wae_gan", "aae"])
def test_training_brings_codes_to_the_prior(tmp_path, name):
    """Data of two dimensions: the codes' discrepancy falls to a small share of the untrained encoder's."""
    random = np.random.default_rng(0)
    data = np.tanh(random.normal(size=(1000, 2)) @ random.normal(size=(2, 10))).astype(np.float32)
    changes = {"m": 2, "hidden": (32, 32), "critic_hidden": (32, 32), "hyperparameters": ROBUST}
    spec = dataclasses.replace(SPEC, model=name, **changes)
    trained = train(tmp_path, name, data, 600, **changes)
    x = torch.from_numpy(data).expand(2, -1, -1)
    prior = torch.randn(2, 1000, 2, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before = maximum_mean_discrepancy(build_model(spec).encode(x), prior)
        after = maximum_mean_discrepancy(trained.encode(x), prior)
    assert (after < 0.2 * before).all(), (before, after)
