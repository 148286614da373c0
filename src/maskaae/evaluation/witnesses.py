"""Other witnesses beside a count: what estimators that train nothing say, and whether that agrees with it.

TwoNN and MLE read the dimension from distances to neighbours. Both assume that around every row the others
lie as if spread evenly in d dimensions. Repeated rows and columns of few values break that, so the assumption
is tested on the data, and where it fails a witness says why it cannot answer. Both are too low where
neighbours are far apart, from about ten dimensions on; what they say of Gaussian data of known dimension, in
as many rows, corrects that, as in DANCo (Ceruti et al. 2014). Local PCA counts curvature as dimensions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskaae.evaluation.dimension import (
    DISCARDED,
    LOCAL_NEIGHBOURS,
    MLE_NEIGHBOURS,
    Floats,
    large_components,
    mle_of,
    neighbours,
    two_nn_of,
)

TWO_NN, MLE, LOCAL_PCA = "TwoNN", "MLE", "local PCA"
ROWS = 2000
"""Rows that are looked at, at most: 4,000 take three times as long and say the same within 3 %."""
FEWEST_ROWS = 100
"""Fewer different rows scatter TwoNN by more than a tenth of its value (our choice)."""
LOCAL_FEWEST_ROWS = 5 * LOCAL_NEIGHBOURS
"""With fewer rows the neighbours are more than a fifth of all, so no longer near (our choice)."""
CENTRES = 200
"""Rows around which local PCA looks."""
REPEATED = 1e-6
"""Rows nearer to each other than this share of the data's spread count as one (our choice)."""
MISFIT = 0.1
"""Largest distance between the law of the ratios and what was found. Flat, curved and noisy data stay below
0.06, columns of few values and nearly repeated rows lie above 0.1 (our choice)."""
TIE = 1e-7
"""Distances that differ by no more than this share are equal; rounding makes differences of 1e-8."""
TIED = 0.1
"""From this share of rows on with two nearest neighbours equally far, columns hold too few values."""
LOCAL_LARGEST = 2 * LOCAL_NEIGHBOURS // 5
"""With more dimensions the smallest variances of so few neighbours look small by chance."""
KNOWN_DIMENSIONS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
"""Dimensions of the Gaussian data that correct TwoNN and MLE."""

SLACK = 2.0
"""Counts no further than this from what witnesses say agree with them."""
EXCESS = 0.25
"""On noisy data the lowest of them is up to so much too large, as a share."""
FAITHFUL, SHORTFALL = 12.0, 1.5
"""Where the median is larger than the first, each further dimension can stand for so many more."""
LOCAL_EXCESS = 2.0
"""Local PCA says up to so many times the dimension of curved data."""
MORE = (
    "Either the data are curved or closed, like a circle, so that a map needs more coordinates than they "
    "have dimensions; or the net is too small or trained too briefly, and spreads a dimension over several "
    "coordinates. If a wider net or more steps lower the count, it was the net."
)
"""What it means that a count is larger than witnesses leave room for."""
FEWER = (
    "Either the data are noisy, and neighbours see the noise, which the count leaves out; or the net cannot "
    "yet reconstruct what the data hold. If a wider net or more steps raise the count, it was the net."
)
"""What it means that a count is smaller."""


@dataclass(frozen=True)
class Witness:
    """What an estimator that trains nothing says about the dimension.

    Attributes
    ----------
    name : str
        `TwoNN`, `MLE` or `local PCA`.
    dimension : float or None
        Estimate; None where it cannot say.
    reason : str
        Why it cannot say; of an estimate, the rows that it was read from.
    """

    name: str
    dimension: float | None
    reason: str


