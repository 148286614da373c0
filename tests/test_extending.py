"""docs/extending.md holds: its files and lines, put into a copy of the repository, train and draw."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

REPOSITORY = Path(__file__).parent.parent
BLOCK = re.compile(r"((?:[^\n]+\n)+)\n```(\w+)\n(.*?)```", re.DOTALL)
"""The paragraph above a block, its language and its text."""
PATH = re.compile(r"`((?:src|scripts|workflow)/[\w/]+\.\w+)`")
ANCHOR = re.compile(r"below the line `([^`]+)`", re.DOTALL)
KEY = re.compile(r"[Uu]nder `(\w+)`")
EXPERIMENT = {
    "seeds": [0, 1],
    "preset": "robust",
    "hyperparameters": {"autoencoder_rate": 0.02},
    "training": {"steps": 500, "batch_size": 64, "log_every": 500, "checkpoint_every": 500},
    "evaluation": {"samples": 1000},
}


def follow(page: str, checkout: Path) -> dict[str, object]:
    """Put files and lines of the page where it says; return its pieces of a configuration by their key."""
    pieces = {}
    for paragraph, language, text in BLOCK.findall(page):
        if language == "yaml":
            pieces[KEY.findall(paragraph)[-1]] = yaml.safe_load(text)
            continue
        path, anchor = checkout / PATH.findall(paragraph)[-1], ANCHOR.search(paragraph)
        if anchor is None:
            assert not path.exists(), f"{path} is there already"
            path.write_text(text)
            continue
        before, line, after = path.read_text().partition(anchor[1])
        assert line, f"{path.name} has no line {anchor[1]!r}"
        rest, _, below = after.partition("\n")
        path.write_text(f"{before}{line}{rest}\n{text}{below}")
    return pieces


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    """Follow the page in a copy of the repository, and have its figure drawn."""
    checkout = tmp_path_factory.mktemp("checkout")
    for part in ("src", "scripts", "workflow"):
        shutil.copytree(REPOSITORY / part, checkout / part)
    pieces = follow((REPOSITORY / "docs/extending.md").read_text(), checkout)
    datasets = [{**pieces["datasets"], "capacities": pieces["capacities"]}]
    config = {**EXPERIMENT, "datasets": datasets, "figures": pieces["figures"]}
    (checkout / "experiment.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "errors", "--cores", "2", "--configfile", "experiment.yaml"]
    environment = {**os.environ, "PYTHONPATH": str(checkout / "src")}
    result = subprocess.run(
        command, cwd=checkout, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return checkout / "results"


def test_the_new_model_learns_and_samples_the_new_data(results):
    """Points on a plane: a linear auto-encoder reconstructs them, and its samples get their moments."""
    variance = np.load(results / "data/plane/test.npy").var(axis=0).sum()
    for m in (2, 3):
        metrics = pd.read_csv(results / f"runs/plane/plain_ae/m{m}/metrics.csv")
        at_end = metrics[metrics["step"] == 500]
        assert set(at_end["seed"]) == {0, 1}
        assert (at_end["reconstruction_mse"] < 0.001 * variance).all()
        assert (at_end["fd_raw_1k"] < 0.04 * variance).all()
        assert (metrics.loc[metrics["step"] == 0, "fd_raw_1k"] > 0.2 * variance).all()


def test_the_new_figure_is_drawn_from_its_csv(results):
    frame = pd.read_csv(results / "figures/errors.csv")
    assert set(frame["model"]) == {"plain_ae"} and set(frame["m"]) == {2, 3}
    assert set(frame["title"]) == {"Plane in 5 dimensions"}
    for end in ("pdf", "png"):
        assert (results / f"figures/errors.{end}").stat().st_size > 0


def test_every_piece_of_the_page_was_found():
    page = (REPOSITORY / "docs/extending.md").read_text()
    assert len(BLOCK.findall(page)) == page.count("```") // 2 == 11
