"""Seconds that Snakemake needs to plan the full grid, new and finished.

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
from machine import describe

from maskaae.config.reading import read_config

ROOT = Path(__file__).resolve().parent.parent
REPEATS = 3


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
