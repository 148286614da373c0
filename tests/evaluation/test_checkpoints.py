"""Reading the checkpoints of a run."""

import pytest
import torch

from maskaae.evaluation.evaluate import read_checkpoints
from maskaae.method.presets import Hyperparameters
from maskaae.method.spec import ModelSpec
from maskaae.models.build import build_model, model_bytes


def model(seed):
    spec = ModelSpec(
        model="maae",
        m=3,
        seeds=(seed,),
        kind="vectors",
        shape=(5,),
        hidden=(4,),
        critic_hidden=(4,),
        hyperparameters=Hyperparameters(),
    )
    return build_model(spec)


def test_checkpoints_come_in_the_order_of_their_steps(tmp_path):
    for step in (10_000_000, 0, 900, 1000):
        (tmp_path / f"step_{step:07d}.safetensors").write_bytes(model_bytes(model(seed=step)))
    (tmp_path / "step_0000500.safetensors.partial").write_bytes(b"half")
    found = list(read_checkpoints(tmp_path))
    assert [step for step, _ in found] == [0, 900, 1000, 10_000_000]
    assert [loaded.seeds for _, loaded in found] == [(0,), (900,), (1000,), (10_000_000,)]
    assert torch.equal(found[1][1].mu, model(seed=900).mu)


def test_a_folder_without_checkpoints_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no checkpoint; expected files step_"):
        next(read_checkpoints(tmp_path))
