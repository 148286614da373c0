"""Two results folders are compared file by file: equal, within the tolerance, different, missing."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from maskaae.verify import Tolerance, compare_folders, main

RECORD = {"seconds": 1.5, "threads": 1, "device": "cpu", "plan": {"steps": 60}, "dataset": "tiny"}


@pytest.fixture
def two(tmp_path):
    """A results folder with a file of every kind, and its copy."""
    one = tmp_path / "one"
    (one / "runs").mkdir(parents=True)
    (one / "logs").mkdir()
    (one / "logs/train.log").write_text("12:00")
    pd.DataFrame({"step": [1, 2], "loss": [0.5, np.nan], "note": ["a", None]}).to_csv(
        one / "runs/h.csv", index=False
    )
    save_file({"w": np.linspace(0, 1, 5, dtype=np.float32)}, one / "runs/model.safetensors")
    np.save(one / "train.npy", np.arange(4.0))
    np.savez(one / "labels.npz", train=np.arange(3))
    (one / "runs/run.json").write_text(json.dumps(RECORD))
    (one / "runs/h.png").write_bytes(b"picture")
    shutil.copytree(one, tmp_path / "other")
    return one, tmp_path / "other"


def verdicts(two):
    return {c.file: c.verdict for c in compare_folders(*two)}


def test_copies_are_equal_and_logs_are_not_looked_at(two, capsys):
    (two[1] / "logs/train.log").write_text("13:00")
    assert set(verdicts(two).values()) == {"equal"}
    assert main([str(path) for path in two]) == 0
    assert capsys.readouterr().out == "6 files: 6 equal\n"


def test_the_readme_of_a_checkout_is_no_result(two):
    (two[0] / "README.md").write_text("What is where.")
    assert set(verdicts(two).values()) == {"equal"}


def test_usage_names_what_make_takes(capsys):
    with pytest.raises(SystemExit):
        main([])
    said = capsys.readouterr().err
    assert "make verify A=results B=other/results" in said
    assert "required: A, B" in said


def test_times_and_machine_do_not_count_but_what_was_run_does(two):
    record = two[1] / "runs/run.json"
    record.write_text(json.dumps({**RECORD, "seconds": 9.0, "threads": 2}))
    assert verdicts(two)["runs/run.json"] == "equal"
    record.write_text(json.dumps({**RECORD, "plan": {"steps": 61}}))
    assert verdicts(two)["runs/run.json"] == "different"


def test_times_in_tables_do_not_count_whether_columns_or_quantities(two):
    for folder, time in zip(two, (1.0, 7.0), strict=True):
        pd.DataFrame({"seed": [0], "seconds": [time]}).to_csv(folder / "wide.csv", index=False)
        pd.DataFrame({"quantity": ["fid", "minutes"], "mean": [3.0, time]}).to_csv(
            folder / "tidy.csv", index=False
        )
        (folder / "tidy.md").write_text(f"| 3.0 | {time} |")
    assert set(verdicts(two).values()) == {"equal"}
    notes = {c.file: c.note for c in compare_folders(*two)}
    assert notes["wide.csv"] == notes["tidy.csv"] == "but for times and machine"
    (two[1] / "wide.csv").write_text("seed\n0.0\n")
    (two[0] / "wide.csv").write_text("seed\n0\n")
    assert {c.file: c.note for c in compare_folders(*two)}["wide.csv"] == "same numbers"
    pd.DataFrame({"quantity": ["fid", "minutes"], "mean": [4.0, 1.0]}).to_csv(
        two[1] / "tidy.csv", index=False
    )
    found = verdicts(two)
    assert (found["tidy.csv"], found["tidy.md"]) == ("different", "different")


def test_words_that_differ_beside_a_table_that_does_not_are_different(two):
    for folder, words in zip(two, ("8", "9"), strict=True):
        (folder / "table.csv").write_text("n\n8\n")
        (folder / "table.md").write_text(words)
    assert verdicts(two)["table.md"] == "different"


@pytest.mark.parametrize(("shift", "verdict"), [(1e-6, "within tolerance"), (0.1, "different")])
def test_numbers_are_compared_within_the_tolerance(two, shift, verdict):
    pd.DataFrame({"step": [1, 2], "loss": [0.5 + shift, np.nan], "note": ["a", None]}).to_csv(
        two[1] / "runs/h.csv", index=False
    )
    save_file({"w": np.linspace(shift, 1, 5, dtype=np.float32)}, two[1] / "runs/model.safetensors")
    np.save(two[1] / "train.npy", np.arange(4.0) + shift)
    np.savez(two[1] / "labels.npz", train=np.arange(3) + shift)
    (two[1] / "runs/h.png").write_bytes(b"another picture of nearly the same")
    found = verdicts(two)
    assert found.pop("runs/run.json") == "equal"
    assert set(found.values()) == {verdict}


@pytest.mark.parametrize(
    ("loss", "note"),
    [([0.5, 0.5], ["a", None]), ([0.5, np.nan], ["b", None]), ([np.inf, np.nan], ["a", None])],
)
def test_a_value_that_became_defined_other_text_and_infinity_are_different(two, loss, note):
    pd.DataFrame({"step": [1, 2], "loss": loss, "note": note}).to_csv(two[1] / "runs/h.csv", index=False)
    assert verdicts(two)["runs/h.csv"] == "different"


def test_other_shapes_names_and_damaged_files_are_different(two):
    np.save(two[1] / "train.npy", np.arange(5.0))
    save_file({"v": np.zeros(5, dtype=np.float32)}, two[1] / "runs/model.safetensors")
    (two[1] / "labels.npz").write_bytes(b"PK\x03\x04 cut short")
    found = verdicts(two)
    assert {found[name] for name in ("train.npy", "runs/model.safetensors", "labels.npz")} == {"different"}


def test_a_missing_file_is_named_by_its_side(two, capsys):
    (two[1] / "train.npy").unlink()
    (two[0] / "labels.npz").unlink()
    assert main([str(path) for path in two]) == 1
    out = capsys.readouterr().out
    assert "only in A         train.npy" in out
    assert "only in B         labels.npz" in out


def test_what_is_no_results_folder_is_refused(two, tmp_path, capsys):
    assert main([str(two[0]), str(tmp_path / "none")]) == 2
    assert "none: no such folder; give the `results` folder" in capsys.readouterr().err


def test_the_tolerance_is_that_of_numpy():
    tolerance = Tolerance(relative=0.1, absolute=1.0)
    assert tolerance.largest_excess(np.array([13.0]), np.array([10.0])) == pytest.approx(1.5)
