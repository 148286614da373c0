"""Normalised absolute covariance of encoded vectors (eq 18)."""

import logging

import numpy as np
from numpy.typing import NDArray

from maskaae.evaluation.frechet import FloatArray

logger = logging.getLogger(__name__)


def normalised_absolute_covariance(covariance: FloatArray) -> FloatArray:
    """Normalise a covariance to |Cov_ij| / sqrt(Cov_ii Cov_jj), the matrix drawn in Figures 10-13.

    Parameters
    ----------
    covariance : numpy.ndarray
        Covariance of encoded vectors, shape (m, m).

    Returns
    -------
    numpy.ndarray
        Shape (m, m), values in [0, 1] up to round-off; NaN in the row and column of a constant dimension.
    """
    variances = np.diag(covariance)
    deviations = np.sqrt(np.where(variances > 0, variances, np.nan))
    normalised: FloatArray = np.abs(covariance) / np.outer(deviations, deviations)
    return normalised


def nac(covariance: FloatArray, active: NDArray[np.bool_]) -> float:
    """Mean off-diagonal normalised absolute covariance over the active dimensions (eq 18).

    Parameters
    ----------
    covariance : numpy.ndarray
        Covariance of encoded vectors, shape (m, m).
    active : numpy.ndarray
        Which dimensions the mask leaves open, shape (m,); all of them for a WAE.

    Returns
    -------
    float
        In [0, 1]; 0 for uncorrelated dimensions. NaN, with the reason in the log, where it is undefined: with
        fewer than two active dimensions, or when an active dimension is constant or not finite.
    """
    chosen = np.flatnonzero(active)
    if len(chosen) < 2:
        logger.warning("NAC undefined: %d active dimension(s), it needs at least 2", len(chosen))
        return float("nan")
    variances = np.diag(covariance)[chosen]
    degenerate = chosen[~(np.isfinite(variances) & (variances > 0))]
    if len(degenerate):
        logger.warning("NAC undefined: active dimension(s) %s constant or not finite", degenerate.tolist())
        return float("nan")
    normalised = normalised_absolute_covariance(covariance[np.ix_(chosen, chosen)])
    return float(normalised[~np.eye(len(chosen), dtype=bool)].mean())
