"""Images of known factors: one drawn shape, of which n things vary, none of them in a circle (our choice).

An image is a rounded shape on a plain background. Each factor that varies is `low + (high - low) Phi(z)`,
with `z ~ N(0, 1)` and Phi the normal distribution function: Gaussian latents, and values within bounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskaae.data.dataset import DatasetInfo
from maskaae.data.writer import write_dataset

Floats = NDArray[np.float64]

FACTORS: Mapping[str, tuple[float, float]] = {
    "x": (-0.38, 0.38),
    "y": (-0.38, 0.38),
    "size": (0.22, 0.48),
    "brightness": (130.0, 215.0),
    "elongation": (-0.4, 0.4),
    "background": (40.0, 90.0),
}
"""Factors with their lowest and highest value. Position and size (half a diameter) are shares of half the
image's side, elongation is the logarithm of width over height, brightness and background are grey levels; so
nothing is cut off by the border, and noise of up to 8 grey levels stays within 0 to 255."""
POWERS = (1.4, 4.0)
"""Range of the power p of the outline `|u|^p + |v|^p = 1`, which the seed draws: 1 is a diamond, 2 an
ellipse, 4 a rounded box."""
EDGE = 1.0
"""Width of the edge in pixels: so soft that the image changes with every part of a pixel."""
ROWS_AT_A_TIME = 1000
STEP = 1e-4
"""Step of the finite differences of the Jacobian."""
JACOBIAN_POINTS = 32
RANK_TOLERANCE = 1e-6
"""Singular values below this share of the largest count as zero."""


@dataclass(frozen=True)
class Shape:
    """What is drawn: factors that vary, values of the others, and the outline.

    Attributes
    ----------
    varying : tuple of str
        Names of the n factors that vary, in the order of `FACTORS`.
    power : float
        The outline's p.
    side : int
        Pixels of a side.
    """

    varying: tuple[str, ...]
    power: float
    side: int

    def __call__(self, latents: Floats) -> Floats:
        """Grey levels `(N, side, side)`, not rounded, of latents `(N, n)`."""
        factors = self.factors(latents)
        centres = (np.arange(self.side) + 0.5) / self.side * 2 - 1  # of pixels, from -1 to 1
        across = (centres - factors["x"][:, None]) / np.exp(factors["elongation"] / 2)[:, None]  # (N, side)
        down = (centres - factors["y"][:, None]) * np.exp(factors["elongation"] / 2)[:, None]
        power = self.power
        distance = (np.abs(down)[:, :, None] ** power + np.abs(across)[:, None, :] ** power) ** (1 / power)
        pixels_inside = (factors["size"][:, None, None] - distance) * self.side / 2  # (N, side, side)
        coverage = 1 / (1 + np.exp(-pixels_inside / (EDGE / 2)))
        background, brightness = (factors[name][:, None, None] for name in ("background", "brightness"))
        images: Floats = background + (brightness - background) * coverage
        return images

    def factors(self, latents: Floats) -> dict[str, Floats]:
        """Value `(N,)` of every factor; one that does not vary is in the middle of its range."""
        from scipy.special import ndtr

        share = {name: np.full(len(latents), 0.5) for name in FACTORS}
        share |= {name: ndtr(latents[:, place]) for place, name in enumerate(self.varying)}
        return {name: low + (high - low) * share[name] for name, (low, high) in FACTORS.items()}

    def jacobian(self, latent: Floats) -> Floats:
        """Jacobian `(side * side, n)` at one latent `(n,)`, by central differences."""
        steps = STEP * np.eye(len(latent))
        differences: Floats = self(latent + steps) - self(latent - steps)
        return differences.reshape(len(latent), -1).T / (2 * STEP)


def draw_shape(n: int, side: int, rng: np.random.Generator) -> Shape:
    """Draw which n factors vary, and the outline."""
    chosen = sorted(rng.permutation(len(FACTORS))[:n])
    return Shape(tuple(np.array(list(FACTORS))[chosen].tolist()), float(rng.uniform(*POWERS)), side)


def check_rank(shape: Shape, n: int, rng: np.random.Generator) -> Floats:
    """Singular values `(JACOBIAN_POINTS, n)` of the Jacobian at random points; ValueError if one is 0."""
    points = rng.standard_normal((JACOBIAN_POINTS, n))
    values = np.stack([np.linalg.svd(shape.jacobian(point), compute_uv=False) for point in points])
    if (values[:, -1] <= RANK_TOLERANCE * values[:, 0]).any():
        raise ValueError(
            f"factors {', '.join(shape.varying)} do not show in images of {shape.side} pixels a side"
        )
    return values


def draw_images(
    shape: Shape, count: int, *, noise: float, latent_rng: np.random.Generator, noise_rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Draw grey images uint8 `(count, side, side, 1)`, with Gaussian noise of so many grey levels.

    Noise beyond 0 or 255, which lie at least five of its largest standard deviations away, is cut off.
    """
    images = np.empty((count, shape.side, shape.side, 1), np.uint8)
    for start in range(0, count, ROWS_AT_A_TIME):
        part = images[start : start + ROWS_AT_A_TIME]
        grey = shape(latent_rng.standard_normal((len(part), len(shape.varying))))
        if noise > 0:
            grey += noise * noise_rng.standard_normal(grey.shape)
        part[..., 0] = np.rint(grey.clip(0, 255))
    return images


def prepare(spec: Mapping[str, Any], raw: Path, folder: Path, workers: int = 1) -> DatasetInfo:
    """Write the images that `spec` describes.

    The shape, the rank check and each split have random streams of their own, as with the synthetic source.
    """
    streams = [np.random.default_rng(child) for child in np.random.SeedSequence(spec["seed"]).spawn(6)]
    shape_rng, rank_rng, train_rng, test_rng, train_noise_rng, test_noise_rng = streams
    n, noise = spec["n"], spec["noise"]
    shape = draw_shape(n, spec["size"], shape_rng)
    singular_values = check_rank(shape, n, rank_rng)
    details = {
        "family": "shapes",
        "factors": list(shape.varying),
        "power": shape.power,
        "noise": noise,
        "seed": spec["seed"],
        "jacobian_ranks": {"points": JACOBIAN_POINTS, "rank": n, "tolerance": RANK_TOLERANCE},
        "smallest_singular_value": float(singular_values.min()),
        "largest_singular_value": float(singular_values.max()),
    }
    return write_dataset(
        folder,
        name=spec["name"],
        source="shapes",
        train=draw_images(
            shape, spec["n_train"], noise=noise, latent_rng=train_rng, noise_rng=train_noise_rng
        ),
        test=draw_images(shape, spec["n_test"], noise=noise, latent_rng=test_rng, noise_rng=test_noise_rng),
        n=n,
        details=details,
    )
