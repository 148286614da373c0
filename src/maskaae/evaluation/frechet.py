"""Fréchet distance between two Gaussians, and the streaming statistics that it needs.

Everything is float64: the distance is a small difference of large traces.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import blas, lapack
from torch import Tensor

FloatArray = NDArray[np.float64]

FULL_RANK = 1e-10
"""Smallest Cholesky pivot, relative to the largest variance, that counts as full rank (our choice)."""


@dataclass(frozen=True)
class GaussianStatistics:
    """Mean (F,) and covariance (F, F), unbiased and in float64, of `n_vectors` feature vectors."""

    mean: FloatArray
    covariance: FloatArray
    n_vectors: int

    def __post_init__(self) -> None:
        """Refuse shapes that do not belong together."""
        features = len(self.mean)
        if self.mean.ndim != 1 or self.covariance.shape != (features, features):
            raise ValueError(
                f"mean of shape {self.mean.shape} and covariance of shape {self.covariance.shape} "
                "do not belong together: expected (F,) and (F, F)"
            )

    @property
    def finite(self) -> bool:
        """Whether every entry is finite; statistics of a diverged model are not."""
        return bool(np.isfinite(self.mean).all() and np.isfinite(self.covariance).all())


def save_statistics(statistics: GaussianStatistics, path: Path) -> None:
    """Write statistics as an npz file of mean, covariance and count."""
    np.savez(path, mean=statistics.mean, covariance=statistics.covariance, count=statistics.n_vectors)


def load_statistics(path: Path) -> GaussianStatistics:
    """Read what `save_statistics` wrote.

    ValueError if an array is missing, or the file holds anything but arrays of numbers.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except ValueError as error:  # a pickle, or arrays of Python objects
        raise ValueError(f"{path}: no npz file of numbers: {error}") from error
    missing = {"mean", "covariance", "count"} - set(arrays)
    if missing:
        raise ValueError(f"{path}: no array {', '.join(sorted(missing))}; expected mean, covariance, count")
    return GaussianStatistics(arrays["mean"], arrays["covariance"], int(arrays["count"]))


class StreamingStatistics:
    """Mean and covariance of vectors (N, F) accumulated batch by batch in float64.

    Batches are merged by the pairwise update of Chan, Golub and LeVeque (1983), which centres each batch
    before squaring it, so that a mean far from zero costs no digits. Memory does not grow with the number of
    vectors.
    """

    def __init__(self, features: int) -> None:
        self._n_vectors = 0
        self._mean: FloatArray = np.zeros(features)
        self._scatter: FloatArray = np.zeros((features, features))

    def update(self, batch: ArrayLike) -> None:
        """Add a batch of feature vectors (N, F), possibly none; ValueError if the shape is another."""
        vectors = np.asarray(batch, dtype=np.float64)
        if vectors.ndim != 2 or vectors.shape[1] != len(self._mean):
            raise ValueError(f"batch of shape {vectors.shape}: expected (N, {len(self._mean)})")
        if len(vectors) == 0:
            return
        total = self._n_vectors + len(vectors)
        batch_mean = vectors.mean(axis=0)
        centred = vectors - batch_mean
        shift = batch_mean - self._mean
        self._scatter += centred.T @ centred
        self._scatter += np.outer(shift, shift) * (self._n_vectors * len(vectors) / total)
        self._mean = self._mean + shift * (len(vectors) / total)
        self._n_vectors = total

    def statistics(self) -> GaussianStatistics:
        """Statistics of everything seen so far; ValueError below two vectors, which have no covariance."""
        if self._n_vectors < 2:
            raise ValueError(f"a covariance needs at least 2 vectors, got {self._n_vectors}")
        return GaussianStatistics(self._mean.copy(), self._scatter / (self._n_vectors - 1), self._n_vectors)


