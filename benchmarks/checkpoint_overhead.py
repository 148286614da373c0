"""Share of training time that checkpoints and resume states take.

    python benchmarks/checkpoint_overhead.py --output docs/results/reliability/overhead.csv

Steps and saves of one run are timed apart, and one save is related to the steps between two of them, at the
intervals of the paper's grid (the default) and of the demo: that needs no long run, and no difference of two
noisy totals. Each time is the fastest of `--repeats`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from maskaae.method.presets import PAPER, TrainingPlan
from maskaae.method.spec import ModelSpec
from maskaae.models.build import model_bytes
from maskaae.training.loop import TrainingRun
from maskaae.training.store import RunStore

INTERVALS = {"config/config.yaml": 25_000, "config/demo.yaml": 500}
"""Training steps between two saves."""

CASES = {
    "synthetic, m = 16, 5 seeds": ModelSpec(
        "maae", 16, (0, 1, 2, 3, 4), "vectors", (128,), (128, 128, 128), (128, 128, 128), PAPER
    ),
    "MNIST, m = 64, 5 seeds": ModelSpec(
        "maae", 64, (0, 1, 2, 3, 4), "images", (28, 28, 1), (128, 128, 128), (128, 128, 128), PAPER
    ),
}


def measure(spec: ModelSpec, device: str, repeats: int, steps: int = 50) -> tuple[float, float, int]:
    """Seconds of a training step and of a save (checkpoint and state), and bytes of a save."""
    rng = np.random.default_rng(0)
    size = (500, *spec.shape)
    examples = rng.integers(0, 256, size).astype(np.uint8) if spec.kind == "images" else rng.normal(size=size)
    stored = examples if spec.kind == "images" else examples.astype(np.float32)
    step_times, save_times = [], []
    with tempfile.TemporaryDirectory() as folder:
        store = RunStore(Path(folder), {})
        for repeat in range(repeats):
            plan = TrainingPlan(steps * (repeat + 1), 64, log_every=10**9, checkpoint_every=10**9)
            run = TrainingRun(spec, stored, plan, RunStore(Path(folder) / str(repeat), {}), device)
            run.train()  # the first steps are slower: time the next ones
            _wait(device)
            started = time.perf_counter()
            for step in range(steps):
                run._stepper.step(run._draws.next(), step)
            _wait(device)
            step_times.append((time.perf_counter() - started) / steps)
            started = time.perf_counter()
            store.save_checkpoint(repeat, model_bytes(run.model))
            run._save_state()
            save_times.append(time.perf_counter() - started)
        written = sum(p.stat().st_size for p in (Path(folder) / "0").rglob("state_*.pt"))
        written += store.last_checkpoint().stat().st_size  # type: ignore[union-attr]
    return min(step_times), min(save_times), written


def _wait(device: str) -> None:
    if device != "cpu":
        torch.cuda.synchronize()


def main() -> None:
    """Measure every case and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    rows = []
    for name, spec in CASES.items():
        step, save, written = measure(spec, arguments.device, arguments.repeats)
        for config, interval in INTERVALS.items():
            share = 100 * save / (save + interval * step)
            rows.append(
                {
                    "training": name,
                    "device": arguments.device,
                    "interval of": config,
                    "steps between saves": interval,
                    "ms a step": round(1e3 * step, 3),
                    "ms a save": round(1e3 * save, 1),
                    "MB a save": round(written / 1e6, 2),
                    "share of time, %": round(share, 4),
                }
            )
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(arguments.output, index=False)


if __name__ == "__main__":
    main()