def witnesses(rows: NDArray[Any], seed: int = 0) -> tuple[Witness, ...]:
    """Ask TwoNN, MLE and local PCA, in this order, for the dimension of rows (N, D) or images (N, H, W, C).

    The seed draws `ROWS` of the rows, where there are more, and the Gaussian data of the correction. Rows are
    taken as they are: scale columns of different units first.
    """
    drawing, simulating = (np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(2))
    chosen = np.sort(drawing.permutation(len(rows))[:ROWS])
    x = merge_repeated(np.asarray(rows[chosen], dtype=np.float64).reshape(len(chosen), -1))
    if len(x) < FEWEST_ROWS:
        reason = f"only {len(x)} of {len(chosen)} rows differ, and it needs {FEWEST_ROWS}"
        return tuple(Witness(name, None, reason) for name in (TWO_NN, MLE, LOCAL_PCA))
    distances, places = neighbours(x, min(LOCAL_NEIGHBOURS, len(x) - 1))
    read_from = f"read from {len(x)} different rows of {len(rows)}"
    return (
        *_from_distances(distances[:, :MLE_NEIGHBOURS], x.shape[1], read_from, simulating),
        _from_local_pca(x, distances, places, read_from),
    )


def merge_repeated(x: Floats) -> Floats:
    """One row of each group of rows `(N, D)` that lie nearer to each other than `REPEATED` of the spread.

    The spread is the root mean square distance of rows from their mean.
    """
    from scipy.sparse.csgraph import connected_components  # here: figures only need counts
    from sklearn.neighbors import radius_neighbors_graph

    x = np.unique(x - x.mean(axis=0), axis=0)
    spread = float(np.sqrt(np.square(x).sum(axis=1).mean()))
    if len(x) < 2 or spread == 0:
        return x[:1]
    _, group = connected_components(radius_neighbors_graph(x, REPEATED * spread), directed=False)
    return x[np.unique(group, return_index=True)[1]]


def _from_distances(
    distances: Floats, columns: int, read_from: str, rng: np.random.Generator
) -> tuple[Witness, Witness]:
    """TwoNN and MLE from the distances `(N, MLE_NEIGHBOURS)` to neighbours, corrected."""
    reason = _why_not(distances)
    if reason:
        return Witness(TWO_NN, None, reason), Witness(MLE, None, reason)
    raw = np.array([two_nn_of(distances), mle_of(distances)])
    two_nn, mle = (
        Witness(name, min(float(value), float(columns)), read_from)
        if np.isfinite(value)
        else Witness(name, None, f"{len(distances)} rows show no more than {KNOWN_DIMENSIONS[-1]} dimensions")
        for name, value in zip((TWO_NN, MLE), _corrected(raw, len(distances), rng), strict=True)
    )
    return two_nn, mle


def _why_not(distances: Floats) -> str:
    """Why distances to neighbours show no dimension; empty if they do."""
    tied = _tied(distances)
    if tied > TIED:
        return (
            f"in {tied:.0%} of the rows the two nearest neighbours are equally far: columns hold few values"
        )
    pooled = _misfit(np.log(distances[:, -1:] / distances[:, :-1]).ravel(), mle_of(distances))
    nearest = _misfit(np.log(distances[:, 1] / distances[:, 0]), two_nn_of(distances), kept=1 - DISCARDED)
    if max(pooled, nearest) > MISFIT:
        return "neighbours do not lie as in any one dimension: many rows nearly repeat each other"
    return ""


def _tied(distances: Floats) -> float:
    """Share of the rows whose two nearest neighbours are equally far."""
    return float((distances[:, 1] <= distances[:, 0] * (1 + TIE)).mean())


def _misfit(ratios: Floats, dimension: float, kept: float = 1.0) -> float:
    """Largest distance between the distribution of logarithms of ratios, `(N,)`, and its law `1 - exp(-d r)`.

    Only the share `kept` of the smallest ratios is looked at.
    """
    ordered = np.sort(ratios)[: int(len(ratios) * kept)]
    found = (np.arange(len(ordered)) + 0.5) / len(ratios)
    return float(np.abs(-np.expm1(-dimension * ordered) - found).max())


