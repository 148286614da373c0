"""What one model does, where it is known: an auto-encoder that copies its two codes into columns."""

import numpy as np
import pandas as pd
import pytest
import torch

from maskaae.data.own.splits import Scaling
from maskaae.evaluation.inspection import (
    dimension_effects,
    named_errors,
    traversals,
    unexplained,
    value_errors,
)
from maskaae.method.presets import PRESETS
from maskaae.method.spec import ModelSpec
from maskaae.models.build import build_model

ROWS = np.random.default_rng(0).normal(size=(400, 3)).astype(np.float32)


def copier(kind="vectors", shape=(3,), active=(True, True)):
    """Of seed 5: codes are the first two values; the decoder gives them back, and zero for the others."""
    spec = ModelSpec(
        model="maae", m=2, seeds=(4, 5), kind=kind, shape=shape, hidden=(), critic_hidden=(4,),
        hyperparameters=PRESETS["robust"],
    )  # fmt: skip
    model = build_model(spec).eval().requires_grad_(False)
    size = spec.data_dimension
    for network, weight in ((model.encoder, torch.eye(size, 2)), (model.decoder, torch.eye(2, size))):
        network.layers[0].weight[:] = torch.stack([torch.zeros_like(weight), weight])
    model.mask_parameter[:] = torch.where(torch.tensor(active), torch.inf, 0.0)
    return model


def test_errors_are_those_of_each_value_on_the_seed_that_is_asked():
    errors = value_errors(copier(), 5, ROWS)
    np.testing.assert_allclose(errors["error"], [0, 0, np.square(ROWS[:, 2]).mean()], rtol=1e-5)
    np.testing.assert_allclose(errors["variance"], ROWS.var(axis=0), rtol=1e-5)
    assert unexplained(errors) == pytest.approx(np.square(ROWS[:, 2]).sum() / (ROWS.var(axis=0).sum() * 400))
    assert value_errors(copier(), 4, ROWS)["error"].gt(0.5).all(), "the other seed decodes zeros"


def test_errors_have_the_units_of_the_file():
    errors = pd.DataFrame({"error": [4.0, 1.0], "variance": [16.0, 0.0]})
    named = named_errors(errors, ["a", "b"], np.array([10.0, 1.0]))
    assert named["error"].tolist() == [20.0, 1.0]
    assert named["unexplained"][0] == 0.25 and np.isnan(named["unexplained"][1])


def test_a_dimension_moves_the_column_that_it_is_copied_to_and_no_other():
    """Between -2 and 2, in the units of the file: 100 + 10 times that."""
    scaling = Scaling(np.array([100.0, 0, 0]), np.array([10.0, 1, 1]), ())
    effects = dimension_effects(copier(), 5, ROWS, ["a", "b", "c"], scaling)
    first = effects[effects["dimension"] == 1].set_index("column")
    assert first.loc["a", ["low", "high"]].tolist() == pytest.approx([80, 120])
    assert first.loc["a", "moved"] == pytest.approx(4 / ROWS[:, 0].std(), rel=1e-4)
    assert first.loc[["b", "c"], "moved"].tolist() == [0, 0]


def test_closed_dimensions_are_left_out_and_the_others_numbered():
    effects = dimension_effects(copier(active=(False, True)), 5, ROWS, ["a", "b", "c"], None)
    assert set(effects["dimension"]) == {1}
    assert effects.iloc[0]["column"] == "b"


def test_an_image_is_shown_at_five_places_of_each_dimension():
    """A pixel that a code is copied to goes through the sigmoid of -2, -1, 0, 1, 2."""
    frame = traversals(copier("images", (1, 2, 1)), 5, np.zeros((1, 2, 1), np.uint8))
    assert frame["dimension"].tolist() == [1] * 5 + [2] * 5
    first = [int(pixels.split()[0]) for pixels in frame["pixels"][:5]]
    expected = 255 / (1 + np.exp(-np.array([-2, -1, 0, 1, 2])))
    np.testing.assert_allclose(first, expected, atol=0.5)
    assert {pixels.split()[1] for pixels in frame["pixels"][:5]} == {"128"}, "the other stays"
