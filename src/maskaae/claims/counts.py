"""How often the count of active dimensions is right, run by run, where n is known."""

from __future__ import annotations

import pandas as pd

from maskaae.claims.measured import Measured


def counts(measured: Measured) -> pd.DataFrame:
    """Every count of MAAE at capacities from n on, with the true dimension.

    Returns
    -------
    DataFrame
        dataset, n, m, seed, active: at the last checkpoint; lost seeds have no row.
    """
    tables = []
    for dataset, n in measured.known.items():
        active = measured.at_end(dataset, "maae", "active")
        if len(active):
            rows = active.reset_index().melt("seed", var_name="m", value_name="active").dropna()
            tables.append(rows[rows["m"] >= n].assign(dataset=dataset, n=n))
    columns = ["dataset", "n", "m", "seed", "active"]
    return (
        pd.concat(tables, ignore_index=True)[columns].astype({"m": int, "active": int})
        if tables
        else pd.DataFrame(columns=columns)
    )


def accuracy(found: pd.DataFrame) -> pd.DataFrame:
    """Shares of runs whose count is right, and nearly so, for each data set and over all.

    Parameters
    ----------
    found : DataFrame
        From `counts`.

    Returns
    -------
    DataFrame
        dataset ("" for all), n, runs, exact and nearly (shares of runs off by 0, by at most 1), furthest (the
        largest error of a run).
    """
    error = (found["active"] - found["n"]).abs()
    rows = [_shares(name, int(group["n"].iloc[0]), error[group.index]) for name, group in _groups(found)]
    return pd.DataFrame([*rows, _shares("", None, error)] if rows else [])


def _groups(found: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return [(str(name), group) for name, group in found.groupby("dataset", sort=False)]


def _shares(dataset: str, n: int | None, error: pd.Series[int]) -> dict[str, object]:
    return {
        "dataset": dataset,
        "n": n,
        "runs": len(error),
        "exact": (error == 0).mean(),
        "nearly": (error <= 1).mean(),
        "furthest": int(error.max()),
    }
