"""How far the search for the mask looks; apart from `maskaae.nested`, so that figures need no torch."""

from __future__ import annotations

from typing import Any

REACH_FACTOR = 1.5
REACH_MARGIN = 2.0


def search_reach(count: Any, factor: Any = REACH_FACTOR) -> Any:
    """How many dimensions the search looks at: half as many again as are open, and two [our choice].

    Looking no further keeps a large capacity from being harder than a small one; the margin lets the count
    grow again.

    Parameters
    ----------
    count : float, Tensor or Series of floats
        Open dimensions.
    factor : float or Tensor
        Towards its end the search looks less far: at this many times as many, and two.

    Returns
    -------
    Any
        Of the kind that was given: the reach, rounded up. It may be above the capacity.
    """
    return -(-(factor * count + REACH_MARGIN) // 1.0)
