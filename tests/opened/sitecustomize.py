"""Imported by each script of a run: writes down what it reads in `results/` and its rule does not declare."""

import atexit
import os
import sys
from pathlib import Path

opened = set()


def note(event, arguments):
    if event == "open" and isinstance(arguments[0], str) and not arguments[2] & (os.O_WRONLY | os.O_RDWR):
        opened.add(arguments[0])


def compare():
    job = getattr(sys.modules["__main__"], "snakemake", None)
    if job is None:  # not the process of a script
        return
    results = Path("results").resolve()
    declared = [Path(path).resolve() for path in (*job.input, *job.output, *job.log)]
    lines = [f"{job.rule} was watched"]
    for path in {Path(name).resolve() for name in opened}:
        known = any(path.is_relative_to(one) for one in declared) or "resume" in path.parts
        if path.is_relative_to(results) and path.is_file() and not known:
            lines.append(f"{job.rule} reads {path.relative_to(results)}")
    with Path(os.environ["UNDECLARED"]).open("a", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


if "UNDECLARED" in os.environ:
    sys.addaudithook(note)
    atexit.register(compare)
