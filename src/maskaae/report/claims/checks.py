"""Claims (a) to (h): what each says in numbers; written down before any result was looked at."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from maskaae.evaluation.protocol import PRIOR_DIVERGENCE_CODES
from maskaae.report.claims.measured import Measured, best_capacity, capacities
from maskaae.report.claims.verdict import Bounds, Verdict, at_every
from maskaae.report.statistics import Interval

Values = Mapping[str, ArrayLike]
"""Values over seeds at each capacity, or of each model, by its name."""

INFINITE = 1e6
"""Nats that stand for an infinite divergence in a mean."""

EMPTY = Interval(math.nan, math.nan, math.nan, 0)


class Check(NamedTuple):
    """One statement on one data set.

    Attributes
    ----------
    part : str
        Letter of the claim and number of the statement.
    dataset : str
        Name; empty where a statement could not be tested on any.
    statement : str
        What is said of the statistic.
    at : str
        The capacity or model that decided, of those at which it must hold.
    interval : Interval
        Of the statistic there.
    bounds : Bounds
        Where it must lie.
    verdict : Verdict
        On the statement.
    needs : str
        Runs that are missing, if it was not tested.
    runs : str
        Runs that were used.
    """

    part: str
    dataset: str
    statement: str
    at: str
    interval: Interval
    bounds: Bounds
    verdict: Verdict
    needs: str
    runs: str


def not_tested(part: str, dataset: str, statement: str, needs: str) -> Check:
    """Note that runs are missing."""
    return Check(part, dataset, statement, "", EMPTY, Bounds(), Verdict.NOT_TESTED, needs, "")


def judge(part: str, dataset: str, statement: str, values: Values, *, bounds: Bounds, runs: str) -> Check:
    """Judge a statement about a mean over seeds at several places."""
    decisive = at_every(values, bounds)
    return Check(
        part, dataset, statement, decisive.where, decisive.interval, bounds, decisive.verdict, "", runs
    )


def judge_ratio(
    part: str, dataset: str, statement: str, ratios: Values, *, bounds: Bounds, runs: str
) -> Check:
    """Judge a statement about a ratio: intervals are those of its logarithm."""
    logs = {where: np.log(values) for where, values in ratios.items()}
    log_bounds = Bounds(math.log(bounds.low) if bounds.low > 0 else -math.inf, math.log(bounds.high))
    check = judge(part, dataset, statement, logs, bounds=log_bounds, runs=runs)
    estimate, low, high, seeds = check.interval
    interval = Interval(math.exp(estimate), math.exp(low), math.exp(high), seeds)
    return check._replace(interval=interval, bounds=bounds)


def ratios(table: pd.DataFrame, to: int, capacities: list[int]) -> dict[str, pd.Series[float]]:
    """Ratio, seed by seed, of the values at some capacities to those at one."""
    return {f"m = {m}": table[m] / table[to] for m in capacities}


def runs_of(*models: tuple[str, pd.DataFrame]) -> str:
    """Name runs: each model with its capacities."""
    return "; ".join(f"{model} m = {', '.join(map(str, table.columns))}" for model, table in models)


def wae_u_shape(measured: Measured) -> Iterator[Check]:
    """Claim (a), on data of known n."""
    rise = 1 + measured.thresholds.rise
    lowest = "FD of WAE at m, relative to m = n, is above 1 at every other m"
    ends = f"and above {rise:g} at the smallest and at the largest m"
    for dataset, n in measured.known.items():
        wae = measured.at_end(dataset, "wae")
        others = [m for m in capacities(wae) if m != n]
        if n not in wae or not others or min(others) > n or max(others) < n:
            yield not_tested("a1", dataset, lowest, f"WAE at m = {n}, below and above")
            continue
        runs = runs_of(("wae", wae))
        yield judge_ratio("a1", dataset, lowest, ratios(wae, n, others), bounds=Bounds(1.0), runs=runs)
        both = [min(others), max(others)]
        yield judge_ratio("a2", dataset, ends, ratios(wae, n, both), bounds=Bounds(rise), runs=runs)


def maae_flat(measured: Measured) -> Iterator[Check]:
    """Claim (b), on data of known n."""
    margin = 1 + measured.thresholds.margin
    flat = f"FD of MAAE at every m > n is within a factor {margin:g} of that at m = n"
    best = f"FD of MAAE at every m >= n is at most {margin:g} times that of WAE at its best m"
    for dataset, n in measured.known.items():
        maae, wae = measured.at_end(dataset, "maae"), measured.at_end(dataset, "wae")
        above = [m for m in capacities(maae) if m > n]
        if n in maae and above:
            runs = runs_of(("maae", maae[[n, *above]]))
            yield judge_ratio(
                "b1", dataset, flat, ratios(maae, n, above), bounds=Bounds(1 / margin, margin), runs=runs
            )
        else:
            yield not_tested("b1", dataset, flat, f"MAAE at m = {n} and above")
        enough = [m for m in capacities(maae) if m >= n]
        if enough and not wae.empty:
            lowest = best_capacity(wae)
            relative = {f"m = {m} to WAE's m = {lowest}": maae[m] / wae[lowest] for m in enough}
            runs = runs_of(("maae", maae[enough]), ("wae", wae))
            yield judge_ratio("b2", dataset, best, relative, bounds=Bounds(0.0, margin), runs=runs)
        else:
            yield not_tested("b2", dataset, best, f"MAAE at m >= {n}, and WAE")


def count_is_n(measured: Measured) -> Iterator[Check]:
    """Claim (c), on data of known n."""
    bound = measured.thresholds.count_error
    statement = f"MAAE's count is off from n by at most {bound:g} on average over seeds, at every m >= n"
    for dataset, n in measured.known.items():
        count = measured.at_end(dataset, "maae", "active")
        enough = [m for m in capacities(count) if m >= n]
        if not enough:
            yield not_tested("c1", dataset, statement, f"MAAE at m >= {n}")
            continue
        errors = {f"m = {m}": (count[m] - n).abs() for m in enough}
        runs = runs_of(("maae", count[enough]))
        yield judge("c1", dataset, statement, errors, bounds=Bounds(high=bound), runs=runs)


def images_over_capacity(measured: Measured) -> Iterator[Check]:
    """Claim (d), on images; m* is WAE's best capacity between the smallest and the largest."""
    rise, margin = 1 + measured.thresholds.rise, 1 + measured.thresholds.margin
    apart = measured.thresholds.count_range
    u_shape = (
        f"FID of WAE at the smallest and at the largest m is above {rise:g} times that at its best m* between"
    )
    flat = f"FID of MAAE at every m > m* is within a factor {margin:g} of that at m*"
    same = f"MAAE's largest and smallest count over m >= m*, of one seed, are at most {apart:g} apart"
    for dataset in measured.images:
        wae, maae = measured.at_end(dataset, "wae"), measured.at_end(dataset, "maae")
        if len(wae.columns) < 3:
            needs = "WAE at three capacities"
            yield from (
                not_tested(part, dataset, s, needs)
                for part, s in zip(("d1", "d2", "d3"), (u_shape, flat, same), strict=True)
            )
            continue
        best = best_capacity(wae.iloc[:, 1:-1])
        ends = [capacities(wae)[0], capacities(wae)[-1]]
        yield judge_ratio(
            "d1", dataset, u_shape, ratios(wae, best, ends), bounds=Bounds(rise), runs=runs_of(("wae", wae))
        )
        above = [m for m in capacities(maae) if m > best]
        if best not in maae or not above:
            needs = f"MAAE at m = {best} and above"
            yield from (not_tested(part, dataset, s, needs) for part, s in (("d2", flat), ("d3", same)))
            continue
        runs = runs_of(("maae", maae[[best, *above]]))
        yield judge_ratio(
            "d2", dataset, flat, ratios(maae, best, above), bounds=Bounds(1 / margin, margin), runs=runs
        )
        counts = measured.at_end(dataset, "maae", "active")[[best, *above]]
        ranges = {f"m = {best} to {above[-1]}": counts.max(axis=1) - counts.min(axis=1)}
        yield judge("d3", dataset, same, ranges, bounds=Bounds(high=apart), runs=runs)


