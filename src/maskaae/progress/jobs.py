"""The jobs of a run, from the events that Snakemake's logger plugin writes down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Job:
    """One job of a rule.

    Attributes
    ----------
    rule : str
        Name of the rule.
    wildcards : dict of str
        Of the rule, by name.
    logs : list of Path
        Where the job writes its messages.
    started, ended : float
        Seconds since 1970; None while it runs.
    """

    rule: str
    wildcards: dict[str, str]
    logs: list[Path]
    started: float
    ended: float | None = None

    @property
    def words(self) -> str:
        """What the job is doing."""
        rest = dict(self.wildcards)
        capacity = f"m = {rest.pop('m')}" if "m" in rest else ""
        order = sorted(rest, key=["dataset", "model"].index) if set(rest) <= {"dataset", "model"} else rest
        parts = [DOING.get(self.rule, self.rule.replace("_", " ")), *(rest[name] for name in order), capacity]
        return " ".join(part for part in parts if part)


DOING: Mapping[str, str] = {"train": "training", "tune": "tuning", "evaluate": "evaluating"}
"""What jobs of a rule do; others are called by the name of their rule."""


@dataclass
class Run:
    """A run of the pipeline as far as it has come.

    Attributes
    ----------
    planned : Counter
        Jobs of each rule.
    jobs : dict of int to Job
        Those that were started, by Snakemake's number.
    failed : list of Job
        Those that ended with an error.
    complaint : str
        What Snakemake itself says is wrong, mostly of the configuration.
    """

    planned: Counter[str] = field(default_factory=Counter)
    jobs: dict[int, Job] = field(default_factory=dict)
    failed: list[Job] = field(default_factory=list)
    complaint: str = ""
    most_at_once: int = 1

    def take(self, event: Mapping[str, Any]) -> None:
        """Take in one event."""
        match event["event"]:
            case "run_info":
                self.planned = Counter(event["stats"])
                self.planned.pop("total", None)
            case "job_info":
                logs = [Path(path) for path in event["log"]]
                wildcards = {name: str(value) for name, value in event["wildcards"].items()}
                self.jobs[event["jobid"]] = Job(event["rule_name"], wildcards, logs, event["time"])
                self.most_at_once = max(self.most_at_once, len(self.running))
            case "job_finished" if event["job_id"] in self.jobs:
                self.jobs[event["job_id"]].ended = event["time"]
            case "job_error" if event["jobid"] in self.jobs:
                job = self.jobs[event["jobid"]]
                job.ended = event["time"]
                self.failed.append(job)
            case "error":
                self.complaint = event["message"]

    @property
    def running(self) -> list[Job]:
        """Jobs that were started and have not ended."""
        return [job for job in self.jobs.values() if job.ended is None]

    @property
    def done(self) -> int:
        """Jobs that ended well."""
        return sum(job.ended is not None for job in self.jobs.values()) - len(self.failed)

    @property
    def waiting(self) -> Counter[str]:
        """Jobs of each rule that are still to be started."""
        return self.planned - Counter(job.rule for job in self.jobs.values())
