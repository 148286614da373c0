"""What variational auto-encoders share: the bound's terms, a Gaussian posterior, the count of active units.

The terms are those of the evidence lower bound (Kingma and Welling, 2014). Each is in nats an example, shape
(seed, batch), so that terms can be added as they are.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from maskaae.method.spec import ModelSpec
from maskaae.models.base import Draw, DrawSizes, LatentModel, Update
from maskaae.networks.pairs import build_networks
from maskaae.randomness import torch_generator

LOG_TWO_PI = math.log(2 * math.pi)

ACTIVE_VARIANCE = 0.01
"""A latent unit is active when the variance of its posterior mean over the data is larger (Burda et al.)."""


def gaussian_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL divergence from ``N(mean, diag exp(log_variance))`` to the prior ``N(0, I)``.

    Kingma and Welling, 2014 (arXiv 1312.6114), appendix B.

    Parameters
    ----------
    mean, log_variance : Tensor
        Of the posterior of each example, (seed, batch, m).
    """
    return 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum(dim=-1)


def flow_divergence(noise: Tensor, log_variance: Tensor, codes: Tensor, log_determinant: Tensor) -> Tensor:
    """One-sample estimate of the divergence from a flow's posterior to the prior: ``log q(z|x) - log p(z)``.

    Rezende and Mohamed, 2015 (arXiv 1505.05770), section 3: ``log q(z|x) = log q0(z0|x) - log |det dz/dz0|``.

    Parameters
    ----------
    noise : Tensor
        Standard normal; ``z0 = mean + exp(log_variance / 2) noise``, (seed, batch, m).
    log_variance : Tensor
        Of the Gaussian that the flow starts from, (seed, batch, m).
    codes : Tensor
        ``z``, where the flow took ``z0``, (seed, batch, m).
    log_determinant : Tensor
        ``log |det dz/dz0|``, (seed, batch).
    """
    return 0.5 * (codes.square() - noise.square() - log_variance).sum(dim=-1) - log_determinant


def bernoulli_error(x: Tensor, logits: Tensor) -> Tensor:
    """Cross-entropy ``- log p(x|z)`` of independent Bernoulli pixels, extended to greys as is customary.

    Kingma and Welling, 2014, appendix C.1, eq 11.

    Parameters
    ----------
    x : Tensor
        Images in [0, 1], (seed, batch, D).
    logits : Tensor
        Decoder output before its sigmoid, same shape.
    """
    return functional.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=-1)


def gaussian_error(squared_error: Tensor, log_gamma: Tensor, size: int) -> Tensor:
    """``- log p(x|z)`` of ``N(G(z), gamma I)`` (Dai and Wipf, 2019, arXiv 1903.05789, section 2).

    For given errors it is smallest where gamma is their mean square.

    Parameters
    ----------
    squared_error : Tensor
        ``|x - G(z)|^2``, (seed, batch).
    log_gamma : Tensor
        Logarithm of the variance, (seed,).
    size : int
        Values in one example.
    """
    log_gamma = log_gamma.unsqueeze(1)
    return 0.5 * (squared_error * (-log_gamma).exp() + size * (log_gamma + LOG_TWO_PI))


