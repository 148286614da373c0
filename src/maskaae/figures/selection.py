"""Which rows of a run stand for it: the last checkpoint, or the authors' oracle."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

RUN = ["dataset", "model", "m", "seed"]


def last_checkpoint(metrics: pd.DataFrame) -> pd.DataFrame:
    """Row of the largest step of each run and seed.

    Parameters
    ----------
    metrics : DataFrame
        One row a run, seed and checkpoint; columns dataset, model, m, seed, step and the metrics.
    """
    metrics = metrics.reset_index(drop=True)  # labels must be unique for idxmax
    return metrics.loc[metrics.groupby(RUN, sort=False)["step"].idxmax()].reset_index(drop=True)


def oracle_minimum(metrics: pd.DataFrame, column: str) -> pd.DataFrame:
    """Minimum over checkpoints of each run and seed; NaN where no checkpoint has a value.

    It is what the authors report. It looks at the test set to choose the checkpoint, so it is a bound from
    below and no fair estimate.
    """
    return metrics.groupby(RUN, sort=False)[column].min().reset_index()


def choose_metric(metrics: pd.DataFrame, metric: Mapping[str, str]) -> pd.DataFrame:
    """Rows with the metric chosen for their data set in a column ``value``, its name in ``metric``.

    Parameters
    ----------
    metrics : DataFrame
        Rows of several data sets.
    metric : mapping
        Data set -> metric column.

    Raises
    ------
    KeyError
        If a data set has no chosen column, or the chosen column is not there.
    """
    parts = []
    for dataset, rows in metrics.groupby("dataset", sort=False):
        if dataset not in metric:
            raise KeyError(f"no metric column chosen for data set '{dataset}'; chosen for {sorted(metric)}")
        column = metric[str(dataset)]
        if column not in rows:
            known = [name for name in rows if str(name).startswith(("fd_", "fid_"))]
            raise KeyError(f"data set '{dataset}': metrics have no column '{column}'; they have {known}")
        parts.append(rows.assign(metric=column, value=rows[column]))
    return pd.concat(parts, ignore_index=True)


def add_by_dataset(frame: pd.DataFrame, column: str, choice: Mapping[str, Any]) -> pd.DataFrame:
    """Add a column that is one value a data set: its title, its true latent dimension n.

    Raises
    ------
    KeyError
        If a data set has none, naming it and those that have one.
    """
    for dataset in frame["dataset"].unique():
        if dataset not in choice:
            raise KeyError(f"no {column} given for data set '{dataset}'; given for {sorted(choice)}")
    return frame.assign(**{column: frame["dataset"].map(dict(choice))})
