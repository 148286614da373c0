"""Time and error of the Fréchet distance against scipy's `sqrtm` and torch-fidelity.

    python benchmarks/frechet.py --dimensions 128 2048 4096 --output frechet.csv

Two covariances of a common eigenbasis with power-law spectra, as Inception features have, give the exact
distance in closed form; the eigenbasis is random, so that no solver can profit from it. Each case is run in
turn in one process, `--repeats` times or until it has taken a minute, and the fastest time is kept.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.linalg
from machine import describe
from torch_fidelity.metric_fid import fid_statistics_to_metric

from maskaae.evaluation.frechet import GaussianStatistics, frechet_distance

SEED = 0
LONG_ENOUGH = 60.0
"""Seconds after which a method is not repeated again: the square root of 4,096 dimensions takes minutes."""

DECAY = 1.5
"""Exponent of the spectrum: at 2,048 dimensions the variances span five orders of magnitude."""


def case(dimensions: int, rank: int) -> tuple[GaussianStatistics, GaussianStatistics, float]:
    """Two Gaussians with covariances of a given rank, and their exact squared distance."""
    rng = np.random.default_rng(SEED)
    basis, _ = np.linalg.qr(rng.standard_normal((dimensions, rank)))
    spectrum = np.arange(1, rank + 1) ** -DECAY
    spectra = spectrum, spectrum * rng.uniform(0.25, 4, rank)
    means = rng.standard_normal((2, dimensions)) / np.sqrt(dimensions)
    a, b = (
        GaussianStatistics(mean, (basis * values) @ basis.T, rank + 1)
        for mean, values in zip(means, spectra, strict=True)
    )
    roots = np.sqrt(spectra[0]) - np.sqrt(spectra[1])
    return a, b, float(np.sum((means[0] - means[1]) ** 2) + np.sum(roots**2))


def by_square_root(a: GaussianStatistics, b: GaussianStatistics) -> float:
    """Textbook form, as pytorch-fid and clean-fid compute it."""
    root = scipy.linalg.sqrtm(a.covariance @ b.covariance)
    shift = a.mean - b.mean
    return float(shift @ shift + np.trace(a.covariance + b.covariance) - 2 * np.trace(root).real)


def by_torch_fidelity(a: GaussianStatistics, b: GaussianStatistics) -> float:
    """Eigenvalues of the product, as torch-fidelity computes it."""
    statistics = [{"mu": s.mean, "sigma": s.covariance} for s in (a, b)]
    return float(fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"])


METHODS: dict[str, Callable[[GaussianStatistics, GaussianStatistics], float]] = {
    "maskaae": frechet_distance,
    "torch-fidelity": by_torch_fidelity,
    "sqrtm": by_square_root,
}


def measure(dimensions: int, rank: int, repeats: int) -> pd.DataFrame:
    """Seconds, relative error and time ratio of every method on one case."""
    a, b, exact = case(dimensions, rank)
    rows = []
    for method, distance in METHODS.items():
        seconds: list[float] = []
        while len(seconds) < repeats and sum(seconds) < LONG_ENOUGH:
            start = time.perf_counter()
            value = distance(a, b)
            seconds.append(time.perf_counter() - start)
        rows.append((method, min(seconds), abs(value / exact - 1)))
    table = pd.DataFrame(rows, columns=["method", "seconds", "relative_error"])
    table["times_maskaae"] = table["seconds"] / table["seconds"][0]
    return table.assign(dimensions=dimensions, rank=rank)


def main() -> None:
    """Measure every size at full rank and at half rank (fewer samples than dimensions)."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dimensions", type=int, nargs="+", default=[128, 2048, 4096])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    cases = [(d, rank) for d in arguments.dimensions for rank in (d, d // 2)]
    table = pd.concat([measure(d, rank, arguments.repeats) for d, rank in cases], ignore_index=True)
    print(table.to_string(index=False))
    if arguments.output:
        table.assign(**describe()).to_csv(arguments.output, index=False)


if __name__ == "__main__":
    main()