class VariationalAutoEncoder(LatentModel):
    """A variational auto-encoder (Kingma and Welling, 2014, arXiv 1312.6114).

    It minimises the negative evidence lower bound ``E_q(z|x)[- log p(x|z)] + KL(q(z|x) | p(z))`` with one
    sample of z an example (eq 7 and 10 there). A subclass gives ``- log p(x|z)``. The encoder is that of all
    other models, with as many values a dimension as there are ``heads``: mean and log-variance.

    The codes that evaluation sees are posterior means. A unit counts as active when the variance of its
    posterior mean over training examples, ``A_u = Var_x(E[z_u|x])``, is above 0.01 (Burda et al., 2016,
    arXiv 1509.00519, section 5.2); the count masks nothing.
    """

    heads = 2
    fitted_examples = 10_000
    code_variance: Tensor

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self._generators = [torch_generator(seed, "weights") for seed in spec.seeds]
        self.encoder, self.decoder = build_networks(spec, self._generators, self.heads)
        self.register_buffer("code_variance", torch.zeros(len(spec.seeds), spec.m))  # A_u
        self._monitors: dict[str, Tensor] = {}

    @property
    def active(self) -> Tensor:
        """Active units at the last checkpoint, booleans (seed, m)."""
        return self.code_variance > ACTIVE_VARIANCE

    def inference_mask(self, mask: str) -> Tensor:
        """Ones: the model has no mask, and a unit that is not active is drawn from its prior."""
        return torch.ones_like(super().inference_mask(mask))

    def posterior(self, x: Tensor) -> tuple[Tensor, ...]:
        """Heads of the encoder, mean and log-variance first, each (seed, batch, m)."""
        return self.encoder(x).chunk(self.heads, dim=-1)  # type: ignore[no-any-return]

    def encode(self, x: Tensor) -> Tensor:
        """Posterior means (seed, batch, m) of data (seed, batch, D)."""
        return self.posterior(x)[0]

    def sample_posterior(self, x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Codes ``z = mean + deviation * noise`` and the divergence of their law from the prior.

        Parameters
        ----------
        x : Tensor
            Data, (seed, batch, D).
        noise : Tensor
            Standard normal, (seed, batch, m).

        Returns
        -------
        tuple of Tensor
            Codes (seed, batch, m); KL divergence, nats an example, (seed, batch).
        """
        mean, log_variance = self.posterior(x)
        return mean + torch.exp(0.5 * log_variance) * noise, gaussian_divergence(mean, log_variance)

    @abstractmethod
    def error(self, x: Tensor, codes: Tensor) -> Tensor:
        """``- log p(x|z)``, nats an example, (seed, batch)."""

    @property
    def draw_sizes(self) -> DrawSizes:
        """One batch, and noise for one sample of the posterior."""
        return DrawSizes(batches=1, prior=1, mix=0)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Encoder and decoder, trained together."""
        return {"autoencoder": [*self.encoder.parameters(), *self.decoder.parameters()]}

    def learning_rates(self, step: int) -> dict[str, float]:
        """Constant learning rate."""
        return {"autoencoder": self.spec.hyperparameters.vae.rate}

    def optimiser(self, group: str) -> str:
        """Adam as published, which Dai and Wipf used too."""
        return "adam_published"

    def updates_with(self, draw: Draw, constants: tuple[()], phase: int) -> Iterator[Update]:
        """Yield the negative evidence lower bound."""
        x = draw.batches[0]
        codes, divergence = self.sample_posterior(x, draw.prior[0])
        error = self.error(x, codes)
        self._monitors |= {
            "reconstruction": error.detach().mean(dim=1),
            "divergence": divergence.detach().mean(dim=1),
        }
        yield Update("autoencoder", (error + divergence).mean(dim=1))

    def fit_codes(self, codes: Tensor) -> None:
        """Keep the variance of each unit's posterior mean over the data."""
        self.code_variance.copy_(codes.var(dim=1, correction=0))

    def monitors(self) -> dict[str, Tensor]:
        """Terms of the bound at the last training step, and the active units of the last checkpoint."""
        return {**self._monitors, "active": self.active.sum(dim=1)}


class GaussianVariationalAutoEncoder(VariationalAutoEncoder):
    """A variational auto-encoder whose decoder is ``N(G(z), gamma I)``; a subclass gives ``log_gamma``.

    A sample is the mean ``G(z)``, as in every published comparison: the noise is not drawn.
    """

    log_gamma: Tensor  # (seed,)

    def error(self, x: Tensor, codes: Tensor) -> Tensor:
        """``- log N(x; G(z), gamma I)``, nats an example, (seed, batch)."""
        squared_error = (x - self.decode(codes)).square().sum(dim=-1)
        self._monitors |= {"squared_error": squared_error.detach().mean(dim=1)}
        return gaussian_error(squared_error, self.log_gamma, self.spec.data_dimension)

    def monitors(self) -> dict[str, Tensor]:
        """Terms of the bound, squared error and ``gamma``, each (seed,)."""
        return {**super().monitors(), "gamma": self.log_gamma.detach().exp()}