def _corrected(raw: Floats, rows: int, rng: np.random.Generator) -> Floats:
    """Dimensions of Gaussian data, in as many rows, of which TwoNN and MLE `(2,)` say the same; or infinity.

    Data of growing dimension are drawn until both say more; between two dimensions it is interpolated.
    """
    known, said = [0.0], [np.zeros(2)]
    for n in KNOWN_DIMENSIONS:
        distances, _ = neighbours(rng.standard_normal((rows, n)), MLE_NEIGHBOURS)
        known.append(n)
        said.append(np.maximum(said[-1], [two_nn_of(distances), mle_of(distances)]))
        if (said[-1] >= raw).all():
            break
    columns = zip(raw, np.stack(said).T, strict=True)
    return np.array([np.interp(value, of_known, known, right=np.inf) for value, of_known in columns])


def _from_local_pca(x: Floats, distances: Floats, places: NDArray[np.int64], read_from: str) -> Witness:
    """Local PCA around some of the rows `(N, D)`, whose neighbours are at `places`."""
    tied = _tied(distances)
    if len(x) < LOCAL_FEWEST_ROWS:
        reason = f"{len(x)} different rows are too few: its {LOCAL_NEIGHBOURS} neighbours would not be near"
        return Witness(LOCAL_PCA, None, reason)
    if tied > TIED:
        reason = f"columns hold few values, so that no {LOCAL_NEIGHBOURS} neighbours are near"
        return Witness(LOCAL_PCA, None, reason)
    centres = places[np.linspace(0, len(x) - 1, CENTRES).astype(int)]
    dimension = float(np.mean([large_components(x[near]) for near in centres]))
    if dimension > LOCAL_LARGEST:
        reason = f"{LOCAL_NEIGHBOURS} neighbours show no more than {LOCAL_LARGEST} dimensions"
        return Witness(LOCAL_PCA, None, reason)
    return Witness(LOCAL_PCA, dimension, read_from)


@dataclass(frozen=True)
class Agreement:
    """Whether witnesses agree with a count.

    Attributes
    ----------
    agrees : bool or None
        None where no witness could say. False is worth a warning.
    sentence : str
        What they say, and what it means for the count.
    """

    agrees: bool | None
    sentence: str


def agreement(count: int, heard: Sequence[Witness]) -> Agreement:
    """Say whether witnesses agree with a count, and what it means if not.

    A count is too large if it exceeds the median of what they find by more than they were found to be too low
    by, on data of known dimension (docs/dimensions.md); too small, if it is below all of them by as much as
    noise was found to add.
    """
    said = {witness.name: witness.dimension for witness in heard if witness.dimension is not None}
    words = _words(heard)
    if not said:
        return Agreement(None, f"{words} So nothing stands beside the count of {count}.")
    lowest, highest = _range(said)
    if count > highest:
        return Agreement(False, f"{words} The count of {count} is larger. {MORE}")
    if count < lowest:
        return Agreement(False, f"{words} The count of {count} is smaller. {FEWER}")
    return Agreement(True, f"{words} They agree with the count of {count}, as nearly as they can tell.")


def _words(heard: Sequence[Witness]) -> str:
    """One sentence of all numbers, then one of each reason for which there is none."""
    numbers = [
        f"{witness.name} {witness.dimension:.1f}" for witness in heard if witness.dimension is not None
    ]
    sentences = [f"Other estimators find {', '.join(numbers)}."] if numbers else []
    silent: dict[str, list[str]] = {}
    for witness in heard:
        if witness.dimension is None:
            silent.setdefault(witness.reason, []).append(witness.name)
    sentences += [f"No number from {', '.join(names)}: {reason}." for reason, names in silent.items()]
    return " ".join(sentences)


def _range(said: Mapping[str, float]) -> tuple[float, float]:
    """Smallest and largest count that the witnesses' numbers leave room for."""
    if said.keys() == {LOCAL_PCA}:
        return said[LOCAL_PCA] / LOCAL_EXCESS - SLACK, said[LOCAL_PCA] + SLACK
    low, middle = min(said.values()), float(np.median(list(said.values())))
    return low - max(SLACK, low * EXCESS), middle + SLACK + SHORTFALL * max(0.0, middle - FAITHFUL)
