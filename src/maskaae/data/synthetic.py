"""The paper's synthetic data: a known number of latent dimensions behind a fixed random net (Figure 9).

`z ~ N(0, I_n)` goes through a fixed, randomly weighted, fully connected net `f` of two layers with a leaky
ReLU after each, and `x = f(z)` has D = 128 numbers. The paper gives n = 8 and n = 16 and asks of f that it be
Lipschitz (assumption A1) and have rank n almost everywhere. Hidden width, slope, weight law and split sizes
are found nowhere: they are our choice. Two other laws of the latents, `uniform` and `torus`, and other maps f
(`maskaae.data.families`) make other data of known n, for comparing ways to find it (our choice).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskaae.data.dataset import DatasetInfo
from maskaae.data.families import FAMILIES, Map, draw_map
from maskaae.data.writer import write_dataset

Floats = NDArray[np.float64]

PAPER = "paper"
"""Family of the paper's own generator."""
CALIBRATION_EXAMPLES = 10_000
DEFAULT_SLOPE = 0.2
JACOBIAN_POINTS = 32
RANK_TOLERANCE = 1e-6
"""Singular values below this share of the largest count as zero; a random net of full rank stays above."""


@dataclass(frozen=True)
class LatentLaw:
    """Law of the generator's inputs: n coordinates, and how they become inputs of mean 0 and variance 1.

    Attributes
    ----------
    inputs_each : int
        Inputs that one coordinate becomes.
    draw : callable
        From a random generator and a shape to coordinates.
    embed : callable
        From coordinates `(N, n)` to inputs `(N, inputs_each * n)`.
    tangent : callable
        Derivative of `embed` at one point `(n,)`: `(inputs_each * n, n)`.
    """

    inputs_each: int
    draw: Callable[[np.random.Generator, tuple[int, ...]], Floats]
    embed: Callable[[Floats], Floats]
    tangent: Callable[[Floats], Floats]


def _on_circles(angles: Floats) -> Floats:
    """Inputs `sqrt(2) (cos, sin)` of each angle: `(N, n)` to `(N, 2n)`."""
    inputs: Floats = np.sqrt(2.0) * np.concatenate([np.cos(angles), np.sin(angles)], axis=-1)
    return inputs


def _along_circles(angles: Floats) -> Floats:
    """Derivative of `_on_circles` at one point, `(2n, n)`."""
    tangent: Floats = np.sqrt(2.0) * np.concatenate([np.diag(-np.sin(angles)), np.diag(np.cos(angles))])
    return tangent


GAUSSIAN = LatentLaw(1, lambda rng, shape: rng.standard_normal(shape), lambda z: z, lambda z: np.eye(len(z)))
UNIFORM = LatentLaw(
    1,
    lambda rng, shape: rng.uniform(-np.sqrt(3.0), np.sqrt(3.0), shape),
    lambda z: z,
    lambda z: np.eye(len(z)),
)
TORUS = LatentLaw(2, lambda rng, shape: rng.uniform(0.0, 2 * np.pi, shape), _on_circles, _along_circles)
LATENT_LAWS: Mapping[str, LatentLaw] = {"gaussian": GAUSSIAN, "uniform": UNIFORM, "torus": TORUS}
"""Laws by the name that the config gives them: `gaussian` is the paper's; a torus is curved and closed."""


@dataclass(frozen=True)
class Generator:
    """The fixed net `f(z) = leaky(W2 leaky(W1 z))`, without biases (our choice).

    Attributes
    ----------
    first, second : ndarray
        Weights W1 `(hidden, n)` and W2 `(D, hidden)`.
    slope : float
        Slope of the leaky ReLU for negative inputs; greater than 0, or f would lose rank.
    """

    first: Floats
    second: Floats
    slope: float

    def __call__(self, latents: Floats) -> Floats:
        """Map latents `(N, n)` to data `(N, D)`."""
        hidden = self._leaky(latents @ self.first.T)  # (N, hidden)
        return self._leaky(hidden @ self.second.T)

    def jacobian(self, latent: Floats) -> Floats:
        """Jacobian `(D, n)` of f at one latent `(n,)`."""
        before_first = self.first @ latent
        before_second = self.second @ self._leaky(before_first)
        inner = self._slopes(before_first)[:, None] * self.first  # (hidden, n)
        return self._slopes(before_second)[:, None] * (self.second @ inner)

    def lipschitz_bound(self) -> float:
        """Upper bound of the Lipschitz constant: the product of the layers' spectral norms (A1)."""
        steepest = max(1.0, self.slope)
        return float(np.linalg.norm(self.first, 2) * np.linalg.norm(self.second, 2) * steepest**2)

    def _leaky(self, inputs: Floats) -> Floats:
        return np.where(inputs > 0, inputs, self.slope * inputs)

    def _slopes(self, inputs: Floats) -> Floats:
        return np.where(inputs > 0, 1.0, self.slope)


