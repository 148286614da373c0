"""Each script turns csv into a figure and the csv that it was drawn from, to the byte the same each time."""

import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import matplotlib as mpl
import pandas as pd
import pytest
import snakemake.script

SCRIPTS = Path(__file__).parents[2] / "scripts"
CHOICE = {
    "metric": {"synthetic_n8": "fd_raw_10k", "digits": "fid_classifier_10k"},
    "titles": {"synthetic_n8": "Synthetic, $n=8$", "digits": "Digits"},
}


def run_script(
    name: str, folder: Path, inputs: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Run a script as Snakemake would; return its outputs' path without the ending."""
    folder.mkdir()
    stem = folder / name
    job = SimpleNamespace(
        input=SimpleNamespace(**inputs),
        params=SimpleNamespace(**CHOICE),
        output=SimpleNamespace(
            **{end: str(stem.with_suffix(f".{end}")) for end in ("csv", "pdf", "png", "md", "tex")}
        ),
    )
    monkeypatch.setattr(snakemake.script, "snakemake", job, raising=False)
    runpy.run_path(str(SCRIPTS / f"{name}.py"), run_name="__main__")
    return stem


@pytest.fixture
def inputs(metrics: pd.DataFrame, tmp_path: Path) -> dict[str, list[str]]:
    """Write one metrics.csv a run, and one dataset.json a data set."""
    paths: dict[str, list[str]] = {"metrics": [], "info": []}
    for (dataset, model, m), rows in metrics.groupby(["dataset", "model", "m"], sort=False):
        folder = tmp_path / f"{dataset}/{model}/m{m}"
        folder.mkdir(parents=True)
        rows.dropna(axis="columns", how="all").to_csv(folder / "metrics.csv", index=False)
        paths["metrics"].append(str(folder / "metrics.csv"))
    for dataset, n in {"synthetic_n8": 8, "digits": None}.items():
        (tmp_path / dataset / "dataset.json").write_text(json.dumps({"name": dataset, "n": n}))
        paths["info"].append(str(tmp_path / dataset / "dataset.json"))
    return paths


@pytest.mark.parametrize("name", ["fig1", "fig4"])
def test_a_figure_of_metrics_is_written_and_is_the_same_again(
    name: str, inputs: dict[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run_script(name, tmp_path / "first", inputs, monkeypatch)
    mpl.rcParams["font.size"] = 20  # a reader's own settings must not matter
    second = run_script(name, tmp_path / "second", inputs, monkeypatch)
    for end in (".csv", ".pdf", ".png"):
        assert first.with_suffix(end).read_bytes() == second.with_suffix(end).read_bytes()
    assert set(pd.read_csv(first.with_suffix(".csv"))["dataset"]) == {"synthetic_n8", "digits"}


def test_table_2_is_written_in_three_forms(
    inputs: dict[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = run_script("table2", tmp_path / "tables", inputs, monkeypatch)
    assert len(pd.read_csv(table.with_suffix(".csv"))) == 11 * 2 * 2  # capacities, models, quantities
    assert "| Digits | 32 |" in table.with_suffix(".md").read_text()
    assert r"\toprule" in table.with_suffix(".tex").read_text()
