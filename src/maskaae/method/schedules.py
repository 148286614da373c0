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


def annealing_factor(step: int, steps: int, fraction: float) -> float:
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


@dataclass
class SearchLength:
    """How long the search of ``nested`` mask training lasts [our choice].

    The search is planned up to its first end, where the count of every seed is read. If the counts have not
    settled there it is planned up to the next end, about twice as far: what its schedules say of shares of
    the search they say of the new length, so the next half begins with full rates and wider windows again.
    The count of a seed has settled when a search twice as long changes it by one at most, which is the
    argument of a mesh refinement. A search of fixed length has one end, and cannot tell.
    """

    ends: tuple[int, ...]  # steps at which the counts are read, if the search comes so far
    readings: list[list[int]] = field(default_factory=list)  # the count of each seed at every end so far
    finished: bool = False

    @classmethod
    def planned(cls, longest: int, shortest: int | None) -> SearchLength:
        """Plan a search of ``longest`` steps, or one that may end from ``shortest`` steps on."""
        ends = [longest]
        while shortest is not None and ends[0] // 2 >= shortest:
            ends.insert(0, ends[0] // 2)
        return cls(tuple(ends))

    @property
    def end(self) -> int:
        """Steps that the search takes, as far as is known by now."""
        return self.ends[len(self.readings) - self.finished]

    def read(self, counts: Sequence[int], counted: Sequence[bool]) -> None:
        """Take in the count of each seed at `end`; one that is not ``counted`` is not waited for."""
        self.readings.append(list(counts))
        waiting = any(
            step is None for step, waited_for in zip(self.settled(), counted, strict=True) if waited_for
        )
        self.finished = not waiting or len(self.readings) == len(self.ends)

    def settled(self) -> list[int | None]:
        """Steps of search from which on the count of each seed stayed within one of its last; None: never."""
        return [self._settled(counts) for counts in zip(*self.readings, strict=True)]

    def _settled(self, counts: Sequence[int]) -> int | None:
        stayed = [abs(count - counts[-1]) <= 1 for count in reversed(counts)]
        length = stayed.index(False) if False in stayed else len(stayed)
        return self.ends[len(counts) - length] if length > 1 else None
