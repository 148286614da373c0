"""Each script turns csv into a figure and the csv that it was drawn from, to the byte the same each time."""

import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from simulated_runs import simulate_history

from maskaae.report.selection import read_runs

SCRIPTS = Path(__file__).parents[3] / "scripts"
PARAMS = {
    "metric": {"synthetic_n8": "fd_raw_10k", "digits": "fid_classifier_10k"},
    "titles": {"synthetic_n8": "Synthetic, $n=8$", "digits": "Digits"},
    "threshold": {"synthetic_n8": 0.1, "digits": 0.1},
    "presets": {"synthetic_n8": "robust", "digits": "paper"},
}
ENDINGS = ("csv", "pdf", "png", "md", "html", "tex")
INFOS = [
    {"name": "synthetic_n8", "n": 8, "shape": [128], "details": {"layers": [8, 64, 128], "slope": 0.2}},
    {"name": "digits", "n": None, "shape": [2, 2, 1], "details": {}},
]

Inputs = dict[str, list[str]]


def run_script(name: str, folder: Path, inputs: Inputs, **params: object) -> Path:
    """Run a script as Snakemake would, with other params if given; return its outputs' path, no ending."""
    folder.mkdir()
    stem = folder / name
    job = SimpleNamespace(
        input=SimpleNamespace(**inputs),
        params=SimpleNamespace(**{**PARAMS, **params}),
        output=SimpleNamespace(**{end: str(stem.with_suffix(f".{end}")) for end in ENDINGS}),
    )
    runpy.run_path(str(SCRIPTS / f"{name}.py"), init_globals={"snakemake": job}, run_name="__main__")
    return stem


def write_runs(frame: pd.DataFrame, name: str, folder: Path) -> list[str]:
    """Write one csv a run into the folder that names it; without the names in it, as most stages do."""
    paths = []
    for (dataset, model, m), rows in frame.groupby(["dataset", "model", "m"], sort=False):
        path = folder / f"{dataset}/{model}/m{m}/{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows.drop(columns=["dataset", "preset", "model", "m"], errors="ignore").dropna(
            axis="columns", how="all"
        ).to_csv(path, index=False)
        paths.append(str(path))
    return paths


@pytest.fixture
def infos(tmp_path: Path) -> list[str]:
    """One dataset.json a data set: synthetic first."""
    paths = [tmp_path / f"{info['name']}.json" for info in INFOS]
    for path, info in zip(paths, INFOS, strict=True):
        path.write_text(json.dumps(info))
    return [str(path) for path in paths]


@pytest.fixture
def inputs(metrics: pd.DataFrame, infos: list[str], tmp_path: Path) -> Inputs:
    return {"metrics": write_runs(metrics, "metrics", tmp_path), "info": infos}


