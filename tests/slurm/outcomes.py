"""Gather the outcomes of repeated runs of the SLURM tests: `make slurm-table`.

python tests/slurm/outcomes.py results/slurm/*.xml --output docs/results/reliability/slurm.csv
"""

import argparse
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd

SCENARIOS = {
    "test_two_trainings_run_at_once_on_different_gpus": "two trainings at once, each on a GPU of its own",
    "test_training_comes_back_and_resumes[cancel]": "job cancelled",
    "test_training_comes_back_and_resumes[end_its_time]": "job over its time limit",
    "test_training_comes_back_and_resumes[preempt]": "job preempted and requeued",
    "test_training_comes_back_and_resumes[lose_the_node]": "node down and back",
    "test_absence_of_the_controller_is_waited_for": "slurmctld away for a minute",
    "test_every_rule_of_the_smoke_pipeline_comes_to_the_same_bytes": "every rule of the smoke pipeline",
}


def outcomes(report: Path) -> pd.DataFrame:
    """One row a test of a JUnit report: scenario, seconds, passed. A test that was skipped did not run."""
    cases = [
        case for case in ElementTree.parse(report).getroot().iter("testcase") if case.find("skipped") is None
    ]
    if not cases:
        raise ValueError(f"{report}: no test was run; SLURM could not be started")
    return pd.DataFrame(
        {
            "scenario": [SCENARIOS[case.get("name", "")] for case in cases],
            "seconds": [float(case.get("time", "nan")) for case in cases],
            "passed": [case.find("failure") is None and case.find("error") is None for case in cases],
        }
    )


def main() -> None:
    """Write a row a scenario: how often it ran, how often it passed, and how long it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reports", type=Path, nargs="+")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    rows = pd.concat([outcomes(report) for report in arguments.reports])
    table = rows.groupby("scenario", sort=False).agg(
        runs=("passed", "size"), passed=("passed", "sum"), longest_seconds=("seconds", "max")
    )
    table["longest_seconds"] = table["longest_seconds"].round().astype(int)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(arguments.output)


if __name__ == "__main__":
    main()
