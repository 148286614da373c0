"""What claims are judged by: metrics at the last checkpoint, arranged by seed and capacity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from maskaae.evaluation.protocol import last
from maskaae.report.selection import choose_metric


@dataclass(frozen=True)
class Thresholds:
    """From where on an effect counts (our choice, made before any result was looked at).

    Attributes
    ----------
    rise : float
        A distance or an error is higher if it is so by this share.
    margin : float
        Two distances are equal if they differ by no more than this share.
    count_error : float
        A count is nearly n if it is on average no further away.
    count_range : float
        Counts are about the same if largest and smallest are no further apart.
    settled : float
        Something is at its lowest, or has settled, within this share of its range over training.
    divergence : float
        Nats by which the divergence from the prior grows, at least.
    """

    rise: float = 0.1
    margin: float = 0.05
    count_error: float = 1.0
    count_range: float = 2.0
    settled: float = 0.1
    divergence: float = 1.0


@dataclass(frozen=True)
class Measured:
    """Runs of all data sets that a claim may ask for.

    Attributes
    ----------
    metrics : DataFrame
        A row a run, seed and checkpoint, the distance that the data set is judged by in `value`.
    known : mapping of str to int
        Data sets whose true dimension n is known, with it.
    images : mapping of str to int or None
        Data sets of images, with the capacity that they show.
    thresholds : Thresholds
        From where on an effect counts.
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

    def models(self, dataset: str) -> list[str]:
        """Models that were trained on a data set."""
        return list(self.metrics.loc[self.metrics["dataset"] == dataset, "model"].unique())


def capacities(table: pd.DataFrame) -> list[int]:
    """Capacities of `Measured.at_end`'s table, smallest first."""
    return [int(m) for m in table.columns]


def best_capacity(table: pd.DataFrame) -> int:
    """Capacity of `Measured.at_end`'s table with the lowest mean over seeds."""
    return capacities(table)[int(table.mean().argmin())]
