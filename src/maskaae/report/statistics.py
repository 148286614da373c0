"""Mean over seeds, the interval that so few of them can carry, and both in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from maskaae.evaluation.protocol import is_lost

LEVEL = 0.95

Kind = Literal["t95", "log_t95", "range", "single", "none"]
WORDS: Mapping[str, str] = {
    "t95": "95 % interval of the mean",
    "log_t95": "95 % interval of the geometric mean",
    "range": "range",
    "single": "one seed",
}


class Interval(NamedTuple):
    """Mean over seeds and its t-interval; without bounds (NaN) from fewer than two seeds."""

    estimate: float
    low: float
    high: float
    seeds: int


class SeedInterval(NamedTuple):
    """Mean over seeds, in the unit of the values, and what `low` and `high` are; what is undefined is NaN."""

    mean: float
    low: float
    high: float
    seeds: int
    kind: Kind

    @classmethod
    def of(cls, row: Mapping[Any, Any], kind: str = "kind") -> SeedInterval:
        """Read the interval in a row of a table, whose column `kind` may have another name."""
        return cls(row["mean"], row["low"], row["high"], row["seeds"], row[kind])


def t_interval(values: ArrayLike, level: float = LEVEL) -> Interval:
    """Mean over seeds with its t-interval.

    The t-interval, not the bootstrap: resampling five seeds gives intervals that are too short, and t is
    defined from two seeds on. `values` have one entry a seed, where runs share data and seeds their
    difference; NaN is left out.
    """
    defined = _defined(values)
    count = len(defined)
    if count < 2:
        return Interval(float(defined.mean()) if count else np.nan, np.nan, np.nan, count)
    mean = float(defined.mean())
    half = float(stdtrit(count - 1, (1 + level) / 2) * defined.std(ddof=1) / np.sqrt(count))  # t quantile
    return Interval(mean, mean - half, mean + half, count)


def seed_interval(values: ArrayLike, logs: bool = False) -> SeedInterval:
    """Mean over seeds, shape (seed,), and its interval; NaN is left out.

    From three seeds on, the 95 % t-interval of the mean. For two it would be 13 times as wide as the seeds
    lie apart, so they get their range; one seed gets no interval (our choice). With `logs` mean and interval
    are those of the logarithms, for values that are drawn on a logarithmic axis: a geometric mean, and an
    interval that never reaches zero.

    Raises
    ------
    ValueError
        If a value without a logarithm is to be averaged in logarithms.
    """
    if logs:
        return _geometric(_defined(values))
    interval = t_interval(values)
    if interval.seeds == 2:
        defined = _defined(values)
        return SeedInterval(interval.estimate, float(defined.min()), float(defined.max()), 2, "range")
    kinds: dict[int, Kind] = {0: "none", 1: "single"}
    return SeedInterval(*interval, kinds.get(interval.seeds, "t95"))


def _geometric(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> SeedInterval:
    """`seed_interval` of the logarithms, back in the unit of the values."""
    if (values <= 0).any():
        raise ValueError(f"a value of {values.min():g} has no logarithm, so it has no geometric mean")
    of_logs = seed_interval(np.log(values))
    kind: Kind = "log_t95" if of_logs.kind == "t95" else of_logs.kind
    mean, low, high = (float(np.exp(bound)) for bound in (of_logs.mean, of_logs.low, of_logs.high))
    return SeedInterval(mean, low, high, of_logs.seeds, kind)


def _defined(values: ArrayLike) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    array = np.asarray(values, dtype=np.float64)
    return array[~np.isnan(array)]


def over_seeds(
    frame: pd.DataFrame, by: Sequence[str], value: str = "value", logs: bool = False
) -> pd.DataFrame:
    """Add to rows of single seeds the interval over those seeds that are alike in the columns `by`."""
    groups = frame.groupby(list(by), sort=False, dropna=False)[value]
    group = groups.ngroup()
    intervals = [seed_interval(values, logs) for _, values in groups]
    summary = pd.DataFrame(intervals, columns=list(SeedInterval._fields))
    return frame.assign(**{name: group.map(summary[name]) for name in SeedInterval._fields})


def quantity_rows(
    rows: pd.DataFrame, keys: Sequence[str], quantities: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Rows of some quantities, each over the seeds of a group, from the columns that hold them.

    A row has the group's `keys`, quantity, the fields of `SeedInterval`, and lost: seeds that diverged.
    """
    return [
        dict(zip(keys, names, strict=True))
        | {"quantity": quantity}
        | seed_interval(seeds[column])._asdict()
        | {"lost": int(is_lost(seeds).sum())}
        for names, seeds in rows.groupby(list(keys), sort=False)
        for quantity, column in quantities.items()
    ]


def interval_label(frame: pd.DataFrame, kind: str = "kind") -> str:
    """Words for what the intervals of a figure are, from the `kind` and `seeds` that it was drawn with.

    Where a seed's value is undefined the interval rests on fewer seeds, which the words add.
    """
    drawn = frame[frame[kind] != "none"]
    if drawn.empty:
        return "no value"
    most = drawn["seeds"].max()
    behind = {
        "t95": f", {most} seeds",
        "log_t95": f", {most} seeds",
        "range": " of 2 seeds",
        "single": ", no interval",
    }
    widest = drawn.loc[drawn["seeds"] == most, kind].iloc[0]
    fewer = "" if drawn["seeds"].min() == most else " (some points fewer)"
    return WORDS[widest] + behind[widest] + fewer


def interval_kinds(kinds: Iterable[Any]) -> list[str]:
    """Words for each kind of interval among some, each once."""
    present = set(kinds)
    return [words for kind, words in WORDS.items() if kind in present]


def cell(interval: SeedInterval, decimals: int, lost: float = 0) -> str:
    """Text of a table's cell: mean ± half the t-interval; mean [range] of two seeds; one seed's value.

    A dash stands for no value; behind it, how many seeds were lost in training.
    """
    mean = "–" if interval.kind == "none" else f"{interval.mean:.{decimals}f}"
    spread = {
        "t95": f" ± {interval.high - interval.mean:.{decimals}f}",
        "range": f" [{interval.low:.{decimals}f}, {interval.high:.{decimals}f}]",
    }
    return mean + spread.get(interval.kind, "") + (f" ({lost:g} lost)" if lost else "")
