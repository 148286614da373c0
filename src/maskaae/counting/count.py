"""Counting the dimensions that data need: rounds of training, witnesses, and the answer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from maskaae.counting.answer import Count, Round, Trial, answering, is_converged_in_width, next_trial
from maskaae.counting.cautions import cautions
from maskaae.counting.rounds import check_device, train_round
from maskaae.counting.settings import CountSettings
from maskaae.data.dataset import Dataset, DatasetInfo
from maskaae.data.own.splits import Scaling
from maskaae.evaluation.witnesses import Witness, witnesses
from maskaae.training.run import TrainedRun

Event = tuple[Witness, ...] | Trial | Round
"""What is told of a count in the making: the witnesses' answers, what is trained next, what it found."""
Told = Callable[[Event], None]


def _say_nothing(event: Event) -> None:
    """Stand in for a listener."""


def count_dimensions(dataset: Dataset, settings: CountSettings, told: Told = _say_nothing) -> Count:
    """Count the dimensions that the training split of a data set needs.

    Parameters
    ----------
    dataset : Dataset
        Its test split is not read. ``as_dataset`` makes one of an array.
    settings : CountSettings
        Seeds, capacities, nets.
    told : callable, optional
        Is given the witnesses' answers, then before each round its trial, and after it what it found.

    Raises
    ------
    ValueError
        If there are fewer rows than a batch, or the settings do not fit the data.
    """
    return count_and_keep(dataset, settings, told)[0]


def count_and_keep(
    dataset: Dataset, settings: CountSettings, told: Told = _say_nothing
) -> tuple[Count, tuple[TrainedRun, ...]]:
    """Count as `count_dimensions` does, and return the models of the round that answers too."""
    check_device(settings.device)
    dimension = dataset.info.dimension
    trial = settings.first_trial(dataset.info.kind, dataset.info.shape)
    heard = witnesses(dataset.train)
    told(heard)
    rounds: tuple[Round, ...] = ()
    answer: tuple[TrainedRun, ...] = ()
    wanted: Trial | None = trial
    while wanted is not None:
        told(wanted)
        done, runs = train_round(wanted, dataset, settings)
        rounds = (*rounds, done)
        answer = runs if answering(rounds) is done else answer
        told(done)
        wanted = next_trial(rounds, dimension, settings.widest)
    unseen = answer[0].record.get("validation", {}).get("rows", 0)
    rows = len(dataset.train) - unseen
    converged = is_converged_in_width(rounds)
    warnings = cautions(
        answering(rounds),
        heard,
        converged_in_width=converged,
        rounds=rounds,
        rows=rows,
        dimension=dimension,
    )
    return (
        Count(rounds, heard, tuple(warnings), converged, rows, dimension),
        answer,
    )


def as_dataset(
    X: NDArray[Any], scaling: Literal["standardise", "none"] = "standardise"
) -> tuple[Dataset, Scaling | None]:
    """Make a data set of an array in memory, all of it for training.

    Parameters
    ----------
    X : ndarray
        Finite vectors (N, D), or images uint8 (N, H, W, C), which are never scaled.
    scaling : {"standardise", "none"}
        Whether each column of vectors comes to mean 0 and variance 1.

    Returns
    -------
    dataset : Dataset
        What is trained on.
    scaling : Scaling or None
        What brings its rows back to the units of X.
    """
    images = X.dtype == np.uint8 and X.ndim == 4
    fitted = Scaling.fit(X) if scaling == "standardise" and not images else None
    train = X if images else X.astype(np.float32) if fitted is None else fitted.apply(X)
    info = DatasetInfo(
        name="X",
        source="array",
        kind="images" if images else "vectors",
        shape=train.shape[1:],
        n_train=len(train),
        n_test=0,
        classes=0,
        n=None,
        sha256={"train": _digest(train)},
        details={} if fitted is None else {"scaling": fitted.details()},
    )
    none = np.zeros(0, dtype=np.int64)
    return Dataset(info, train, train[:0], none, none), fitted


def _digest(rows: NDArray[Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(rows).tobytes()).hexdigest()