def best_of_models(measured: Measured) -> Iterator[Check]:
    """Claim (e), on images, at the capacity that the data set shows."""
    statement = "FID of every other auto-encoder, relative to MAAE's at the same m, is above 1"
    for dataset, m in measured.images.items():
        at_m = {
            model: table[m]
            for model in measured.models(dataset)
            if m in (table := measured.at_end(dataset, model))
        }
        rivals = {model: values for model, values in at_m.items() if model != "maae"}
        if "maae" not in at_m or not set(rivals) - {"wae"}:
            yield not_tested("e1", dataset, statement, f"MAAE and other auto-encoders at m = {m}")
            continue
        relative = {model: values / at_m["maae"] for model, values in rivals.items()}
        runs = ", ".join(["maae", *rivals]) + f" m = {m}"
        yield judge_ratio("e1", dataset, statement, relative, bounds=Bounds(1.0), runs=runs)


def lower_correlation(measured: Measured) -> Iterator[Check]:
    """Claim (f), on images, at the capacity that the data set shows."""
    statement = "NAC of WAE less that of MAAE at the same m is above 0"
    for dataset, m in measured.images.items():
        wae, maae = (measured.at_end(dataset, model, "nac") for model in ("wae", "maae"))
        if m not in wae or m not in maae:
            yield not_tested("f1", dataset, statement, f"WAE and MAAE at m = {m}")
            continue
        difference = {f"m = {m}": wae[m] - maae[m]}
        yield judge("f1", dataset, statement, difference, bounds=Bounds(0.0), runs=f"wae, maae m = {m}")


