"""How much of the package a training passes through: modules imported, calls from the loop to an update."""

import json
import subprocess
import sys
import traceback
from pathlib import Path

import numpy as np
import pytest

from maskaae.data.writer import write_dataset
from maskaae.method.presets import PAPER, ROBUST, TrainingPlan
from maskaae.method.spec import ModelSpec
from maskaae.models.maae import MaskedAdversarialAutoEncoder
from maskaae.training.fast.explicit import CriticPass, MlpUpdates
from maskaae.training.loop import TrainingRun
from maskaae.training.store import RunStore

SCRIPT = Path(__file__).parents[2] / "scripts/train.py"
MOST_MODULES, MOST_CALLS = 25, 5
AS_SNAKEMAKE = """
import json, runpy, sys
from types import SimpleNamespace

job = json.load(sys.stdin)
snakemake = SimpleNamespace(**{name: SimpleNamespace(**part) for name, part in job.items()})
snakemake.threads, snakemake.log, snakemake.input.get = 1, [job["output"]["log"]], lambda name: None
runpy.run_path(sys.argv[1], {"snakemake": snakemake})
ours = (name for name in sys.modules if name.partition(".")[0] == "maskaae")
print(*sorted(name for name in ours if not hasattr(sys.modules[name], "__path__")))
"""


def job(folder, hyperparameters):
    """What Snakemake gives to scripts/train.py: one MaskAAE of MLPs, three steps."""
    return {
        "input": {"info": str(folder / "data/dataset.json")},
        "output": {"run": str(folder / "run/run.json"), "log": str(folder / "train.log")},
        "wildcards": {"m": "4"},
        "params": {
            "model": "maae",
            "code": "",
            "seeds": [0],
            "network": {
                "kind": "mlp",
                "hidden": [8],
                "critic_hidden": [8],
                "channels": [],
                "normalisation": "none",
                "batch_momentum": 0.1,
            },
            "plan": {"steps": 3, "batch_size": 8, "log_every": 3, "checkpoint_every": 3},
            "hyperparameters": hyperparameters.to_dict(),
        },
    }


def test_training_imports_few_modules(tmp_path):
    """Packages aside, whose own files hold a line each; the mask of `paper` needs two modules less."""
    x = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
    write_dataset(tmp_path / "data", name="d", source="array", train=x, test=x)
    trained = subprocess.run(
        [sys.executable, "-c", AS_SNAKEMAKE, str(SCRIPT)],
        input=json.dumps(job(tmp_path, ROBUST)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert trained.returncode == 0, trained.stderr
    modules = trained.stdout.split()
    assert {"maskaae.models.maae", "maskaae.training.loop"} <= set(modules)
    assert len(modules) <= MOST_MODULES, modules


@pytest.mark.parametrize(
    ("owner", "update", "network"),
    [
        (MlpUpdates, "autoencoder", "mlp"),
        (CriticPass, "loss", "mlp"),
        (MaskedAdversarialAutoEncoder, "autoencoder_update", "convolutional"),
        (MaskedAdversarialAutoEncoder, "mask_updates", "convolutional"),
    ],
)
def test_few_calls_lie_between_the_loop_and_an_update(tmp_path, monkeypatch, owner, update, network):
    """From `TrainingRun.train` to what makes the update, written out or plain."""
    stacks = []
    original = getattr(owner, update)

    def noted(*arguments):
        stacks.append([frame.name for frame in traceback.extract_stack()[:-1]])
        return original(*arguments)

    monkeypatch.setattr(owner, update, noted)
    spec = ModelSpec("maae", 4, (0,), "images", (8, 8, 1), (8,), (8,), PAPER, network=network, channels=(4,))
    images = np.random.default_rng(0).integers(0, 256, size=(40, 8, 8, 1), dtype=np.uint8)
    TrainingRun(spec, images, TrainingPlan(1, 8, 1, 1), RunStore(tmp_path, {})).train()
    assert stacks
    for stack in stacks:
        assert len(stack[stack.index("train") + 1 :]) <= MOST_CALLS, stack
