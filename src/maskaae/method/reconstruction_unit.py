"""The unit in which eq 17 counts the reconstruction loss."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlog1py, xlogy

EXAMPLES = 10_000
"""Training examples that the unit is computed from, the first ones: enough, and quick on any data set."""


def reconstruction_unit(examples: NDArray[np.generic], reconstruction: str) -> float:
    """Reconstruction loss of always decoding the mean example, above that of perfect decoding [our choice].

    Divided by it, a reconstruction loss is the share of the data that the codes do not explain, whatever the
    data's scale; its weight in eq 17 then means the same on every data set.

    Parameters
    ----------
    examples : np.ndarray
        Training split, images uint8 or vectors float32, (N, ...).
    reconstruction : {"bce", "mse"}
        The loss.

    Returns
    -------
    float
        Mean variance of a data dimension for ``mse``; excess cross-entropy in nats a pixel for ``bce``.

    Raises
    ------
    ValueError
        If all examples are equal.
    """
    x = np.asarray(examples[:EXAMPLES], dtype=np.float64).reshape(min(len(examples), EXAMPLES), -1)
    if examples.dtype == np.uint8:
        x = x / 255.0
    if reconstruction == "mse":
        unit = x.var(axis=0).mean()
    else:
        unit = binary_entropy(x.mean(axis=0)).mean() - binary_entropy(x).mean()
    if not unit > 0:
        raise ValueError("all training examples are equal: there is nothing to reconstruct")
    return float(unit)


def binary_entropy(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Entropy in nats of a Bernoulli variable; also the cross-entropy of decoding ``p`` as ``p``."""
    entropy: NDArray[np.float64] = -xlogy(p, p) - xlog1py(1.0 - p, -p)
    return entropy
