"""Regularised deterministic auto-encoder, sampled through a mixture of Gaussians."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from maskaae.method import losses
from maskaae.method.spec import ModelSpec
from maskaae.models.base import Draw, DrawSizes, LatentModel, Update
from maskaae.models.mixture import LatentMixture
from maskaae.networks.pairs import build_networks
from maskaae.randomness import torch_generator


class RegularisedAutoEncoder(LatentModel):
    """RAE-L2 (Ghosh et al., 2020, section 3): ``L_RAE = L_REC + beta L_Z + lambda L_REG``.

    ``L_REC`` is the mean squared error, ``L_Z`` the mean square of a code's values, ``L_REG`` the squared
    norm of the decoder's weights, all scaled as in the released code. There is no prior: samples come from a
    mixture of ten Gaussians fitted to training codes (section 4), at most ``mixture_examples`` of them.
    """

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        generators = [torch_generator(seed, "weights") for seed in spec.seeds]
        self.encoder, self.decoder = build_networks(spec, generators)
        self.mixture = LatentMixture(spec.seeds, spec.m)
        self.fitted_examples = spec.hyperparameters.deterministic.mixture_examples
        self._monitors: dict[str, Tensor] = {}

    @property
    def draw_sizes(self) -> DrawSizes:
        """One batch."""
        return DrawSizes(batches=1, prior=0, mix=0)

    @property
    def noise_size(self) -> int:
        """A point and the choice of a component."""
        return self.m + 1

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Encoder and decoder, updated together."""
        return {"autoencoder": [*self.encoder.parameters(), *self.decoder.parameters()]}

    def optimiser(self, group: str) -> str:
        """Adam as published."""
        return "adam_published"

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
        self._monitors = {"reconstruction": reconstruction.detach(), "code_size": size.detach()}
        regulariser = h.code_weight * size + h.decoder_weight * self.decoder_size()
        yield Update("autoencoder", reconstruction + regulariser)

    def decoder_size(self) -> Tensor:
        """Sum of the decoder's squared kernels, shape (seed,); biases and normalisations are left out."""
        named = self.decoder.named_parameters()
        kernels = [p for name, p in named if name.endswith("weight") and p.dim() > 2]  # (seed, in, out, ...)
        return torch.stack([kernel.flatten(1).square().sum(dim=1) for kernel in kernels]).sum(dim=0)

    def fit_codes(self, codes: Tensor) -> None:
        """Fit the mixture to training codes (section 4)."""
        self.mixture.fit(codes)

    def generate(self, noise: Tensor, mask: str = "binary") -> Tensor:
        """Decode codes of the mixture; there is no mask."""
        return self.decode(self.mixture.sample(noise))

    def monitors(self) -> dict[str, Tensor]:
        """Terms of the loss at the last training step, each (seed,)."""
        return self._monitors
