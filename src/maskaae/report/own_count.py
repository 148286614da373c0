"""The count of the user's own data, from the runs at all capacities, and what speaks against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from maskaae.counting.answer import Caution, Count, Round, Trial, shares_of
from maskaae.counting.cautions import cautions
from maskaae.evaluation.dimension import NEARLY
from maskaae.evaluation.protocol import is_lost, last
from maskaae.evaluation.witnesses import Witness

CONFIGURE = {
    "collapsed": "`hyperparameters: {reconstruction_weight: ...}`, in steps of three from the value in "
    "`run.json`, gives the reconstruction more weight",
    "at_capacity": "`training: {steps: 10000}`, or larger `capacities: {wae: [...], maae: [...]}`",
    "not_settled": "`training: {steps: 10000}`",
    "seeds_disagree": "`seeds: [0, 1, 2, 3, 4]`",
    "capacities_disagree": "`seeds: [0, 1, 2, 3, 4]` and `training: {steps: 10000}`",
}
"""What to write into a copy of config/own_data.yaml, by the code of what speaks against a count."""
WIDER = ("witnesses_disagree", "poor_reconstruction", "no_better_than_linear")
"""Codes of what wider nets may answer."""


def configuring(code: str, trial: Trial) -> str | None:
    """What to write into a copy of config/own_data.yaml because of a caution; None where that would not help.

    `trial` is what was trained.
    """
    if code not in WIDER:
        return CONFIGURE.get(code)
    wider = trial.doubled()
    critic = f"critic_hidden: {list(wider.critic_hidden)}"
    if trial.channels:
        return f"`network: {{kind: convolutional, channels: {list(wider.channels)}, {critic}}}`"
    return f"`network: {{hidden: {list(wider.hidden)}, {critic}}}`"


def rounds_of(metrics: pd.DataFrame, records: Mapping[int, Mapping[str, Any]]) -> tuple[Round, ...]:
    """What MAAE counted at each capacity, in ascending order, but for those at which all seeds were lost.

    Parameters
    ----------
    metrics : DataFrame
        Runs on one data set, a row a seed and checkpoint.
    records : mapping
        Content of run.json of MAAE's runs, by capacity.
    """
    at_end = last(metrics[metrics["model"] == "maae"])
    trained = at_end[~is_lost(at_end)]
    rounds = []
    for m, record in sorted(records.items()):
        rows = trained[trained["m"] == m]
        if rows.empty:
            continue
        counts = {int(seed): int(active) for seed, active in zip(rows["seed"], rows["active"], strict=True)}
        spec, validation = record["spec"], record.get("validation", {})
        shares = validation.get("unexplained", {})
        rounds.append(
            Round(
                Trial(
                    m,
                    tuple(spec["hidden"]),
                    tuple(spec["critic_hidden"]),
                    tuple(spec["channels"]) if spec["network"] == "convolutional" else (),
                ),
                counts,
                record.get("steps", record["plan"]["steps"]),
                lost={int(seed): reason for seed, reason in record.get("lost", {}).items()},
                settled=_settled(record, counts),
                training_error=shares_of([shares.get("seen", {})], counts),
                validation_error=shares_of([shares.get("unseen", {})], counts),
                linear_error=shares_of([validation.get("linear", {})], counts),
                seconds=record.get("seconds", 0.0),
            )
        )
    return tuple(rounds)


def count_of(rounds: Sequence[Round], witnesses: Sequence[Witness], rows: int, dimension: int) -> Count:
    """The answer of all capacities that had dimensions to spare, or of the largest one if none had.

    Every run votes, whatever its capacity. `rows` are those trained on, `dimension` is D. ValueError
    without a round.
    """
    if not rounds:
        raise ValueError("no run of MAAE was trained to its end: there is nothing to count")
    spare = [each for each in rounds if not each.near_capacity and each.vote > 0]
    pooled = _pooled(spare or [rounds[-1]])
    warnings = list(
        cautions(
            pooled,
            witnesses,
            converged_in_width=None,
            rounds=rounds,
            rows=rows,
            dimension=dimension,
        )
    )
    votes = [each.vote for each in spare]
    if votes and max(votes) - min(votes) > NEARLY:
        said = ", ".join(f"{each.vote} of m = {each.trial.capacity}" for each in spare)
        warnings.insert(
            0,
            Caution(
                "capacities_disagree",
                f"The capacities disagree: {said}. Take the count as an order of size.",
                "Train longer, and with more seeds.",
            ),
        )
    return Count((*rounds, pooled), tuple(witnesses), tuple(warnings), None, rows, dimension)


def _pooled(rounds: Sequence[Round]) -> Round:
    """All runs of some rounds as one, numbered instead of called by their seeds."""
    runs = [(each, seed) for each in rounds for seed in each.counts]
    settled = [each.settled for each in rounds]
    return Round(
        rounds[-1].trial,
        {number: each.counts[seed] for number, (each, seed) in enumerate(runs)},
        max(each.steps for each in rounds),
        lost=dict(enumerate(_reasons(rounds))),
        settled=None if None in settled else all(settled),
        training_error=_numbered([(each.training_error, seed) for each, seed in runs]),
        validation_error=_numbered([(each.validation_error, seed) for each, seed in runs]),
        linear_error=_numbered([(each.linear_error, seed) for each, seed in runs]),
        seconds=sum(each.seconds for each in rounds),
    )


def _reasons(rounds: Sequence[Round]) -> list[str]:
    return [reason for each in rounds for reason in each.lost.values()]


def _numbered(errors: Sequence[tuple[Mapping[int, float], int]]) -> dict[int, float]:
    return {number: of_seeds[seed] for number, (of_seeds, seed) in enumerate(errors) if seed in of_seeds}


def _settled(record: Mapping[str, Any], counts: Mapping[int, int]) -> bool | None:
    """Whether the count of every seed stayed; None where it was read only once."""
    search = record.get("search")
    if not search or len(search["readings"]) < 2:
        return None
    return all(search["settled"][str(seed)] is not None for seed in counts)
