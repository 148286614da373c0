"""Runs that went badly are shown: a collapsed mask, one active dimension, a lost seed, constant features.

Small models are trained, spoilt, evaluated by the functions of the workflow and handed to the scripts of
every figure and table, as files.
"""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
from test_scripts import run_script

from maskaae.data.dataset import load_dataset
from maskaae.data.writer import write_dataset
from maskaae.estimator import MaskAAE
from maskaae.evaluation.encoding import covariance_table
from maskaae.evaluation.evaluate import evaluate_run, read_checkpoints
from maskaae.evaluation.examples import Sampling, sample_table
from maskaae.evaluation.features import RawFeatures, reference_statistics
from maskaae.method.presets import PAPER, TrainingPlan
from maskaae.method.spec import ModelSpec
from maskaae.models.build import build_model, load_model
from maskaae.report.selection import read_runs
from maskaae.report.table2 import as_printed, table2
from maskaae.training.loop import TrainingRun
from maskaae.training.run import TrainedRun
from maskaae.training.store import RunStore

METRIC = "fd_raw_100"
PRESETS = {"digits": "paper"}
# No mask update at all: what is set below stays.
STILL = PAPER.override({"mask_delay": 10_000})
SPEC = ModelSpec("maae", 4, (0, 1, 2), "images", (2, 2, 1), (8,), (8,), STILL)
PLAN = TrainingPlan(steps=8, batch_size=8, log_every=2, checkpoint_every=4, on_divergence="continue")


def as_it_is(run):
    """An ordinary run."""


def collapsed(run):
    run.model.mask_parameter.data[:] = 0.0


def one_active(run):
    run.model.mask_parameter.data[:, 1:] = 0.0


def first_lost(run):
    """Seed 0, the one that figures of one seed would show, diverges at step 5."""
    original = run._stepper.step

    def step(draw, now):
        if now == 5:
            run.model.decoder.layers[0].weight.data[0] = torch.nan
        return original(draw, now)

    run._stepper.step = step


def train(folder, spec, examples, spoil):
    """Train, spoil, and write what the rule `train` writes."""
    run = TrainingRun(spec, examples, PLAN, RunStore(folder / "resume", {}))
    spoil(run)
    run.train()
    record = {"plan": dataclasses.asdict(PLAN)}
    TrainedRun(run.model, run.history, record, run._store).write(folder)


def measure(folder, test):
    """Write what the rules evaluate, covariance and samples write."""
    reference = {"raw": reference_statistics(test, RawFeatures(), batch=20)}
    checkpoints = read_checkpoints(folder / "checkpoints")
    sampling = Sampling(100, 100)
    metrics = evaluate_run(checkpoints, test, reference, [RawFeatures()], sampling)
    metrics.to_csv(folder / "metrics.csv", index=False)
    model = load_model(folder / "model.safetensors")
    covariance_table(model, test, 20).to_csv(folder / "covariance.csv", index=False)
    sample_table(model, test, generated=9, reconstructed=4, seed=0).to_csv(
        folder / "samples.csv", index=False
    )