def frechet_distance(a: GaussianStatistics, b: GaussianStatistics) -> float:
    """Squared Fréchet distance of two Gaussians (Dowson and Landau 1982; as FID: Heusel et al. 2017).

    `|mean_a - mean_b|^2 + tr A + tr B - 2 tr (A B)^(1/2)` for covariances A and B, which may be singular.
    It is in squared units of the features; a round-off below 0 is returned as 0. ValueError if the numbers of
    features differ, an entry is not finite, or a covariance has a negative eigenvalue.
    """
    if a.mean.shape != b.mean.shape:
        raise ValueError(f"{len(a.mean)} features against {len(b.mean)}: expected one feature space")
    if not (a.finite and b.finite):
        raise ValueError("statistics contain NaN or infinite values: the Fréchet distance is undefined")
    shift = a.mean - b.mean
    traces = np.trace(a.covariance) + np.trace(b.covariance)
    distance = shift @ shift + traces - 2.0 * _trace_sqrt_product(a.covariance, b.covariance)
    return max(float(distance), 0.0)


def _trace_sqrt_product(a: FloatArray, b: FloatArray) -> float:
    """Trace of (A B)^(1/2): the sum of singular values of F_A^T F_B, with A = F_A F_A^T, B = F_B F_B^T."""
    lower_a, lower_b = _cholesky(a), _cholesky(b)
    if lower_a is not None and lower_b is not None:  # eigenvalues of the square: three times faster, as exact
        cross = blas.dtrmm(1.0, lower_a, lower_b, trans_a=True, lower=True)
        squares = scipy.linalg.eigvalsh(blas.dsyrk(1.0, cross, lower=True), lower=True, overwrite_a=True)
        return float(np.sqrt(np.maximum(squares, 0.0)).sum())
    factor_a = _deficient_factor(a) if lower_a is None else lower_a
    factor_b = _deficient_factor(b) if lower_b is None else lower_b
    cross = factor_a.T @ factor_b  # (rank of A, rank of B)
    # A zero singular value comes out as 1e-16, the root of its square as 1e-8: too much if there are many.
    return float(scipy.linalg.svdvals(cross).sum()) if cross.size else 0.0


def _cholesky(covariance: FloatArray) -> FloatArray | None:
    """Lower triangle F of a covariance F F^T of full rank; None of another."""
    try:
        lower: FloatArray = scipy.linalg.cholesky(covariance, lower=True)
    except scipy.linalg.LinAlgError:
        return None
    return lower if np.diag(lower).min() ** 2 >= FULL_RANK * np.diag(covariance).max() else None


def _deficient_factor(covariance: FloatArray) -> FloatArray:
    """F of shape (features, rank): Cholesky with pivots, which ends where the rank does, or eigenvectors."""
    round_off = len(covariance) * np.finfo(np.float64).eps * np.diag(covariance).max()
    packed, pivots, rank, _ = lapack.dpstrf(covariance, tol=round_off, lower=True)
    factor = np.empty((len(covariance), rank))
    factor[pivots - 1] = np.tril(packed)[:, :rank]
    rest = np.abs(covariance - factor @ factor.T).max()
    # Pivots end where no entry of the rest is above round-off, and sums over the rank add about as much. Ten
    # times round-off is no rounding: a direction has a negative variance, and eigenvalues name it.
    return factor if rest <= 10 * round_off else _eigen_factor(covariance)


def _eigen_factor(covariance: FloatArray) -> FloatArray:
    """Eigenvectors scaled by the root of their eigenvalue, without those that are zero up to round-off."""
    eigenvalues, eigenvectors = scipy.linalg.eigh(covariance)
    round_off = len(eigenvalues) * np.finfo(np.float64).eps * max(abs(eigenvalues[0]), abs(eigenvalues[-1]))
    if eigenvalues[0] < -1e3 * round_off:
        raise ValueError(
            f"covariance with an eigenvalue {eigenvalues[0]:.3g}: it must be positive semi-definite"
        )
    kept = eigenvalues > round_off
    return np.asarray(eigenvectors[:, kept] * np.sqrt(eigenvalues[kept]), dtype=np.float64)


class SeedStatistics:
    """`StreamingStatistics` of the vectors of every seed, (seed, batch, features)."""

    def __init__(self, seeds: int, features: int) -> None:
        self._of_seed = [StreamingStatistics(features) for _ in range(seeds)]

    def update(self, vectors: Tensor) -> None:
        """Add a batch of vectors, (seed, batch, features)."""
        for statistics, of_seed in zip(self._of_seed, vectors.cpu().numpy(), strict=True):
            statistics.update(of_seed)

    def statistics(self) -> list[GaussianStatistics]:
        """Return the statistics of each seed."""
        return [statistics.statistics() for statistics in self._of_seed]
