"""What claims are judged by: metrics arranged by seed and capacity, and the numbers beside the verdicts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from maskaae.evaluation.dimension import NEARLY
from maskaae.evaluation.protocol import COUNT_RANGE, RUN_KEYS, last
from maskaae.models.catalogue import TITLES
from maskaae.report.selection import choose_metric, model_name
from maskaae.report.statistics import t_interval

STUCK = 2.0
"""A seed is stuck if its last distance is above this many times the median of its run (our choice)."""
SCHEDULED = ("maae", "wae_nested")
"""Models of MAAE's schedule: with its mask, and without."""
ADVERSARIAL = ("wae", *SCHEDULED)
"""Models whose distances stand side by side."""
CAUSES = ("reconstruction_mse", "prior_divergence")
"""What tells why a seed is stuck: its auto-encoder, or the match of its codes with the prior."""


@dataclass(frozen=True)
class Thresholds:
    """From where on an effect counts (our choice, made before any result was looked at)."""

    rise: float = 0.1  # a distance or an error is higher if it is so by this share
    margin: float = 0.05  # two distances are equal if they differ by no more than this share
    count_error: float = 1.0  # a count is nearly n if it is on average no further away
    count_range: float = 2.0  # counts are about the same if largest and smallest are no further apart
    settled: float = 0.1  # at its lowest, or settled: within this share of its range over training
    divergence: float = 1.0  # nats by which the divergence from the prior grows, at least


@dataclass(frozen=True)
class Measured:
    """Runs of all data sets that a claim may ask for.

    Attributes
    ----------
    metrics : DataFrame
        A row a run, seed and checkpoint, with its preset; the distance that the data set is judged by in
        `value`.
    known : mapping
        Data sets whose true dimension n is known, with it.
    images : mapping
        Data sets of images, with the capacity that they show, if any.
    """

    metrics: pd.DataFrame
    known: Mapping[str, int]
    images: Mapping[str, int | None]
    thresholds: Thresholds = field(default_factory=Thresholds)

    @classmethod
    def of(
        cls,
        metrics: pd.DataFrame,
        metric: Mapping[str, str],
        known: Mapping[str, int],
        images: Mapping[str, int | None],
        thresholds: Thresholds,
    ) -> Measured:
        """Choose each data set's distance, as figures do (`maskaae.report.selection.choose_metric`)."""
        return cls(choose_metric(metrics, metric), known, images, thresholds)

    def at_end(self, dataset: str, model: str, column: str = "value") -> pd.DataFrame:
        """Table of a column at the last checkpoint, a row a seed, a column a capacity; empty without runs."""
        rows = self.metrics[(self.metrics["dataset"] == dataset) & (self.metrics["model"] == model)]
        if rows.empty:
            return pd.DataFrame()
        return last(rows).pivot(index="seed", columns="m", values=column).astype("float64")

    def over_training(self, dataset: str, model: str, m: int) -> pd.DataFrame:
        """Rows of one run, checkpoints in order."""
        chosen = self.metrics[["dataset", "model", "m"]].eq([dataset, model, m]).all(axis=1)
        return self.metrics[chosen].sort_values(["seed", "step"])

    def maae(self, dataset: str) -> str:
        """Name of MAAE on a data set, with the preset of its numbers."""
        return model_name("maae", self.metrics.loc[self.metrics["dataset"] == dataset, "preset"])

    def models(self, dataset: str) -> list[str]:
        """Models that were trained on a data set."""
        return list(self.metrics.loc[self.metrics["dataset"] == dataset, "model"].unique())


def capacities(table: pd.DataFrame) -> list[int]:
    """Capacities of `Measured.at_end`'s table, smallest first."""
    return [int(m) for m in table.columns]


def best_capacity(table: pd.DataFrame) -> int:
    """Capacity of `Measured.at_end`'s table with the lowest mean over seeds."""
    return capacities(table)[int(table.mean().argmin())]


class Accuracy(NamedTuple):
    """Number of runs, shares of them off from n by 0 and by at most `NEARLY`, and the largest error."""

    runs: int
    exact: float
    nearly: float
    furthest: int


def counts(measured: Measured) -> pd.DataFrame:
    """Every count of MAAE at capacities from n on, at the last checkpoint; lost seeds have no row.

    Returns dataset, n, m, seed, active, and where it was measured active_low and active_high (see
    `maskaae.evaluation.evaluate`).
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
    """Shares of runs whose count is right, and nearly so, among some rows of `counts`, at least one."""
    error = (found["active"] - found["n"]).abs()
    return Accuracy(
        runs=len(error),
        exact=float((error == 0).mean()),
        nearly=float((error <= NEARLY).mean()),
        furthest=int(error.max()),
    )


def relative_distances(measured: Measured) -> pd.DataFrame:
    """Distances at every capacity, from n on where n is known, over WAE's at WAE's best capacity.

    Of MAAE, and of the WAE that has MAAE's schedule and no mask. Each capacity stands for itself: intervals
    are not corrected for their number; those of statement b2 are.

    Returns
    -------
    DataFrame
        dataset, model, name (as tables call it), m, wae_m (WAE's best capacity), ratio (geometric mean over
        seeds, paired), low, high (95 % t-interval of its logarithm; NaN from fewer than two seeds), seeds.
        Data sets that lack WAE or the model have no row.
    """
    rows = []
    for dataset in (*measured.known, *measured.images):
        wae = measured.at_end(dataset, "wae")
        for model in SCHEDULED:
            table = measured.at_end(dataset, model)
            if table.empty or wae.empty:
                continue
            best = best_capacity(wae)
            name = measured.maae(dataset) if model == "maae" else TITLES[model]
            for m in [m for m in capacities(table) if m >= measured.known.get(dataset, 0)]:
                estimate, low, high, seeds = t_interval(np.log(table[m] / wae[best]))
                ratio = (math.exp(estimate), math.exp(low), math.exp(high))
                rows.append((dataset, model, name, m, best, *ratio, seeds))
    columns = ["dataset", "model", "name", "m", "wae_m", "ratio", "low", "high", "seeds"]
    return pd.DataFrame(rows, columns=columns)


def distances(measured: Measured) -> pd.DataFrame:
    """Every last distance of WAE and MAAE, and whether its seed is stuck.

    Returns
    -------
    DataFrame
        A row a data set, model, m and seed: dataset, model, name (as tables call the model), m, seed,
        distance, median (over the seeds of the run), stuck, reconstruction_mse, prior_divergence (NaN where
        it was not measured). Lost seeds have no row.
    """
    metrics = measured.metrics
    rows = last(metrics[metrics["model"].isin(ADVERSARIAL)]).dropna(subset=["value"])
    rows = rows[rows["dataset"].isin([*measured.known, *measured.images])]
    median = rows.groupby(RUN_KEYS[:3])["value"].transform("median")
    named = rows.assign(
        name=[
            model_name(*pair)
            for pair in zip(rows["model"], rows[["preset"]].to_numpy().tolist(), strict=True)
        ],
        distance=rows["value"],
        median=median,
        stuck=rows["value"] > STUCK * median,
    )
    keys = ["dataset", "model", "name", "m", "seed", "distance", "median", "stuck"]
    shown = named.reindex(columns=[*keys, *CAUSES]).sort_values(keys[1:5])
    order = {dataset: place for place, dataset in enumerate([*measured.known, *measured.images])}
    return shown.sort_values("dataset", key=lambda names: names.map(order), kind="stable", ignore_index=True)
