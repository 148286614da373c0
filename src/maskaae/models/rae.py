"""Regularised deterministic auto-encoder, sampled through a Gaussian fitted to its codes."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from maskaae.method import losses
from maskaae.models.base import Draw, Update
from maskaae.models.fitted_gaussian import FittedGaussian


class RegularisedAutoEncoder(FittedGaussian):
    """RAE-L2 (Ghosh et al., 2020, section 3): ``L_RAE = L_REC + beta L_Z + lambda L_REG``.

    ``L_REC`` is the mean squared error, ``L_Z`` the mean square of a code's values, ``L_REG`` the squared
    norm of the decoder's weights, all scaled as in the released code. There is no prior. Of the two samplers
    of their table 1 this is the Gaussian; the mixture is fitted to every model alike, in
    ``maskaae.evaluation.mixture``.
    """

    def learning_rates(self, step: int) -> dict[str, float]:
        """Published rate."""
        return {"autoencoder": self.spec.hyperparameters.deterministic.rae_rate}

    def updates_with(self, draw: Draw, constants: tuple[()], phase: int) -> Iterator[Update]:
        """Yield ``L_RAE``."""
        h = self.spec.hyperparameters.deterministic
        x = draw.batches[0]
        codes = self.encode(x)
        reconstruction = losses.mean_squared_error(x, self.decode(codes))
        size = codes.square().mean(dim=(1, 2))
        self.note(reconstruction=reconstruction, code_size=size)
        regulariser = h.code_weight * size + h.decoder_weight * self.decoder_size()
        yield Update("autoencoder", reconstruction + regulariser)

    def decoder_size(self) -> Tensor:
        """Sum of the decoder's squared kernels, shape (seed,); biases and normalisations are left out."""
        named = self.decoder.named_parameters()
        kernels = [p for name, p in named if name.endswith("weight") and p.dim() > 2]  # (seed, in, out, ...)
        return torch.stack([kernel.flatten(1).square().sum(dim=1) for kernel in kernels]).sum(dim=0)
