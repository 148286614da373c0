"""MaskAAE and WAE: one code path, seeds that do not touch each other, files that hold everything."""

import dataclasses

import pytest
import torch

from maskaae.method import losses
from maskaae.method.presets import PAPER
from maskaae.method.spec import ModelSpec
from maskaae.models.base import Draw
from maskaae.models.build import build_model, load_model, model_bytes

SPEC = ModelSpec("maae", 6, (3, 7), "vectors", (10,), (16,), (16,), PAPER)


def draw_for(model, batch=8):
    generator = torch.Generator().manual_seed(0)
    sizes, seeds = model.draw_sizes, len(model.seeds)
    return Draw(
        torch.randn(sizes.batches, seeds, batch, model.spec.data_dimension, generator=generator),
        torch.randn(sizes.prior, seeds, batch, model.m, generator=generator),
        torch.rand(sizes.mix, seeds, batch, 1, generator=generator),
    )


def test_a_training_step_asks_for_the_released_updates_in_their_order():
    model = build_model(SPEC)
    names = [
        update.name for update in model.updates_with(draw_for(model), model.constants(0), model.phase(0))
    ]
    assert names == ["autoencoder", *["critic"] * 5, "generator", "mask"]


@pytest.mark.parametrize(
    ("equation", "update", "stands_for"),
    [
        ("autoencoder_loss", "autoencoder", lambda sign: (sign, {})),
        ("critic_loss", "critic", lambda sign: (sign, {})),
        ("generator_loss", "generator", lambda sign: sign),
        ("mask_loss", "mask", lambda sign: sign),
    ],
)
def test_an_equation_of_the_paper_is_the_code_that_a_plain_step_runs(
    monkeypatch, equation, update, stands_for
):
    sign = torch.tensor([7.0, 8.0], requires_grad=True)
    monkeypatch.setattr(losses, equation, lambda *_, **__: stands_for(sign))
    model = build_model(SPEC)
    for name, loss, _ in model.updates_with(draw_for(model), model.constants(0), model.phase(0)):
        assert torch.equal(loss, sign) == (name == update)


def test_wae_is_the_same_step_without_the_mask_update():
    model = build_model(dataclasses.replace(SPEC, model="wae"))
    names = [
        update.name for update in model.updates_with(draw_for(model), model.constants(0), model.phase(0))
    ]
    assert names == ["autoencoder", *["critic"] * 5, "generator"]
    assert (model.mu == 1).all()
    assert model.active.all()


def test_wae_has_the_losses_of_maae_with_an_open_mask():
    wae = build_model(dataclasses.replace(SPEC, model="wae"))
    maae = build_model(SPEC)
    weights = {name: tensor for name, tensor in wae.state_dict().items() if name != "mask_parameter"}
    maae.load_state_dict({**weights, "mask_parameter": torch.full((2, 6), torch.inf)})
    draw = draw_for(maae)
    for ours, theirs in zip(
        wae.updates_with(draw, wae.constants(0), wae.phase(0)),
        maae.updates_with(draw, maae.constants(0), maae.phase(0)),
        strict=False,
    ):
        torch.testing.assert_close(ours.loss, theirs.loss, rtol=0, atol=0)


def test_mask_is_not_updated_before_its_delay():
    delayed = dataclasses.replace(SPEC, hyperparameters=PAPER.override({"mask_delay": 3}))
    model = build_model(delayed)
    assert "mask" not in [
        update.name for update in model.updates_with(draw_for(model), model.constants(2), model.phase(2))
    ]
    assert "mask" in [
        update.name for update in model.updates_with(draw_for(model), model.constants(3), model.phase(3))
    ]


def mask_loss_with(**weights):
    """Eq 17's loss (seed,) at the first step, and the terms that went into it."""
    model = build_model(dataclasses.replace(SPEC, hyperparameters=PAPER.override(weights)))
    loss = next(
        update.loss
        for update in model.updates_with(draw_for(model), model.constants(0), model.phase(0))
        if update.name == "mask"
    )
    return loss, model.monitors()


def test_each_term_of_the_mask_loss_can_be_left_out():
    whole, terms = mask_loss_with()
    regulariser = terms["regulariser"] * 2 / SPEC.m
    without_wasserstein, _ = mask_loss_with(wasserstein_weight=0)
    without_regulariser, _ = mask_loss_with(regulariser_weight=0)
    reconstruction_only, _ = mask_loss_with(wasserstein_weight=0, regulariser_weight=0)
    torch.testing.assert_close(whole - without_regulariser, regulariser, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(without_wasserstein - reconstruction_only, regulariser, rtol=1e-3, atol=1e-3)
    assert (whole > without_wasserstein).all()  # (1 + W)^2 is positive


def test_projection_follows_the_mask_update():
    model = build_model(SPEC)
    for update in model.updates_with(draw_for(model), model.constants(0), model.phase(0)):
        if update.name == "mask":
            model.mask_parameter.data[0, 0] = -1.0
    assert model.mask_parameter[0, 0] == 0


def test_each_update_has_a_gradient_for_its_own_parameters_only():
    model = build_model(SPEC)
    groups = model.parameter_groups()
    for update in model.updates_with(draw_for(model), model.constants(0), model.phase(0)):
        gradients = torch.autograd.grad(update.loss.sum(), groups[update.name], allow_unused=True)
        useful = [g is not None and bool(g.abs().sum() > 0) for g in gradients]
        # a constant shift of the critic cancels in its loss, so its last bias has none
        assert sum(useful) >= len(useful) - (update.name == "critic")


def test_a_seed_has_the_same_weights_alone_and_beside_others():
    alone, beside = build_model(dataclasses.replace(SPEC, seeds=(7,))), build_model(SPEC)
    for name, tensor in alone.state_dict().items():
        assert torch.equal(tensor[0], beside.state_dict()[name][1]), name


@pytest.mark.parametrize(("model", "kind"), [("maae", "images"), ("wae", "vectors")])
def test_model_file_gives_the_same_model_back(tmp_path, model, kind):
    spec = dataclasses.replace(SPEC, model=model, kind=kind)
    original = build_model(spec)
    (tmp_path / "model.safetensors").write_bytes(model_bytes(original))
    loaded = load_model(tmp_path / "model.safetensors")
    assert loaded.spec == spec
    noise = torch.randn(2, 5, 6, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(loaded.generate(noise), original.generate(noise), rtol=0, atol=0)


def test_file_without_specification_is_refused(tmp_path):
    from safetensors.torch import save_file

    save_file({"x": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="no 'spec' in the header"):
        load_model(tmp_path / "other.safetensors")


def test_binary_and_soft_masks_at_generation():
    model = build_model(SPEC)
    model.mask_parameter.data = torch.tensor([[0.0, 0.05, 0.2, 1.0, 3.0, 5.0]] * 2)
    assert model.active.sum(dim=1).tolist() == [4, 4]
    noise = torch.ones(2, 1, 6)
    torch.testing.assert_close(model.generate(noise), model.decode(model.active.float().unsqueeze(1)))
    torch.testing.assert_close(model.generate(noise, "soft"), model.decode(model.mu.unsqueeze(1)))
    with pytest.raises(ValueError, match="'binary' or 'soft'"):
        model.generate(noise, "hard")


def test_images_are_decoded_between_zero_and_one():
    model = build_model(dataclasses.replace(SPEC, kind="images", shape=(2, 5, 1)))
    x = model.generate(100 * torch.ones(2, 4, 6))
    assert ((x >= 0) & (x <= 1)).all()
