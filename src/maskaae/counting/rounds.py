"""One round of a count: all seeds trained at one capacity, in one process or two."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from joblib import Parallel, delayed

from maskaae.counting.answer import Round, Trial, shares_of
from maskaae.counting.settings import NORMALISATION, CountSettings
from maskaae.data.dataset import Dataset
from maskaae.method.presets import PRESETS, Hyperparameters, TrainingPlan
from maskaae.method.spec import ModelSpec
from maskaae.training.divergence import TrainingDivergedError
from maskaae.training.run import TrainedRun, prepare_run

Seeds = tuple[int, ...]
LOGGED = 100
"""Rows of the history, at least, of a run of full length."""


def train_round(
    trial: Trial, dataset: Dataset, settings: CountSettings
) -> tuple[Round, tuple[TrainedRun, ...]]:
    """Train every seed with the capacity and nets of a trial, on the training split of a data set.

    Returns
    -------
    round : Round
        Counts and errors.
    runs : tuple of TrainedRun
        The models, each of some of the seeds.
    """
    started = time.monotonic()
    runs = _train_groups(groups_of(settings), trial, dataset, settings)
    found = {seed: count for run in runs for seed, count in _counts(run).items()}
    order = [seed for seed in settings.seeds if seed in found]
    records = [run.record.get("validation", {}) for run in runs]
    seen, unseen = (
        shares_of([record.get("unexplained", {}).get(rows, {}) for record in records], order)
        for rows in ("seen", "unseen")
    )
    searches = [run.record.get("search") for run in runs]
    done = Round(
        trial,
        {seed: found[seed] for seed in order},
        max(run.record["steps"] for run in runs),
        lost={seed: reason for run in runs for seed, reason in run.model.lost.items()},
        settled=_settled(searches, order) if settings.shortest_search is not None else None,
        training_error=seen,
        validation_error=unseen,
        linear_error=shares_of([record.get("linear", {}) for record in records], order),
        objective=_objectives(searches, order),
        seconds=round(time.monotonic() - started, 1),
    )
    return done, tuple(runs)


def groups_of(settings: CountSettings) -> list[Seeds]:
    """Seeds that train together: on a GPU all, on a CPU each half, whether or not there is a second process.

    Seeds that train together search equally long, so the groups may not depend on the number of processes.
    """
    seeds = settings.seeds
    halves = [seeds] if torch.device(settings.device).type != "cpu" else [seeds[::2], seeds[1::2]]
    return [group for group in halves if group]


def check_device(device: str) -> None:
    """Refuse, by ValueError, a device that is not here."""
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # torch raises the second where it was built without GPUs
        there = "'cpu' or 'cuda'" if torch.cuda.is_available() else "'cpu'"
        raise ValueError(f"device = {device!r}: there is no such GPU here; give {there}") from error


def _train_groups(
    groups: Sequence[Seeds], trial: Trial, dataset: Dataset, settings: CountSettings
) -> list[TrainedRun]:
    """Train the first group here, where its progress is seen, and the other in a process if there is one."""
    first, *others = groups
    if settings.jobs == 1 or not others:
        return [train_seeds(group, trial, dataset, settings) for group in groups]
    # joblib would take a single job for none: two are asked for, and one is given work.
    beside = Parallel(n_jobs=2, return_as="generator")(
        delayed(_train_in_silence)(group, trial, dataset, settings) for group in others
    )
    with contextlib.closing(beside):  # what ends the training here, a signal say, ends the other process too
        return [train_seeds(first, trial, dataset, settings), *beside]


def _train_in_silence(seeds: Seeds, trial: Trial, dataset: Dataset, settings: CountSettings) -> TrainedRun:
    """Train in a process of its own, whose bar would move over that of the first group."""
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stderr(nowhere):
        return train_seeds(seeds, trial, dataset, settings)


def train_seeds(seeds: Seeds, trial: Trial, dataset: Dataset, settings: CountSettings) -> TrainedRun:
    """Train some seeds together; ValueError if the training of all of them diverges."""
    spec = ModelSpec(
        model="maae",
        m=trial.capacity,
        seeds=seeds,
        kind=dataset.info.kind,
        shape=dataset.info.shape,
        network="convolutional" if trial.channels else "mlp",
        hidden=trial.hidden,
        channels=trial.channels,
        normalisation=NORMALISATION if trial.channels else "none",
        critic_hidden=trial.critic_hidden,
        hyperparameters=_hyperparameters(settings),
    )
    steps = settings.longest(trial)
    plan = TrainingPlan(
        steps,
        settings.batch_size,
        log_every=-(-steps // LOGGED),
        checkpoint_every=steps,
        on_divergence="continue",
        validation_share=settings.validation_share,
        length="fixed" if settings.shortest_search is None else "settled",
        shortest_search=settings.first_reading(trial),
    )
    with TemporaryDirectory() as folder, _few_threads(settings.device):
        try:
            return prepare_run(spec, dataset, plan, Path(folder), settings.device).train()
        except TrainingDivergedError as error:
            raise ValueError(
                f"the training of seeds {', '.join(map(str, seeds))} diverged ({error.found}); look for "
                "values that are far from all others, and scale the columns of a table"
            ) from error


@contextlib.contextmanager
def _few_threads(device: str) -> Iterator[None]:
    """Multiply matrices in one thread meanwhile: they are so small that two wait for each other longer."""
    before = torch.get_num_threads()
    if torch.device(device).type == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _hyperparameters(settings: CountSettings) -> Hyperparameters:
    preset = PRESETS[settings.preset]
    if preset.fidelity.mask_training != "nested":
        return preset
    return dataclasses.replace(preset, search_share=1 - settings.refinement_share)


def _counts(run: TrainedRun) -> dict[int, int]:
    """Active dimensions of each seed that was not lost."""
    model = run.model
    counts = zip(model.seeds, model.active.sum(dim=1).tolist(), strict=True)
    return {seed: int(count) for seed, count in counts if seed not in model.lost}


def _objectives(searches: Sequence[Mapping[str, Any] | None], seeds: Sequence[int]) -> dict[int, float]:
    """Smallest eq 17 of each seed; none of models that do not search."""
    found = {int(seed): value for search in searches if search for seed, value in search["objective"].items()}
    return {seed: found[seed] for seed in seeds if found.get(seed) is not None}


def _settled(searches: Sequence[Mapping[str, Any] | None], seeds: Sequence[int]) -> bool | None:
    """Whether the count of every seed settled; None of models that do not search."""
    known = {int(seed): step for search in searches if search for seed, step in search["settled"].items()}
    return all(known[seed] is not None for seed in seeds) if known else None
