"""The classes of the user's own data: from whatever names them to 0, 1, 2 ..."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskaae.data.dataset import Labels, Split

logger = logging.getLogger(__name__)


def encode_classes(
    train: NDArray[Any], test: NDArray[Any], origin: str
) -> tuple[dict[Split, Labels], list[str]]:
    """Give numbers to the classes of both splits in the order of their names.

    Parameters
    ----------
    train, test : ndarray (N,)
        One class per example: text or whole numbers.
    origin : str
        What messages call the place where they come from.

    Returns
    -------
    labels : dict of ndarray of int64
        The classes of both splits.
    names : list of str
        The name of each class.

    Raises
    ------
    ValueError
        If they are not whole numbers or text, or there is only one class.
    """
    both = np.concatenate([train, test])
    if both.ndim != 1 or both.dtype.kind not in "biufUTO":
        raise ValueError(
            f"{origin}: {both.dtype} {both.shape} are not classes; one whole number or name each"
        )
    if both.dtype.kind == "f":
        broken = both[both != np.rint(both)]
        if len(broken):
            raise ValueError(f"{origin}: {broken[0]} is not a class; classes are whole numbers or text")
        both = both.astype(np.int64)
    names, codes = np.unique(both, return_inverse=True)
    if len(names) == 1:
        raise ValueError(f"{origin}: {str(names[0])!r} is the only class; leave the labels out")
    unseen = set(codes[len(train) :]) - set(codes[: len(train)])
    if unseen:
        logger.warning(
            "%s: the training split has no example of: %s", origin, [str(names[i]) for i in unseen]
        )
    labels: dict[Split, Labels] = {"train": codes[: len(train)], "test": codes[len(train) :]}
    return labels, [str(name) for name in names]
