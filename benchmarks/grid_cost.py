"""Arithmetic of a whole configuration: operations of every training, and hours at a given rate.

Operations are counted by torch while one training step of one seed runs on a small batch, and scaled to the
batch size, the seeds and the steps; of models that train in stages it is the first step, the most costly.
The rate is an assumption, not a measurement:

    python benchmarks/grid_cost.py --output docs/results/grid_cost.csv --teraflops 20

or each training's first steps are timed on one core, all seeds at once, in seconds of the processor, to which
other work on the machine adds little:

    python benchmarks/grid_cost.py --config config/real_cpu.yaml --timed 3 --output docs/results/real_cost.csv
"""

import argparse
import math
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch.utils.flop_counter import FlopCounterMode

from maskaae.config.checking import check_config
from maskaae.config.experiment import DatasetEntry
from maskaae.config.reading import read_config
from maskaae.data import registry
from maskaae.method.spec import ModelSpec
from maskaae.models.build import build_model
from maskaae.training.draws import Draws, TrainingData
from maskaae.training.stepping import Stepper

SMALL_BATCH = 2
WARM_UP = 3
"""Steps before the timed ones."""


def example_shape(entry: DatasetEntry) -> tuple[str, tuple[int, ...]]:
    """Kind and shape of one example, for data whose size its source knows."""
    kind, dimension = registry.describe(entry.source_spec)
    if kind is None or dimension is None:
        raise ValueError(f"data set {entry.name!r}: its size is known only when it has been prepared")
    if kind == "vectors":
        return kind, (dimension,)
    colours = 1 if math.isqrt(dimension) ** 2 == dimension else 3
    side = math.isqrt(dimension // colours)
    return kind, (side, side, colours)


def prepared(
    entry: DatasetEntry, model: str, m: int, seeds: tuple[int, ...], batch: int
) -> tuple[Stepper, Draws]:
    """What takes the steps of a training, and what draws their batches."""
    kind, shape = example_shape(entry)
    network = entry.network
    spec = ModelSpec(
        model=model,
        m=m,
        seeds=seeds,
        kind=kind,
        shape=shape,
        network=network["kind"],
        hidden=tuple(network["hidden"]),
        channels=tuple(network["channels"]),
        normalisation=network["normalisation"],
        critic_hidden=tuple(network["critic_hidden"]),
        hyperparameters=entry.hyperparameters.override({"mask_delay": 0}),
        steps=entry.training["steps"],
    )
    built = build_model(spec)
    examples = np.random.default_rng(0).integers(0, 256, size=(8, *shape)).astype(np.uint8)
    data = TrainingData(examples if kind == "images" else examples.astype(np.float32), "cpu")
    return Stepper(built, entry.training["steps"], batch), Draws(built, data, batch, "cpu")


def operations_a_step(entry: DatasetEntry, model: str, m: int) -> float:
    """Floating-point operations of one training step of one seed with the entry's batch size."""
    stepper, draws = prepared(entry, model, m, (0,), SMALL_BATCH)
    with FlopCounterMode(display=False) as counter:
        stepper.step(draws.next(), 0)
    return counter.get_total_flops() * entry.training["batch_size"] / SMALL_BATCH


def seconds_a_step(entry: DatasetEntry, model: str, m: int, seeds: tuple[int, ...], steps: int) -> float:
    """Seconds of the processor that one of the first training steps takes, all seeds at once."""
    stepper, draws = prepared(entry, model, m, seeds, entry.training["batch_size"])
    for step in range(WARM_UP):
        stepper.step(draws.next(), step)
    start = time.process_time()
    for step in range(WARM_UP, WARM_UP + steps):
        stepper.step(draws.next(), step)
    return (time.process_time() - start) / steps


def main() -> None:
    """Write one row a training."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, default=Path("config/config.yaml"))
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--teraflops", type=float, default=20.0, help="assumed sustained rate")
    parser.add_argument("--timed", type=int, metavar="STEPS", help="time so many steps of each training")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    experiment = check_config(read_config(arguments.config))
    rows = []
    for dataset, model, m in experiment.runs():
        entry = experiment.datasets[dataset]
        if arguments.timed:
            seconds = seconds_a_step(entry, model, m, experiment.seeds, arguments.timed)
            hours = seconds * entry.training["steps"] / 3600
            row = {"dataset": dataset, "model": model, "m": m, "step_ms": 1000 * seconds, "hours": hours}
            rows.append(row)
            continue
        step = operations_a_step(entry, model, m)
        total = step * entry.training["steps"] * len(experiment.seeds)
        hours = total / (arguments.teraflops * 1e12) / 3600
        rows.append({"dataset": dataset, "model": model, "m": m, "step_gflop": step / 1e9, "hours": hours})
    table = pd.DataFrame(rows).round(3)
    table.to_csv(arguments.output, index=False)
    print(table.groupby("dataset", sort=False)["hours"].agg(["size", "sum"]).round(1).to_string())
    where = "of one core" if arguments.timed else f"at {arguments.teraflops:g} TFLOP/s"
    print(f"all: {table['hours'].sum():.1f} hours {where}")


if __name__ == "__main__":
    main()
