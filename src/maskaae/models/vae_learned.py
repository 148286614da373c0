"""VAE (learned variance): a Gaussian decoder whose one variance is trained with the networks."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from maskaae.method.spec import ModelSpec
from maskaae.models.base import Draw, Update
from maskaae.models.variational import GaussianVariationalAutoEncoder, gaussian_error


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
        squared_error = self._monitors["squared_error"].unsqueeze(1)  # (seed, 1), the batch's mean
        error = gaussian_error(squared_error, self.log_gamma, self.spec.data_dimension)
        yield Update("decoder_variance", error.squeeze(1))
