"""How well a trained model reconstructs the rows of the validation part, and what a linear map could do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from maskaae.models.base import LatentModel
from maskaae.training.draws import TrainingData

MOST_ROWS = 5000
"""Rows of the validation part, and of the others, that a record is made of, spread evenly."""

ROWS_AT_A_TIME = 1000

Shares = dict[str, float | None]
"""A share for each seed, by its number as text; None where it cannot be said."""


def validation_record(model: LatentModel, seen: TrainingData, unseen: TrainingData | None) -> dict[str, Any]:
    """Number of rows in the validation part, and the share of the variance that each seed leaves unexplained.

    What is explained of ``seen`` rows and not of ``unseen`` ones is learnt by heart. ``linear`` is what
    principal components of the seen rows leave of the unseen ones, as many as the seed has active dimensions:
    a net that does no better has found nothing that is curved. The share of a lost seed is None. Nothing,
    without a validation part.
    """
    if unseen is None:
        return {}
    unexplained = {
        "seen": _by_seed(model, unexplained_share(model, seen).tolist()),
        "unseen": _by_seed(model, unexplained_share(model, unseen).tolist()),
    }
    counts = [int(count) for count in model.active.sum(dim=1)]
    linear = _by_seed(model, linear_share(counts, seen, unseen))
    return {"validation": {"rows": len(unseen), "unexplained": unexplained, "linear": linear}}


def _by_seed(model: LatentModel, shares: Sequence[float]) -> Shares:
    return {
        str(seed): share if math.isfinite(share) and seed not in model.lost else None
        for seed, share in zip(model.seeds, shares, strict=True)
    }


@torch.no_grad()
def unexplained_share(model: LatentModel, data: TrainingData) -> Tensor:
    """Squared reconstruction error through the binary mask over the variance of the same rows, (seed,)."""
    examples = torch.split(spread(data), ROWS_AT_A_TIME)  # each (row, D)
    mean = torch.stack([x.sum(dim=0) for x in examples]).sum(dim=0) / sum(map(len, examples))
    variance = torch.stack([(x - mean).square().sum() for x in examples]).sum()
    training = model.training
    model.eval()
    errors = torch.stack(
        [
            (x - model.reconstruct(x.expand(len(model.seeds), -1, -1))).square().sum(dim=(1, 2))
            for x in examples
        ]
    )
    model.train(training)
    return errors.sum(dim=0) / variance


def linear_share(counts: Sequence[int], seen: TrainingData, unseen: TrainingData) -> list[float]:
    """Share of the variance of unseen rows that so many principal components of seen rows leave unexplained.

    NaN for counts of which the seen rows have no principal components.
    """
    from sklearn.decomposition import PCA  # takes a second to import, and only the end of a run needs it

    rows, others = spread(seen).cpu().numpy(), spread(unseen).cpu().numpy()
    most = min(max(counts), len(rows), rows.shape[1])
    variance = float(((others - others.mean(axis=0)) ** 2).sum())
    errors = [float(((others - rows.mean(axis=0)) ** 2).sum())]  # with no component at all
    if most:
        components = PCA(most, random_state=0).fit(rows).transform(others)  # (row, component)
        errors += (errors[0] - (components**2).sum(axis=0).cumsum()).tolist()
    return [errors[count] / variance if count <= most and variance > 0 else math.nan for count in counts]


def spread(data: TrainingData) -> Tensor:
    """Some rows, (row, D), spread evenly over all."""
    size = min(MOST_ROWS, len(data))
    return data.gather(torch.arange(size, device=data.device) * len(data) // size)
