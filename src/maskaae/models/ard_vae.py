"""ARD-VAE: a variational auto-encoder whose prior finds the variance of each dimension."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from maskaae.method.spec import ModelSpec
from maskaae.models.base import Draw, Update
from maskaae.models.vae import LearnedVarianceVae

MEMORY = 0.99
"""Share of the prior's variance that a step keeps; the rest comes from its batch [our choice]."""
EXPLAINED = 0.99
"""Share of the relevance that the relevant dimensions have together."""
PROBES = 200
"""Codes at which relevance is measured [our choice]."""


class ArdVae(LearnedVarianceVae):
    """ARD-VAE (Saha, Joshi and Whitaker, 2025, arXiv 2501.10901), with a learned decoder variance.

    The prior of each dimension is a Gaussian of unknown precision with a flat Gamma law, so that its
    variance, given codes, is their mean square; here that of the recent batches. A dimension that the data do
    not need follows the prior down to nothing. Its relevance is the variance times the decoder's squared
    derivative, here the squared change of the output over one deviation of the prior; the dimensions that
    have 99 % of all relevance are counted, which masks nothing.
    """

    prior_variance: Tensor
    relevance: Tensor

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.register_buffer("prior_variance", torch.ones(len(spec.seeds), spec.m))
        self.register_buffer("relevance", torch.zeros(len(spec.seeds), spec.m))

    @property
    def active(self) -> Tensor:
        """Dimensions that have 99 % of the relevance at the last checkpoint, booleans (seed, m)."""
        ordered, places = self.relevance.sort(dim=1, descending=True)
        before = ordered.cumsum(dim=1) - ordered
        counted = before < EXPLAINED * ordered.sum(dim=1, keepdim=True)
        return torch.zeros_like(counted).scatter(1, places, counted)

    def sample_posterior(self, x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Codes, and the divergence of their law from the prior of the variance found so far."""
        mean, log_variance = self.posterior(x)
        codes = mean + torch.exp(0.5 * log_variance) * noise
        prior = self.prior_variance.unsqueeze(1)
        ratio = (mean.square() + log_variance.exp()) / prior
        return codes, 0.5 * (ratio - log_variance + prior.log() - 1).sum(dim=-1)

    def updates_with(self, draw: Draw, constants: tuple[()], phase: int) -> Iterator[Update]:
        """Yield the bound, then let the prior follow the codes."""
        yield from super().updates_with(draw, constants, phase)
        with torch.no_grad():
            mean, log_variance = self.posterior(draw.batches[0])
            found = (mean.square() + log_variance.exp()).mean(dim=1)
            self.prior_variance.lerp_(found, 1 - MEMORY)

    @torch.no_grad()
    def fit_codes(self, codes: Tensor) -> None:
        """Measure each dimension's relevance."""
        super().fit_codes(codes)
        probes = codes[:, :PROBES]
        for j, deviation in enumerate(self.prior_variance.sqrt().unbind(dim=1)):
            step = torch.zeros_like(probes)
            step[..., j] = 0.5 * deviation.unsqueeze(1)
            change = self.decode(probes + step) - self.decode(probes - step)
            self.relevance[:, j] = change.square().sum(dim=2).mean(dim=1)

    def generate(self, noise: Tensor, mask: str = "binary") -> Tensor:
        """Decode codes of the prior that was found; there is no mask."""
        return self.decode(noise * self.prior_variance.sqrt().unsqueeze(1))
