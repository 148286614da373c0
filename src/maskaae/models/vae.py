"""Variational auto-encoders: the bound's terms, and one class for each decoder of the published comparison.

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

LOG_TWO_PI = math.log(2 * math.pi)

ACTIVE_VARIANCE = 0.01
"""A latent unit is active when the variance of its posterior mean over the data is larger (Burda et al.)."""


def gaussian_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL divergence of ``N(mean, diag exp(log_variance))``, (seed, batch, m), from the prior ``N(0, I)``.

    Kingma and Welling, 2014 (arXiv 1312.6114), appendix B.
    """
    return 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum(dim=-1)


def bernoulli_error(x: Tensor, logits: Tensor) -> Tensor:
    """Cross-entropy ``- log p(x|z)`` of independent Bernoulli pixels, extended to greys as is customary.

    Kingma and Welling, 2014, appendix C.1, eq 11. Images x in [0, 1] and logits, the decoder's output before
    its sigmoid, are (seed, batch, D).
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
        self.register_buffer("code_variance", torch.zeros(len(spec.seeds), spec.m))  # A_u

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
        """Codes ``z = mean + deviation * noise``, and the divergence of their law from the prior.

        Data (seed, batch, D) and standard normal noise (seed, batch, m) to codes (seed, batch, m) and KL
        divergence, nats an example, (seed, batch).
        """
        mean, log_variance = self.posterior(x)
        return mean + torch.exp(0.5 * log_variance) * noise, gaussian_divergence(mean, log_variance)

    @abstractmethod
    def error(self, x: Tensor, codes: Tensor) -> Tensor:
        """``- log p(x|z)``, nats an example, (seed, batch)."""

    @property
    def draw_sizes(self) -> DrawSizes:
        """One batch, and noise for one sample of the posterior."""
        return DrawSizes(batches=1, prior=1)

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
        self.note(reconstruction=error.mean(dim=1), divergence=divergence.mean(dim=1))
        yield Update("autoencoder", (error + divergence).mean(dim=1))

    def fit_codes(self, codes: Tensor) -> None:
        """Keep the variance of each unit's posterior mean over the data."""
        self.code_variance.copy_(codes.var(dim=1, correction=0))

    def monitors(self) -> dict[str, Tensor]:
        """Terms of the bound at the last training step, and the active units of the last checkpoint."""
        return {**self.terms, "active": self.active.sum(dim=1)}


class BernoulliVae(VariationalAutoEncoder):
    """The variational auto-encoder of Kingma and Welling (2014), decoder of appendix C.1.

    Vectors are refused: a Bernoulli variable has no density outside [0, 1], and the squared error that is
    sometimes put in its place is the decoder of fixed variance, a model of its own here.

    Raises
    ------
    ValueError
        If the data are no images.
    """

    def __init__(self, spec: ModelSpec) -> None:
        if spec.kind != "images":
            raise ValueError(
                "model 'vae': cross-entropy sees only images; vectors take vae_fixed or vae_learned"
            )
        super().__init__(spec)

    def error(self, x: Tensor, codes: Tensor) -> Tensor:
        """Cross-entropy of the pixels, nats an example, (seed, batch)."""
        return bernoulli_error(x, self.decoder(codes))


class GaussianVariationalAutoEncoder(VariationalAutoEncoder):
    """A variational auto-encoder whose decoder is ``N(G(z), gamma I)``; a subclass gives ``log_gamma``.

    A sample is the mean ``G(z)``, as in every published comparison: the noise is not drawn.
    """

    log_gamma: Tensor  # (seed,)

    def error(self, x: Tensor, codes: Tensor) -> Tensor:
        """``- log N(x; G(z), gamma I)``, nats an example, (seed, batch)."""
        squared_error = (x - self.decode(codes)).square().sum(dim=-1)
        self.note(squared_error=squared_error.mean(dim=1))
        return gaussian_error(squared_error, self.log_gamma, self.spec.data_dimension)

    def monitors(self) -> dict[str, Tensor]:
        """Terms of the bound, squared error and ``gamma``, each (seed,)."""
        return {**super().monitors(), "gamma": self.log_gamma.detach().exp()}


class FixedVarianceVae(GaussianVariationalAutoEncoder):
    """The fixed-variance baseline of Dai and Wipf (2019, arXiv 1903.05789, table 1), where gamma is one.

    The variance is counted in the data's units, so what it does depends on them: with a linear decoder,
    directions of less variance than gamma are given up (Tipping and Bishop, 1999).
    """

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        log_gamma = math.log(spec.hyperparameters.vae.variance)
        self.register_buffer("log_gamma", torch.full((len(spec.seeds),), log_gamma))


class LearnedVarianceVae(GaussianVariationalAutoEncoder):
    """The variational auto-encoder with learned gamma of Dai and Wipf (2019, arXiv 1903.05789, section 2).

    Gamma starts at one, as in their code. It takes the gradient of the same bound as the networks do, at the
    same weights, but has an update of its own so that it can have its own learning rate: in a short run the
    published one would not bring it down from one.
    """

    log_gamma: nn.Parameter

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.log_gamma = nn.Parameter(torch.zeros(len(spec.seeds)))

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Return the networks, and the decoder's variance."""
        return {**super().parameter_groups(), "decoder_variance": [self.log_gamma]}

    def learning_rates(self, step: int) -> dict[str, float]:
        """Constant learning rates of the two updates."""
        rate = self.spec.hyperparameters.vae.variance_rate
        return {**super().learning_rates(step), "decoder_variance": rate}

    def updates_with(self, draw: Draw, constants: tuple[()], phase: int) -> Iterator[Update]:
        """Yield the negative evidence lower bound for the networks, then its first term for gamma."""
        yield from super().updates_with(draw, constants, phase)
        squared_error = self.terms["squared_error"].unsqueeze(1)  # (seed, 1), the batch's mean
        error = gaussian_error(squared_error, self.log_gamma, self.spec.data_dimension)
        yield Update("decoder_variance", error.squeeze(1))
