"""Claims (a) to (h): what each says in numbers; written down before any result was looked at."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from maskaae.evaluation.protocol import PRIOR_DIVERGENCE_CODES
from maskaae.models.catalogue import TITLES
from maskaae.report.claims.measured import Measured, best_capacity, capacities
from maskaae.report.claims.verdict import Bounds, Outlook, Verdict, at_every
from maskaae.report.statistics import Interval

INFINITE = 1e6
"""Nats that stand for an infinite divergence in a mean."""


class Check(NamedTuple):
    """One statement about a statistic on one data set, not tested unless it says otherwise.

    Attributes
    ----------
    part : str
        Letter of the claim and number of the statement.
    dataset : str
        Name; empty where a statement could not be tested on any.
    at : str
        The capacity or model that decided, of those at which the statement must hold.
    interval, bounds
        Of the statistic there, and where it must lie.
    needs, runs : str
        Runs that are missing, if it was not tested, and that were used, if it was.
    outlook : Outlook
        How many seeds would decide it, if it is inconclusive.
    """

    part: str
    dataset: str
    statement: str
    at: str = ""
    interval: Interval = Interval(math.nan, math.nan, math.nan, 0)
    bounds: Bounds = Bounds()
    verdict: Verdict = Verdict.NOT_TESTED
    needs: str = ""
    runs: str = ""
    outlook: Outlook = Outlook()


def judge(
    check: Check, values: Mapping[str, ArrayLike], bounds: Bounds, *, runs: str, ratio: bool = False
) -> Check:
    """Judge a statement about a mean over seeds at several places; without values it stays not tested.

    Parameters
    ----------
    values : mapping
        Values over seeds, from some `runs`, at each capacity or of each model, by its name.
    bounds : Bounds
        Where the mean must lie.
    ratio : bool
        The values are ratios: intervals are those of their logarithm.
    """
    if not values:
        return check
    if not ratio:
        where, interval, verdict, outlook = at_every(values, bounds)
    else:
        logs = {where: np.log(of_seeds) for where, of_seeds in values.items()}
        lowest = math.log(bounds.low) if bounds.low > 0 else -math.inf
        decisive = at_every(logs, Bounds(lowest, math.log(bounds.high)))
        where, (mean, low, high, seeds), verdict, outlook = decisive
        interval = Interval(math.exp(mean), math.exp(low), math.exp(high), seeds)
    judged = check._replace(at=where, interval=interval, bounds=bounds, verdict=verdict)
    return judged._replace(needs="", runs=runs, outlook=outlook)


def ratios(table: pd.DataFrame, to: int, others: list[int]) -> dict[str, pd.Series[float]]:
    """Ratio, seed by seed, of the values at some capacities to those at one; none if that was not run."""
    return {f"m = {m}": table[m] / table[to] for m in others if to in table}


def runs_of(model: str, at: list[int]) -> str:
    """Name the runs of a model at some capacities."""
    return f"{model} m = {', '.join(map(str, at))}"


def wae_u_shape(measured: Measured) -> Iterator[Check]:
    """Claim (a), on data of known n."""
    rise = 1 + measured.thresholds.rise
    lowest = "FD of WAE at m, relative to m = n, is above 1 at every other m"
    ends = f"and above {rise:g} at the smallest and at the largest m"
    for dataset, n in measured.known.items():
        wae = measured.at_end(dataset, "wae")
        others = [m for m in capacities(wae) if m != n]
        if n not in wae or not others or min(others) > n or max(others) < n:
            yield Check("a1", dataset, lowest, needs=f"WAE at m = {n}, below and above")
            continue
        both, runs = [min(others), max(others)], runs_of("wae", capacities(wae))
        a1, a2 = Check("a1", dataset, lowest), Check("a2", dataset, ends)
        yield judge(a1, ratios(wae, n, others), Bounds(1.0), runs=runs, ratio=True)
        yield judge(a2, ratios(wae, n, both), Bounds(rise), runs=runs, ratio=True)


def maae_flat(measured: Measured) -> Iterator[Check]:
    """Claim (b), on data of known n."""
    margin = 1 + measured.thresholds.margin
    for dataset, n in measured.known.items():
        name = measured.maae(dataset)
        flat = f"FD of {name} at every m > n is within a factor {margin:g} of that at m = n"
        best = f"FD of {name} at every m >= n is at most {margin:g} times that of WAE at its best m"
        maae, wae = measured.at_end(dataset, "maae"), measured.at_end(dataset, "wae")
        above = [m for m in capacities(maae) if m > n]
        b1 = Check("b1", dataset, flat, needs=f"MAAE at m = {n} and above")
        runs = runs_of("maae", [n, *above])
        yield judge(b1, ratios(maae, n, above), Bounds(1 / margin, margin), runs=runs, ratio=True)
        enough, relative, runs = [m for m in capacities(maae) if m >= n], {}, ""
        if not wae.empty:
            lowest = best_capacity(wae)
            relative = {f"m = {m} to WAE's m = {lowest}": maae[m] / wae[lowest] for m in enough}
            runs = f"{runs_of('maae', enough)}; {runs_of('wae', capacities(wae))}"
        b2 = Check("b2", dataset, best, needs=f"MAAE at m >= {n}, and WAE")
        yield judge(b2, relative, Bounds(0.0, margin), runs=runs, ratio=True)


def count_is_n(measured: Measured) -> Iterator[Check]:
    """Claim (c), on data of known n."""
    bound = measured.thresholds.count_error
    off = f"is off from n by at most {bound:g} on average over seeds, at every m >= n"
    for dataset, n in measured.known.items():
        statement = f"the count of {measured.maae(dataset)} {off}"
        count = measured.at_end(dataset, "maae", "active")
        enough = [m for m in capacities(count) if m >= n]
        errors = {f"m = {m}": (count[m] - n).abs() for m in enough}
        c1 = Check("c1", dataset, statement, needs=f"MAAE at m >= {n}")
        yield judge(c1, errors, Bounds(high=bound), runs=runs_of("maae", enough))


def images_over_capacity(measured: Measured) -> Iterator[Check]:
    """Claim (d), on images; m* is WAE's best capacity between the smallest and the largest."""
    rise, margin = 1 + measured.thresholds.rise, 1 + measured.thresholds.margin
    apart = measured.thresholds.count_range
    u_shape = (
        f"FID of WAE at the smallest and at the largest m is above {rise:g} times that at its best m* between"
    )
    for dataset in measured.images:
        name = measured.maae(dataset)
        flat = f"FID of {name} at every m > m* is within a factor {margin:g} of that at m*"
        same = f"largest and smallest count of {name} over m >= m*, of one seed, are at most {apart:g} apart"
        wae, maae = measured.at_end(dataset, "wae"), measured.at_end(dataset, "maae")
        statements = {"d1": u_shape, "d2": flat, "d3": same}
        d1, d2, d3 = (
            Check(part, dataset, statement, needs="WAE at three capacities")
            for part, statement in statements.items()
        )
        if len(wae.columns) < 3:
            yield from (d1, d2, d3)
            continue
        best = best_capacity(wae.iloc[:, 1:-1])
        ends = [capacities(wae)[0], capacities(wae)[-1]]
        runs = runs_of("wae", capacities(wae))
        yield judge(d1, ratios(wae, best, ends), Bounds(rise), runs=runs, ratio=True)
        above = [m for m in capacities(maae) if m > best]
        needs, runs = f"MAAE at m = {best} and above", runs_of("maae", [best, *above])
        relative, ranges = ratios(maae, best, above), {}
        if relative:
            counts = measured.at_end(dataset, "maae", "active")[[best, *above]]
            ranges = {f"m = {best} to {above[-1]}": counts.max(axis=1) - counts.min(axis=1)}
        d2, d3 = d2._replace(needs=needs), d3._replace(needs=needs)
        yield judge(d2, relative, Bounds(1 / margin, margin), runs=runs, ratio=True)
        yield judge(d3, ranges, Bounds(high=apart), runs=runs)


