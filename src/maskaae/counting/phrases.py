"""A count in words, as a colleague would give it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from maskaae.counting.answer import Count, Round, Trial
from maskaae.evaluation.witnesses import Witness

WIDTH = 88


def answer_text(count: Count) -> str:
    """The answer: number, how sure, what was tried, and what to do about each doubt; several lines."""
    return "\n".join([headline(count), *_evidence(count), *_doubts(count)])


TOO_MANY = {"few_rows", "learned_by_heart"}
"""Cautions that say that a count may be too high, and so not too low."""


def headline(count: Count) -> str:
    """One sentence with the number, and whether to believe it."""
    number = count.dimensions
    noun = "dimension" if number == 1 else "dimensions"
    codes = {caution.code for caution in count.warnings}
    if number == 0:
        return "No answer: every dimension was closed."
    if "at_capacity" in codes and not codes & TOO_MANY:
        return f"Your data need about {number} {noun} or more; see the warnings."
    if count.warnings:
        return f"Your data need about {number} {noun}; see the warnings before you rely on it."
    return f"Your data need {number} {noun}."


def witnesses_text(witnesses: Sequence[Witness]) -> str:
    """The answers of estimators that need no training, in one line."""
    known = [f"{each.name} {each.dimension:.1f}" for each in witnesses if each.dimension is not None]
    mute = [f"{each.name} cannot say: {each.reason}" for each in witnesses if each.dimension is None]
    return "; ".join([", ".join(known), *mute] if known else mute)


def trial_text(trial: Trial, seeds: int, steps: int) -> str:
    """What is trained next, in one line."""
    noun = "seed" if seeds == 1 else "seeds"
    return (
        f"Training {seeds} {noun} with {trial.capacity} dimensions, {nets_text(trial)}, at most {steps:,} "
        "steps"
    )


def nets_text(trial: Trial) -> str:
    """Kind and widths of encoder and decoder."""
    if trial.channels:
        return f"convolutional nets of {' x '.join(map(str, trial.channels))} channels"
    return f"nets of {' x '.join(map(str, trial.hidden))}"


def round_text(done: Round) -> str:
    """What a round found, in one line."""
    return (
        f"found {', '.join(map(str, done.counts.values()))} of {done.trial.capacity} ({done.seconds:.0f} s)"
    )


def _evidence(count: Count) -> Iterator[str]:
    yield _wrap(_votes(count))
    if count.settled:
        yield _wrap(
            f"It settled within {count.steps:,} steps: twice the length found no more dimensions, but for "
            "one, and fewer were no better."
        )
    if count.witnesses:
        yield _wrap(f"Estimators without training say: {witnesses_text(count.witnesses)}.")
    if count.validation_error is not None:
        seen = count.answer.training_error[count.answer.chosen_seed]
        yield _wrap(
            f"The model leaves {count.validation_error:.1%} of the variance of unseen rows unexplained "
            f"({seen:.1%} of those it was trained on)."
        )
    if count.converged_in_width is None:
        wider = count.answer.trial.doubled().widest
        yield _wrap(f"Whether a wider net would count the same was not tried (--widest {wider} tries it).")
    elif count.converged_in_width:
        yield _wrap("A net twice as wide counts the same, within one.")


def _votes(count: Count) -> str:
    counts, m = count.counts, count.answer.trial.capacity
    if len(counts) == 1:
        return (
            f"One seed found that many, of {m} that it could have used; more would show how far it scatters."
        )
    who = "All" if count.agreeing == len(counts) else f"{count.agreeing} of"
    found = "" if count.agreeing == len(counts) else f" ({', '.join(map(str, counts))})"
    return f"{who} {len(counts)} seeds found that many{found}, of {m} that they could have used."


def _doubts(count: Count) -> Iterator[str]:
    for caution in count.warnings:
        yield _wrap(f"Warning: {caution.sentence} {caution.remedy}")


def _wrap(sentence: str) -> str:
    return textwrap.fill(sentence, WIDTH, subsequent_indent="  ", initial_indent="- ")
