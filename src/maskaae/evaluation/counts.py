"""Active dimensions, and how firmly they are decided."""

from __future__ import annotations

from maskaae.evaluation.interface import LatentModel, WeighsDimensions
from maskaae.evaluation.protocol import COUNT_RANGE
from maskaae.evaluation.stability import WEIGHT_RANGE


def count_metrics(model: LatentModel) -> dict[str, list[int]]:
    """Count the active dimensions of every seed.

    Parameters
    ----------
    model : LatentModel
        At a checkpoint.

    Returns
    -------
    dict of str to list of int
        `active`; and of models that measure what a dimension is worth `active_low` and `active_high`, the
        counts if the reconstruction weighed `WEIGHT_RANGE` times less, and more, by the same measurements.
        Where they are near each other the data have a dimension; where they are not, the weight chose one.
    """
    counts = {"active": model.active.sum(dim=1).tolist()}
    if isinstance(model, WeighsDimensions):
        for name, factor in zip(COUNT_RANGE, (1 / WEIGHT_RANGE, WEIGHT_RANGE), strict=True):
            counts[name] = model.count_at_weight(factor).tolist()
    return counts
