"""The nested mask: what each further latent dimension is worth, measured instead of inferred from a slope.

The derivative of eq 17 by a mask value is a derivative by *scale*: it says what shrinking a dimension would
do, and shrinking can be made good by the encoder. Here a dimension is open or closed. Codes are cut off after
a random number of dimensions while encoder, decoder and critic train (nested dropout: Rippel, Gelbart and
Adams 2014), so that the first k dimensions are a model of their own for every k, and the loss of eq 17 can be
read off at every k. The mask moves towards the first dimensions that make it smallest. Our choice throughout.

The search itself is `maskaae.models.nested_maae`; here are its gates. A *cut* is the number of dimensions
that a code keeps, its *prefix*; the *reach* is the longest cut that training sees at a time.
"""

from __future__ import annotations

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
