"""FLIPD: the dimension of data by a diffusion model (Kamkari et al. 2024, arXiv 2406.03537).

Noise is added as in the variance-preserving diffusion of Song et al. (2021): `x_t = psi(t) x + sigma(t) e`.
A network learns the score, the gradient of the log density of x_t. At a row of data that density changes as
`sigma^-(D - d)` where the noise is small, and the Fokker-Planck equation gives its change by the score:

    FLIPD(x, t) = D + sigma(t)^2 (tr J + |s|^2)

is near the local dimension d, with s the score at `psi(t) x` and J its Jacobian there. Too small a t lies
beyond what the network can resolve, and FLIPD is D; at a large one the noise hides the data. The paper takes
the knee of the curve over t, and fully connected networks for tables. Size, length and rate are our choice.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from maskaae.randomness import torch_generator

Score = Callable[[Tensor, Tensor], Tensor]
"""From noisy rows (batch, D) and t (batch,) to the gradient of their log density."""

SLOWEST, FASTEST = 0.1, 20.0
"""Rate of the diffusion at t = 0 and at t = 1 (Song et al. 2021)."""
SMALLEST_TIME = 1e-3
"""No smaller t is trained, as there the score is beyond all bounds."""
FREQUENCIES, HIGHEST_FREQUENCY = 16, 4.0
"""Frequencies of the sines and cosines of log(psi / sigma) that tell the network its t, the lowest 1."""


@dataclass(frozen=True)
class FlipdPlan:
    """What the network is, how it is trained and where it is read; all our choice.

    Attributes
    ----------
    hidden : int
        Width of each of the three hidden layers.
    steps, batch_size, rate : int, int, float
        Training with Adam; the rate falls to 0 along a cosine.
    rows, probes : int
        Rows on which FLIPD is averaged, and random vectors for each by which the trace is found.
    times : tuple of float
        The curve's t.
    """

    hidden: int = 256
    steps: int = 5000
    batch_size: int = 256
    rate: float = 1e-3
    rows: int = 512
    probes: int = 2
    times: tuple[float, ...] = tuple(np.geomspace(0.005, 0.5, 40).tolist())


PLAN = FlipdPlan()


def noise_of(t: Tensor) -> tuple[Tensor, Tensor]:
    """Return `psi(t)` and `sigma(t)`: what is left of the data at t, and the noise's standard deviation."""
    spent = SLOWEST * t + (FASTEST - SLOWEST) * t.square() / 2  # integral of the rate from 0 to t
    return torch.exp(-spent / 2), torch.sqrt(-torch.expm1(-spent))


class ScoreNetwork(nn.Module):
    """Predicts the noise in noisy rows `(batch, D)` at t `(batch,)`.

    The best linear prediction is known: for data of covariance C it is `sigma (psi^2 C + sigma^2)^-1 x_t`. A
    fully connected network learns what is to be added; of Gaussian data that is nothing. So it need not find
    out in which directions the data do not extend, where noise must be blown up by 1 / sigma (our choice).
    """

    def __init__(self, rows: Tensor, hidden: int, generator: torch.Generator) -> None:
        """Take the covariance from rows `(N, D)` of mean 0, and draw the first weights."""
        super().__init__()
        dimension = rows.shape[1]
        variances, self.axes = torch.linalg.eigh(rows.T @ rows / len(rows))
        self.variances = variances.clamp(min=0)  # (D,)
        self.frequencies = torch.exp(torch.linspace(0.0, math.log(HIGHEST_FREQUENCY), FREQUENCIES))
        widths = [dimension + 2 * FREQUENCIES, hidden, hidden, hidden, dimension]
        layers = [nn.Linear(before, after) for before, after in pairwise(widths)]
        for layer in layers:
            nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
            nn.init.zeros_(layer.bias)
        nn.init.zeros_(layers[-1].weight)
        self.layers = nn.ModuleList(layers)

    def forward(self, noisy: Tensor, t: Tensor) -> Tensor:
        """Noise `(batch, D)`."""
        psi, sigma = (values[:, None] for values in noise_of(t))
        angles = torch.log(psi / sigma) * self.frequencies
        values = torch.cat([noisy, angles.sin(), angles.cos()], dim=1)
        for layer in self.layers[:-1]:
            values = nn.functional.silu(layer(values))
        shrunk = sigma / (psi.square() * self.variances + sigma.square())  # (batch, D)
        predicted: Tensor = self.layers[-1](values) + (noisy @ self.axes * shrunk) @ self.axes.T
        return predicted

    def score(self, noisy: Tensor, t: Tensor) -> Tensor:
        """Gradient `(batch, D)` of the log density of noisy rows at t."""
        return -self.forward(noisy, t) / noise_of(t)[1][:, None]


