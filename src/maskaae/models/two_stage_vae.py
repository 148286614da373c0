"""2-Stage VAE: a second variational auto-encoder learns the law of the first one's codes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from maskaae.method.schedules import annealing_factor
from maskaae.method.spec import ModelSpec
from maskaae.models.base import Draw, DrawSizes, Update
from maskaae.models.vae import LearnedVarianceVae, gaussian_divergence, gaussian_error
from maskaae.networks.mlp import Mlp, SeedLinear


class SkipMlp(nn.Module):
    """ReLU network whose input is put beside its last hidden layer, as in the released second stage."""

    def __init__(
        self, inputs: int, hidden: Sequence[int], outputs: int, generators: list[torch.Generator]
    ) -> None:
        super().__init__()
        self.hidden = Mlp((inputs, *hidden), generators)
        self.last = SeedLinear(inputs + hidden[-1], outputs, generators)

    def forward(self, x: Tensor) -> Tensor:
        """Map (seed, batch, inputs) to (seed, batch, outputs)."""
        out: Tensor = self.last(torch.cat([x, self.hidden(x).relu()], dim=-1))
        return out


class SecondStage(nn.Module):
    """Encoder and decoder between codes z of the first stage and codes u of the second, each m of them."""

    def __init__(self, m: int, hidden: Sequence[int], generators: list[torch.Generator]) -> None:
        super().__init__()
        self.encoder = SkipMlp(m, hidden, 2 * m, generators)
        self.decoder = SkipMlp(m, hidden, m, generators)

    def forward(self, z: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Squared error and divergence, each (seed, batch), of first codes z with noise, (seed, batch, m)."""
        mean, log_variance = self.encoder(z).chunk(2, dim=-1)
        u = mean + torch.exp(0.5 * log_variance) * noise
        return (z - self.decoder(u)).square().sum(dim=-1), gaussian_divergence(mean, log_variance)


class TwoStageVae(LearnedVarianceVae):
    """The 2-Stage VAE of Dai and Wipf (2019, arXiv 1903.05789, section 4).

    1. A VAE with learned gamma is trained on the data.
    2. With that one frozen, a second VAE with its own learned gamma is trained on samples of its ``q(z|x)``.
    3. Samples are ``u ~ N(0, I)``, ``z ~ N(G'(u), gamma' I)``, ``x = G(z)``.

    The run's steps are split between the stages: the second takes the share ``second_share`` of them.
    Learning rates are annealed at the end of each stage.
    """

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.second = SecondStage(spec.m, spec.hyperparameters.vae.second_hidden, self.generators)
        self.second_log_gamma = nn.Parameter(torch.zeros(len(spec.seeds)))
        self._first_steps = round(spec.steps * (1 - spec.hyperparameters.vae.second_share))

    @property
    def noise_size(self) -> int:
        """Noise u of the second stage's prior, and noise around its decoder's mean."""
        return 2 * self.m

    def generate(self, noise: Tensor, mask: str = "binary") -> Tensor:
        """Data (seed, batch, D) from standard normal noise (seed, batch, 2 m), through both stages."""
        return super().generate(self.sample_codes(noise), mask)

    def sample_codes(self, noise: Tensor) -> Tensor:
        """Codes z (seed, batch, m) that the second stage makes of noise (seed, batch, 2 m)."""
        u, around = noise.chunk(2, dim=-1)
        deviation = torch.exp(0.5 * self.second_log_gamma).view(-1, 1, 1)
        codes: Tensor = self.second.decoder(u) + deviation * around
        return codes

    @property
    def draw_sizes(self) -> DrawSizes:
        """One batch, noise for a sample of the first posterior and for one of the second."""
        return DrawSizes(batches=1, prior=2)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Return the networks and the decoder's variance of both stages."""
        return {
            **super().parameter_groups(),
            "second_autoencoder": list(self.second.parameters()),
            "second_variance": [self.second_log_gamma],
        }

    def learning_rates(self, step: int) -> dict[str, float]:
        """Learning rates of both stages; the first is annealed at its own end, the second at the run's."""
        first = super().learning_rates(step)
        end_of_first = 1.0
        if step < self._first_steps:
            annealing = self.spec.hyperparameters.annealing
            end_of_first = annealing_factor(step, self._first_steps, annealing)
        return {
            "second_autoencoder": first["autoencoder"],
            "second_variance": first["decoder_variance"],
            **{name: rate * end_of_first for name, rate in first.items()},
        }

    def phase(self, step: int) -> int:
        """Zero in the first stage, one in the second."""
        return int(step >= self._first_steps)

    def updates_with(self, draw: Draw, constants: tuple[()], phase: int) -> Iterator[Update]:
        """Yield the bound of the first stage, or, in the second part of the run, of the second."""
        if phase == 0:
            yield from super().updates_with(draw, constants, phase)
        else:
            yield from self._second_updates(self._first_codes(draw.batches[0], draw.prior[0]), draw.prior[1])

    @torch.no_grad()
    def _first_codes(self, x: Tensor, noise: Tensor) -> Tensor:
        """Sample of the first posterior, by networks in evaluation mode: they are finished."""
        training = self.encoder.training
        self.encoder.eval()
        codes, _ = self.sample_posterior(x, noise)
        self.encoder.train(training)
        return codes

    def _second_updates(self, z: Tensor, noise: Tensor) -> Iterator[Update]:
        """Yield the bound of the second stage for its networks, then its first term for its gamma."""
        squared_error, divergence = self.second(z, noise)
        error = gaussian_error(squared_error, self.second_log_gamma, self.m)
        self.terms.clear()  # those of the first stage are old
        self.note(second_divergence=divergence.mean(dim=1))
        yield Update("second_autoencoder", (error + divergence).mean(dim=1))
        yield Update(
            "second_variance",
            gaussian_error(squared_error.detach(), self.second_log_gamma, self.m).mean(dim=1),
        )

    def monitors(self) -> dict[str, Tensor]:
        """Terms of the first bound, active units, and both gammas, each (seed,)."""
        return {**super().monitors(), "second_gamma": self.second_log_gamma.detach().exp()}
