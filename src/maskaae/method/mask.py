"""The mask over latent dimensions: ``M >= 0``, used as ``mu = 1 - exp(-M)`` in [0, 1), each (seed, m)."""

from __future__ import annotations

import torch
from torch import Tensor


def mask_values(mask_parameter: Tensor) -> Tensor:
    """Mask ``mu = 1 - exp(-M)``, (seed, m) [code]."""
    return -torch.expm1(-mask_parameter)


def project_(mask_parameter: Tensor, ceiling: float | None = None) -> Tensor:
    """Put ``M`` back on ``M >= 0`` in place, as is done after each of its updates [code].

    A ceiling keeps ``M`` where few updates can close the dimension again [our choice].
    """
    with torch.no_grad():
        return mask_parameter.clamp_(min=0.0, max=ceiling)


def active_dimensions(mu: Tensor, threshold: float) -> Tensor:
    """Which dimensions the model uses, booleans (seed, m): ``mu >= threshold``, 0.1 in the script [code]."""
    return mu >= threshold
