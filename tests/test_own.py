"""`make own`: from a file of the user's to a summary and a model."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import yaml

from maskaae.estimator import MaskAAE

ROOT = Path(__file__).resolve().parents[1]
VALUES = np.random.default_rng(0).normal(size=(100, 6))


def snakemake(folder, *arguments):
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "workflow/Snakefile")]
    command += ["--directory", str(folder), "--cores", "2", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


def test_missing_data_are_refused_while_parsing(tmp_path):
    result = snakemake(
        tmp_path, "own", "--configfile", str(ROOT / "config/own_data.yaml"), "--config", "data=none.csv"
    )
    assert result.returncode != 0
    assert "none.csv: no such file or folder" in result.stderr
    assert "Traceback" not in result.stderr


def test_table_from_file_to_summary_and_model(tmp_path):
    """The whole command, for one short run; samples of the model it names have the units of the file."""
    (tmp_path / "my data").mkdir()
    table = pd.DataFrame(1000 + 5 * VALUES, columns=list("abcdef")).assign(constant=3.0)
    table.to_csv(tmp_path / "my data/own.csv", index=False)
    config = {
        "seeds": [0, 1],
        "preset": "robust",
        "training": {"steps": 20, "batch_size": 32, "log_every": 10, "checkpoint_every": 20},
        "evaluation": {"samples": 100},
        "datasets": [{"name": "own", "source": "auto", "capacities": {"maae": [3]}}],
        "figures": {"fig7": False},
    }
    (tmp_path / "short.yaml").write_text(yaml.safe_dump(config))
    result = snakemake(tmp_path, "own", "--configfile", "short.yaml", "--config", "data=my data/own.csv")
    assert result.returncode == 0, result.stderr[-3000:]
    summary = (tmp_path / "results/own/summary.md").read_text()
    assert "results/runs/own/maae/m3/model.safetensors" in summary
    assert "not scaled: constant" in summary
    assert (tmp_path / "results/own/examples.png").stat().st_size > 0
    page = (tmp_path / "results/own/summary.html").read_text()
    assert page.count("data:image/png;base64,") == 2, "what dimensions do, and examples"
    handed_over = tmp_path / "results/own/model"
    assert "0 of 3" not in (card := (handed_over / "model_card.md").read_text()) and "of 3 (capacity)" in card
    encode = torch.export.load(handed_over / "encoder.pt2").module()
    assert encode(torch.full((5, 7), 1000.0, dtype=torch.float64)).isfinite().all()
    model = MaskAAE.load(tmp_path / "results/runs/own/maae/m3", seed=1)
    assert np.abs(model.sample(50)[:, :6].mean() - 1000) < 20
