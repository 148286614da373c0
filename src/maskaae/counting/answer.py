"""The answer to "how many dimensions?": votes, rounds, and what speaks against believing them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, NamedTuple

from maskaae.evaluation.dimension import NEARLY, stability
from maskaae.evaluation.witnesses import Witness

NEAR_CAPACITY = 0.8
"""A count above this share of the capacity may be held down by it (our choice)."""


class Trial(NamedTuple):
    """What a round is trained with."""

    capacity: int
    hidden: tuple[int, ...]
    critic_hidden: tuple[int, ...]
    channels: tuple[int, ...] = ()
    """Of convolutional networks, after each layer; without any the networks are MLPs."""

    def doubled(self) -> Trial:
        """The same with nets twice as wide."""
        widths = (self.hidden, self.critic_hidden, self.channels)
        return Trial(self.capacity, *(tuple(2 * width for width in layers) for layers in widths))

    @property
    def widest(self) -> int:
        """Width of the widest layer of encoder and decoder."""
        return max(self.channels or self.hidden)


@dataclass(frozen=True)
class Round:
    """All seeds, trained once with one capacity and one net.

    Attributes
    ----------
    trial : Trial
        Capacity and widths.
    counts : dict of int to int
        Active dimensions of each seed that was not lost.
    lost : dict of int to str
        Seeds whose training diverged, and why.
    steps : int
        Training steps, of the seeds that took most.
    settled : bool or None
        Whether longer searches and fewer dimensions no longer change the count; None where not looked at.
    training_error, validation_error : dict of int to float
        Share of the variance that each seed's reconstruction leaves unexplained, on rows it was trained on
        and on rows that it never saw; of the latter nothing where none were kept apart.
    linear_error : dict of int to float
        The same share on rows that it never saw, of principal components in place of the net, as many as the
        seed counts.
    objective : dict of int to float
        Smallest value of eq 17 that the search of each seed has measured; empty where none was.
    seconds : float
        Time it took.
    """

    trial: Trial
    counts: dict[int, int]
    steps: int
    lost: dict[int, str] = field(default_factory=dict)
    settled: bool | None = None
    training_error: dict[int, float] = field(default_factory=dict)
    validation_error: dict[int, float] = field(default_factory=dict)
    linear_error: dict[int, float] = field(default_factory=dict)
    objective: dict[int, float] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def vote(self) -> int:
        """Most frequent count; of several, that with more counts within one of it, then the smaller."""
        return stability(list(self.counts.values())).mode

    @property
    def near_capacity(self) -> bool:
        """Whether the vote lies so near the capacity that a larger one may give another."""
        return self.vote > NEAR_CAPACITY * self.trial.capacity

    def improves_on(self, other: Round) -> bool:
        """Whether eq 17 of the median seed is smaller than in another round, or one was not measured."""
        if not self.objective or not other.objective:
            return True
        return median(self.objective.values()) < median(other.objective.values())

    @property
    def chosen_seed(self) -> int:
        """Of the seeds that found the vote, the one with the lowest error on rows it never saw."""
        voters = [seed for seed, count in self.counts.items() if count == self.vote]
        errors = self.validation_error or self.training_error
        return min(voters, key=lambda seed: (errors.get(seed, 0.0), seed))


def shares_of(records: Sequence[Mapping[str, float | None]], seeds: Iterable[int]) -> dict[int, float]:
    """Shares of some seeds, in their order, from records by the seed's number as text, where known."""
    known = {int(seed): share for record in records for seed, share in record.items() if share is not None}
    return {seed: known[seed] for seed in seeds if seed in known}


@dataclass(frozen=True)
class Caution:
    """Something that speaks against believing a count.

    Attributes
    ----------
    code : str
        One word for programs.
    sentence, remedy : str
        What was seen, and what to do.
    """

    code: str
    sentence: str
    remedy: str


@dataclass(frozen=True)
class Count:
    """How many dimensions data need, and how far to believe it.

    Attributes
    ----------
    dimensions : int
        The vote of the round that gives the answer, see `answering`.
    rounds : tuple of Round
        Capacities and nets that were tried, in order.
    witnesses : tuple of Witness
        Estimators that need no training.
    warnings : tuple of Caution
        What speaks against believing the count.
    converged_in_width : bool or None
        Whether a net twice as wide counted the same, within one; None where none was tried.
    rows, dimension : int
        Examples that were trained on, and numbers in each, D.
    """

    rounds: tuple[Round, ...]
    witnesses: tuple[Witness, ...]
    warnings: tuple[Caution, ...]
    converged_in_width: bool | None
    rows: int
    dimension: int

    @property
    def answer(self) -> Round:
        """The round that gives the answer."""
        return answering(self.rounds)

    @property
    def dimensions(self) -> int:
        """The answer: a whole number."""
        return self.answer.vote

    @property
    def counts(self) -> tuple[int, ...]:
        """Count of each seed that was not lost, in the order of the seeds."""
        return tuple(self.answer.counts.values())

    @property
    def agreeing(self) -> int:
        """Seeds that found exactly the answer."""
        return self.counts.count(self.dimensions)

    @property
    def settled(self) -> bool | None:
        """Whether longer searches and fewer dimensions no longer change it; None where not looked at."""
        return self.answer.settled

    @property
    def steps(self) -> int:
        """Training steps of the round that gives the answer."""
        return self.answer.steps

    @property
    def validation_error(self) -> float | None:
        """Share of the variance of unseen rows that the chosen seed's reconstruction leaves unexplained."""
        return self.answer.validation_error.get(self.answer.chosen_seed)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, with those that are worked out."""
        worked_out = ("dimensions", "counts", "agreeing", "settled", "steps", "validation_error")
        values = {name: getattr(self, name) for name in worked_out} | dataclasses.asdict(self)
        for number, each in enumerate(self.rounds):
            values["rounds"][number]["trial"] = each.trial._asdict()
        plain: dict[str, Any] = json.loads(json.dumps(values))
        return plain


def answering(rounds: tuple[Round, ...]) -> Round:
    """Return the round that gives the answer: the last, but for those that a larger capacity made no better.

    A net with more dimensions than it can use in the time is a poorer model, and its count says nothing of
    the data. A wider net gives the answer in any case.
    """
    answer = rounds[0]
    for each in rounds[1:]:
        if each.trial.capacity == answer.trial.capacity or each.improves_on(answer):
            answer = each
    return answer


def next_trial(rounds: tuple[Round, ...], dimension: int, widest: int) -> Trial | None:
    """Say what to train after some rounds, or None if they are an answer.

    First the capacity is doubled, up to D, until the vote is well below it or eq 17 no smaller; then nets
    twice as wide are compared, until two agree within one or the next would be wider than ``widest``.
    """
    answer = answering(rounds)
    largest = max(each.trial.capacity for each in rounds)
    if answer.near_capacity and answer.trial.capacity == largest < dimension:
        return answer.trial._replace(capacity=min(2 * largest, dimension))
    if is_converged_in_width(rounds):
        return None
    wider = answer.trial.doubled()
    return wider if wider.widest <= widest else None


def is_converged_in_width(rounds: tuple[Round, ...]) -> bool | None:
    """Whether the round that answers and one with a narrower net agree within one; None if there is none."""
    answer = answering(rounds)
    narrower = [
        each
        for each in rounds
        if each.trial.capacity == answer.trial.capacity and each.trial.doubled() == answer.trial
    ]
    if not narrower:
        return None
    return abs(narrower[-1].vote - answer.vote) <= NEARLY
