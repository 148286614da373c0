"""A model described on both splits of its data set: tables and images."""

import numpy as np
import pytest

from maskaae.data.dataset import Dataset, DatasetInfo
from maskaae.handover.portrait import portray
from maskaae.method.presets import PRESETS
from maskaae.method.spec import ModelSpec
from maskaae.models.build import build_model
from maskaae.report.figures.dimensions_apart import draw_effects, draw_traversals

NO_LABELS = np.zeros(0, dtype=np.int64)
DRAWINGS = {"vectors": draw_effects, "images": draw_traversals}


@pytest.fixture(params=["vectors", "images"])
def described(request):
    shape = (6,) if request.param == "vectors" else (4, 4, 1)
    rows = np.random.default_rng(0).normal(size=(150, *shape))
    stored = rows.astype(np.float32) if request.param == "vectors" else (128 + 20 * rows).astype(np.uint8)
    info = DatasetInfo(
        name="own", source="x", kind=request.param, shape=shape, n_train=120, n_test=30, n=None, classes=0,
        sha256={}, details={"scaling": {"columns": list("abcdef")}} if request.param == "vectors" else {},
    )  # fmt: skip
    dataset = Dataset(info, stored[:120], stored[120:], NO_LABELS, NO_LABELS)
    spec = ModelSpec(
        model="maae", m=3, seeds=(0, 1), kind=request.param, shape=shape, hidden=(8,), critic_hidden=(4,),
        hyperparameters=PRESETS["robust"],
    )  # fmt: skip
    model = build_model(spec).eval().requires_grad_(False)
    return model, dataset


@pytest.mark.parametrize("open_dimensions", [2, 0], ids=["two open", "all closed"])
def test_a_model_is_described_whatever_the_data_and_the_mask(described, open_dimensions):
    model, dataset = described
    model.mask_parameter[:] = 0.0
    model.mask_parameter[:, :open_dimensions] = np.inf
    portrait = portray(model, 1, dataset, None)
    vectors = dataset.info.kind == "vectors"
    assert portrait.rows == 30
    assert portrait.unexplained > 0.5, "it was not trained"
    assert portrait.errors.columns.tolist() == ["column", "error", "unexplained"]
    assert portrait.errors["column"].tolist() == (list("abcdef") if vectors else [])
    assert portrait.dimensions["dimension"].nunique() == open_dimensions
    assert [witness.name for witness in portrait.witnesses] == ["TwoNN", "MLE", "local PCA"]
    figure = DRAWINGS[dataset.info.kind](portrait.dimensions)
    labels = [label.get_text() for axes in figure.axes[:1] for label in axes.get_yticklabels()]
    assert labels == [str(number) for number in range(1, open_dimensions + 1)]
