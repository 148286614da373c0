"""Ask for the count of a table as untidy as people's are, and keep the answer word for word.

    python benchmarks/untidy_table.py --output docs/results/untidy

The table holds 3,000 hours of 20 sensors that depend on three latent variables, with a little noise, and
one column that is true or false by chance: four dimensions. ``answer.txt`` has the command on its first
line; lines of progress are left out.
"""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from subprocess import PIPE, STDOUT

import numpy as np
import pandas as pd

NAME = "untidy.csv"
COMMAND = ("count", NAME, "--drop", "time,station", "--missing", "drop_rows")
SEED = 0
HOURS, SENSORS, VARIABLES = 3000, 20, 3
PROGRESS = re.compile(r"^  (?:training|step) .*\n", re.MULTILINE)
NOISE = 0.02  # of a sensor's deviation


def untidy_table(rng: np.random.Generator) -> pd.DataFrame:
    """Return sensors, times, stations and a chance column, with two missing values."""
    latents = rng.standard_normal((HOURS, VARIABLES))  # (hour, variable)
    weights = rng.standard_normal((VARIABLES, SENSORS))
    curved = np.tanh(0.5 * latents @ weights)  # (hour, sensor)
    noisy = curved + NOISE * curved.std(axis=0) * rng.standard_normal(curved.shape)
    scale, offset = rng.uniform(1, 1000, SENSORS), rng.uniform(-100, 1000, SENSORS)
    table = pd.DataFrame(noisy * scale + offset, columns=[f"sensor {k}" for k in range(1, SENSORS + 1)])
    for hour, sensor in ((17, 3), (1204, 11)):
        table.iloc[hour, sensor] = np.nan
    table.insert(0, "time", pd.date_range("2025-01-01", periods=HOURS, freq="h"))
    table.insert(1, "station", rng.choice(["Aßlar", "Bärental", "Übersee"], HOURS))
    return table.assign(ok=rng.random(HOURS) < 0.5)


def main() -> None:
    """Write the table, ask, and keep the answer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder of the answer")
    output = parser.parse_args().output
    with tempfile.TemporaryDirectory() as folder:
        untidy_table(np.random.default_rng(SEED)).to_csv(
            Path(folder) / NAME, sep=";", decimal=",", encoding="cp1252"
        )
        command = [sys.executable, "-u", "-m", "maskaae.cli", *COMMAND]
        answer = subprocess.run(command, cwd=folder, stdout=PIPE, stderr=STDOUT, text=True, check=True).stdout
    output.mkdir(parents=True, exist_ok=True)
    said = PROGRESS.sub("", f"$ maskaae {shlex.join(COMMAND)}\n{answer}")
    (output / "answer.txt").write_text(said.rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
