"""Several trainings on one device at once: what each costs, by processes and by streams of one process.

    python benchmarks/sharing.py --device cuda --case synthetic --counts 1 2 4 8 --output sharing.csv

Processes are what Snakemake starts; a GPU gives them turns. Streams of one process (``train_side_by_side``)
run at the same time. Every training has the same number of seeds.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from cases import CASES, Case, ours, wait_for
from machine import describe

PART = 50
"""Steps that one training is given at a turn."""


def by_streams(case: Case, count: int, seeds: int, device: str, steps: int) -> float:
    """Seconds of a step of every training, all in this process."""
    contenders = [ours(case, seeds, device, waits=False) for _ in range(count)]
    for contender in contenders:
        contender(PART)
        wait_for(device)
    start = time.perf_counter()
    for _ in range(steps // PART):
        for contender in contenders:
            contender(PART)
    wait_for(device)
    return (time.perf_counter() - start) / (steps // PART * PART)


def work(case: Case, seeds: int, device: str, steps: int, signs: Path) -> None:
    """One of several processes: get ready, wait for the sign that all are, take the steps, print the time."""
    take = ours(case, seeds, device)
    take(PART)
    print("ready", flush=True)
    while not signs.exists():
        time.sleep(0.01)
    start = time.perf_counter()
    take(steps)
    print((time.perf_counter() - start) / steps, flush=True)


def by_processes(case: Case, count: int, seeds: int, device: str, steps: int) -> float:
    """Seconds of a step of every training, each in a process; the slowest counts."""
    with tempfile.TemporaryDirectory() as folder:
        signs = Path(folder) / "start"
        command = [sys.executable, __file__, "--work", str(signs), "--device", device, "--case", case.name]
        command += ["--seeds", str(seeds), "--steps", str(steps)]
        workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(count)]
        for worker in workers:
            assert worker.stdout is not None
            if worker.stdout.readline().strip() != "ready":
                raise RuntimeError("a training did not start; its message stands above")
        signs.touch()
        return max(float(worker.communicate()[0]) for worker in workers)


WAYS = {"streams": by_streams, "processes": by_processes}


def measure(  # noqa: PLR0917 (the command's options, in its order)
    case: Case, counts: list[int], ways: list[str], seeds: int, device: str, steps: int
) -> pd.DataFrame:
    """One row a way and a number of trainings."""
    rows = []
    for way in ways:
        for count in counts:
            seconds = WAYS[way](case, count, seeds, device, steps)
            rows.append({"way": way, "trainings": count, "ms_per_step": 1e3 * seconds})
            print(rows[-1], flush=True)
    table = pd.DataFrame(rows).assign(case=case.name, seeds=seeds, device=device)
    alone = table.loc[table["trainings"] == min(counts)].set_index("way")["ms_per_step"]
    table["times_one_after_another"] = table["trainings"] * table["way"].map(alone) / table["ms_per_step"]
    return table


def main() -> None:
    """Measure, or be one of the processes that are measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", default="synthetic", choices=CASES)
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=WAYS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--work", type=Path, help="be one of the processes; begin when this file is there")
    arguments = parser.parse_args()
    case, seeds, device, steps = (
        CASES[arguments.case],
        arguments.seeds,
        arguments.device,
        arguments.steps,
    )
    if arguments.work:
        work(case, seeds, device, steps, arguments.work)
        return
    table = measure(case, arguments.counts, arguments.ways, seeds, device, steps)
    print(table.to_string(index=False))
    if arguments.output:
        table.assign(**describe()).to_csv(arguments.output, index=False)


if __name__ == "__main__":
    main()
