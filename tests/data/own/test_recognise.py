"""The user's own data: what they are, and which capacities suit them."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from maskaae.config.checking import check_config
from maskaae.config.reading import ConfigError
from maskaae.data.own.recognise import choose_capacities, complete, recognise

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = yaml.safe_load((ROOT / "config/own_data.yaml").read_text())
VALUES = np.random.default_rng(0).normal(size=(100, 6))


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("a.csv", "table"),
        ("a.TSV", "table"),
        ("a.txt.gz", "table"),
        ("a.parquet", "table"),
        ("a.npy", "array"),
        ("a.npz", "array"),
        ("train-images-idx3-ubyte.gz", "array"),
        ("a.idx", "array"),
    ],
)
def test_file_is_recognised_by_its_name(tmp_path, name, source):
    (tmp_path / name).touch()
    assert recognise(tmp_path / name) == source


def test_folder_holds_images(tmp_path):
    assert recognise(tmp_path) == "images"


def test_unrecognised_file_is_refused_with_what_would_be_right(tmp_path):
    (tmp_path / "a.xlsx").touch()
    with pytest.raises(
        ValueError, match=r"a\.xlsx: not recognised; give a folder of images, a table \(\.csv"
    ):
        recognise(tmp_path / "a.xlsx")
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
