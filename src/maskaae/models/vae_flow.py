"""VAE + flow: learned variance, and a posterior that an inverse autoregressive flow bends."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from maskaae.method.spec import ModelSpec
from maskaae.models.vae import LearnedVarianceVae
from maskaae.networks.mlp import SeedLinear

OPEN_GATE = 2.0
"""Start of the gates before their sigmoid: most of z passes at first, as Kingma et al. (2016) advise."""


class MaskedLinear(SeedLinear):
    """Dense layer of each seed in which some connections are cut."""

    connections: Tensor  # 1 where an input reaches an output, else 0, (inputs, outputs)

    def __init__(self, connections: Tensor, generators: list[torch.Generator]) -> None:
        inputs, outputs = connections.shape
        super().__init__(inputs, outputs, generators)
        self.register_buffer("connections", connections, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Affine map of each seed, (seed, batch, inputs) to (seed, batch, outputs)."""
        return torch.baddbmm(self.bias, x, self.weight * self.connections)


class AutoregressiveNetwork(nn.Module):
    """Shift and gate of each code from the codes before it and from a context.

    A masked network with one hidden layer (MADE: Germain et al., 2015, arXiv 1502.03509, section 4): hidden
    unit k is given a degree, sees the codes up to that place, and reaches the outputs after it. Degree 0 sees
    the context alone, so that the first code has an output too. Units are exponential linear, as in Kingma et
    al. (2016).
    """

    def __init__(self, m: int, hidden: int, generators: list[torch.Generator]) -> None:
        super().__init__()
        place = torch.arange(1, m + 1)
        degree = torch.arange(hidden) % m
        after = (degree.unsqueeze(1) < place).float()  # (hidden, m)
        self.codes = MaskedLinear((place.unsqueeze(1) <= degree).float(), generators)
        self.context = SeedLinear(m, hidden, generators)
        self.outputs = MaskedLinear(torch.cat([after, after], dim=1), generators)

    def forward(self, codes: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Shift and gate before its sigmoid, each (seed, batch, m), of codes and context (seed, batch, m)."""
        hidden = nn.functional.elu(self.codes(codes) + self.context(context))
        shift, gate = self.outputs(hidden).chunk(2, dim=-1)
        return shift, gate + OPEN_GATE


class InverseAutoregressiveFlow(nn.Module):
    """Inverse autoregressive flow of Kingma et al. (2016, arXiv 1606.04934, algorithm 1).

    Each step maps ``z <- s z + (1 - s) shift`` with ``s = sigmoid(gate)``; its Jacobian is triangular with
    ``s`` on the diagonal. The order of the codes is reversed between steps.
    """

    def __init__(self, m: int, steps: int, hidden: int, generators: list[torch.Generator]) -> None:
        super().__init__()
        self.steps = nn.ModuleList(AutoregressiveNetwork(m, hidden, generators) for _ in range(steps))

    def forward(self, codes: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Where codes (seed, batch, m) go, given a context, and the map's log-determinant (seed, batch)."""
        log_determinant = torch.zeros_like(codes[..., 0])
        for step in self.steps:
            shift, gate = step(codes, context)
            codes = torch.lerp(shift, codes, torch.sigmoid(gate)).flip(-1)
            log_determinant = log_determinant + nn.functional.logsigmoid(gate).sum(dim=-1)
        return codes, log_determinant


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


class FlowVae(LearnedVarianceVae):
    """The variational auto-encoder with learned gamma and a flow in its *posterior*.

    Dai and Wipf (2019, arXiv 1903.05789, table 1) have a row "VAE + Flow", without code. That its flow is in
    the posterior is inferred: the numbers are those of learned variance, slightly worse on all data sets,
    whereas a richer prior would have had the effect of their second stage. The row then tests their claim
    that the posterior is not what holds a VAE back. Which flow they took is unknown; ours is the inverse
    autoregressive one, made for this place (Kingma et al., 2016, arXiv 1606.04934) [our choice].

    The encoder has a third head, the flow's context. The posterior mean has no closed form, so the code of an
    example is where the flow takes the mean of the Gaussian that it starts from.
    """

    heads = 3

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        h = spec.hyperparameters.vae
        self.flow = InverseAutoregressiveFlow(spec.m, h.flow_steps, h.flow_hidden, self.generators)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Return the networks with the flow, and the decoder's variance."""
        groups = super().parameter_groups()
        return {**groups, "autoencoder": [*groups["autoencoder"], *self.flow.parameters()]}

    def encode(self, x: Tensor) -> Tensor:
        """Where the flow takes the mean of its Gaussian, (seed, batch, m), for data (seed, batch, D)."""
        mean, _, context = self.posterior(x)
        codes: Tensor = self.flow(mean, context)[0]
        return codes

    def sample_posterior(self, x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Codes that the flow makes of a Gaussian sample, and a one-sample estimate of their divergence."""
        mean, log_variance, context = self.posterior(x)
        start = mean + torch.exp(0.5 * log_variance) * noise
        codes, log_determinant = self.flow(start, context)
        return codes, flow_divergence(noise, log_variance, codes, log_determinant)
