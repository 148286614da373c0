"""What one model of a user's data is like: error on unseen rows, what dimensions do, what witnesses say."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from maskaae.data.dataset import Dataset
from maskaae.data.own.splits import Scaling, spread_rows
from maskaae.evaluation.inspection import (
    dimension_effects,
    named_errors,
    traversals,
    unexplained,
    value_errors,
)
from maskaae.evaluation.witnesses import Witness, witnesses
from maskaae.models.base import LatentModel

EXAMPLES = 500
"""Test examples that what a dimension does is averaged over."""


@dataclass(frozen=True)
class Portrait:
    """A model as a summary describes it.

    Attributes
    ----------
    witnesses : tuple of Witness
        Estimators that need no training, on the training split.
    rows : int
        Examples of the test split.
    unexplained : float
        Share of their variance that the reconstruction leaves.
    errors : DataFrame
        Of each column of vectors (`named_errors`); of images no rows.
    dimensions : DataFrame
        What each active dimension does: `dimension_effects` of vectors, `traversals` of images.
    """

    witnesses: tuple[Witness, ...]
    rows: int
    unexplained: float
    errors: pd.DataFrame
    dimensions: pd.DataFrame

    def facts(self) -> dict[str, Any]:
        """All but the tables, as plain values."""
        heard = [asdict(witness) for witness in self.witnesses]
        return {"witnesses": heard, "rows": self.rows, "unexplained": self.unexplained}


def portray(model: LatentModel, seed: int, dataset: Dataset, scaling: Scaling | None) -> Portrait:
    """Describe one seed of a model on both splits of its data set, in the units of the user's file."""
    test = dataset.test
    errors = value_errors(model, seed, test)
    some = test[spread_rows(len(test), EXAMPLES)]
    if dataset.info.kind == "images":
        named, dimensions = named_errors(errors[:0], [], 1.0), traversals(model, seed, test[0])
    else:
        names = dataset.info.details["scaling"]["columns"]
        named = named_errors(errors, names, 1.0 if scaling is None else scaling.scale)
        dimensions = dimension_effects(model, seed, some, names, scaling)
    heard = witnesses(dataset.train)
    return Portrait(heard, len(test), unexplained(errors), named, dimensions)
