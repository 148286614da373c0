"""What speaks against believing a count: every rule by which the answer warns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from maskaae.counting.answer import NEAR_CAPACITY, Caution, Round
from maskaae.evaluation.witnesses import Witness, agreement

SPREAD = 2
"""Seeds disagree if their counts lie further apart (our choice)."""
ROWS_PER_DIMENSION = 100
"""With fewer rows for each dimension counted, a net learns rows by heart (our choice)."""
HIGH_ERROR = 0.3
"""Unexplained share of the variance of unseen rows from which the reconstruction is poor (our choice)."""
OVERFITTED = 2.0
"""Rows are learned by heart if the error on unseen ones is so many times that on others, and not small."""


HARDLY_BETTER = 0.95
"""A net that leaves more than this part of what principal components leave is no better (our choice)."""
NOT_SMALL = 0.05
"""Unexplained share of the variance of unseen rows from which it is worth a word (our choice)."""


def cautions(
    answer: Round,
    witnesses: Sequence[Witness],
    *,
    converged_in_width: bool | None,
    rounds: Sequence[Round],
    rows: int,
    dimension: int,
) -> Iterator[Caution]:
    """Yield what speaks against the answer of a round, the gravest first.

    Parameters
    ----------
    answer : Round
        The round that gives the answer.
    witnesses : sequence of Witness
        Estimators that need no training.
    converged_in_width : bool or None
        Whether a net twice as wide counted the same.
    rounds : sequence of Round
        All that were trained.
    rows, dimension : int
        Examples trained on, and numbers in each.
    """
    yield from _of_capacity(answer, rounds, dimension)
    yield from _of_training(answer)
    if converged_in_width is False:
        votes = [each.vote for each in rounds if each.trial.capacity == answer.trial.capacity]
        yield Caution(
            "not_converged_in_width",
            f"Nets of several widths count differently ({', '.join(map(str, votes))}), so the count is "
            "that of the net as much as of the data.",
            "Let it compare wider nets still (`widest`), or train longer (`steps`).",
        )
    yield from _of_witnesses(answer.vote, witnesses)
    yield from _of_rows(answer, rows)
    yield from _of_reconstruction(answer)


def _of_capacity(answer: Round, rounds: Sequence[Round], dimension: int) -> Iterator[Caution]:
    m, vote = answer.trial.capacity, answer.vote
    kept = "all" if vote == m else f"{vote}"
    larger = [each for each in rounds if each.trial.capacity > m]
    if vote == 0:
        yield Caution(
            "collapsed",
            "The mask closed every dimension: nothing was found that reconstructs the data.",
            "Train longer (`steps`); perhaps columns, or pixels, do not depend on each other at all.",
        )
    elif answer.near_capacity and larger:
        yield Caution(
            "at_capacity",
            f"The mask keeps {kept} of {m} dimensions. Nets with {larger[-1].trial.capacity} counted "
            f"{larger[-1].vote}, and were no better for it: they may need more training than they had.",
            "Train longer (`steps`): if the data need more dimensions, that shows.",
        )
    elif answer.near_capacity:
        yield Caution(
            "at_capacity",
            f"The mask keeps {kept} of {m} dimensions, more than {NEAR_CAPACITY:.0%}, so that the capacity "
            f"may hold the count down; an example has {dimension} numbers.",
            "Train longer (`steps`): with enough of it the mask closes what is not needed.",
        )


def _of_training(last: Round) -> Iterator[Caution]:
    counts = list(last.counts.values())
    if last.settled is False:
        yield Caution(
            "not_settled",
            f"The count did not settle in {last.steps:,} steps: a longer search, or one with fewer "
            "dimensions, may change it.",
            "Train longer (`steps`).",
        )
    if max(counts) - min(counts) > SPREAD:
        yield Caution(
            "seeds_disagree",
            f"The seeds disagree: {', '.join(map(str, sorted(counts)))}. Take the count as an order of size.",
            "Train longer (`steps`), or more seeds.",
        )
    if last.lost:
        yield Caution(
            "seeds_lost",
            f"The training of {len(last.lost)} of {len(last.lost) + len(counts)} seeds diverged.",
            "Look for values that are far from all others.",
        )


def _of_witnesses(vote: int, heard: Sequence[Witness]) -> Iterator[Caution]:
    said = agreement(vote, heard)
    if said.agrees is False:
        yield Caution("witnesses_disagree", said.sentence, "Let it compare wider nets (`widest`).")


def _of_rows(last: Round, rows: int) -> Iterator[Caution]:
    seen, unseen = _median(last.training_error), _median(last.validation_error)
    if rows < ROWS_PER_DIMENSION * last.vote:
        yield Caution(
            "few_rows",
            f"There are {rows:,} rows to learn from, fewer than {ROWS_PER_DIMENSION} for each of the "
            f"{last.vote} dimensions.",
            "Give more rows, or take the count as an upper bound.",
        )
    if seen is not None and unseen is not None and unseen > max(OVERFITTED * seen, NOT_SMALL):
        yield Caution(
            "learned_by_heart",
            f"The error is {unseen:.0%} on unseen rows and {seen:.0%} on those trained on: some of the "
            "dimensions serve to learn rows by heart.",
            "Give more rows; the count may be too high.",
        )


def _of_reconstruction(last: Round) -> Iterator[Caution]:
    unseen, linear = _median(last.validation_error), _median(last.linear_error)
    if unseen is None:
        return
    if unseen > HIGH_ERROR:
        yield Caution(
            "poor_reconstruction",
            f"The reconstruction leaves {unseen:.0%} of the variance of unseen rows unexplained: the count "
            "may be where the net stops, not where the data end.",
            "Give more rows, or a wider net (`widest`).",
        )
    if linear is not None and unseen > max(NOT_SMALL, HARDLY_BETTER * linear):
        yield Caution(
            "no_better_than_linear",
            f"Principal components, as many as the count, leave {linear:.1%} of the variance of unseen rows "
            f"unexplained, and the net {unseen:.1%}: either the data are flat, or the net has not learned "
            "how they are bent, and the count says where it stopped.",
            "Train longer (`steps`), or compare wider nets (`widest`).",
        )


def _median(errors: Mapping[int, float]) -> float | None:
    return float(np.median(list(errors.values()))) if errors else None