def default_hidden(n: int, family: str = PAPER) -> int:
    """Width of the hidden layers where none is given (our choice); of a family without any, n."""
    if family == PAPER:
        return max(64, 2 * n)
    chosen = FAMILIES[family].hidden
    return n if chosen is None else chosen(n)


def make_generator(
    n: int,
    *,
    hidden: int,
    dimension: int,
    slope: float,
    rng: np.random.Generator,
    law: LatentLaw = GAUSSIAN,
) -> Generator:
    """Draw the generator's weights.

    Each layer's weights are N(0, 1 / fan_in); the second layer is then multiplied by one number so that the
    outputs have unit variance on average. Both are our choice.

    Raises
    ------
    ValueError
        If f cannot have rank n: a layer narrower than n, or a slope of zero.
    """
    check_sizes(n=n, hidden=hidden, dimension=dimension, law=law)
    if slope <= 0:
        raise ValueError(f"slope is {slope}; it must be greater than 0, or the generator loses rank")
    inputs = law.inputs_each * n
    first = rng.standard_normal((hidden, inputs)) / np.sqrt(inputs)
    second = rng.standard_normal((dimension, hidden)) / np.sqrt(hidden)
    # f is positively homogeneous in W2, so a factor of W2 is a factor of its outputs.
    outputs = Generator(first, second, slope)(law.embed(law.draw(rng, (CALIBRATION_EXAMPLES, n))))
    return Generator(first, second / np.sqrt(outputs.var(axis=0).mean()), slope)


def check_sizes(*, n: int, hidden: int, dimension: int, law: LatentLaw = GAUSSIAN) -> None:
    """Refuse layer sizes with which the generator cannot have rank n, by ValueError."""
    if n > dimension:
        raise ValueError(f"n is {n}, more than the data dimension {dimension}; give 1 <= n <= {dimension}")
    if hidden < n:
        raise ValueError(f"hidden is {hidden}, less than n = {n}; the generator would have rank {hidden}")
    if hidden < law.inputs_each * n:
        raise ValueError(
            f"hidden is {hidden}, less than the generator's {law.inputs_each * n} inputs; give that many"
        )


def check_family(spec: Mapping[str, Any]) -> None:
    """Refuse, by ValueError, sizes with which a map cannot have rank n, and keys that its family has not."""
    family, n, law = spec["family"], spec["n"], LATENT_LAWS[spec["latent"]]
    hidden = default_hidden(n, family) if spec["hidden"] is None else spec["hidden"]
    if family != PAPER and spec["slope"] != DEFAULT_SLOPE:
        raise ValueError(f"slope is {spec['slope']}, but only family `{PAPER}` has a slope; leave it out")
    if family == PAPER or FAMILIES[family].hidden is not None:
        check_sizes(n=n, hidden=hidden, dimension=spec["dimension"], law=law)
    elif spec["hidden"] is not None:
        raise ValueError(f"hidden is {hidden}, but family `{family}` has no hidden layer; leave it out")
    elif law.inputs_each * n > spec["dimension"]:
        raise ValueError(
            f"n is {n}, which makes {law.inputs_each * n} inputs, more than the data dimension "
            f"{spec['dimension']}; give a smaller n or a larger dimension"
        )