@pytest.fixture(scope="module", params=[as_it_is, collapsed, one_active, first_lost])
def runs(request, tmp_path_factory):
    """Folder of a WAE and a spoilt MAAE on images of which one pixel is constant."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp(request.param.__name__)
    images = np.random.default_rng(0).integers(0, 256, (60, 2, 2, 1), dtype=np.uint8)
    images[:, 0, 0] = 7
    write_dataset(folder / "data", name="digits", source="array", train=images[:40], test=images[40:])
    test = load_dataset(folder / "data").test
    for model, spoil in (("wae", as_it_is), ("maae", request.param)):
        train(folder / f"digits/{model}/m4", dataclasses.replace(SPEC, model=model), images[:40], spoil)
        measure(folder / f"digits/{model}/m4", test)
    return request.param.__name__, folder


def paths(folder, name, *models):
    return [str(folder / f"digits/{model}/m4/{name}.csv") for model in models]


def test_every_figure_is_drawn(runs, tmp_path):
    _, folder = runs
    info = {"info": [str(folder / "data/dataset.json")]}
    both = {"metrics": paths(folder, "metrics", "wae", "maae")}
    over_training = {"history": paths(folder, "history", "maae"), "metrics": paths(folder, "metrics", "maae")}
    inputs = {
        "fig1": both | info,
        "fig4": both | info,
        "fig5": over_training | {"records": [str(folder / "digits/maae/m4/run.json")]} | info,
        "fig6": {"samples": paths(folder, "samples", "maae")} | info,
        "fig8": over_training | info,
        "fig10": {"covariance": paths(folder, "covariance", "wae", "maae")} | info,
        "table2": both | {"counts": paths(folder, "metrics", "maae")} | info,
    }
    for name, files in inputs.items():
        stem = run_script(name, tmp_path / name, files, metric={"digits": METRIC})
        assert stem.with_suffix(".csv").stat().st_size > 0, name


def test_every_empty_cell_of_the_metrics_has_its_reason(runs):
    case, folder = runs
    metrics = read_runs(paths(folder, "metrics", "maae"), PRESETS)
    empty = metrics.drop(columns="undefined", errors="ignore").isna().any(axis=1)
    assert empty.any() == (case != "as_it_is")
    if empty.any():
        assert (metrics["undefined"].notna() == empty).all()
    nac = {
        "collapsed": "nac: 0 active dimension(s), it needs 2",
        "one_active": "nac: 1 active dimension(s), it needs 2",
    }
    if case in nac:
        assert metrics["undefined"].str.contains(nac[case], regex=False).all()
    if case == "first_lost":
        lost = metrics["undefined"] == "lost: loss 'autoencoder' is not finite at step 5"
        assert (lost == ((metrics["seed"] == 0) & (metrics["step"] == 8))).all()


def test_table_2_shows_what_is_undefined_and_what_was_lost(runs):
    case, folder = runs
    metrics = read_runs(paths(folder, "metrics", "wae", "maae"), PRESETS)
    row = as_printed(table2(metrics, {"digits": "Digits"})).iloc[0]
    shown = {"collapsed": ("0.0 ± 0.0", "–"), "one_active": ("1.0 ± 0.0", "–")}
    if case in shown:
        assert (row["MAAE (paper): active"], row["MAAE (paper): NAC"]) == shown[case]
    assert ("(1 lost)" in row["MAAE (paper): active"]) == (case == "first_lost")
    assert "nan" not in " ".join(row.astype(str))


def test_a_lost_seed_is_not_loaded_as_a_model(runs):
    case, folder = runs
    run = folder / "digits/maae/m4"
    if case != "first_lost":
        assert MaskAAE.load(run).seed_ == 0
        return
    assert MaskAAE.load(run).seed_ == 1
    with pytest.raises(ValueError, match="seed 0 was lost: loss 'autoencoder' is not finite at step 5"):
        MaskAAE.load(run, seed=0)


def test_identical_real_images_have_a_distance_and_no_crash():
    same = np.full((30, 2, 2, 1), 9, dtype=np.uint8)
    reference = {"raw": reference_statistics(same, RawFeatures(), batch=20)}
    assert np.linalg.matrix_rank(reference["raw"].covariance) == 0
    model = build_model(SPEC).eval()
    metrics = evaluate_run([(0, model)], same, reference, [RawFeatures()], Sampling(100, 100))
    assert np.isfinite(metrics[METRIC]).all()
    assert metrics["nac"].isna().all()
    assert metrics["undefined"].str.contains("an active dimension is constant").all()


def test_counts_of_other_seeds_stay_whole_numbers_in_files(runs):
    _, folder = runs
    for name in ("metrics", "history"):
        cells = pd.read_csv(paths(folder, name, "maae")[0], dtype=str)["active"].dropna()
        assert cells.str.fullmatch(r"\d+").all()
