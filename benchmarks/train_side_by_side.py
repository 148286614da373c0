"""Train runs of a configuration side by side on one GPU, into the folders where the pipeline looks for them.

    python benchmarks/train_side_by_side.py --configfile config/paper_cpu.yaml --directory results/paper

``--output times.csv`` keeps how long they took. The data sets must be there (``snakemake --until
prepare_synthetic``). Runs that are there already are left alone, and a run that was cut goes on. Afterwards
``snakemake --rerun-triggers mtime`` evaluates and draws.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from machine import describe

from maskaae.config.checking import check_config
from maskaae.config.experiment import split_label
from maskaae.config.reading import read_config
from maskaae.data.dataset import load_dataset
from maskaae.method.presets import TrainingPlan
from maskaae.method.spec import ModelSpec
from maskaae.training.run import PreparedRun, prepare_run, train_side_by_side, training_code

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "scripts/train.py"


def main() -> None:
    """Prepare every run that is asked for, then train all of them at once."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--configfile", type=Path, required=True)
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--datasets", nargs="+")
    parser.add_argument("--models", nargs="+", default=["wae", "maae"])
    parser.add_argument("--capacities", nargs="+", type=int)
    parser.add_argument("--steps", type=int, help="instead of the configuration's")
    parser.add_argument("--every", type=int, help="instead of the configuration's checkpoint_every")
    parser.add_argument("--output", type=Path, help="csv of lengths and times")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

    experiment = check_config(read_config(arguments.configfile))
    results = arguments.directory / "results"
    folders: dict[int, Path] = {}
    prepared: list[PreparedRun] = []
    for name, label, m in experiment.runs(arguments.datasets, arguments.models):
        folder = results / f"runs/{name}/{label}/m{m}"
        unwanted = arguments.capacities is not None and m not in arguments.capacities
        if unwanted or (folder / "run.json").exists():
            continue
        entry = experiment.datasets[name]
        dataset = load_dataset(results / f"data/{name}")
        plan = dict(entry.training)
        plan["steps"] = arguments.steps or plan["steps"]
        plan["checkpoint_every"] = arguments.every or plan["checkpoint_every"]
        setting = entry.setting(label)
        spec = ModelSpec.for_data(
            dataset.info,
            setting.network,
            model=split_label(label)[0],
            m=m,
            seeds=experiment.seeds,
            hyperparameters=setting.hyperparameters,
        )
        code = training_code(SCRIPT, spec)
        run = prepare_run(spec, dataset, TrainingPlan(**plan), folder / "resume", arguments.device, code=code)
        prepared.append(run)
        folders[id(run)] = folder
    times = []
    for run, trained in train_side_by_side(prepared):
        trained.write(folders[id(run)])
        logging.info("%s after %.1f s", folders[id(run)], trained.record["seconds"])
        times.append(row_of(trained.record, len(prepared)))
    if arguments.output is not None:
        pd.DataFrame(times).to_csv(arguments.output, index=False)


def row_of(record: Mapping[str, Any], trainings: int) -> dict[str, Any]:
    """Length and time of one of several trainings, and the machine."""
    spec = record["spec"]
    names = {"case": record["dataset"], "model": spec["model"], "m": spec["m"], "seeds": len(spec["seeds"])}
    took = {"steps": record["steps"], "seconds": record["seconds"], "together": trainings}
    return {**names, **took, **describe()}


if __name__ == "__main__":
    main()
