"""How often the count of active dimensions is right, run by run, where n is known."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from maskaae.claims.measured import Measured
from maskaae.evaluation.protocol import COUNT_RANGE, last
from maskaae.evaluation.stability import NEARLY


class Accuracy(NamedTuple):
    """How near to n the counts of several runs are.

    Attributes
    ----------
    runs : int
        Runs (seeds times capacities, over all data sets that are looked at).
    exact, nearly : float
        Shares of runs off by 0, and by at most `NEARLY`.
    furthest : int
        The largest error of a run.
    """

    runs: int
    exact: float
    nearly: float
    furthest: int


def counts(measured: Measured) -> pd.DataFrame:
    """Every count of MAAE at capacities from n on, with the true dimension.

    Returns
    -------
    DataFrame
        dataset, n, m, seed, active, and where it was measured active_low and active_high (see
        `maskaae.evaluation.counts`): at the last checkpoint; lost seeds have no row.
    """
    metrics = measured.metrics
    ranges = [name for name in COUNT_RANGE if name in metrics]
    columns = ["dataset", "n", "m", "seed", "active", *ranges]
    at_end = last(metrics[metrics["model"] == "maae"]).dropna(subset=["active"])
    tables = [
        at_end[(at_end["dataset"] == dataset) & (at_end["m"] >= n)].assign(n=n).sort_values(["m", "seed"])
        for dataset, n in measured.known.items()
    ]
    found = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)
    return found[columns].astype({"m": int, "active": int})


def accuracy(found: pd.DataFrame) -> Accuracy:
    """Shares of runs whose count is right, and nearly so.

    Parameters
    ----------
    found : DataFrame
        From `counts`, or some of its rows; not empty.
    """
    error = (found["active"] - found["n"]).abs()
    return Accuracy(
        runs=len(error),
        exact=float((error == 0).mean()),
        nearly=float((error <= NEARLY).mean()),
        furthest=int(error.max()),
    )