class Settling(NamedTuple):
    """A seed's run at the checkpoint from which its count is final, as shares of ranges over training."""

    distance: float
    wasserstein: float
    reconstruction: float


def at_final_count(run: pd.DataFrame) -> Settling:
    """Where FID, |W| and reconstruction error stand when the count becomes final.

    Parameters
    ----------
    run : DataFrame
        Checkpoints of one seed in order: active, value, wasserstein, reconstruction_mse. The first, before
        training, is left out of the ranges of FID and W, which would otherwise be all range.

    Returns
    -------
    Settling
        `(at that checkpoint - lowest) / (highest - lowest)`; for the reconstruction
        `|there - last| / |first - last|`. Zero where the range is.
    """
    trained = run.iloc[1:]
    changes = np.flatnonzero(run["active"].to_numpy() != run["active"].iloc[-1])
    place = max(int(changes[-1]) + 1 if len(changes) else 0, 1)
    reconstruction = run["reconstruction_mse"].to_numpy()

    def share(values: pd.Series[float]) -> float:
        size = values.max() - values.min()
        return float((values.iloc[place - 1] - values.min()) / size) if size > 0 else 0.0

    fall = abs(reconstruction[0] - reconstruction[-1])
    left = abs(reconstruction[place] - reconstruction[-1])
    return Settling(
        share(trained["value"]), share(trained["wasserstein"].abs()), left / fall if fall > 0 else 0.0
    )


def lowest_at_final_count(measured: Measured) -> Iterator[Check]:
    """Claim (g), on images, at the capacity that the data set shows."""
    share = measured.thresholds.settled
    statements = {
        "g1": f"FID at the checkpoint where the count becomes final is within {share:.0%} "
        "of its range from its lowest",
        "g2": f"so is the absolute Wasserstein estimate ({share:.0%})",
        "g3": f"at most {share:.0%} of the change in the reconstruction error is still to come there",
    }
    for dataset, m in measured.images.items():
        run = measured.over_training(dataset, "maae", m) if m is not None else pd.DataFrame()
        if run.empty or run["step"].nunique() < 4:
            for part, statement in statements.items():
                yield not_tested(part, dataset, statement, f"MAAE at m = {m} with four checkpoints")
            continue
        complete = run.groupby("seed").filter(
            lambda rows: bool(rows[["active", "value"]].notna().all(axis=None))
        )
        settling = pd.DataFrame([at_final_count(rows) for _, rows in complete.groupby("seed")])
        for (part, statement), quantity in zip(statements.items(), Settling._fields, strict=True):
            values = {f"m = {m}": settling[quantity] if len(settling) else pd.Series(dtype=float)}
            yield judge(part, dataset, statement, values, bounds=Bounds(high=share), runs=f"maae m = {m}")


