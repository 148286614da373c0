"""Counting the dimensions that data need: rounds of training, witnesses, and the answer."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from maskaae.counting.answer import Count, Round, Trial, Witness, is_converged_in_width, next_trial
from maskaae.counting.cautions import cautions
from maskaae.counting.rounds import Trained, train_round
from maskaae.counting.settings import CountSettings
from maskaae.data.dataset import Dataset, DatasetInfo
from maskaae.data.own.splits import Scaling, split_rows
from maskaae.evaluation.dimension import local_pca, mle, two_nn

WITNESS_ROWS = 2000
FEWEST_TO_HOLD_OUT = 10
"""With fewer rows held out, an error on them says nothing."""

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
) -> tuple[Count, list[Trained]]:
    """Count as `count_dimensions` does, and return the models of the last round too."""
    dimension = dataset.info.dimension
    trial = Trial(settings.first_capacity(dimension), settings.hidden, settings.critic_hidden)
    training, held_out = keep_apart(dataset, settings)
    witnesses = ask_witnesses(dataset.train)
    told(witnesses)
    rounds: tuple[Round, ...] = ()
    wanted: Trial | None = trial
    while wanted is not None:
        told(wanted)
        done, trained = train_round(wanted, training, held_out, settings)
        rounds = (*rounds, done)
        told(done)
        wanted = next_trial(rounds, dimension, settings.widest)
    converged = is_converged_in_width(rounds)
    warnings = cautions(
        rounds[-1],
        witnesses,
        converged_in_width=converged,
        votes=[each.vote for each in rounds],
        rows=len(training.train),
        dimension=dimension,
    )
    return (
        Count(rounds, witnesses, tuple(warnings), converged, len(training.train), dimension),
        trained,
    )


def keep_apart(dataset: Dataset, settings: CountSettings) -> tuple[Dataset, NDArray[Any]]:
    """Data set of the rows to train on, and the rows that training does not see, drawn by chance."""
    share, rows = settings.validation_share, len(dataset.train)
    if share * rows < FEWEST_TO_HOLD_OUT or rows - share * rows < settings.batch_size:
        return dataset, dataset.train[:0]
    kept, apart = split_rows(rows, share, 0)
    info = dataclasses.replace(
        dataset.info, n_train=len(kept), n_test=0, sha256={"train": _digest(dataset.train[kept])}
    )
    no_labels = np.zeros(0, dtype=np.int64)
    return Dataset(info, dataset.train[kept], dataset.train[:0], no_labels, no_labels), dataset.train[apart]


def ask_witnesses(train: NDArray[Any]) -> tuple[Witness, ...]:
    """Ask TwoNN, maximum likelihood and local PCA about some rows, spread by chance."""
    chosen = np.sort(np.random.default_rng(0).permutation(len(train))[:WITNESS_ROWS])
    x = np.asarray(train[chosen], np.float64).reshape(len(chosen), -1)
    answers = []
    for name, estimator in (("TwoNN", two_nn), ("MLE", mle), ("local PCA", local_pca)):
        try:
            answers.append(Witness(name, float(estimator(x))))
        except ValueError as error:
            answers.append(Witness(name, None, str(error)))
    return tuple(answers)


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
