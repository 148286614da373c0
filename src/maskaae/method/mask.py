"""The mask over latent dimensions: its values, its projection and its regulariser.

The mask is kept as ``M >= 0`` and used as ``mu = 1 - exp(-M)`` in ``[0, 1)``. All tensors carry a leading
seed axis, so that one call serves every model that trains side by side.
"""

from __future__ import annotations

import torch
from torch import Tensor


def mask_values(mask_parameter: Tensor) -> Tensor:
    """Mask ``mu = 1 - exp(-M)`` [code].

    Parameters
    ----------
    mask_parameter : Tensor
        ``M``, non-negative, shape (seed, m).

    Returns
    -------
    Tensor
        ``mu`` in [0, 1), shape (seed, m).
    """
    return -torch.expm1(-mask_parameter)


def project_(mask_parameter: Tensor, ceiling: float | None = None) -> Tensor:
    """Put ``M`` back on ``M >= 0`` in place, as is done after each of its updates [code].

    A ceiling keeps it from going so far up that it would take long to come back [our choice].
    """
    with torch.no_grad():
        return mask_parameter.clamp_(min=0.0, max=ceiling)


def active_dimensions(mu: Tensor, threshold: float) -> Tensor:
    """Which dimensions the model uses: ``mu >= threshold`` (0.1 in the released script [code]).

    Parameters
    ----------
    mu : Tensor
        Mask, shape (seed, m).
    threshold : float
        Smallest mask value that counts as active, in (0, 1).

    Returns
    -------
    Tensor
        Booleans, shape (seed, m).
    """
    return mu >= threshold


def variance_weights(mu: Tensor, sharpness: float) -> Tensor:
    """Weight ``exp(-a mu^2)`` of each dimension in the variance penalty of eq 14 [code].

    Parameters
    ----------
    mu : Tensor
        Mask, shape (seed, m).
    sharpness : float
        ``a``; 10 in the released script [code].

    Returns
    -------
    Tensor
        Weights in (0, 1], shape (seed, m): 1 where masked, nearly 0 where open.
    """
    return torch.exp(-sharpness * mu.square())


def polarisation(mu: Tensor) -> Tensor:
    """Regulariser of eq 17, ``sum_j |mu_j (1 - mu_j)|``: zero only where each value is 0 or 1 [code].

    Returns
    -------
    Tensor
        One value a seed, shape (seed,).
    """
    return (mu * (1.0 - mu)).abs().sum(dim=-1)
