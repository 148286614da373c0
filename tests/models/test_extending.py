"""docs/extending.md holds: its file and its two lines give a model that trains and samples."""

import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from maskaae.config.checking import check_config
from maskaae.method.presets import ROBUST
from maskaae.method.spec import ModelSpec
from maskaae.models import catalogue
from maskaae.models.build import load_model, model_bytes
from maskaae.models.catalogue import ModelEntry
from maskaae.training.loop import TrainingPlan, TrainingRun
from maskaae.training.store import RunStore

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs/extending.md").read_text()
FILE, CATALOGUE_LINE = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
CONFIGURATION_LINE = re.search(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)[1]


@pytest.fixture
def name(tmp_path, monkeypatch) -> str:
    """Do what the page says, for the length of a test; return the new model's name."""
    ((name, entry),) = eval(f"{{{CATALOGUE_LINE}}}", {"ModelEntry": ModelEntry}).items()
    assert entry.module.split(".") == ["maskaae", "models", name]
    path = tmp_path / f"{name}.py"
    path.write_text(FILE)
    module_spec = importlib.util.spec_from_file_location(entry.module, path)
    module = importlib.util.module_from_spec(module_spec)
    module_spec.loader.exec_module(module)
    monkeypatch.setitem(catalogue.CATALOGUE, name, entry)
    monkeypatch.setitem(sys.modules, entry.module, module)
    return name


def test_configuration_takes_the_new_model(name):
    config = {
        "datasets": [{"name": "d", "source": "digits", "capacities": yaml.safe_load(CONFIGURATION_LINE)}],
        "tables": {"table1": {"d": 16}},
    }
    experiment = check_config(config)
    assert experiment.runs() == [("d", name, 16)]
    assert experiment.datasets["d"].models_at(16) == [name]


def test_the_new_model_learns_and_samples_what_it_was_fitted_to(name, tmp_path):
    """Data on a plane: a linear auto-encoder's samples get their mean and covariance."""
    random = np.random.default_rng(0)
    data = (random.normal(size=(2000, 2)) @ random.normal(size=(2, 5)) + 1).astype(np.float32)
    spec = ModelSpec(name, 2, (0, 1), "vectors", (5,), (), (), ROBUST.override({"autoencoder_rate": 0.02}))
    plan = TrainingPlan(500, 64, log_every=500, checkpoint_every=500)
    run = TrainingRun(spec, data, plan, RunStore(tmp_path, {}))
    run.train()
    (tmp_path / "model.safetensors").write_bytes(model_bytes(run.model))
    model = load_model(tmp_path / "model.safetensors")
    x = model.generate(torch.randn(2, 20_000, model.noise_size, generator=torch.Generator().manual_seed(0)))
    for of_seed in x.numpy():
        np.testing.assert_allclose(of_seed.mean(axis=0), data.mean(axis=0), atol=0.1)
        np.testing.assert_allclose(
            np.cov(of_seed.T), np.cov(data.T), atol=0.06 * np.abs(np.cov(data.T)).max()
        )