def test_a_figure_is_the_same_to_the_byte_whatever_the_readers_own_settings(
    inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run_script("fig4", tmp_path / "first", inputs)
    monkeypatch.setitem(mpl.rcParams, "font.size", 20)
    second = run_script("fig4", tmp_path / "second", inputs)
    for end in (".csv", ".pdf", ".png"):
        assert first.with_suffix(end).read_bytes() == second.with_suffix(end).read_bytes()
    assert set(pd.read_csv(first.with_suffix(".csv"))["dataset"]) == {"synthetic_n8", "digits"}


def test_figure_1_is_written(inputs: Inputs, tmp_path: Path) -> None:
    assert run_script("fig1", tmp_path / "out", inputs).with_suffix(".png").stat().st_size > 0


@pytest.mark.parametrize("name", ["fig5", "fig8"])
def test_a_figure_of_training_is_written(
    name: str, inputs: Inputs, random: np.random.Generator, tmp_path: Path
) -> None:
    history = simulate_history("synthetic_n8", "maae", 16, seeds=2, random=random)
    shown = [path for path in inputs["metrics"] if "synthetic_n8/maae/m16" in path]
    inputs |= {"history": write_runs(history, "history", tmp_path), "metrics": shown}
    record = Path(inputs["history"][0]).with_name("run.json")
    record.write_text(json.dumps({"search": {"steps": 6000}}))
    inputs["records"] = [str(record)]
    frame = pd.read_csv(run_script(name, tmp_path / "out", inputs).with_suffix(".csv"))
    assert set(frame["m"]) == {16}
    assert set(frame["dataset"]) == {"synthetic_n8"}


def test_figure_6_is_written(infos: list[str], tmp_path: Path) -> None:
    kinds = ["generated"] * 4 + ["real"] * 2
    samples = pd.DataFrame({"kind": kinds, "index": [0, 1, 2, 3, 0, 1]}).assign(p0=0, p1=80, p2=160, p3=255)
    samples = samples.assign(dataset="digits", model="maae", m=16)
    inputs = {"samples": write_runs(samples, "samples", tmp_path), "info": infos}
    assert len(pd.read_csv(run_script("fig6", tmp_path / "out", inputs).with_suffix(".csv"))) == 6


def test_figures_7_and_9_are_written(infos: list[str], tmp_path: Path) -> None:
    assert run_script("fig7", tmp_path / "seven", {}).with_suffix(".pdf").stat().st_size > 0
    assert run_script("fig9", tmp_path / "nine", {"info": infos[:1]}).with_suffix(".pdf").stat().st_size > 0


def test_figures_10_to_13_are_written(tmp_path: Path) -> None:
    pairs = pd.DataFrame({"seed": 0, "i": [0, 0, 1, 1], "j": [0, 1, 0, 1], "value": [1, 0.1, 0.1, 1]})
    wae = pairs.assign(active_i=True, active_j=True, dataset="digits", model="wae", m=2)
    both = pd.concat([wae, wae.assign(model="maae")])
    stem = run_script("fig10", tmp_path / "out", {"covariance": write_runs(both, "covariance", tmp_path)})
    assert len(pd.read_csv(stem.with_suffix(".csv"))) == 8


def test_table_2_is_written_in_three_forms(inputs: Inputs, tmp_path: Path) -> None:
    everything = {**inputs, "counts": inputs["metrics"]}
    table = run_script("table2", tmp_path / "tables", everything)
    assert len(pd.read_csv(table.with_suffix(".csv"))) == 11 * 2 * 2  # capacities, models, quantities
    assert "| Digits | 32 |" in table.with_suffix(".md").read_text()
    assert r"\toprule" in table.with_suffix(".tex").read_text()


def test_a_csv_whose_folder_names_no_run_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("seed\n0\n")
    with pytest.raises(
        ValueError, match=r"metrics\.csv: folder names no run; expected {dataset}/{model}/m{m}"
    ):
        read_runs([path], PARAMS["presets"])


def test_an_empty_csv_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "digits/wae/m4").mkdir(parents=True)
    path = tmp_path / "digits/wae/m4/metrics.csv"
    path.write_text("seed,step\n")
    with pytest.raises(ValueError, match=r"m4/metrics\.csv: no rows"):
        read_runs([path], PARAMS["presets"])
    with pytest.raises(ValueError, match="at least one run; none given"):
        read_runs([], {})


def test_all_models_over_capacity_are_drawn(inputs: Inputs, tmp_path: Path) -> None:
    frame = pd.read_csv(run_script("models_over_capacity", tmp_path / "out", inputs).with_suffix(".csv"))
    assert set(frame["model"]) == {"wae", "maae"}


def test_samples_of_all_models_are_drawn(infos: list[str], tmp_path: Path) -> None:
    samples = pd.DataFrame({"kind": ["generated", "real"], "index": 0}).assign(p0=0, p1=80, p2=160, p3=255)
    frames = [samples.assign(dataset="digits", model=model, m=16) for model in ("wae", "rae")]
    inputs = {"samples": write_runs(pd.concat(frames), "samples", tmp_path), "info": infos}
    frame = pd.read_csv(run_script("model_samples", tmp_path / "out", inputs).with_suffix(".csv"))
    assert set(frame["model"]) == {"wae", "rae", "real"}


def test_table_1_is_written_in_three_forms(inputs: Inputs, tmp_path: Path) -> None:
    shown = [path for path in inputs["metrics"] if "digits" in path and "/m16/" in path]
    records = [Path(path).with_name("run.json") for path in shown]
    for record in records:
        record.write_text(json.dumps({"plan": {"steps": 900}, "steps": 600, "steps_per_second": 5.0}))
    runs = read_runs(shown, PARAMS["presets"])
    last = runs[runs["step"] == runs["step"].max()].assign(
        kid_classifier_10k=0.1,
        precision_classifier_10k=0.5,
        recall_classifier_10k=0.5,
        components=1,
        fid_classifier_10k_train=1.0,
    )
    samplers = pd.concat([last.assign(sampler=sampler) for sampler in ("prior", "mixture")])
    inputs = {
        "metrics": shown,
        "samplers": write_runs(samplers, "samplers", tmp_path),
        "records": [str(path) for path in records],
    }
    stem = run_script("table1", tmp_path / "out", inputs)
    table = pd.read_csv(stem.with_suffix(".csv"))
    assert set(table.loc[table["source"] == "ours", "model"]) == {"wae", "maae"}
    assert table.loc[table["quantity"] == "minutes", "mean"].tolist() == [2, 2]
    assert "(cited)" in stem.with_suffix(".md").read_text()
    assert r"\toprule" in stem.with_suffix(".tex").read_text()
