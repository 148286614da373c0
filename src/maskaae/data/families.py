"""Families of random maps from Gaussian coordinates to data, beside the paper's generator: data of known n.

A count that was tuned on one generator must hold on others. Each family here is a map f from inputs
`z ~ N(0, I)` to D numbers, with random weights and rank n almost everywhere, scaled to unit variance on
average over the columns. All are our choice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
RELU_LAYERS = 4
TANH_GAIN = 1.5
"""Standard deviation of what a tanh unit is given, so that it bends and seldom saturates."""


class Map(Protocol):
    """A differentiable map from k inputs to D numbers."""

    def __call__(self, latents: Floats) -> Floats:
        """Map latents `(N, k)` to data `(N, D)`."""

    def jacobian(self, latent: Floats) -> Floats:
        """Jacobian `(D, k)` at one latent `(k,)`."""


@dataclass(frozen=True)
class Net:
    """A net without biases: `W_L a(... a(W_1 z))`, the last layer linear.

    Attributes
    ----------
    weights : tuple of ndarray
        From the first layer `(width, k)` to the last `(D, width)`.
    activation, slope : callable
        The function a, and its derivative.
    """

    weights: tuple[Floats, ...]
    activation: Callable[[Floats], Floats]
    slope: Callable[[Floats], Floats]

    def __call__(self, latents: Floats) -> Floats:
        """Map latents `(N, k)` to data `(N, D)`."""
        *inner, last = self.weights
        for weight in inner:
            latents = self.activation(latents @ weight.T)
        return latents @ last.T

    def jacobian(self, latent: Floats) -> Floats:
        """Jacobian `(D, k)` at one latent `(k,)`."""
        *inner, last = self.weights
        product = np.eye(len(latent))  # (width, k) of the layers so far
        for weight in inner:
            before = weight @ latent
            product = self.slope(before)[:, None] * (weight @ product)
            latent = self.activation(before)
        jacobian: Floats = last @ product
        return jacobian


@dataclass(frozen=True)
class Sinusoids:
    """Column d is `sin(w_d . z + phase_d)`.

    Attributes
    ----------
    frequencies : ndarray
        The rows w_d, `(D, k)`.
    phases : ndarray
        `(D,)`.
    """

    frequencies: Floats
    phases: Floats

    def __call__(self, latents: Floats) -> Floats:
        """Map latents `(N, k)` to data `(N, D)`."""
        outputs: Floats = np.sin(latents @ self.frequencies.T + self.phases)
        return outputs

    def jacobian(self, latent: Floats) -> Floats:
        """Jacobian `(D, k)` at one latent `(k,)`."""
        jacobian: Floats = np.cos(self.frequencies @ latent + self.phases)[:, None] * self.frequencies
        return jacobian


@dataclass(frozen=True)
class Polynomial:
    """`B z + C q(z)`, with q all products `z_i z_j`, i <= j: a polynomial of degree two.

    Attributes
    ----------
    linear : ndarray
        B, `(D, k)`.
    quadratic : ndarray
        C, `(D, k (k + 1) / 2)`.
    """

    linear: Floats
    quadratic: Floats

    def __call__(self, latents: Floats) -> Floats:
        """Map latents `(N, k)` to data `(N, D)`."""
        first, second = np.triu_indices(latents.shape[1])
        return latents @ self.linear.T + (latents[:, first] * latents[:, second]) @ self.quadratic.T

    def jacobian(self, latent: Floats) -> Floats:
        """Jacobian `(D, k)` at one latent `(k,)`."""
        first, second = np.triu_indices(len(latent))
        unit = np.eye(len(latent))
        slopes = unit[first] * latent[second, None] + unit[second] * latent[first, None]  # (products, k)
        jacobian: Floats = self.linear + self.quadratic @ slopes
        return jacobian


@dataclass(frozen=True)
class Scaled:
    """A map times a number."""

    inner: Map
    factor: float

    def __call__(self, latents: Floats) -> Floats:
        """Map latents `(N, k)` to data `(N, D)`."""
        return self.factor * self.inner(latents)

    def jacobian(self, latent: Floats) -> Floats:
        """Jacobian `(D, k)` at one latent `(k,)`."""
        return self.factor * self.inner.jacobian(latent)


def _layer(rng: np.random.Generator, width: int, inputs: int, variance: float) -> Floats:
    """Weights `(width, inputs)` of variance `variance / inputs`."""
    weights: Floats = rng.standard_normal((width, inputs)) * np.sqrt(variance / inputs)
    return weights


def tanh_net(inputs: int, dimension: int, hidden: int, rng: np.random.Generator) -> Net:
    """Draw `W3 tanh(W2 tanh(W1 z))`: smooth, curved everywhere."""
    weights = (
        _layer(rng, hidden, inputs, TANH_GAIN**2),
        _layer(rng, hidden, hidden, TANH_GAIN**2),
        _layer(rng, dimension, hidden, 1.0),
    )
    return Net(weights, np.tanh, lambda before: 1 - np.tanh(before) ** 2)


def _relu(before: Floats) -> Floats:
    return np.maximum(before, 0.0)


def relu_net(inputs: int, dimension: int, hidden: int, rng: np.random.Generator) -> Net:
    """Draw `W4 relu(W3 relu(W2 relu(W1 z)))`: four layers, in many flat pieces."""
    widths = [inputs, *[hidden] * (RELU_LAYERS - 1)]
    inner = [_layer(rng, width, before, 2.0) for before, width in pairwise(widths)]
    last = _layer(rng, dimension, hidden, 1.0)
    return Net((*inner, last), _relu, lambda before: np.where(before > 0, 1.0, 0.0))


def sinusoids(inputs: int, dimension: int, hidden: int | None, rng: np.random.Generator) -> Sinusoids:
    """Draw `sin(w_d . z + phase_d)`, `w_d ~ N(0, I / k)`, phases uniform: smooth, and none closes on itself.

    The argument of a sine has variance 1, so that it bends over most of its range and seldom comes round.
    """
    return Sinusoids(_layer(rng, dimension, inputs, 1.0), rng.uniform(0.0, 2 * np.pi, dimension))


def polynomial(inputs: int, dimension: int, hidden: int | None, rng: np.random.Generator) -> Polynomial:
    """Draw `B z + C q(z)`, of which the linear and the quadratic part have the same variance.

    Products of different coordinates have variance 1, squares 2.
    """
    products = inputs * (inputs + 1) // 2
    linear = _layer(rng, dimension, inputs, 1.0)
    return Polynomial(linear, rng.standard_normal((dimension, products)) / np.sqrt(products + inputs))


def linear(inputs: int, dimension: int, hidden: int | None, rng: np.random.Generator) -> Net:
    """Draw `Q S z`: orthonormal directions, the j-th with 1 / j of the variance of the first."""
    directions, _ = np.linalg.qr(rng.standard_normal((dimension, inputs)))
    strengths = 1 / np.sqrt(np.arange(1, inputs + 1))
    return Net((directions * strengths,), lambda before: before, np.ones_like)


@dataclass(frozen=True)
class Family:
    """How the maps of a family are drawn.

    Attributes
    ----------
    draw : callable
        From inputs, data dimension, hidden width and random generator to a map.
    hidden : callable or None
        Hidden width for n dimensions where none is given; None where there is no hidden layer.
    """

    draw: Callable[[int, int, int, np.random.Generator], Map]
    hidden: Callable[[int], int] | None = None


FAMILIES: Mapping[str, Family] = {
    "tanh": Family(tanh_net, lambda n: max(64, 2 * n)),
    "sinusoids": Family(sinusoids),
    "deep_relu": Family(relu_net, lambda n: max(128, 4 * n)),
    "polynomial": Family(polynomial),
    "linear": Family(linear),
}
"""Families by the name that the configuration gives them, beside `paper`."""


def draw_map(name: str, *, dimension: int, hidden: int, rng: np.random.Generator, sample: Floats) -> Map:
    """Draw a map of a family, scaled to unit variance of the data, on average over columns, on the sample.

    `sample` are inputs `(N, k)`; `hidden` counts only where the family has hidden layers.
    """
    unscaled = FAMILIES[name].draw(sample.shape[1], dimension, hidden, rng)
    return Scaled(unscaled, float(1 / np.sqrt(unscaled(sample).var(axis=0).mean())))