def train_score(x: Tensor, plan: FlipdPlan, seed: int) -> ScoreNetwork:
    """Train a network on rows `(N, D)` of mean 0 and variance 1 to predict added noise (Ho et al. 2020)."""
    network = ScoreNetwork(x, plan.hidden, torch_generator(seed, "flipd weights"))
    drawing = torch_generator(seed, "flipd training")
    optimiser = torch.optim.Adam(network.parameters(), plan.rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, plan.steps)
    for _ in range(plan.steps):
        rows = x[torch.randint(len(x), (plan.batch_size,), generator=drawing)]
        t = SMALLEST_TIME + (1 - SMALLEST_TIME) * torch.rand(len(rows), generator=drawing)
        noise = torch.randn(rows.shape, generator=drawing)
        psi, sigma = noise_of(t)
        loss = (network(psi[:, None] * rows + sigma[:, None] * noise, t) - noise).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return network.requires_grad_(False)


def flipd_at(score: Score, x: Tensor, time: float, probes: int, generator: torch.Generator) -> Tensor:
    """FLIPD of rows `(N, D)` at one t: `(N,)`.

    `score` gives the score of rows at t. Hutchinson's method finds the trace of its Jacobian as the mean of
    `u . J u` over vectors u of random signs.
    """
    t = torch.full((len(x),), time)
    psi, sigma = noise_of(t)
    noisy = psi[:, None] * x
    trace = torch.zeros(len(x))
    for _ in range(probes):
        signs = torch.randint(0, 2, x.shape, generator=generator).to(x.dtype) * 2 - 1
        along = torch.func.jvp(lambda rows: score(rows, t), (noisy,), (signs,))[1]
        trace += (signs * along).sum(dim=1) / probes
    return x.shape[1] + sigma.square() * (trace + score(noisy, t).square().sum(dim=1))


def knee(times: NDArray[np.float64], curve: NDArray[np.float64]) -> float:
    """Value of a falling, convex curve where it bends most (Kneedle, Satopää et al. 2011).

    That is where it lies farthest below the straight line between its ends, both axes scaled to 0 to 1. A
    curve that does not fall has no knee: its smallest value.
    """
    if curve[0] <= curve[-1]:
        return float(curve.min())
    across = (times - times[0]) / (times[-1] - times[0])
    down = (curve - curve[-1]) / (curve[0] - curve[-1])
    return float(curve[np.argmax(1 - across - down)])


def flipd(rows: NDArray[Any], seed: int, plan: FlipdPlan = PLAN) -> float:
    """Train a diffusion model on rows (N, D) and return the knee of FLIPD's mean over rows against t."""
    x = torch.as_tensor(np.asarray(rows, dtype=np.float32))
    x = x - x.mean(dim=0)
    x = x / x.square().mean().sqrt()
    network = train_score(x, plan, seed)
    probing = torch_generator(seed, "flipd probes")
    chosen = x[torch.randperm(len(x), generator=probing)[: plan.rows]]
    curve = [float(flipd_at(network.score, chosen, t, plan.probes, probing).mean()) for t in plan.times]
    return knee(np.array(plan.times), np.array(curve))
