"""VAE (fixed variance): a Gaussian decoder whose variance is a constant."""

from __future__ import annotations

import math

import torch

from maskaae.method.spec import ModelSpec
from maskaae.models.variational import GaussianVariationalAutoEncoder


class FixedVarianceVae(GaussianVariationalAutoEncoder):
    """The fixed-variance baseline of Dai and Wipf (2019, arXiv 1903.05789, table 1), where gamma is one.

    The variance is counted in the data's units, so what it does depends on them: with a linear decoder,
    directions of less variance than gamma are given up (Tipping and Bishop, 1999).
    """

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        log_gamma = math.log(spec.hyperparameters.vae.variance)
        self.register_buffer("log_gamma", torch.full((len(spec.seeds),), log_gamma))