def check_jacobian_rank(
    generator: Map, n: int, rng: np.random.Generator, law: LatentLaw = GAUSSIAN
) -> Floats:
    """Singular values `(JACOBIAN_POINTS, n)` of the Jacobian at random points, largest first.

    The Jacobian is that of the map from the law's n coordinates to the data. ValueError if its rank is below
    n at one of the points.
    """
    points = law.draw(rng, (JACOBIAN_POINTS, n))
    jacobians = [generator.jacobian(law.embed(point)) @ law.tangent(point) for point in points]  # (D, n) each
    values = np.stack([np.linalg.svd(jacobian, compute_uv=False) for jacobian in jacobians])
    ranks = (values > RANK_TOLERANCE * values[:, :1]).sum(axis=1)  # (JACOBIAN_POINTS,)
    if (ranks < n).any():
        raise ValueError(
            f"the generator's Jacobian has rank {ranks.min()} at {(ranks < n).sum()} of {JACOBIAN_POINTS} "
            f"random points, but n = {n} was asked for; choose another seed or a greater hidden width"
        )
    return values


def draw_examples(
    generator: Map,
    shape: tuple[int, int],
    *,
    law: LatentLaw,
    noise: float,
    latent_rng: np.random.Generator,
    noise_rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Draw examples `x = f(z) + noise * e`, e ~ N(0, I_D), of `(N, n)` coordinates, as float32 `(N, D)`."""
    outputs = generator(law.embed(law.draw(latent_rng, shape)))
    if noise > 0:
        outputs += noise * noise_rng.standard_normal(outputs.shape)
    return outputs.astype(np.float32)


def draw_generator(spec: Mapping[str, Any], rng: np.random.Generator) -> Map:
    """Draw the map that a resolved `spec` describes."""
    family, n, dimension, law = spec["family"], spec["n"], spec["dimension"], LATENT_LAWS[spec["latent"]]
    hidden = default_hidden(n, family) if spec["hidden"] is None else spec["hidden"]
    if family == PAPER:
        return make_generator(n, hidden=hidden, dimension=dimension, slope=spec["slope"], rng=rng, law=law)
    sample = law.embed(law.draw(rng, (CALIBRATION_EXAMPLES, n)))
    return draw_map(family, dimension=dimension, hidden=hidden, rng=rng, sample=sample)


def prepare(spec: Mapping[str, Any], raw: Path, folder: Path, workers: int = 1) -> DatasetInfo:
    """Write the synthetic data set that `spec` describes.

    The weights, the rank check and each split have random streams of their own, so a longer training split
    changes neither the generator nor the test split. `dataset.json` gets the family, the extreme singular
    values, and of the paper's generator layer sizes and Lipschitz bound; ValueError if it has not rank n.
    """
    streams = [np.random.default_rng(child) for child in np.random.SeedSequence(spec["seed"]).spawn(6)]
    weight_rng, rank_rng, train_rng, test_rng, train_noise_rng, test_noise_rng = streams
    n, noise, law = spec["n"], spec["noise"], LATENT_LAWS[spec["latent"]]
    generator = draw_generator(spec, weight_rng)
    singular_values = check_jacobian_rank(generator, n, rank_rng, law)
    train, test = (
        draw_examples(generator, (spec[size], n), law=law, noise=noise, latent_rng=rng, noise_rng=noise_rng)
        for size, rng, noise_rng in (
            ("n_train", train_rng, train_noise_rng),
            ("n_test", test_rng, test_noise_rng),
        )
    )
    details = {
        "family": spec["family"],
        "latent": spec["latent"],
        "noise": noise,
        "seed": spec["seed"],
        "jacobian_ranks": {"points": JACOBIAN_POINTS, "rank": n, "tolerance": RANK_TOLERANCE},
        "smallest_singular_value": float(singular_values.min()),
        "largest_singular_value": float(singular_values.max()),
    }
    if isinstance(generator, Generator):
        details |= {
            "layers": [law.inputs_each * n, len(generator.first), spec["dimension"]],
            "slope": generator.slope,
            "lipschitz_bound": generator.lipschitz_bound(),
        }
    return write_dataset(
        folder, name=spec["name"], source="synthetic", train=train, test=test, n=n, details=details
    )
