"""Every broken data file of the table is refused by name, runs no code and leaves no half-made data set."""

import pickle
import re

import numpy as np
import pytest
import torch
from broken_files import CASES, GOOD_ARRAY, GOOD_TABLE, Trap, npz
from safetensors.torch import save_file

from maskaae.data.dataset import load_dataset
from maskaae.data.registry import SOURCES, describe, resolve
from maskaae.evaluation.frechet import load_statistics
from maskaae.models.build import load_model
from maskaae.training.store import RunStore


def prepare(source, path, keys):
    """Take the way of the workflow: check the entry, look at the header, prepare."""
    spec = resolve({"name": "own", "source": source, "path": str(path), "split_seed": 0, **keys})
    describe(spec)
    SOURCES[source].prepare(spec, raw=path, folder=path.parent / "out", workers=1)


def size_of(source):
    return {"size": 6} if source == "images" else {}


def test_the_table_has_40_cases_and_its_good_files_are_good(tmp_path):
    assert len(CASES) >= 40
    (tmp_path / "t.csv").write_text(GOOD_TABLE)
    prepare("table", tmp_path / "t.csv", {})
    np.save(tmp_path / "t.npy", GOOD_ARRAY)
    prepare("array", tmp_path / "t.npy", {})
    assert load_dataset(tmp_path / "out").info.shape == (3,)


@pytest.mark.parametrize("case", CASES, ids=[f"{i}-{case.source}" for i, case in enumerate(CASES)])
def test_broken_file_is_refused_in_the_words_of_the_table(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / case.name
    case.write(path)
    with pytest.raises((ValueError, FileNotFoundError)) as caught:
        prepare(case.source, path, {**size_of(case.source), **case.keys})
    assert re.search(case.says, str(caught.value)), str(caught.value)
    assert not (tmp_path / "trapped").exists()
    assert not (tmp_path / "out/dataset.json").exists()


def test_a_resume_state_with_code_in_it_runs_nothing(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    torch.save({"fingerprint": {}, "step": 1, "model": Trap()}, tmp_path / "state_0000001.pt")
    assert RunStore(tmp_path, {}).load_state() is None
    assert "cannot be read" in caplog.text
    assert not (tmp_path / "trapped").exists()


@pytest.mark.parametrize("name", ["model.safetensors", "statistics.npz"])
def test_a_pickle_under_the_name_of_a_model_or_of_statistics_runs_nothing(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(pickle.dumps(Trap()))
    read = load_model if name.startswith("model") else load_statistics
    with pytest.raises(ValueError, match=name):
        read(tmp_path / name)
    assert not (tmp_path / "trapped").exists()


def test_statistics_that_hold_objects_run_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trapped = np.array([Trap()])
    (tmp_path / "s.npz").write_bytes(npz(mean=trapped, covariance=trapped, count=trapped))
    with pytest.raises(ValueError, match="Object arrays cannot be loaded"):
        load_statistics(tmp_path / "s.npz")
    assert not (tmp_path / "trapped").exists()


def test_a_safetensors_file_of_somebody_else_is_refused_by_name(tmp_path):
    save_file({"w": torch.zeros(3)}, tmp_path / "foreign.safetensors")
    with pytest.raises(ValueError, match=r"foreign\.safetensors: no 'spec' in the header"):
        load_model(tmp_path / "foreign.safetensors")
    save_file({"w": torch.zeros(3)}, tmp_path / "spec.safetensors", metadata={"spec": '{"model": "x"}'})
    with pytest.raises(ValueError, match=r"spec\.safetensors"):
        load_model(tmp_path / "spec.safetensors")


def test_nothing_in_the_package_loads_pickles():
    """Every call that could is told not to; CIFAR-10's own reader has a list of what it allows."""
    from pathlib import Path

    import maskaae

    for path in Path(maskaae.__file__).parent.rglob("*.py"):
        code = path.read_text()
        for call in re.findall(r"(?:np\.load|torch\.load)\([^)]*\)", code):
            assert "allow_pickle=False" in call or "weights_only=True" in call, f"{path}: {call}"
        if "import pickle" in code:
            assert path.name == "cifar.py", path
