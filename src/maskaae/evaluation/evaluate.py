"""Evaluation of a run, checkpoint by checkpoint: one row of metrics each and per seed.

The reals are always the test split.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from maskaae.evaluation.encoding import encoding_metrics
from maskaae.evaluation.examples import Sampling
from maskaae.evaluation.features import FeatureExtractor, extract
from maskaae.evaluation.frechet import GaussianStatistics
from maskaae.evaluation.generation import FeatureSpace, generation_metrics
from maskaae.evaluation.protocol import COUNT_RANGE, WEIGHT_RANGE, explain_undefined
from maskaae.models.base import LatentModel
from maskaae.models.build import load_model

logger = logging.getLogger(__name__)

FILE_NAME = re.compile(r"step_(\d+)\.safetensors")


@runtime_checkable
class WeighsDimensions(Protocol):
    """A model that has measured what each of its dimensions is worth."""

    def count_at_weight(self, factor: float) -> Tensor:
        """Count of dimensions, (seed,), that is best at `factor` times the reconstruction's weight."""


def read_checkpoints(folder: Path, device: torch.device | str = "cpu") -> Iterator[tuple[int, LatentModel]]:
    """Load the checkpoints of a run, `step_{step}.safetensors`, one after another, by ascending steps.

    FileNotFoundError if the folder has no checkpoint.
    """
    matches = (FILE_NAME.fullmatch(path.name) for path in folder.iterdir())
    steps = {int(match[1]): folder / match[0] for match in matches if match}
    if not steps:
        raise FileNotFoundError(
            f"{folder}: no checkpoint; expected files step_<steps>.safetensors from training"
        )
    for step in sorted(steps):
        yield step, load_model(steps[step], device)


def count_metrics(model: LatentModel) -> dict[str, list[int]]:
    """Count the active dimensions of every seed.

    Of models that measure what a dimension is worth there are `active_low` and `active_high` too, the counts
    if the reconstruction weighed `WEIGHT_RANGE` times less, and more, by the same measurements. Where they
    are near each other the data have a dimension; where they are not, the weight chose one.
    """
    counts = {"active": model.active.sum(dim=1).tolist()}
    if isinstance(model, WeighsDimensions):
        for name, factor in zip(COUNT_RANGE, (1 / WEIGHT_RANGE, WEIGHT_RANGE), strict=True):
            counts[name] = model.count_at_weight(factor).tolist()
    return counts


@torch.inference_mode()
def evaluate_run(
    checkpoints: Iterable[tuple[int, LatentModel]],
    test: NDArray[Any],
    references: Mapping[str, GaussianStatistics],
    extractors: Sequence[FeatureExtractor],
    sampling: Sampling,
    *,
    neighbourhoods: Collection[str] = (),
) -> pd.DataFrame:
    """Measure every seed at every checkpoint of a run.

    Parameters
    ----------
    checkpoints : iterable of (int, LatentModel)
        Step and model of each checkpoint; read one by one.
    test : numpy.ndarray
        Stored examples of the test split, (N, H, W, C) or (N, D).
    references : mapping of str to GaussianStatistics
        Statistics of the test split in each feature space, by the extractor's name.
    neighbourhoods : collection of str
        Feature spaces in which KID, precision and recall are measured too; their features are kept in memory.

    Returns
    -------
    pandas.DataFrame
        A row per checkpoint and seed: m, seed, step, the counts (`count_metrics`), the distances in each
        feature space for each mask (`metric_column`), nac, code_deviation, prior_divergence,
        reconstruction_mse, wasserstein. NaN where a metric is undefined or the seed was lost, with the reason
        in a column `undefined` (absent if all are defined).

    Raises
    ------
    ValueError
        If there is no checkpoint, a feature space has no reference, or `neighbourhoods` names another one.
    """
    spaces = _feature_spaces(test, references, extractors, neighbourhoods, sampling.batch)
    tables = []
    for step, model in checkpoints:
        logger.info("evaluating %d seeds at step %d", len(model.seeds), step)
        metrics = {
            **count_metrics(model),
            **generation_metrics(model, spaces, test.shape[1:], sampling),
            **encoding_metrics(model, test, sampling),
        }
        table = pd.DataFrame({"m": model.m, "seed": list(model.seeds), "step": step, **metrics})
        tables.append(explain_undefined(table, model.lost))
    if not tables:
        raise ValueError("the run has no checkpoints to evaluate")
    return pd.concat(tables, ignore_index=True)


def _feature_spaces(
    test: NDArray[Any],
    references: Mapping[str, GaussianStatistics],
    extractors: Sequence[FeatureExtractor],
    neighbourhoods: Collection[str],
    batch: int,
) -> list[FeatureSpace]:
    """Join each extractor with its features of the test split."""
    names = [extractor.name for extractor in extractors]
    if not set(names) <= set(references):
        raise ValueError(f"reference statistics of {', '.join(references)} do not cover {', '.join(names)}")
    if not set(neighbourhoods) <= set(names):
        raise ValueError(f"neighbourhoods = {list(neighbourhoods)}: choose from {', '.join(names)}")
    return [
        FeatureSpace(
            extractor,
            references[extractor.name],
            torch.cat(list(extract(test, extractor, batch))) if extractor.name in neighbourhoods else None,
        )
        for extractor in extractors
    ]
