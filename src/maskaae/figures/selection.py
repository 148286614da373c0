"""What the config chooses for each data set: the metric, the title, the true latent dimension."""

from collections.abc import Mapping
from typing import Any

import pandas as pd


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


def in_order(frame: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Sort data sets as the config lists them, so that panels stand in its order; add their titles.

    Raises
    ------
    KeyError
        If a data set has no title.
    """
    places = {dataset: place for place, dataset in enumerate(titles)}
    titled = add_by_dataset(frame, "title", titles)
    return titled.sort_values(
        "dataset", key=lambda names: names.map(places), kind="stable", ignore_index=True
    )
