"""A small training job, as scripts/train.py runs it, in a process that can be killed wherever a test likes.

The process is forked from one that has imported torch, so that a try takes parts of a second. Faults are made
here, by replacing functions in the forked process; the package knows nothing of them.
"""

import multiprocessing
import os
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from maskaae.data.dataset import Dataset, load_dataset
from maskaae.data.writer import write_dataset
from maskaae.evaluation.evaluate import evaluate_run, read_checkpoints
from maskaae.evaluation.examples import Sampling
from maskaae.evaluation.features import RawFeatures, reference_statistics
from maskaae.method.presets import ROBUST, TrainingPlan
from maskaae.method.spec import ModelSpec
from maskaae.training import store
from maskaae.training.run import prepare_run

HYPERPARAMETERS = ROBUST
SPEC = ModelSpec("maae", 4, (0, 1), "vectors", (6,), (12,), (12,), HYPERPARAMETERS)
PLAN = TrainingPlan(steps=60, batch_size=8, log_every=5, checkpoint_every=6)

Sabotage = Callable[[], None]
"""Replaces functions in the forked process, before the job starts."""


def prepare(folder: Path) -> Dataset:
    """Write the data set that all jobs train on."""
    examples = np.random.default_rng(0).normal(size=(120, 6)).astype(np.float32)
    write_dataset(folder, name="tiny", source="array", train=examples[:80], test=examples[80:])
    return load_dataset(folder)


def run_job(folder: Path, dataset: Dataset, sabotage: Sabotage | None = None) -> None:
    """Train, or go on, and write the results into ``folder``."""
    torch.set_num_threads(1)
    if sabotage is not None:
        sabotage()
    prepare_run(SPEC, dataset, PLAN, folder / "resume").train().write(folder)


def start(folder: Path, dataset: Dataset, sabotage: Sabotage | None = None) -> multiprocessing.Process:
    """Start `run_job` in a process of its own."""
    process = multiprocessing.get_context("fork").Process(target=run_job, args=(folder, dataset, sabotage))
    process.start()
    return process


def finish(folder: Path, dataset: Dataset) -> None:
    """Run the job to its end."""
    process = start(folder, dataset)
    process.join()
    assert process.exitcode == 0, f"the job in {folder} ended with exit code {process.exitcode}"


def finish_training(folder: Path, dataset: Dataset) -> None:
    """Train to the last step, and be killed before any result is in place."""
    sabotage = _before(store.RunStore, "publish_checkpoints")
    assert is_killed(start(folder, dataset, lambda: sabotage(lambda: True)))


def is_killed(process: multiprocessing.Process) -> bool:
    """Wait for the end of a job, and tell whether SIGKILL was its end."""
    process.join()
    return process.exitcode == -signal.SIGKILL


def results(folder: Path, dataset: Dataset) -> dict[str, bytes]:
    """Everything that a finished run leaves but its record of times, with the metrics, by file name."""
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "run.json"
    }
    metrics = evaluate_run(
        read_checkpoints(folder / "checkpoints"),
        dataset.test,
        {"raw": reference_statistics(dataset.test, RawFeatures(), batch=100)},
        [RawFeatures()],
        Sampling(100, 100),
    )
    return {**files, "metrics.csv": metrics.to_csv(index=False).encode()}


# ------------------------------------------------------------------------------------------- sabotage


def die() -> None:
    """End this process as the kernel's out-of-memory killer would."""
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


@dataclass(frozen=True)
class KillAt:
    """SIGKILL at the n-th passage of a point in the code that writes files.

    Attributes
    ----------
    point : str
        One of `POINTS`.
    passage : int
        From 0; beyond the last passage nothing happens.
    """

    point: str
    passage: int

    def __call__(self) -> None:
        """Arm it in this process."""
        left = [self.passage]

        def strike() -> bool:
            left[0] -= 1
            return left[0] < 0

        POINTS[self.point](strike)


def _in_the_middle_of_a_file(strike: Callable[[], bool]) -> None:
    original = Path.open

    def open_and_die(path, mode="r", *arguments, **keywords):
        file = original(path, mode, *arguments, **keywords)
        if mode == "wb" and path.suffix == ".partial" and strike():
            write = file.write

            class Half:
                def __enter__(self):
                    return self

                def __exit__(self, *error):
                    file.close()

                def write(self, content):
                    write(content[: len(content) // 2])
                    file.flush()
                    die()

            return Half()
        return file

    Path.open = open_and_die


def _before(owner: object, name: str) -> Callable[[Callable[[], bool]], None]:
    """Die just before a function is called."""

    def arm(strike: Callable[[], bool]) -> None:
        original = getattr(owner, name)

        def call_or_die(*arguments, **keywords):
            if strike():
                die()
            return original(*arguments, **keywords)

        setattr(owner, name, call_or_die)

    return arm


def _in_the_middle_of_removing(strike: Callable[[], bool]) -> None:
    original = shutil.rmtree

    def remove_some_and_die(path, *arguments, **keywords):
        if Path(path).exists() and strike():
            for file in sorted(p for p in Path(path).rglob("*") if p.is_file())[::2]:
                file.unlink()
            die()
        return original(path, *arguments, **keywords)

    shutil.rmtree = remove_some_and_die


POINTS = {
    "half of a file written": _in_the_middle_of_a_file,
    "file written, not flushed": _before(store.os, "fsync"),
    "file flushed, not in place": _before(Path, "replace"),
    "state in place, old one not removed": _before(Path, "unlink"),
    "checkpoints half published": _before(store.os, "link"),
    "old files half removed": _in_the_middle_of_removing,
}
