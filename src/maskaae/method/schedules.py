"""What changes over a run: the weight of the mask's regulariser, and learning rates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

RAMP_CAP = 2048.0
"""Largest weight of the regulariser [code]."""


def released_ramp_period(m: int) -> int:
    """``R`` of the released script [code]: a quarter of the steps after which the ramp doubles.

    ``R = 75`` up to ``m = 20``, ``min(10000, floor(112.5 m))`` above: the ramp is about 30 times faster at
    m = 20 than at m = 21.
    """
    return 75 if m <= 20 else continuous_ramp_period(m)


def continuous_ramp_period(m: int) -> int:
    """``R`` of the released script without its jump: ``min(10000, floor(112.5 m))`` for all m [ours]."""
    return min(10_000, int(112.5 * m))


RAMP_PERIODS: Mapping[str, Callable[[int], int]] = {
    "code": released_ramp_period,
    "continuous": continuous_ramp_period,
}


def ramp(step: int, m: int, doubling_steps: int) -> float:
    """Weight ``c(t)`` of the regulariser: ``2 / m``, doubling every ``doubling_steps`` up to 2048 [code].

    Parameters
    ----------
    step : int
        Training step since the first mask update, from 0.
    m : int
        Capacity (assumed latent dimension).
    doubling_steps : int
        Steps between doublings; ``4 R`` in the released script.
    """
    doublings = step // doubling_steps
    if doublings > 30:  # 2**30 / m is past the cap for every m below a million: spare the overflow
        return RAMP_CAP
    return min(RAMP_CAP, 2.0 / m * 2.0**doublings)


def annealing_factor(step: float, steps: float, fraction: float) -> float:
    """Factor on every learning rate: one, then falling linearly to zero over the end of the run [our choice].

    Parameters
    ----------
    step, steps : int
        Current step, from 0, and length of the run.
    fraction : float
        Share of the run, at its end, over which rates fall; 0 keeps them constant, as the paper does [code].
    """
    if fraction == 0.0:
        return 1.0
    return min(1.0, (steps - step) / (fraction * steps))


FEWER = 0.75
"""Share of the dimensions of a count that a trial with fewer of them may use [our choice]."""


@dataclass
class SearchLength:
    """How long the search of ``nested`` mask training lasts [our choice].

    The search is planned up to its first end, where the count of every seed is read. If the counts have not
    settled there it is planned up to the next end, about twice as far: what its schedules say of shares of
    the search they say of the new length, so the next half begins with full rates and wider windows again.
    It is long enough when a search twice as long finds no more dimensions, but one at most: the argument of a
    mesh refinement. Where it finds fewer, trials find them sooner.

    Trials follow, each as long as the search up to its first end: the seed trains with three quarters of the
    dimensions that it counted. If that makes eq 17 smaller the seed keeps what it has found so, and tries
    fewer again; else its count stands. A net that shares its training between many cuts is a poorer model
    at each of them than one that has only those, so that a search from above can stay above n.

    A search of fixed length has one end and no trial: it cannot tell whether it has settled.
    """

    ends: tuple[int, ...]  # steps at which the counts are read: so far, and, before the trials, later ones
    longest: int
    readings: list[list[int]] = field(default_factory=list)  # what each seed counts at every end so far
    agreed: bool = False  # whether twice the length finds no more dimensions: trials have begun
    limits: list[int | None] = field(default_factory=list)  # dimensions of each seed's trial; None: no trial
    finished: bool = False

    @classmethod
    def planned(cls, longest: int, shortest: int | None) -> SearchLength:
        """Plan a search of ``longest`` steps, or one that may end from ``shortest`` steps on."""
        ends = [longest]
        while shortest is not None and ends[0] // 2 >= shortest:
            ends.insert(0, ends[0] // 2)
        return cls(tuple(ends), longest)

    @property
    def end(self) -> int:
        """Steps that the search takes, as far as is known by now."""
        return self.ends[len(self.readings) - self.finished]

    def share(self, step: int) -> float:
        """Share of the search that is over at a step, by which its schedules go; a trial is a second half."""
        if not self.agreed or self.finished:
            return step / self.end
        start = self.ends[len(self.readings) - 1]
        return 0.5 + 0.5 * (step - start) / (self.end - start)

    def read(self, counts: Sequence[int], counted: Sequence[bool], better: Sequence[bool] = ()) -> None:
        """Take in what was found at `end`.

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
        if self.agreed:
            self.limits = [
                fewer(count) if is_better and limit is not None else None
                for count, limit, is_better in zip(counts, self.limits, better, strict=True)
            ]
        elif len(self.readings) > 1:
            seeds = list(zip(*self.readings[-2:], counted, strict=True))
            self.agreed = all(now <= before + 1 for before, now, waited_for in seeds if waited_for)
            self.limits = [fewer(now) if waited_for else None for _, now, waited_for in seeds]
        if self.agreed:
            self.ends = (*self.ends[: len(self.readings)], self.end_of_trial)
            self.finished = self.ends[-1] > self.longest or not any(self.limits)
        else:
            self.finished = len(self.readings) == len(self.ends)

    @property
    def end_of_trial(self) -> int:
        """Steps of the search when the next trial is over."""
        return self.ends[len(self.readings) - 1] + self.ends[0]

    def settled(self) -> list[int | None]:
        """Steps of search at which the count of each seed was first read, within one; None: not settled.

        Not settled are counts that twice the length changes, and those of which it is not known whether fewer
        dimensions would do.
        """
        limits = self.limits or [None] * len(self.readings[-1])
        seeds = zip(zip(*self.readings, strict=True), limits, strict=True)
        return [self._settled(counts) if limit is None and self.agreed else None for counts, limit in seeds]

    def _settled(self, counts: Sequence[int]) -> int | None:
        stayed = [abs(count - counts[-1]) <= 1 for count in reversed(counts)]
        return self.ends[len(counts) - (stayed.index(False) if False in stayed else len(stayed))]


def fewer(count: int) -> int | None:
    """Dimensions of a trial with three quarters of a count, at least one less; None below two."""
    return min(count - 1, round(FEWER * count)) if count > 1 else None
