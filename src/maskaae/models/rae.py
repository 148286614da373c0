"""Regularised deterministic auto-encoder, sampled through a mixture of Gaussians fitted to its codes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from maskaae.method import losses
from maskaae.method.spec import ModelSpec
from maskaae.models.base import Draw, LatentModel, Update
from maskaae.randomness import stream_seed

COMPONENTS = 10
"""As published (Ghosh et al., 2020, section 5)."""

ITERATIONS = 2000
"""Limit on EM steps, the released code's."""


class LatentMixture(nn.Module):
    """A mixture of Gaussians with full covariances for the codes of each seed.

    Before it is fitted it is the prior: every component standard normal. Seeds decide the start of the fit.
    """

    weights: Tensor  # (seed, component)
    means: Tensor  # (seed, component, m)
    factors: Tensor  # lower Cholesky factors of the covariances, (seed, component, m, m)

    def __init__(self, seeds: tuple[int, ...], m: int) -> None:
        super().__init__()
        self._seeds = seeds
        leading = (len(seeds), COMPONENTS)
        self.register_buffer("weights", torch.full(leading, 1.0 / COMPONENTS))
        self.register_buffer("means", torch.zeros(*leading, m))
        self.register_buffer("factors", torch.eye(m).repeat(*leading, 1, 1))

    def fit(self, codes: Tensor) -> None:
        """Fit to codes (seed, example, m) by expectation maximisation (scikit-learn's)."""
        from sklearn.mixture import GaussianMixture

        for index, (seed, of_seed) in enumerate(zip(self._seeds, codes.double().cpu().numpy(), strict=True)):
            start = stream_seed(seed, "mixture") % 2**32
            mixture = GaussianMixture(COMPONENTS, max_iter=ITERATIONS, random_state=start).fit(of_seed)
            self.weights[index] = torch.from_numpy(mixture.weights_)
            self.means[index] = torch.from_numpy(mixture.means_)
            self.factors[index] = torch.from_numpy(np.linalg.cholesky(mixture.covariances_))

    def sample(self, noise: Tensor) -> Tensor:
        """Codes (seed, batch, m) from standard normal noise (seed, batch, m + 1).

        The last number chooses the component, through its distribution function; the others are the point.
        """
        point, choice = noise[..., :-1], torch.special.ndtr(noise[..., -1])
        bounds = self.weights.cumsum(dim=1)[:, :-1].contiguous()  # the last component takes what is left
        component = torch.searchsorted(bounds, choice.contiguous(), right=True)  # (seed, batch)
        seed = torch.arange(len(self._seeds), device=noise.device).unsqueeze(1)
        factors = self.factors[seed, component]  # (seed, batch, m, m)
        return self.means[seed, component] + (factors @ point.unsqueeze(-1)).squeeze(-1)


class RegularisedAutoEncoder(LatentModel):
    """RAE-L2 (Ghosh et al., 2020, section 3): ``L_RAE = L_REC + beta L_Z + lambda L_REG``.

    ``L_REC`` is the mean squared error, ``L_Z`` the mean square of a code's values, ``L_REG`` the squared
    norm of the decoder's weights, all scaled as in the released code. There is no prior: samples come from a
    mixture of ten Gaussians fitted to training codes (section 4), at most ``mixture_examples`` of them.
    """

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.mixture = LatentMixture(spec.seeds, spec.m)
        self.fitted_examples = spec.hyperparameters.deterministic.mixture_examples

    @property
    def noise_size(self) -> int:
        """A point and the choice of a component."""
        return self.m + 1

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
        self.note(reconstruction=reconstruction, code_size=size)
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
