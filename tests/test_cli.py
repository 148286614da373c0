"""The command: what it prints, writes and refuses, and what it does not import."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch

from maskaae.cli import main
from maskaae.counting.count import count_dimensions
from maskaae.counting.settings import CountSettings
from maskaae.data.own.load import read_own

torch.set_num_threads(1)

RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(RNG.normal(size=(150, 2)) @ RNG.normal(size=(2, 5)) + 7, columns=list("abcde"))
SHORT = ["--steps", "12", "--seeds", "3", "--jobs", "1"]


@pytest.fixture
def table(tmp_path):
    TABLE.to_csv(tmp_path / "table.csv", index=False)
    return str(tmp_path / "table.csv")


def test_help_comes_without_what_takes_long_to_import():
    code = (
        "import sys, maskaae.cli\n"
        "try: maskaae.cli.main(['count', '--help'])\n"
        "except SystemExit: print(sorted({'torch', 'numpy', 'pandas', 'sklearn'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--drop" in result.stdout
    assert result.stdout.endswith("[]\n")


def test_version_is_said(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("maskaae ")


def test_a_wrong_key_is_named_without_the_entry_of_a_configuration(table, capsys):
    for given, said in (
        (["--missing", "mean"], "maskaae: missing: 'mean' is not one of"),
        (["--options", "decmal=,"], "maskaae: key 'decmal' is unknown; did you mean 'decimal'?"),
    ):
        assert main(["count", table, *given]) == 2
        assert capsys.readouterr().err.startswith(said)


def test_the_answer_is_that_of_the_counting_function(table, tmp_path, capsys):
    assert main(["count", table, *SHORT, "--json", str(tmp_path / "answer.json")]) == 0
    answer = json.loads((tmp_path / "answer.json").read_text())
    dataset = read_own(table, tmp_path / "own").dataset
    count = count_dimensions(dataset, CountSettings(steps=12, seeds=(0, 1, 2)))
    assert (answer["dimensions"], answer["counts"]) == (count.dimensions, list(count.counts))
    assert answer["data"] == table
    out, err = capsys.readouterr()
    assert str(count.dimensions) in out.splitlines()[0]
    for caution in count.warnings:
        assert caution.sentence[:40] in out
    assert out.index("Estimators without training") > 0
    assert err.index("Estimators without training") < err.index("Training 3 seeds")
    assert f"make own DATA={table}" in err


def test_quiet_prints_the_answer_alone(table, capsys):
    assert main(["count", table, *SHORT, "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.count("\n") > 2


def test_columns_can_be_left_out_and_options_given(table, tmp_path, capsys):
    answer = tmp_path / "answer.json"
    options = ["--drop", "a,b", "--options", "test_fraction=0.5", "--json", str(answer)]
    assert main(["count", table, *SHORT, *options]) == 0
    content = json.loads(answer.read_text())
    assert content["dimension"] == 3
    assert content["rows"] == 75 - round(0.1 * 75)
    err = capsys.readouterr().err
    assert f"make own DATA={table} DROP=a,b OPTIONS=test_fraction=0.5" in err
    assert "\n- left out: dropped as told: a, b\n" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{folder}/none.csv"], "none.csv: no such file"),
        (["{table}", "--drop", "z"], "'z'"),
        (["{table}", "--capacity", "6"], "capacity = 6: must be from 1 to 5"),
        (["{table}", "--preset", "best"], "preset = 'best' is unknown; give 'paper' or 'robust'"),
        (["{table}", "--seeds", "0"], "--seeds 0: give 1 or more"),
        (["{table}", "--widest", "-1"], "--widest -1: give a width, or 0 to compare none"),
        (["{table}", "--device", "gpu"], "device = 'gpu'"),
        (["{table}", "--options", "decimal"], "'decimal': give key=value"),
        (["{text}"], "maskaae count {text} --drop station"),
        (["{text}", "--for-make"], "make count DATA={text} DROP=station"),
        (["{text}", "--options", "header=true"], "--options header=True"),
        (["{folder}"], "image"),
        (["{table}", "--json", "{folder}/none/answer.json"], "there is no folder"),
        (["{table}", "--json", "{folder}"], "is a folder; give the name of a file"),
        ([""], "DATA is empty; give the path"),
    ],
)
def test_wrong_input_ends_in_a_few_lines_that_say_what_to_type(arguments, said, table, tmp_path, capsys):
    text = tmp_path / "text.csv"
    TABLE.assign(station=[f"name {row}" for row in range(150)]).to_csv(text, index=False)
    places = {"table": table, "text": str(text), "folder": str(tmp_path)}
    assert main(["count", *(argument.format(**places) for argument in arguments), *SHORT[:2]]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    message = [line for line in err.splitlines() if not line.startswith("- ")]
    assert said.format(**places) in err
    assert 1 <= len(message) <= 11
    assert "Traceback" not in err
    assert "maskaae: " in err


def test_an_interrupted_count_says_so(table, monkeypatch, capsys):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("maskaae.counting.count.count_dimensions", interrupted)
    assert main(["count", table, *SHORT]) == 130
    assert "interrupted: no answer" in capsys.readouterr().err
