"""Encoder and decoder handed over: they compute what the estimator computes, in other tools."""

from pathlib import Path

import numpy as np
import pytest
import torch

from maskaae.estimator import MaskAAE
from maskaae.evaluation.examples import to_model_input
from maskaae.handover.export import networks_of_seed, write_networks
from maskaae.method.presets import PRESETS
from maskaae.method.spec import ModelSpec
from maskaae.models.build import build_model

TOLERANCE = 1e-5
VALUES = 1000 + 5 * np.random.default_rng(0).normal(size=(80, 6))


@pytest.fixture(scope="module")
def fitted():
    """A model that keeps 2 of 3 dimensions, the first and the last."""
    model = MaskAAE(3, hidden=(16,), critic_hidden=(8,), steps=20, batch_size=16, n_seeds=1).fit(VALUES)
    keep(model.model_, [True, False, True])
    model.n_active_ = 2
    return model


def keep(model, dimensions):
    """Open some dimensions, for every seed."""
    model.mask_parameter.data[:] = torch.where(torch.tensor(dimensions), torch.inf, 0.0)


def image_model(network, shape=(8, 8, 3), seeds=(0, 1)):
    """Untrained networks with running statistics that are not those of the start."""
    spec = ModelSpec(
        model="maae", m=4, seeds=seeds, kind="images", shape=shape, hidden=(16,), critic_hidden=(8,),
        hyperparameters=PRESETS["robust"], network=network, channels=(16, 32), normalisation="batch",
    )  # fmt: skip
    model = build_model(spec)
    generator = torch.Generator().manual_seed(0)
    for name, buffer in model.named_buffers():
        if "running" in name:
            buffer.copy_(0.5 + torch.rand(buffer.shape, generator=generator))
    keep(model, [True, True, False, True])
    return model.eval().requires_grad_(False)


IMAGES = np.random.default_rng(0).integers(0, 256, size=(5, 8, 8, 3), dtype=np.uint8)


def onnx_runner(path):
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(path)
    return lambda rows: session.run(None, {session.get_inputs()[0].name: rows})[0]


def torch_runner(path):
    module = torch.export.load(path).module()
    return lambda rows: module(torch.from_numpy(rows)).numpy()


RUNNERS = {"onnx": onnx_runner, "pt2": torch_runner}


@pytest.mark.parametrize("written", RUNNERS)
def test_networks_of_a_table_agree_with_the_estimator(fitted, tmp_path, written):
    if written == "onnx":
        pytest.importorskip("onnxscript")
    fitted.export(tmp_path, formats=[written])
    encode, decode = (RUNNERS[written](tmp_path / f"{name}.{written}") for name in ("encoder", "decoder"))
    for rows in (VALUES[:1], VALUES[:7]):
        codes = encode(rows)
        assert codes.shape == (len(rows), 2)
        np.testing.assert_allclose(codes, fitted.transform(rows), atol=TOLERANCE)
        np.testing.assert_allclose(decode(codes), fitted.inverse_transform(codes), atol=TOLERANCE)


@pytest.mark.parametrize(
    ("network", "written"), [("mlp", "pt2"), ("convolutional", "pt2"), ("convolutional", "onnx")]
)
def test_networks_of_images_agree_with_the_model(tmp_path, network, written):
    if written == "onnx":
        pytest.importorskip("onnxscript")
    model = image_model(network)
    write_networks(model, 1, None, tmp_path, [written])
    encode, decode = (RUNNERS[written](tmp_path / f"{name}.{written}") for name in ("encoder", "decoder"))
    codes = model.encode(to_model_input(torch.from_numpy(IMAGES)).expand(2, -1, -1))[1]
    active = encode(IMAGES)
    np.testing.assert_allclose(active, codes[:, model.active[1]], atol=TOLERANCE)
    expected = 255 * model.decode_through_mask(codes.expand(2, -1, -1))[1].view(IMAGES.shape)
    assert decode(active).dtype == np.uint8
    assert np.abs(decode(active) - expected.numpy()).max() <= 0.5 + 255 * TOLERANCE, "rounded, no more"


def test_closed_dimensions_are_not_in_the_networks():
    encoder, decoder = networks_of_seed(image_model("convolutional"), 0, None)
    assert encoder.network.dense.weight.shape[2] == decoder.network.dense.weight.shape[1] == 3
    assert {len(parameter) for parameter in encoder.parameters()} == {1}, "one seed"


def test_the_card_tells_count_settings_and_the_error_on_unseen_rows(fitted, tmp_path):
    fitted.export(tmp_path, unseen=VALUES + 20, formats=["pt2"])
    card = (tmp_path / "model_card.md").read_text()
    assert "2 of 3 (capacity)" in card and "`robust`" in card
    assert f"{fitted.record_['steps']} steps of 16 examples, seed 0" in card, "those taken, not the longest"
    assert "of the variance of 80 rows stays unexplained" in card
    assert 'torch.export.load("encoder.pt2")' in card and "onnxruntime" not in card
    fitted.export(tmp_path, formats=["pt2"])
    assert "not measured" in Path(tmp_path / "model_card.md").read_text()


def test_a_model_without_dimensions_and_an_unknown_format_are_refused(fitted, tmp_path):
    with pytest.raises(ValueError, match="'tflite' is unknown; choose from onnx, pt2"):
        fitted.export(tmp_path, formats=["tflite"])
    collapsed = image_model("mlp")
    keep(collapsed, [False] * 4)
    with pytest.raises(ValueError, match="closed every dimension"):
        write_networks(collapsed, 0, None, tmp_path, ["pt2"])
