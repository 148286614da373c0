"""The lines that a user sees: what is going on, and what went wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean

from maskaae.progress.job_log import Steps, error_of
from maskaae.progress.jobs import Job, Run

TRAINING = "train"
SNAKEFILE_PLACE = re.compile(r"WorkflowError in file .*:$|  File ")
LOCKED = "Directory cannot be locked"
"""Part of what Snakemake says where another one runs, or was killed."""
SHOWN_JOBS = 3
LONGEST_MESSAGE = 7
"""Lines of an error that are shown; the log has all of it."""
SHORT_JOB = 5.0
"""Seconds that a job is taken to need while no other one of its rule has ended (our guess)."""


def status(run: Run, steps: Mapping[int, Steps], now: float) -> str:
    """Say in one line how long all of it still takes, then what is running, which a narrow terminal may cut.

    Parameters
    ----------
    run : Run
        Jobs so far.
    steps : mapping of int to Steps
        How far each running training is, by the number of its job, where it has said so.
    now : float
        Seconds since 1970.
    """
    running = [_with_share(job, steps.get(number)) for number, job in run.jobs.items() if job.ended is None]
    shown = ", ".join(running[:SHOWN_JOBS])
    more = f" and {len(running) - SHOWN_JOBS} more" if len(running) > SHOWN_JOBS else ""
    left = seconds_left(run, steps, now)
    time_left = "" if left is None else f", about {duration(left)} left"
    return f"{run.done} of {run.planned.total()} jobs done{time_left}: {shown or 'planning'}{more}"


def _with_share(job: Job, steps: Steps | None) -> str:
    return job.words if steps is None else f"{job.words} {steps.done / steps.wanted:.0%}"


def seconds_left(run: Run, steps: Mapping[int, Steps], now: float) -> float | None:
    """Estimate the time until the end; None while a training has not told its speed.

    The waiting jobs are taken to need as long as those of their rule did, or will; all of it is dealt out to
    as many places as there were jobs at once.
    """
    lengths: dict[str, list[float]] = {}  # of jobs, by rule
    ends = []  # seconds until each running job ends
    for number, job in run.jobs.items():
        if job.ended is not None:
            lengths.setdefault(job.rule, []).append(job.ended - job.started)
        elif number in steps:
            ends.append(steps[number].seconds_left)
            lengths.setdefault(job.rule, []).append(now - job.started + ends[-1])
    if run.planned[TRAINING] and TRAINING not in lengths:
        return None
    waiting = sum(count * fmean(lengths.get(rule, [SHORT_JOB])) for rule, count in run.waiting.items())
    return max([*ends, (sum(ends) + waiting) / run.most_at_once])


def duration(seconds: float) -> str:
    """Say a time in words: 40 s, 12 min, 3 h 20 min, 2 days 5 h."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} days {hours % 24} h"


def failure(run: Run, log: Path, unlock: str) -> str:
    """Say what went wrong, in at most ten lines: the first job that failed, its message, where all of it is.

    Parameters
    ----------
    log : Path
        File with all that Snakemake and its jobs wrote.
    unlock : str
        Command that gives the folder free after a run that was killed.
    """
    if LOCKED in run.complaint:
        return f"Another run works in this folder. If there is none, one was killed: then type\n{unlock}"
    if not run.failed:
        said = _without_places(run.complaint) or "Snakemake ended with an error."
        return "\n".join([*_shortened(said), f"All that was said: {log}"])
    job = run.failed[0]
    own_log = job.logs[0] if job.logs else log
    message = error_of(own_log, job.started)
    said = message or "It ended without a message: perhaps it was killed, or memory ran out."
    others = f" ({len(run.failed) - 1} more failed)" if len(run.failed) > 1 else ""
    return "\n".join(
        [
            f"Failed: {job.words}{others}",
            *_shortened(said),
            f"Its log: {own_log}",
            f"All that was said: {log}",
        ]
    )


def _without_places(complaint: str) -> str:
    """Leave out of Snakemake's message where in the workflow it was raised."""
    return "\n".join(line for line in complaint.splitlines() if not SNAKEFILE_PLACE.match(line))


def _shortened(message: str) -> list[str]:
    lines = message.strip().splitlines()
    return lines if len(lines) <= LONGEST_MESSAGE else [*lines[: LONGEST_MESSAGE - 1], "..."]
