"""Time of a training step of every model, relative to the plain VAE's.

    python benchmarks/model_cost.py --output docs/results/model_cost.csv

All models have the same encoder and decoder (an MLP, two layers of 256 on images of 28 x 28 by default),
batch and capacity. They take turns, a block of steps each, so that a machine that slows down slows all of
them; the median over blocks is kept. The steps of a block are spread over a whole run, so that models which
train in stages are timed in all of them; fitting a sampler before a checkpoint is timed apart. Beside the csv
stands a Markdown table of the same name.
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from maskaae.method.presets import ROBUST
from maskaae.method.spec import ModelSpec
from maskaae.models.base import LatentModel
from maskaae.models.build import build_model
from maskaae.models.catalogue import TITLES
from maskaae.training.draws import Draws, TrainingData
from maskaae.training.stepping import Stepper

REFERENCE = "vae"
RUN_LENGTH = 10_000
EXAMPLES = 10_000
SHAPE = (28, 28, 1)


def model_of(name: str, arguments: argparse.Namespace) -> LatentModel:
    """Build a model of the benchmark's sizes."""
    spec = ModelSpec(
        model=name,
        m=arguments.m,
        seeds=tuple(range(arguments.seeds)),
        kind="images",
        shape=SHAPE,
        hidden=tuple(arguments.hidden),
        critic_hidden=tuple(arguments.hidden),
        hyperparameters=ROBUST.override({"mask_delay": 0}),
        steps=RUN_LENGTH,
    )
    return build_model(spec).to(arguments.device)


def wait_for(device: str) -> None:
    """Let a GPU finish what it was given."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def block_timer(
    model: LatentModel, images: np.ndarray, arguments: argparse.Namespace
) -> Callable[[int], float]:
    """Return a function that takes a block of steps and returns the seconds that one of them took."""
    data = TrainingData(images, arguments.device)
    draws = Draws(model, data, arguments.batch, arguments.device)
    stepper = Stepper(model, RUN_LENGTH, arguments.batch)

    def take(steps: int) -> float:
        start = time.perf_counter()
        for index in range(steps):
            # One past: at its very end a search is read, which happens once a run and not in every block.
            stepper.step(draws.next(), index * RUN_LENGTH // steps + 1)
        wait_for(arguments.device)
        return (time.perf_counter() - start) / steps

    return take


def fitting_seconds(model: LatentModel, images: np.ndarray, device: str) -> float:
    """Seconds that the model takes to fit what it knows of its codes before a checkpoint; 0 for nothing."""
    if not model.fitted_examples:
        return 0.0
    x = torch.from_numpy(images.reshape(len(images), -1)).to(device).float() / 255
    with torch.no_grad():
        codes = model.encode(x[: model.fitted_examples].expand(len(model.seeds), -1, -1))
        start = time.perf_counter()
        model.fit_codes(codes)
        wait_for(device)
    return time.perf_counter() - start


def measure(arguments: argparse.Namespace) -> pd.DataFrame:
    """One row a model: milliseconds a step, relative to the plain VAE, updates a step, seconds of fitting."""
    images = np.random.default_rng(0).integers(0, 256, size=(EXAMPLES, *SHAPE), dtype=np.uint8)
    models = {name: model_of(name, arguments) for name in TITLES}
    timers = {name: block_timer(model, images, arguments) for name, model in models.items()}
    for timer in timers.values():
        timer(arguments.steps // 5)  # warm up
    seconds = [
        {name: timer(arguments.steps) for name, timer in timers.items()} for _ in range(arguments.blocks)
    ]
    median = pd.DataFrame(seconds).median()
    return pd.DataFrame(
        {
            "model": list(models),
            "title": [TITLES[name] for name in models],
            "ms_per_step": [1000 * median[name] for name in models],
            "relative": [median[name] / median[REFERENCE] for name in models],
            "batches": [model.draw_sizes.batches for model in models.values()],
            "fitting_seconds": [fitting_seconds(m, images, arguments.device) for m in models.values()],
        }
    ).round(3)


def as_markdown(table: pd.DataFrame, arguments: argparse.Namespace) -> str:
    """Write the table with the sizes that it was measured at."""
    lines = [
        "| model | ms a step | relative to the VAE | batches a step | fitting before a checkpoint, s |",
        "| :-- | --: | --: | --: | --: |",
    ]
    for row in table.itertuples():
        fitting = f"{row.fitting_seconds:.2f}" if row.fitting_seconds else "–"
        lines.append(
            f"| {row.title} | {row.ms_per_step:.2f} | {row.relative:.2f} | {row.batches} | {fitting} |"
        )
    device = "CPU" if arguments.device == "cpu" else torch.cuda.get_device_name(arguments.device)
    return "\n".join(lines) + (
        f"\n\n{device}, {torch.get_num_threads()} of {os.cpu_count()} cores; images of 28 x 28, MLPs of "
        f"{arguments.hidden}, m = {arguments.m}, batch {arguments.batch}, {arguments.seeds} seeds at once; "
        f"median of {arguments.blocks} blocks of {arguments.steps} steps. Preset `robust`: three critic "
        "steps for WAE and MAAE.\n"
    )


def main() -> None:
    """Measure all models and write csv and Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--m", type=int, default=32)
    parser.add_argument("--hidden", type=int, nargs="+", default=[256, 256])
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=200, help="steps in a block")
    parser.add_argument("--blocks", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    table = measure(arguments)
    table.to_csv(arguments.output, index=False)
    text = as_markdown(table, arguments)
    arguments.output.with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
