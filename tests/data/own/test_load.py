"""One call from a path to a data set: what whoever has no workflow reads with."""

import shlex

import numpy as np
import pandas as pd
import pytest

from maskaae.data.own.load import read_own
from maskaae.data.own.notes import ChoiceError, Notes, command, settings

VALUES = np.random.default_rng(0).normal(size=(100, 3))


def test_a_table_is_read_with_its_classes_and_nothing_is_left_unsaid(tmp_path):
    frame = pd.DataFrame(VALUES, columns=list("abc")).assign(kind=np.where(VALUES[:, 0] > 0, "x", "y"))
    frame.to_csv(tmp_path / "t.csv", index=False)
    read = read_own(tmp_path / "t.csv", tmp_path / "out", {"label": "kind", "scaling": "none"})
    assert read.source == "table"
    assert (len(read.dataset.train), len(read.dataset.test)) == (80, 20)
    np.testing.assert_array_equal(read.dataset.train_labels, read.dataset.train[:, 0] <= 0)
    said = {"guessed": read.guessed, "left_out": read.left_out, "warnings": read.warnings}
    assert read.dataset.info.details["reading"] == said


def test_an_array_is_read_with_the_classes_beside_it(tmp_path):
    np.savez(tmp_path / "a.npz", x=VALUES, y=np.arange(100) % 2)
    read = read_own(tmp_path / "a.npz", tmp_path / "out", {"label": "y"})
    assert read.source == "array"
    assert read.dataset.info.classes == 2


def test_a_folder_of_images_has_its_classes_in_sub_folders_only(tmp_path):
    with pytest.raises(ValueError, match="classes of images are the sub-folders"):
        read_own(tmp_path, tmp_path / "out", {"label": "y"})


def test_a_choice_comes_with_the_command_that_makes_it():
    error = ChoiceError(
        "t.csv: two ways", "my t.csv", {"drop": ["a", "b c"], "label": "kind", "decimal": ","}
    )
    assert str(error) == "t.csv: two ways\nmake own DATA='my t.csv' DROP='a,b c' LABEL=kind OPTIONS=decimal=,"
    assert error.options == {"drop": ["a", "b c"], "label": "kind", "decimal": ","}
    assert command("t.csv", {}) == "make own DATA=t.csv"


def test_variables_of_make_become_options_again():
    options = {"drop": ["a", "b,c"], "label": "kind", "missing": "median", "decimal": ",", "skip_lines": 3}
    words = shlex.split(command("t.csv", options))[2:]
    made = settings(dict(word.partition("=")[::2] for word in words))
    assert made == options
    with pytest.raises(ValueError, match="OPTIONS: 'median': give key=value"):
        settings({"OPTIONS": "median"})


def test_a_sentence_is_said_once():
    notes = Notes()
    notes.guess("delimiter ;")
    notes.guess("delimiter ;")
    assert notes.details() == {"guessed": ["delimiter ;"], "left_out": [], "warnings": []}
