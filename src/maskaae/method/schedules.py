"""What changes over a run: the weight of the mask's regulariser, and learning rates."""

from __future__ import annotations

from collections.abc import Callable, Mapping

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