def best_of_models(measured: Measured) -> Iterator[Check]:
    """Claim (e), on images, at the capacity that the data set shows."""
    for dataset, m in measured.images.items():
        name = measured.maae(dataset)
        statement = f"FID of every other auto-encoder, relative to that of {name} at the same m, is above 1"
        at_m = {
            model: table[m]
            for model in measured.models(dataset)
            if m in (table := measured.at_end(dataset, model))
        }
        rivals = [model for model in at_m if model != "maae"]
        complete = "maae" in at_m and set(rivals) - {"wae"}
        relative = {TITLES[model]: at_m[model] / at_m["maae"] for model in rivals} if complete else {}
        e1 = Check("e1", dataset, statement, needs=f"MAAE and other auto-encoders at m = {m}")
        runs = f"{', '.join(['maae', *rivals])} m = {m}"
        yield judge(e1, relative, Bounds(1.0), runs=runs, ratio=True)


def lower_correlation(measured: Measured) -> Iterator[Check]:
    """Claim (f), on images, at the capacity that the data set shows."""
    for dataset, m in measured.images.items():
        statement = f"NAC of WAE less that of {measured.maae(dataset)} at the same m is above 0"
        wae, maae = (measured.at_end(dataset, model, "nac") for model in ("wae", "maae"))
        difference = {f"m = {m}": wae[m] - maae[m]} if m in wae and m in maae else {}
        f1 = Check("f1", dataset, statement, needs=f"WAE and MAAE at m = {m}")
        yield judge(f1, difference, Bounds(0.0), runs=f"wae, maae m = {m}")


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
    for dataset, m in measured.images.items():
        statements = {
            "g1": f"FID of {measured.maae(dataset)} at the checkpoint where the count becomes final is "
            f"within {share:.0%} of its range from its lowest",
            "g2": f"so is the absolute Wasserstein estimate ({share:.0%})",
            "g3": f"at most {share:.0%} of the change in the reconstruction error is still to come there",
        }
        run = measured.over_training(dataset, "maae", m) if m is not None else pd.DataFrame()
        values: dict[str, pd.DataFrame] = {}
        if not run.empty and run["step"].nunique() >= 4:
            complete = run.groupby("seed").filter(
                lambda rows: bool(rows[["active", "value"]].notna().all(axis=None))
            )
            seeds = [at_final_count(rows) for _, rows in complete.groupby("seed")]
            values = {f"m = {m}": pd.DataFrame(seeds, columns=list(Settling._fields), dtype=float)}
        for (part, statement), quantity in zip(statements.items(), Settling._fields, strict=True):
            check = Check(part, dataset, statement, needs=f"MAAE at m = {m} with four checkpoints")
            of_quantity = {where: table[quantity] for where, table in values.items()}
            yield judge(check, of_quantity, Bounds(high=share), runs=f"maae m = {m}")


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
        h1 = Check("h1", dataset, floor, needs=f"WAE at m = {n} and below")
        runs = runs_of("wae", [*below, n])
        yield judge(h1, ratios(error, n, below), Bounds(rise), runs=runs, ratio=True)
        # Infinite where codes leave out a direction: more than any bound asks for, but no mean has it.
        finite = divergence.where(~np.isposinf(divergence), INFINITE)
        gains = {f"m = {m}": finite[m] - finite[n] for m in above if n in finite}
        h2 = Check("h2", dataset, growth, needs=f"WAE at m = {n} and above")
        yield judge(h2, gains, Bounds(nats), runs=runs_of("wae", [n, *above]))


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
        bound_high, seeds, verdict, leans and seeds_needed (see `Outlook`), needs, runs. A claim without any
        data set has one row that says so.
    """
    rows = []
    for letter, claim in CLAIMS.items():
        checks = list(claim.checks(measured))
        needed = f"data sets of {NEEDS.get(letter, 'images')}"
        checks = checks or [Check(f"{letter}1", "", claim.statement, needs=needed)]
        rows += [{"claim": letter, **_row(check)} for check in checks]
    return pd.DataFrame(rows)


def _row(check: Check) -> dict[str, object]:
    values = check._asdict()
    interval, bounds, outlook = (values.pop(name) for name in ("interval", "bounds", "outlook"))
    return {
        **values,
        **interval._asdict(),
        "bound_low": bounds.low,
        "bound_high": bounds.high,
        "verdict": str(check.verdict),
        "leans": str(outlook.leans or ""),
        "seeds_needed": outlook.seeds,
    }
