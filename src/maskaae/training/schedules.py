"""How learning rates change over a run."""

from __future__ import annotations


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
