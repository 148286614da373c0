"""`workflow/quiet/run.py` around Snakemake, and around a program that stands in for it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUNNER = [sys.executable, str(ROOT / "workflow/quiet/run.py")]
STAND_IN = """
import json, os, signal, sys, time
with open(os.environ["EVENTS_FILE"], "a") as events:
    for event in (
        {"event": "run_info", "stats": {"train": 1, "total": 1}},
        {"event": "job_info", "jobid": 1, "rule_name": "train", "wildcards": {"m": 4}, "log": ["train.log"]},
    ):
        events.write(json.dumps({"time": time.time(), "message": "", **event}) + "\\n")
print("Building DAG of jobs...", file=sys.stderr)
print("2026-01-01 10:00:00,000 WARNING seed 3 is lost", file=sys.stderr)
print("2026-01-01 10:00:01,000 WARNING seed 3 is lost", file=sys.stderr, flush=True)
"""


def quietly(folder, *command, **options):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    return subprocess.Popen(
        [*RUNNER, "--log", str(folder / "logs/all.log"), *command],
        cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def heard_interrupts():
    """Let SIGINT end what is started here also where the tests run with it ignored, as a background job."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def stand_in(folder, rest=""):
    (folder / "stand_in.py").write_text(STAND_IN + rest)
    return quietly(folder, sys.executable, str(folder / "stand_in.py"))


def test_what_goes_on_and_warnings_are_said_and_the_rest_goes_to_the_log(tmp_path):
    said = stand_in(tmp_path, "time.sleep(2)").communicate(timeout=60)[1].splitlines()
    assert said[0] == f"What Snakemake says: {tmp_path}/logs/all.log"
    assert sorted(said[1:]) == ["0 of 1 jobs done: training m = 4", "seed 3 is lost"]
    assert "Building DAG of jobs..." in (tmp_path / "logs/all.log").read_text()


def test_the_exit_code_is_that_of_snakemake(tmp_path):
    run = stand_in(tmp_path, "sys.exit(3)")
    run.communicate(timeout=60)
    assert run.returncode == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_passed_on_and_waited_for(tmp_path, number):
    """Snakemake and its jobs save what they have; only then does the command end."""
    saves = """
def save(number, frame):
    time.sleep(1)
    open("saved", "w").close()
    sys.exit(1)
signal.signal(signal.SIGINT, save)
signal.signal(signal.SIGTERM, save)
open("ready", "w").close()
time.sleep(60)
"""
    run = stand_in(tmp_path, saves)
    deadline = time.monotonic() + 50
    while not (tmp_path / "ready").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    run.send_signal(number)
    said = run.communicate(timeout=60)[1]
    assert run.returncode == 128 + number
    assert (tmp_path / "saved").exists()
    assert said.splitlines()[-1] == "Stopped. The same command goes on from here."


def test_wrong_input_is_said_in_a_few_lines_by_snakemake_itself(tmp_path):
    config = ["--configfile", str(ROOT / "config/own_data.yaml"), "--config", "data=none.csv"]
    snakemake = ["snakemake", "--snakefile", str(ROOT / "workflow/Snakefile"), "--directory", str(tmp_path)]
    run = quietly(tmp_path, sys.executable, "-m", *snakemake, "own", "--cores", "1", *config)
    said = run.communicate(timeout=120)[1].splitlines()
    assert run.returncode == 1
    assert "none.csv: no such file or folder" in said[2]
    assert len(said) <= 5 and not any("Traceback" in line or "common.smk" in line for line in said)


def test_a_signal_that_was_ignored_from_the_start_stays_ignored(tmp_path):
    """As under nohup."""
    ignoring = {"preexec_fn": lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)}
    (tmp_path / "stand_in.py").write_text(STAND_IN + 'open("ready", "w").close(); time.sleep(3)')
    run = quietly(tmp_path, sys.executable, str(tmp_path / "stand_in.py"), **ignoring)
    deadline = time.monotonic() + 50
    while not (tmp_path / "ready").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    run.send_signal(signal.SIGHUP)
    run.communicate(timeout=60)
    assert run.returncode == 0
