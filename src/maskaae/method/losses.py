"""The four losses of MaskAAE, one equation a function.

Every function returns one value a seed, shape (seed,): gradients of their sum never mix seeds, because no
parameter is shared between them.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional


class Critic(Protocol):
    """A critic that can give its own input gradient."""

    def __call__(self, codes: Tensor) -> Tensor:
        """Scores (seed, batch) of codes (seed, batch, m)."""
        ...

    def input_gradient(self, codes: Tensor) -> Tensor:
        """Gradient of each score by its code, (seed, batch, m), differentiable by the critic's weights."""
        ...


def binary_cross_entropy(x: Tensor, logits: Tensor) -> Tensor:
    """Pixel-mean binary cross-entropy, the reconstruction term of the released script [code].

    Parameters
    ----------
    x : Tensor
        Data in [0, 1], shape (seed, batch, D).
    logits : Tensor
        Decoder output before its sigmoid, same shape.

    Returns
    -------
    Tensor
        Nats per pixel, shape (seed,).
    """
    return functional.binary_cross_entropy_with_logits(logits, x, reduction="none").mean(dim=(1, 2))


def mean_squared_error(x: Tensor, reconstruction: Tensor) -> Tensor:
    """Squared error averaged over batch and data dimensions, the paper's norm [text; the mean is our choice].

    Returns
    -------
    Tensor
        Shape (seed,).
    """
    return (x - reconstruction).square().mean(dim=(1, 2))


def variance_penalty(codes: Tensor, weights: Tensor) -> Tensor:
    """Second term of eq 14: ``mean_bj[(z_bj - mean_b z_j)^2 w_j]`` with ``w = exp(-a mu^2)`` [code].

    It takes information out of the dimensions that the mask has closed.

    Parameters
    ----------
    codes : Tensor
        Unmasked codes ``z = E(x)``, shape (seed, batch, m).
    weights : Tensor
        ``w``, shape (seed, m).

    Returns
    -------
    Tensor
        Shape (seed,).
    """
    centred = codes - codes.mean(dim=1, keepdim=True)  # (seed, batch, m)
    return (centred.square() * weights.unsqueeze(1)).mean(dim=(1, 2))


def generator_loss(encoded_scores: Tensor) -> Tensor:
    """Eq 15: ``- mean C(mu E(x))`` [code], for the encoder as generator of codes.

    Parameters
    ----------
    encoded_scores : Tensor
        Scores of masked codes, shape (seed, batch).
    """
    return -encoded_scores.mean(dim=1)


def wasserstein_estimate(prior_scores: Tensor, encoded_scores: Tensor) -> Tensor:
    """Critic's estimate ``W = mean C(mu z') - mean C(mu z)`` of the distance from prior to codes [code].

    Parameters
    ----------
    prior_scores, encoded_scores : Tensor
        Scores of masked prior noise and of masked codes, each (seed, batch).
    """
    return prior_scores.mean(dim=1) - encoded_scores.mean(dim=1)


def gradient_penalty(critic: Critic, prior: Tensor, encoded: Tensor, mix: Tensor) -> Tensor:
    """Last term of eq 16: ``mean (|grad C(z_i)| - 1)^2`` on ``z_i = z' + u (z - z')`` [code], two-sided.

    Parameters
    ----------
    critic : Critic
        The critic.
    prior, encoded : Tensor
        Masked prior noise and masked codes, each (seed, batch, m).
    mix : Tensor
        ``u`` in [0, 1), one a sample, shape (seed, batch, 1).

    Returns
    -------
    Tensor
        Shape (seed,), differentiable by the critic's weights only.
    """
    between = torch.lerp(prior, encoded, mix)  # (seed, batch, m)
    norms: Tensor = torch.linalg.vector_norm(critic.input_gradient(between), dim=-1)  # (seed, batch)
    return (norms - 1.0).square().mean(dim=1)


def wasserstein_term_released(wasserstein: Tensor) -> Tensor:
    """``(1 + W)^2``, the released script's second term of eq 17 [code]: smallest at W = -1."""
    return (1.0 + wasserstein).square()


def wasserstein_term_text(wasserstein: Tensor) -> Tensor:
    """``W^2``, the second term of eq 17 as the text reads [text]: smallest at W = 0."""
    return wasserstein.square()


WASSERSTEIN_TERMS = {"one_plus_squared": wasserstein_term_released, "squared": wasserstein_term_text}


def mask_loss(
    reconstruction: Tensor,
    wasserstein_term: Tensor,
    regulariser: Tensor,
    *,
    reconstruction_weight: float,
    ramp: float | Tensor,
) -> Tensor:
    """Eq 10 and 17: ``l1 rec + w(W) + c(t) sum_j |mu_j (1 - mu_j)|`` [code].

    Parameters
    ----------
    reconstruction, wasserstein_term, regulariser : Tensor
        The three terms, each (seed,).
    reconstruction_weight : float
        ``l1``; 1000 in the released script.
    ramp : float or Tensor
        ``c(t)``.
    """
    return reconstruction_weight * reconstruction + wasserstein_term + ramp * regulariser