def theorem_1(measured: Measured) -> Iterator[Check]:
    """Claim (h), on data of known n: R1 below it, R2 above."""
    rise, nats = 1 + measured.thresholds.rise, measured.thresholds.divergence
    floor = f"R1: reconstruction error of WAE at every m < n is above {rise:g} times that at m = n"
    growth = (
        f"R2: divergence of WAE's codes from the prior at every m > n is above that at m = n by {nats:g} "
        f"nats (from {PRIOR_DIVERGENCE_CODES} codes)"
    )
    for dataset, n in measured.known.items():
        error = measured.at_end(dataset, "wae", "reconstruction_mse")
        divergence = measured.at_end(dataset, "wae", "prior_divergence")
        below = [m for m in capacities(error) if m < n]
        above = [m for m in capacities(error) if m > n]
        if n not in error or not below:
            yield not_tested("h1", dataset, floor, f"WAE at m = {n} and below")
        else:
            runs = runs_of(("wae", error[[*below, n]]))
            yield judge_ratio("h1", dataset, floor, ratios(error, n, below), bounds=Bounds(rise), runs=runs)
        if n not in error or not above:
            yield not_tested("h2", dataset, growth, f"WAE at m = {n} and above")
        else:
            # Infinite where codes leave out a direction: more than any bound asks for, but no mean has it.
            finite = divergence.where(~np.isposinf(divergence), INFINITE)
            gains = {f"m = {m}": finite[m] - finite[n] for m in above}
            yield judge(
                "h2",
                dataset,
                growth,
                gains,
                bounds=Bounds(nats),
                runs=runs_of(("wae", divergence[[n, *above]])),
            )


class Claim(NamedTuple):
    """A claim of the paper and its check."""

    statement: str
    checks: Callable[[Measured], Iterator[Check]]


CLAIMS: Mapping[str, Claim] = {
    "a": Claim("WAE's FID is U-shaped in m, lowest at m = n (synthetic n = 8 and 16).", wae_u_shape),
    "b": Claim("MAAE's FID is flat for m >= n and equals WAE's best.", maae_flat),
    "c": Claim("MAAE's count of active dimensions is (nearly) n for every m >= n.", count_is_n),
    "d": Claim(
        "MNIST: WAE's FID is U-shaped, MAAE's flat, its count about the same from every start.",
        images_over_capacity,
    ),
    "e": Claim("MAAE has the best FID of the auto-encoders on all image sets.", best_of_models),
    "f": Claim("MAAE's NAC is below WAE's at equal m on all image sets.", lower_correlation),
    "g": Claim(
        "Wasserstein estimate and FID are lowest, and the reconstruction error settles, when the mask "
        "reaches its final count.",
        lowest_at_final_count,
    ),
    "h": Claim(
        "Theorem 1: m < n contradicts R1 (reconstruction), m > n contradicts R2 (cross-entropy of prior and "
        "encoded distribution).",
        theorem_1,
    ),
}
"""Claims by their letter; `maskaae.report.records` says which figures show them."""
NEEDS = {"a": "known n", "b": "known n", "c": "known n", "h": "known n"}
"""Kind of data that a claim is about; images where nothing is given."""


def judge_claims(measured: Measured) -> pd.DataFrame:
    """Judge every claim.

    Returns
    -------
    DataFrame
        A row a statement and data set: claim, part, dataset, statement, at, estimate, low, high, bound_low,
        bound_high, seeds, verdict, needs, runs. A claim without any data set has one row that says so.
    """
    rows = []
    for letter, claim in CLAIMS.items():
        checks = list(claim.checks(measured))
        needed = f"data sets of {NEEDS.get(letter, 'images')}"
        checks = checks or [not_tested(f"{letter}1", "", claim.statement, needed)]
        rows += [{"claim": letter, **_row(check)} for check in checks]
    return pd.DataFrame(rows)


def _row(check: Check) -> dict[str, object]:
    values = check._asdict()
    interval, bounds = values.pop("interval"), values.pop("bounds")
    return {
        **values,
        **interval._asdict(),
        "bound_low": bounds.low,
        "bound_high": bounds.high,
        "verdict": str(check.verdict),
    }
