"""The user's own data: what they are, and which capacities suit them."""

import gzip
import io
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from published_files import idx_gz
from safetensors.numpy import save

from maskaae.config.checking import check_config
from maskaae.config.reading import ConfigError
from maskaae.data.own.recognise import choose_capacities, complete, recognise

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = yaml.safe_load((ROOT / "config/own_data.yaml").read_text())
VALUES = np.random.default_rng(0).normal(size=(100, 6))


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@pytest.mark.parametrize(
    ("write", "source"),
    [
        (lambda path: path.write_text("a,b\n1,2\n"), "table"),
        (lambda path: path.write_bytes(gzip.compress(b"1 2\n3 4\n")), "table"),
        (lambda path: pd.DataFrame({"a": [1.0]}).to_parquet(path), "table"),
        (lambda path: path.write_bytes(npy(VALUES)), "array"),
        (lambda path: path.write_bytes(gzip.compress(npy(VALUES))), "array"),
        (lambda path: path.write_bytes(npz(x=VALUES)), "array"),
        (lambda path: path.write_bytes(idx_gz(np.zeros((3, 2), np.uint8))), "array"),
        (lambda path: path.write_bytes(save({"x": VALUES})), "array"),
        (Path.mkdir, "images"),
    ],
)
def test_data_are_recognised_by_what_is_in_them(tmp_path, write, source):
    """Whatever the name."""
    write(tmp_path / "unknown.thing")
    assert recognise(tmp_path / "unknown.thing") == source


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (pickle.dumps(VALUES), "it is a pickle .*runs whatever code is in it.*numpy.save"),
        (pickle.dumps([1, 2], protocol=0), "it is a pickle"),
        (b"SQLite format 3\0", "not read: a database; save it as csv"),
        (b"\xff\xd8\xff\xe0", "one image; give the folder that holds all images"),
    ],
)
def test_what_is_not_read_is_refused_with_the_reason(tmp_path, content, message):
    (tmp_path / "model.pkl").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        recognise(tmp_path / "model.pkl")


def test_what_torch_saves_is_refused_with_the_reason(tmp_path):
    import torch

    torch.save({"x": torch.zeros(3)}, tmp_path / "x.pt")
    with pytest.raises(ValueError, match=r"x\.pt: it is a pickle \(as torch\.save"):
        recognise(tmp_path / "x.pt")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.csv: no such file or folder"):
        recognise(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("dimension", "capacities"),
    [(1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (30, [8, 15, 30]), (32, [8, 16, 32]), (784, [8, 16, 32])],
)
def test_capacities_are_a_quarter_half_and_all_of_at_most_32_dimensions(dimension, capacities):
    assert choose_capacities(dimension) == capacities


def write_csv(folder):
    pd.DataFrame(VALUES, columns=list("abcdef")).to_csv(folder / "own.csv", index=False)
    return folder / "own.csv"


def write_gzipped_text(folder):
    with gzip.open(folder / "own.txt.gz", "wt") as file:
        np.savetxt(file, VALUES)
    return folder / "own.txt.gz"


def write_parquet(folder):
    pd.DataFrame(VALUES, columns=list("abcdef")).to_parquet(folder / "own.parquet")
    return folder / "own.parquet"


def write_array(folder):
    np.save(folder / "own.npy", VALUES)
    return folder / "own.npy"


@pytest.mark.parametrize("write", [write_csv, write_gzipped_text, write_parquet, write_array])
def test_template_with_a_path_is_a_valid_experiment(tmp_path, write):
    """Whatever the data are, nobody needs to edit the template, and m stays at or below D = 6."""
    path = write(tmp_path)
    experiment = check_config({**TEMPLATE, "data": str(path)})
    assert experiment.datasets["own"].source_spec["path"] == str(path)
    assert experiment.datasets["own"].capacities == {"wae": (2, 3, 6), "maae": (2, 3, 6)}


def test_label_column_is_no_dimension(tmp_path):
    entry = {**TEMPLATE["datasets"][0], "path": str(write_csv(tmp_path)), "label_column": "f"}
    completed = complete({**TEMPLATE, "datasets": [entry]})
    assert completed["datasets"][0]["capacities"]["maae"] == choose_capacities(5)


def test_listed_capacities_above_the_dimension_are_still_refused(tmp_path):
    entry = {**TEMPLATE["datasets"][0], "capacities": {"maae": [7]}}
    config = {"datasets": [entry], "data": str(write_array(tmp_path))}
    with pytest.raises(ConfigError, match="m = 7 is above D = 6"):
        check_config(config)


def test_missing_path_says_how_to_give_one():
    with pytest.raises(ConfigError, match="make own DATA=path"):
        check_config(TEMPLATE)


def test_anything_but_auto_or_lists_of_capacities_is_refused():
    entry = {**TEMPLATE["datasets"][0], "capacities": "automatic"}
    with pytest.raises(ConfigError, match=r"'automatic' does not match .*`auto`, for your own data"):
        check_config({"datasets": [entry]})


def test_configuration_without_own_data_stays_as_it_is():
    config = yaml.safe_load((ROOT / "config/demo.yaml").read_text())
    assert complete(config) == config
