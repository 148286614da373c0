"""One round of a count: all seeds trained at one capacity, in one or several processes."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import torch
from joblib import Parallel, delayed
from numpy.typing import NDArray

from maskaae.counting.answer import Round, Trial
from maskaae.counting.settings import CountSettings
from maskaae.data.dataset import Dataset
from maskaae.evaluation.examples import batches, to_model_input
from maskaae.method.presets import PRESETS, Hyperparameters, TrainingPlan
from maskaae.method.spec import ModelSpec
from maskaae.models.base import LatentModel
from maskaae.training.run import TrainedRun, train_run

ROWS_AT_A_TIME = 1000
MEASURED = 2000
"""Rows, at most, on which an error is measured."""


class Found(NamedTuple):
    """What one seed found."""

    seed: int
    active: int
    training_error: float
    validation_error: float | None


class Trained(NamedTuple):
    """Some seeds of a round: their models, and the errors of each."""

    run: TrainedRun
    training_error: list[float]
    validation_error: list[float]  # empty where no rows were kept apart

    def found(self) -> Iterator[Found]:
        """Yield what each seed found that was not lost."""
        model = self.run.model
        counts = model.active.sum(dim=1).tolist()
        for place, (seed, active) in enumerate(zip(model.seeds, counts, strict=True)):
            if seed not in model.lost:
                unseen = self.validation_error[place] if self.validation_error else None
                yield Found(seed, active, self.training_error[place], unseen)


def train_round(
    trial: Trial, dataset: Dataset, held_out: NDArray[Any], settings: CountSettings
) -> tuple[Round, list[Trained]]:
    """Train every seed with the capacity and nets of a trial.

    Parameters
    ----------
    dataset : Dataset
        Only its training split is used.
    held_out : ndarray
        Rows that training does not see, as they are stored; perhaps none.

    Returns
    -------
    round : Round
        Counts and errors.
    trained : list of Trained
        The models, each of some of the seeds.
    """
    started = time.monotonic()
    groups = [group for group in (settings.seeds[i :: settings.jobs] for i in range(settings.jobs)) if group]
    trained = _train_groups(groups, trial, dataset, held_out, settings)
    order = {seed: place for place, seed in enumerate(settings.seeds)}
    found = sorted((each for part in trained for each in part.found()), key=lambda each: order[each.seed])
    lost: dict[int, str] = {}
    for part in trained:
        lost |= part.run.model.lost
    done = Round(
        trial,
        {each.seed: each.active for each in found},
        settings.steps,
        lost=lost,
        training_error={each.seed: each.training_error for each in found},
        validation_error={
            each.seed: each.validation_error for each in found if each.validation_error is not None
        },
        seconds=round(time.monotonic() - started, 1),
    )
    return done, trained


def _train_groups(
    groups: Sequence[tuple[int, ...]],
    trial: Trial,
    dataset: Dataset,
    held_out: NDArray[Any],
    settings: CountSettings,
) -> list[Trained]:
    """Train the first group of seeds here, where its progress is seen, and each other in a process."""
    first, *others = groups
    arguments = (trial, dataset, held_out, settings)
    if not others:
        return [train_seeds(first, *arguments)]
    # joblib takes one job for none: with two it starts a process even for a single group.
    parallel = Parallel(n_jobs=max(2, len(others)), return_as="generator")
    beside = parallel(delayed(_train_in_silence)(group, *arguments) for group in others)
    return [train_seeds(first, *arguments), *beside]


def _train_in_silence(seeds: tuple[int, ...], *arguments: Any) -> Trained:
    """Train in a process of its own, whose bar would move over that of the first group."""
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stderr(nowhere):
        return train_seeds(seeds, *arguments)


@contextlib.contextmanager
def threads_of(device: str, network: str) -> Iterator[None]:
    """Multiply matrices in one thread meanwhile, where they are small: two wait for each other more."""
    before = torch.get_num_threads()
    if torch.device(device).type == "cpu" and network == "mlp":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def train_seeds(
    seeds: tuple[int, ...], trial: Trial, dataset: Dataset, held_out: NDArray[Any], settings: CountSettings
) -> Trained:
    """Train some seeds together, and measure their reconstruction errors."""
    spec = ModelSpec(
        model="maae",
        m=trial.capacity,
        seeds=seeds,
        kind=dataset.info.kind,
        shape=dataset.info.shape,
        hidden=trial.hidden,
        critic_hidden=trial.critic_hidden,
        hyperparameters=_hyperparameters(settings),
    )
    plan = TrainingPlan(
        settings.steps,
        settings.batch_size,
        log_every=max(1, settings.steps // 100),
        checkpoint_every=settings.steps,
        on_divergence="continue",
    )
    with TemporaryDirectory() as folder, threads_of(settings.device, spec.network):
        run = train_run(spec, dataset, plan, Path(folder), settings.device)
    model = run.model.eval().requires_grad_(False)
    mean = np.asarray(dataset.train, np.float64).mean(axis=0).reshape(-1) / _unit(dataset.train)
    seen = reconstruction_errors(model, dataset.train[:MEASURED], mean)
    unseen = reconstruction_errors(model, held_out[:MEASURED], mean) if len(held_out) else []
    return Trained(run, seen, unseen)


def _hyperparameters(settings: CountSettings) -> Hyperparameters:
    preset = PRESETS[settings.preset]
    if preset.fidelity.mask_training != "nested" or not settings.refinement_steps:
        return preset
    return dataclasses.replace(preset, search_share=settings.search_steps / settings.steps)


def _unit(examples: NDArray[Any]) -> float:
    """What a model takes as one: 255 of images."""
    return 255.0 if examples.dtype == np.uint8 else 1.0


@torch.inference_mode()
def reconstruction_errors(model: LatentModel, rows: NDArray[Any], mean: NDArray[np.float64]) -> list[float]:
    """Share of the variance around a mean (D,) that reconstructions leave unexplained, one number a seed."""
    device = next(model.parameters()).device
    left, whole = torch.zeros(len(model.seeds), dtype=torch.float64), 0.0
    centre = torch.from_numpy(mean).to(device, torch.float32)
    for stored in batches(rows, ROWS_AT_A_TIME, device):
        x = to_model_input(stored)
        back = model.reconstruct(x.expand(len(model.seeds), -1, -1))  # (seed, batch, D)
        left += (back - x).square().sum(dim=(1, 2)).double().cpu()
        whole += float((x - centre).square().sum())
    return [float(share) for share in left / max(whole, np.finfo(np.float64).tiny)]
