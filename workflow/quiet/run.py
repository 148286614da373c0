"""Run Snakemake and say in one line what is going on: `python workflow/quiet/run.py --log LOG snakemake ...`.

What Snakemake and its jobs write goes to LOG. A terminal shows one line that moves; elsewhere it is a line
every half a minute. Signals are passed on to Snakemake and its jobs; the exit code is Snakemake's (130 after
Ctrl-C).
"""

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from tqdm import tqdm

from maskaae.progress.job_log import Steps, records, steps_of
from maskaae.progress.jobs import Run
from maskaae.progress.lines import TRAINING, failure, status

LOOK_EVERY = 0.5
SAY_EVERY = 30.0
"""Seconds between two looks, and between two lines where there is no terminal."""
PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Line:
    """The line that moves on a terminal, and is said again from time to time elsewhere."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._bar = tqdm(bar_format="{desc}", disable=not self._terminal, dynamic_ncols=True, leave=False)
        self._said = -SAY_EVERY

    def show(self, text: str) -> None:
        """Show where things stand."""
        if self._terminal:
            self._bar.set_description_str(text)
        elif time.monotonic() - self._said >= SAY_EVERY:
            self._said = time.monotonic()
            print(text, file=sys.stderr, flush=True)

    def say(self, text: str) -> None:
        """Say something that stays."""
        with tqdm.external_write_mode(sys.stderr):
            print(text, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Take the line away."""
        self._bar.close()


class Follower:
    """Gives the whole lines that have been added to a file since the last look."""

    def __init__(self, path: Path) -> None:
        self._file = path.open(encoding="utf-8", errors="replace")
        self._begun = ""

    def lines(self) -> Iterator[str]:
        """Yield new lines; one that has no end yet waits for it."""
        *whole, self._begun = (self._begun + self._file.read()).split("\n")
        yield from whole


def watch(command: list[str], log: Path) -> int:
    """Start Snakemake, follow it to its end, and return its exit code."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, log.open("w", encoding="utf-8") as output:
        events = Path(folder) / "events"
        events.touch()
        plugins = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH")]))
        process = subprocess.Popen(
            [*command, "--logger", "events", "--nocolor"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": plugins, "EVENTS_FILE": str(events)},
            start_new_session=True,  # a terminal's Ctrl-C comes here alone, and from here to all of them
        )
        received: list[int] = []

        def pass_on(number: int, frame: FrameType | None) -> None:
            received.append(number)
            if process.poll() is None:
                os.killpg(process.pid, number)

        print(f"What Snakemake says: {log}", file=sys.stderr, flush=True)
        for number in PASSED_ON:
            if signal.getsignal(number) != signal.SIG_IGN:  # nohup, or a shell's background
                signal.signal(number, pass_on)
        run, line = Run(), Line()
        try:
            code = follow(process, run, line, Follower(events), Follower(log))
        finally:
            line.close()
    if received:
        print("Stopped. The same command goes on from here.", file=sys.stderr)
        return 128 + received[0]
    if code != 0:
        unlock = shlex.join([sys.executable, "-m", *command, "--unlock"])
        print(failure(run, log, unlock), file=sys.stderr)
    return code


def follow(process: subprocess.Popen[bytes], run: Run, line: Line, events: Follower, output: Follower) -> int:
    """Show what happens until Snakemake ends; return its exit code."""
    warned: set[str] = set()
    while True:
        code = process.poll()  # before the files are read: the last words are not missed
        for text in events.lines():
            run.take(json.loads(text))
        for record in records("\n".join(output.lines())):
            if record.level == "WARNING" and record.message not in warned:
                warned.add(record.message)
                line.say(record.message)
        if code is not None:
            return code
        if run.planned:
            line.show(status(run, trainings(run), time.time()))
        time.sleep(LOOK_EVERY)


def trainings(run: Run) -> dict[int, Steps]:
    """How far the running trainings are, as their logs say."""
    running = {number: job for number, job in run.jobs.items() if job.rule == TRAINING and job.ended is None}
    steps = {number: steps_of(job.logs[0], job.started) for number, job in running.items()}
    return {number: far for number, far in steps.items() if far is not None}


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", type=Path, required=True, help="file for all that Snakemake writes")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="snakemake and its arguments")
    given = parser.parse_args()
    return watch(given.command, given.log)


if __name__ == "__main__":
    sys.exit(main())
