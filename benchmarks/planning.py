"""Seconds that Snakemake needs to plan the full grid: new, as a module of another workflow, and finished.

    python benchmarks/planning.py --output planning.csv

A finished grid is one whose outputs all exist and are newer than what they are made of: ``snakemake --touch``
of files that are empty, but for records of trainings. Times include the start of the interpreter.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import yaml
from machine import describe

from maskaae.config.reading import read_config

ROOT = Path(__file__).resolve().parent.parent
REPEATS = 3
MODULE = """
module maskaae:
    snakefile: {snakefile!r}
    config: config["maskaae"]
    prefix: "below"

use rule * from maskaae as maskaae_*

rule final:
    input: rules.maskaae_all.input
    default_target: True
"""


def call(folder: Path, config: Path, *options: str) -> tuple[float, str]:
    """Seconds and output of a Snakemake call."""
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--directory", str(folder)]
    command += [*options, "--configfile", str(config)]
    start = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    elapsed = time.perf_counter() - start
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return elapsed, done.stdout + done.stderr


def import_into(folder: Path, config: Path) -> Path:
    """Write a workflow that imports this one, and its configuration; return the latter's path."""
    folder.mkdir()
    (folder / "Snakefile").write_text(MODULE.format(snakefile=str(ROOT / "workflow/Snakefile")))
    (folder / "outer.yaml").write_text(yaml.safe_dump({"maskaae": read_config(config)}))
    return folder / "outer.yaml"


def create_outputs(folder: Path, summary: str, seeds: list[int]) -> None:
    """Put a file, or a folder, where each output of a plan belongs."""
    for line in summary.splitlines()[1:]:
        path = folder / line.split("\t")[0]
        if path.suffix:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"spec": {"seeds": seeds}}) if path.name == "run.json" else "")
        else:
            path.mkdir(parents=True, exist_ok=True)


def main() -> None:
    """Plan twice and write the fastest times."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, default=ROOT / "config/config.yaml")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder, config = Path(name), arguments.config.resolve()
        seeds = read_config(config)["seeds"]
        new = min(call(folder, config, "--dry-run", "--quiet")[0] for _ in range(REPEATS))
        rows.append({"grid": "new", "seconds": new})
        outer = import_into(folder / "importer", config)
        snakefile = ("--snakefile", str(outer.parent / "Snakefile"))
        module = [call(outer.parent, outer, "--dry-run", "--quiet", *snakefile)[0] for _ in range(REPEATS)]
        rows.append({"grid": "new, as a module", "seconds": min(module)})
        create_outputs(folder, call(folder, config, "--summary")[1], seeds)
        call(folder, config, "--touch")
        timed = [call(folder, config, "--dry-run") for _ in range(REPEATS)]
        if "Nothing to be done" not in timed[-1][1]:
            sys.exit("the touched grid is not seen as finished:\n" + timed[-1][1][-2000:])
        rows.append({"grid": "finished", "seconds": min(elapsed for elapsed, _ in timed)})
    table = pd.DataFrame(rows).round(2)
    print(table.to_string(index=False))
    if arguments.output:
        table.assign(**describe()).to_csv(arguments.output, index=False)


if __name__ == "__main__":
    main()
