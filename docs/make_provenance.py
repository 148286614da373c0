r"""Keep with a folder of results what made it, and list those that would come out otherwise today.

For a run of the workflow, after it, for scripts that measure by themselves, and for the list (`make stale`):

    python docs/make_provenance.py docs/results/claims --command "make claims" \
        --config config/claims.yaml --results results/claims/results
    python docs/make_provenance.py docs/results/reliability --command "make chaos" \
        --programs tests/reliability/chaos.py
    python docs/make_provenance.py --stale
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from maskaae.config.checking import check_config
from maskaae.config.reading import read_config
from maskaae.provenance import git_commit
from maskaae.report.freshness import (
    FILE,
    SHOWN,
    Program,
    Provenance,
    configuration_hash,
    describe_experiment,
    everything,
    programs,
)

REPOSITORY = Path(__file__).resolve().parents[1]
RESULTS = REPOSITORY / "docs/results"
MADE = {".csv", ".md", ".png", ".tex", ".txt"}
"""Suffixes of results; a folder that only holds a configuration has none."""


def processor() -> str:
    """Name of the processor, and how many of its cores there are."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"


HASHES = """
import json, sys
from pathlib import Path
from maskaae.provenance import code_version
given = [(Path(script), tuple(points), table) for script, points, table in json.load(sys.stdin)]
print(json.dumps([code_version(*program) if program[0].is_file() else "" for program in given]))
"""
"""Asks another checkout's own code for the hashes of its programs."""


def hashed_there(found: Sequence[Program], checkout: Path) -> list[Program]:
    """Programs with the hashes of another checkout's code, which has the scripts at the same places."""
    given = json.dumps([(str(checkout / one.script), one.entry_points, one.table) for one in found])
    environment = {**os.environ, "PYTHONPATH": str(checkout / "src")}
    command = [sys.executable, "-c", HASHES]
    answer = subprocess.run(command, input=given, env=environment, capture_output=True, text=True, check=True)
    hashes = json.loads(answer.stdout)
    return [replace(one, sha256=sha256) for one, sha256 in zip(found, hashes, strict=True)]


def of_workflow(config: Path, results: Path, names: Sequence[str], code: Path) -> dict[str, Any]:
    """Fields of the record of a run of the workflow: of some of its figures and tables, or of all.

    `code` is the checkout that trained and evaluated; figures and tables are always this one's.
    """
    experiment = check_config(read_config(config))
    shown = list(names) or everything(experiment)
    said = describe_experiment(experiment, shown, results)
    trained, devices = said.pop("programs"), said.pop("devices")
    others = [program for program in programs(experiment, shown) if program.script != "scripts/train.py"]
    here = [program for program in others if code == REPOSITORY or program.stage == SHOWN]
    there = [program for program in others if program not in here]
    made = {program.hashed(REPOSITORY) for program in here} | set(hashed_there(there, code) if there else [])
    return {
        **said,
        "machine": "; ".join([processor(), *(device for device in devices if device != "cpu")]),
        "programs": tuple(sorted(trained | made)),
        "configuration": str(config.resolve().relative_to(REPOSITORY)),
        "configuration_sha256": configuration_hash(config),
    }


def of_benchmarks(scripts: Sequence[str]) -> dict[str, Any]:
    """Fields of the record of scripts that measure by themselves."""
    return {
        "commits": (git_commit() or "unknown",),
        "machine": processor(),
        "programs": tuple(sorted(Program(script).hashed(REPOSITORY) for script in scripts)),
    }


def stale() -> list[str]:
    """Lines for every folder of results that has no record, or whose code or configuration has changed."""
    lines = []
    for folder in sorted({path.parent for path in RESULTS.rglob("*") if path.suffix in MADE} - {RESULTS}):
        name = folder.relative_to(REPOSITORY)
        if not (folder / FILE).exists():
            lines.append(f"{name}: nothing says what made it")
            continue
        record = Provenance.read(folder)
        changes = record.changes(REPOSITORY)
        if changes:
            lines.append(
                f"{name}: of {record.short_commits}; `{record.command}` would make it otherwise today"
            )
            lines += [f"    {stage}: {', '.join(names)}" for stage, names in changes.items()]
    return lines


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="folder of results under docs/results")
    parser.add_argument("--command", help="what fills it")
    parser.add_argument("--config", type=Path, help="configuration of the run of the workflow")
    parser.add_argument("--results", type=Path, help="results folder of that run")
    parser.add_argument("--names", nargs="*", default=[], help="figures and tables of it; none: all")
    parser.add_argument("--programs", nargs="*", help="or scripts that measured")
    parser.add_argument("--code", type=Path, default=REPOSITORY, help="checkout that trained and evaluated")
    parser.add_argument("--stale", action="store_true", help="list what is not fresh instead")
    asked = parser.parse_args()
    if asked.stale:
        print("\n".join(stale()) or "All results are those of today's code and configurations.")
        return
    if not (asked.folder and asked.command and (asked.programs or (asked.config and asked.results))):
        parser.error("give a folder, --command, and --config with --results, or --programs")
    fields = (
        of_benchmarks(asked.programs)
        if asked.programs
        else of_workflow(asked.config, asked.results, asked.names, asked.code.resolve())
    )
    made = datetime.now(UTC).date().isoformat()
    Provenance(**fields, command=asked.command, made=made).write(asked.folder)


if __name__ == "__main__":
    main()
