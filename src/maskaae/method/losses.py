"""The paper's losses, eq 14 to 17, each one function, each the code that the automatic training step runs.

MAAE and WAE train by the gradients of eq 14 to 16 written out, `maskaae.training.fast.explicit`, which tests
hold to the functions here; eq 17 has no second form. A loss has one value a seed, (seed,): no parameter is
shared between seeds, so the gradient of their sum never mixes them. A loss of several terms comes with
these, by their names in the history. Eq 18 measures and does not train: `maskaae.evaluation.encoding.nac`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

ReconstructionLoss = Callable[[Tensor, Tensor], Tensor]
"""From data and the decoder's raw output, each (seed, batch, D), to (seed,)."""
Loss = tuple[Tensor, dict[str, Tensor]]
"""A loss (seed,), and its terms by name, each (seed,)."""


class Critic(Protocol):
    """A critic that can give its own input gradient."""

    def __call__(self, codes: Tensor) -> Tensor:
        """Scores (seed, batch) of codes (seed, batch, m)."""
        ...

    def input_gradient(self, codes: Tensor) -> Tensor:
        """Gradient of each score by its code, (seed, batch, m), differentiable by the critic's weights."""
        ...


def binary_cross_entropy(x: Tensor, logits: Tensor) -> Tensor:
    """Cross-entropy of pixels x in [0, 1], nats a pixel, (seed,): ``rec`` of the released script [code]."""
    return functional.binary_cross_entropy_with_logits(logits, x, reduction="none").mean(dim=(1, 2))


def mean_squared_error(x: Tensor, reconstruction: Tensor) -> Tensor:
    """Squared error averaged over batch and data dimensions, (seed,): ``rec`` of the text [text]."""
    return (x - reconstruction).square().mean(dim=(1, 2))


def autoencoder_loss(
    x: Tensor,
    output: Tensor,
    codes: Tensor,
    mu: Tensor,
    *,
    reconstruction_loss: ReconstructionLoss,
    variance_weight: float,
    sharpness: float,
) -> Loss:
    """Eq 14: ``rec(x, G(mu z)) + l_var mean_bj[(z_bj - mean_b z_j)^2 exp(-a mu_j^2)]`` [code].

    The second term takes information out of the dimensions that the mask has closed.

    Parameters
    ----------
    x, output : Tensor
        Data, and ``G(mu z)`` before its sigmoid, each (seed, batch, D).
    codes : Tensor
        ``z = E(x)``, not masked, (seed, batch, m).
    mu : Tensor
        Mask, (seed, m).
    reconstruction_loss : callable
        ``rec``.
    variance_weight, sharpness : float
        ``l_var`` and ``a``; 100 and 10 in the released script.
    """
    reconstruction = reconstruction_loss(x, output)
    centred = codes - codes.mean(dim=1, keepdim=True)  # (seed, batch, m)
    weights = torch.exp(-sharpness * mu.square())  # (seed, m), 1 where closed and nearly 0 where open
    variance = (centred.square() * weights.unsqueeze(1)).mean(dim=(1, 2))
    return reconstruction + variance_weight * variance, {
        "reconstruction": reconstruction,
        "variance": variance,
    }


def generator_loss(critic: Critic, encoded: Tensor) -> Tensor:
    """Eq 15: ``- mean C(mu E(x))`` [code]; ``encoded`` is ``mu E(x)``, (seed, batch, m)."""
    return -critic(encoded).mean(dim=1)


def critic_loss(
    critic: Critic, encoded: Tensor, prior: Tensor, mix: Tensor, *, penalty_weight: float
) -> Loss:
    """Eq 16: ``mean C(mu z) - mean C(mu z') + l_gp mean (|grad C(z_i)| - 1)^2`` [code], two-sided.

    The gradient is taken at ``z_i = mu z' + u (mu z - mu z')``. The loss is differentiable by the critic's
    weights only.

    Parameters
    ----------
    critic : Critic
        ``C``.
    encoded, prior : Tensor
        ``mu z``, masked codes, and ``mu z'``, masked prior noise, each (seed, batch, m).
    mix : Tensor
        ``u`` in [0, 1), one number a sample, (seed, batch, 1).
    penalty_weight : float
        ``l_gp``; 10 in the released script.
    """
    wasserstein = wasserstein_estimate(critic(prior), critic(encoded))
    between = torch.lerp(prior, encoded, mix)  # (seed, batch, m)
    norms = torch.linalg.vector_norm(critic.input_gradient(between), dim=-1)  # (seed, batch)
    penalty = (norms - 1.0).square().mean(dim=1)
    return penalty_weight * penalty - wasserstein, {"wasserstein": wasserstein, "penalty": penalty}


def wasserstein_estimate(prior_scores: Tensor, encoded_scores: Tensor) -> Tensor:
    """``W = mean C(mu z') - mean C(mu z)`` [code] of scores (seed, batch): codes' distance from the prior."""
    return prior_scores.mean(dim=1) - encoded_scores.mean(dim=1)


WASSERSTEIN_TERMS: dict[str, Callable[[Tensor], Tensor]] = {
    "one_plus_squared": lambda wasserstein: (1.0 + wasserstein).square(),
    "squared": lambda wasserstein: wasserstein.square(),
}
"""Second term of eq 17: ``(1 + W)^2`` [code], smallest at W = -1, or ``W^2`` [text], smallest at W = 0."""


def polarisation(mu: Tensor) -> Tensor:
    """Last term of eq 17, ``sum_j |mu_j (1 - mu_j)|``, (seed,): zero where every value is 0 or 1 [code]."""
    return (mu * (1.0 - mu)).abs().sum(dim=-1)


def mask_loss(
    reconstruction: Tensor,
    wasserstein: Tensor,
    polarisation: Tensor | float,
    *,
    wasserstein_term: str,
    reconstruction_weight: float,
    wasserstein_weight: float,
    ramp: float | Tensor,
) -> Tensor:
    """Eq 10 and 17: ``l1 rec(x, G(mu z)) + w_W (1 + W)^2 + c(t) sum_j |mu_j (1 - mu_j)|`` [code].

    Parameters
    ----------
    reconstruction, wasserstein : Tensor
        ``rec(x, G(mu z))`` and ``W``, of one shape that begins with the seed.
    polarisation : Tensor or float
        The sum over dimensions; 0 for a mask of zeros and ones.
    wasserstein_term : {"one_plus_squared", "squared"}
        One of `WASSERSTEIN_TERMS`.
    reconstruction_weight, wasserstein_weight : float
        ``l1``, 1000 in the released script, and ``w_W``, 1 there.
    ramp : float or Tensor
        ``c(t)``.
    """
    match = wasserstein_weight * WASSERSTEIN_TERMS[wasserstein_term](wasserstein)
    return reconstruction_weight * reconstruction + match + ramp * polarisation


UNIT_EXAMPLES = 10_000
"""Training examples that the unit is computed from, the first ones: enough, and quick on any data set."""


def reconstruction_unit(examples: NDArray[np.generic], reconstruction: str) -> float:
    """``rec`` of always decoding the mean example, above that of perfect decoding [our choice].

    Divided by it, ``rec`` is the share of the data that the codes do not explain, whatever the data's scale;
    ``l1`` of eq 17 then means the same on every data set.

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
    x = np.asarray(examples[:UNIT_EXAMPLES], dtype=np.float64).reshape(min(len(examples), UNIT_EXAMPLES), -1)
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
    from scipy.special import xlog1py, xlogy  # takes a quarter of a second to import, and only images need it

    entropy: NDArray[np.float64] = -xlogy(p, p) - xlog1py(1.0 - p, -p)
    return entropy
