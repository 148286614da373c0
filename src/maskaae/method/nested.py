"""The nested mask: what each further latent dimension is worth, measured instead of inferred from a slope.

The derivative of eq 17 by a mask value is a derivative by *scale*: it says what shrinking a dimension would
do, and shrinking can be made good by the encoder. Here a dimension is open or closed. Codes are cut off after
a random number of dimensions while encoder, decoder and critic train (nested dropout: Rippel, Gelbart and
Adams 2014), so that the first k dimensions are a model of their own for every k, and the loss of eq 17 can be
read off at every k. The mask moves towards the first dimensions that make it smallest. Our choice throughout.

The search itself is `maskaae.models.nested_maae`; here are its gates and its length. A *cut* is the number of
dimensions that a code keeps, its *prefix*; the *reach* is the longest cut that training sees at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor


def prefix_lengths(uniform: Tensor, least: Tensor, reach: Tensor, full_share: float) -> Tensor:
    """How many dimensions each example keeps, as floats in the shape of ``uniform``.

    ``reach`` with probability ``full_share``, else least + 1, ..., reach, each as likely as the others.

    Parameters
    ----------
    uniform : Tensor
        Numbers in [0, 1).
    least, reach : Tensor
        Whole numbers, as floats, that broadcast to the shape of ``uniform``.
    full_share : float
        In [0, 1).
    """
    rescaled = (uniform - full_share) / (1.0 - full_share)  # in [0, 1) where not all are kept
    cut = least + (rescaled * (reach - least)).floor() + 1.0
    return torch.minimum(torch.where(uniform < full_share, reach, cut), reach)


def in_prefix(lengths: Tensor, m: int) -> Tensor:
    """Which of m places are among the first ``lengths``: (..., 1) to booleans (..., m)."""
    return torch.arange(m, device=lengths.device) < lengths


def prefix_gates(lengths: Tensor, m: int) -> Tensor:
    """1 for the first ``lengths`` of m dimensions, else 0: (..., 1) to (..., m)."""
    return in_prefix(lengths, m).to(lengths.dtype)


def cut_everywhere(codes: Tensor) -> Tensor:
    """Each code cut off after 0, 1, ..., m dimensions: (seed, row, m) to (seed, row, m + 1, m)."""
    m = codes.shape[-1]
    lengths = torch.arange(m + 1, device=codes.device, dtype=codes.dtype).unsqueeze(1)  # (m + 1, 1)
    return codes.unsqueeze(2) * prefix_gates(lengths, m)


def best_prefix(objective: Tensor, m: int) -> Tensor:
    """The first k of m dimensions, booleans (seed, m), where ``J(k)``, (seed, k), is smallest."""
    return in_prefix(objective.argmin(dim=1, keepdim=True), m)


FEWER = 0.75
"""Share of the dimensions of a count that a trial with fewer of them may use [our choice]."""

RESOLUTION = 16
"""Trials end where a count is known to one such part of it [our choice]."""


@dataclass
class SearchLength:
    """How long the search of ``nested`` mask training lasts [our choice].

    The search has stages, and every stage ends with a reading of the count of every seed:

    1. the search up to its first end, and on to twice its length: more training may find more dimensions;
    2. trials, each as long as the search up to its first end: a seed trains with three quarters of the
       dimensions that it counted. If that makes eq 17 smaller the seed keeps what it has found so, and tries
       fewer again; else it goes back, and tries half-way between, until it knows how many are too few. A net
       that shares its training between many cuts is a poorer model at each of them than one that has only
       those, so that a search from above can stay above n.

    The counts have settled if they are then no larger, but for one, than before the length was doubled: the
    argument of a mesh refinement. Else the length is doubled again, and trials follow.

    What schedules say of shares of the search they say of the first end; every later stage is the second half
    of a search, so that it begins with full rates and wider windows again. A search of fixed length has one
    stage: it cannot tell whether it has settled.
    """

    ends: tuple[int, ...]  # steps at which the counts are read; the last one is the next
    longest: int
    searched: int  # steps when the stage is over, without those of trials
    readings: list[list[int]] = field(default_factory=list)  # what each seed counts at every end so far
    shorter: list[int] = field(default_factory=list)  # counts before the length was doubled
    grown: list[bool] = field(default_factory=list)  # whether twice the length found more; empty: not known
    limits: list[int | None] = field(default_factory=list)  # dimensions of each seed's trial; None: no trial
    too_few: list[int] = field(default_factory=list)  # the most that each seed has tried and gone back from
    finished: bool = False

    @classmethod
    def planned(cls, longest: int, shortest: int | None) -> SearchLength:
        """Plan a search of ``longest`` steps, or one that is first read after ``shortest`` steps.

        One that has no time for twice the ``shortest`` is of fixed length.
        """
        first = longest if shortest is None or 2 * shortest > longest else shortest
        return cls((first,), longest, searched=first)

    @property
    def end(self) -> int:
        """Steps that the search takes, as far as is known by now."""
        return self.ends[-1]

    @property
    def in_trial(self) -> bool:
        """Whether some seed trains with fewer dimensions than it counted."""
        return any(limit is not None for limit in self.limits)

    def share(self, step: int) -> float:
        """Share of the search that is over at a step, by which its schedules go."""
        if len(self.ends) == 1:
            return step / self.end
        start = self.ends[-2]
        return 0.5 + 0.5 * (step - start) / (self.end - start)

    def read(self, counts: Sequence[int], counted: Sequence[bool], better: Sequence[bool] = ()) -> None:
        """Take in what was found at `end`, and plan the next stage if there is need and time for one.

        Parameters
        ----------
        counts : sequence of int
            What each seed counts.
        counted : sequence of bool
            Whether a seed is waited for; one that is lost is not.
        better : sequence of bool
            After a trial: whether it made eq 17 of the seed smaller.
        """
        self.readings.append(list(counts))
        if self.in_trial:
            self._take_in_trials(better)
        elif len(self.readings) > 1:
            self.too_few = [0] * len(counts)
            seeds = zip(counts, counted, strict=True)
            self.limits = [fewer(count) if waited_for else None for count, waited_for in seeds]
        steps = self._next_stage(counted)
        if steps is None or self.end + steps > self.longest:
            self.finished = True
        else:
            self.ends = (*self.ends, self.end + steps)

    def _take_in_trials(self, better: Sequence[bool]) -> None:
        """Plan the next trial of every seed that had one."""
        for seed, limit in enumerate(self.limits):
            if limit is not None:
                self.too_few[seed] = self.too_few[seed] if better[seed] else limit
                self.limits[seed] = fewer(self.readings[-1][seed], self.too_few[seed])

    def _next_stage(self, counted: Sequence[bool]) -> int | None:
        """Steps of the next stage; None if the counts have settled."""
        if self.in_trial:
            return self.ends[0]
        counts = self.readings[-1]
        if self.shorter:
            seeds = zip(self.shorter, counts, counted, strict=True)
            self.grown = [waited_for and now > before + 1 for before, now, waited_for in seeds]
            if not any(self.grown):
                return None
        self.shorter = counts
        steps, self.searched = self.searched, 2 * self.searched
        return steps

    def settled(self) -> list[int | None]:
        """Steps of search at which the count of each seed was first read, within one; None: not settled.

        Not settled are counts that twice the length makes larger, and those of which it is not known whether
        fewer dimensions would do.
        """
        seeds = len(self.readings[-1])
        known = zip(self.grown or [True] * seeds, self.limits or [None] * seeds, strict=True)
        return [
            None if grown or limit is not None else self._settled_at(seed)
            for seed, (grown, limit) in enumerate(known)
        ]

    def _settled_at(self, seed: int) -> int:
        counts = [reading[seed] for reading in self.readings]
        stayed = [abs(count - counts[-1]) <= 1 for count in reversed(counts)]
        return self.ends[len(counts) - (stayed.index(False) if False in stayed else len(stayed))]


def fewer(count: int, too_few: int = 0) -> int | None:
    """Dimensions of the next trial below a count, or None if enough is known.

    Three quarters of the count, or half-way to what is ``too_few`` if that is more. Enough is known when no
    number is left between them, or no more than a sixteenth of the count.
    """
    if count - too_few <= max(1, count // RESOLUTION):
        return None
    return min(count - 1, max(round(FEWER * count), (count + too_few) // 2))
