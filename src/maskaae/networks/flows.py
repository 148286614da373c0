"""Inverse autoregressive flow: invertible maps of codes whose Jacobian is triangular."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from maskaae.networks.layers import SeedLinear

OPEN_GATE = 2.0
"""Start of the gates before their sigmoid: most of z passes at first, as Kingma et al. (2016) advise."""


class MaskedLinear(SeedLinear):
    """Dense layer of each seed in which some connections are cut.

    Parameters
    ----------
    connections : Tensor
        One where an input reaches an output, else zero, (inputs, outputs).
    generators : list of torch.Generator
        One a seed.
    """

    connections: Tensor

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

    Parameters
    ----------
    m : int
        Codes, and values of the context.
    hidden : int
        Hidden units.
    generators : list of torch.Generator
        One a seed.
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

    Parameters
    ----------
    m : int
        Codes, and values of the context.
    steps : int
        Steps of the flow.
    hidden : int
        Hidden units of each step's autoregressive network.
    generators : list of torch.Generator
        One a seed.
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
