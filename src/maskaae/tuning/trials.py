"""Hyper-parameters tried out where no published value fits.

Candidates are trained on a part of the training split and compared on the rest of it: the test split is not
read. What compares is the Fréchet distance of raw values between their samples and the validation part, which
needs no labels; the lowest one is taken.
"""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from maskaae.data.dataset import Dataset
from maskaae.data.own.splits import split_rows
from maskaae.evaluation.examples import Sampling
from maskaae.evaluation.features import RawFeatures, reference_statistics
from maskaae.evaluation.generation import FeatureSpace, generation_metrics
from maskaae.evaluation.protocol import metric_column
from maskaae.method.presets import TrainingPlan
from maskaae.method.spec import ModelSpec
from maskaae.models.base import LatentModel
from maskaae.training.run import TrainedRun, prepare_run, train_side_by_side

logger = logging.getLogger(__name__)

TOGETHER = 8
"""Candidates that train side by side on a GPU, which one small network leaves idle (our choice)."""

VALIDATION_SHARE = 0.2
"""Share of the training split that candidates are compared on (our choice)."""


def tune(
    spec: ModelSpec,
    dataset: Dataset,
    plan: TrainingPlan,
    overrides: Sequence[Mapping[str, Any]],
    *,
    sampling: Sampling,
    device: torch.device | str = "cpu",
) -> pd.DataFrame:
    """Train every candidate on a part of the training split, and compare its samples with the rest.

    Parameters
    ----------
    spec : ModelSpec
        The model; all of its seeds are trained.
    dataset : Dataset
        Its training split is divided; its test split is not read.
    overrides : sequence of mapping
        Candidates, as `Hyperparameters.override` takes them.
    sampling : Sampling
        Samples of each candidate, and the seed of the division.

    Returns
    -------
    DataFrame
        A row a candidate: override (JSON), distance (Fréchet, of raw values, mean over seeds; NaN if a seed
        generates no finite values), chosen (the lowest).

    Raises
    ------
    ValueError
        If no candidate has a defined distance.
    """
    training, validation = divide(dataset, sampling.seed)
    # Nothing looks at checkpoints in between; a candidate may diverge.
    plan = dataclasses.replace(plan, checkpoint_every=plan.steps, on_divergence="continue")
    space = FeatureSpace(RawFeatures(), reference_statistics(validation, RawFeatures(), sampling.batch))
    distances = []
    at_once = TOGETHER if torch.device(device).type == "cuda" else 1
    for start in range(0, len(overrides), at_once):
        tried = overrides[start : start + at_once]
        candidates = [
            dataclasses.replace(spec, hyperparameters=spec.hyperparameters.override(override))
            for override in tried
        ]
        models = trained_models(candidates, training, plan, device)
        for override, model in zip(tried, models, strict=True):
            distances.append(
                np.nan if model is None else validation_distance(model, space, dataset.info.shape, sampling)
            )
            logger.info("%s: %.4g", json.dumps(override), distances[-1])
    if np.isnan(distances).all():
        raise ValueError(f"{spec.model}: no candidate generates finite values; candidates: {list(overrides)}")
    table = pd.DataFrame(
        {"override": [json.dumps(override) for override in overrides], "distance": distances}
    )
    return table.assign(chosen=table.index == table["distance"].idxmin())


def trained_models(
    specs: Sequence[ModelSpec], dataset: Dataset, plan: TrainingPlan, device: torch.device | str
) -> list[LatentModel | None]:
    """Train several models side by side; None for one all of whose seeds diverged."""
    with TemporaryDirectory() as folder:
        runs = [
            prepare_run(spec, dataset, plan, Path(folder, str(number)), device)
            for number, spec in enumerate(specs)
        ]
        outcomes = {id(run): outcome for run, outcome in train_side_by_side(runs)}
    found = [outcomes[id(run)] for run in runs]
    return [outcome.model if isinstance(outcome, TrainedRun) else None for outcome in found]


def divide(dataset: Dataset, seed: int) -> tuple[Dataset, NDArray[Any]]:
    """Data set of a random part of the training split, without a test split; and the examples held out."""
    rows, held_out = split_rows(len(dataset.train), VALIDATION_SHARE, seed)
    info = dataclasses.replace(dataset.info, n_train=len(rows), n_test=0)
    nothing = dataset.train[:0]
    labels = np.zeros(0, dtype=np.int64)
    return Dataset(info, dataset.train[rows], nothing, labels, labels), dataset.train[held_out]


@torch.inference_mode()
def validation_distance(
    model: LatentModel, space: FeatureSpace, shape: tuple[int, ...], sampling: Sampling
) -> float:
    """Fréchet distance of raw values between samples and validation split, mean over seeds."""
    measured = generation_metrics(model, [space], shape, sampling)
    return float(np.mean(measured[metric_column(RawFeatures.name, sampling.samples)]))
