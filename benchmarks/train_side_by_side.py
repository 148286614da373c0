"""Train runs of a configuration side by side on one GPU, into the folders where the pipeline looks for them.

    python benchmarks/train_side_by_side.py --configfile config/paper_cpu.yaml --directory results/paper

``--output times.csv`` keeps how long they took. The data sets must be there (``snakemake --until
prepare_synthetic``). Runs that are there already are left alone, and a run that was cut goes on. Afterwards
``snakemake --rerun-triggers mtime`` evaluates and draws.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from machine import describe

from maskaae.config.checking import check_config
from maskaae.config.experiment import Experiment, split_label
from maskaae.config.reading import read_config
from maskaae.data.dataset import load_dataset
from maskaae.method.presets import TrainingPlan
from maskaae.method.spec import ModelSpec
from maskaae.training.divergence import TrainingDivergedError
from maskaae.training.run import (
    PreparedRun,
    prepare_run,
    read_chosen,
    train_side_by_side,
    training_code,
)

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "scripts/train.py"


def main() -> None:
    """Train every run that is asked for and not there yet, some at a time."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--configfile", type=Path, required=True)
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--datasets", nargs="+")
    parser.add_argument("--models", nargs="+", help="all, unless given")
    parser.add_argument("--capacities", nargs="+", type=int)
    parser.add_argument("--steps", type=int, help="instead of the configuration's")
    parser.add_argument("--every", type=int, help="instead of the configuration's checkpoint_every")
    parser.add_argument("--together", type=int, default=8, help="runs at once")
    parser.add_argument("--output", type=Path, help="csv of lengths and times")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

    experiment = check_config(read_config(arguments.configfile))
    results = arguments.directory / "results"
    wanted = [
        (name, label, m)
        for name, label, m in experiment.runs(arguments.datasets, arguments.models)
        if arguments.capacities is None or m in arguments.capacities
        if not (results / f"runs/{name}/{label}/m{m}/run.json").exists()
    ]
    times: list[dict[str, Any]] = []
    diverged: list[str] = []
    for start in range(0, len(wanted), arguments.together):
        runs = wanted[start : start + arguments.together]
        prepared = [prepared_run(experiment, run, results, arguments) for run in runs]
        folders = {id(run): folder_of(results, *names) for run, names in zip(prepared, runs, strict=True)}
        for run, outcome in train_side_by_side(prepared):
            folder = folders[id(run)]
            if isinstance(outcome, TrainingDivergedError):
                diverged.append(f"{folder}: {outcome}")
                continue
            outcome.write(folder)
            logging.info("%s after %.1f s", folder, outcome.record["seconds"])
            times.append(row_of(outcome.record, len(prepared)))
    if arguments.output is not None:
        pd.DataFrame(times).to_csv(arguments.output, index=False)
    if diverged:
        sys.exit("\n".join(diverged))


def folder_of(results: Path, name: str, label: str, m: int) -> Path:
    """Where the pipeline looks for a run."""
    return results / f"runs/{name}/{label}/m{m}"


def prepared_run(
    experiment: Experiment, run: tuple[str, str, int], results: Path, arguments: argparse.Namespace
) -> PreparedRun:
    """A run as the rule `train` would start it, with what tuning chose."""
    name, label, m = run
    dataset = load_dataset(results / f"data/{name}", ["train"])
    entry = experiment.datasets[name]
    plan = dict(entry.training)
    plan["steps"] = arguments.steps or plan["steps"]
    plan["checkpoint_every"] = arguments.every or plan["checkpoint_every"]
    setting = entry.setting(label)
    tuned = results / f"tuning/{name}/{label}.csv" if label in entry.tuning else None
    spec = ModelSpec.for_data(
        dataset.info,
        setting.network,
        model=split_label(label)[0],
        m=m,
        seeds=experiment.seeds,
        hyperparameters=setting.hyperparameters.override(read_chosen(tuned)),
        on_gpu=arguments.device != "cpu",
    )
    folder = folder_of(results, name, label, m) / "resume"
    code = training_code(SCRIPT, spec)
    return prepare_run(spec, dataset, TrainingPlan(**plan), folder, arguments.device, code=code)


def row_of(record: Mapping[str, Any], trainings: int) -> dict[str, Any]:
    """Length and time of one of several trainings, and the machine."""
    spec = record["spec"]
    names = {"case": record["dataset"], "model": spec["model"], "m": spec["m"], "seeds": len(spec["seeds"])}
    took = {"steps": record["steps"], "seconds": record["seconds"], "together": trainings}
    return {**names, **took, **describe()}


if __name__ == "__main__":
    main()
