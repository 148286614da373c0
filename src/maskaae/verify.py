"""Compare two folders of results, file by file: `python -m maskaae.verify results other/results`.

Files are equal byte by byte, or hold the same numbers within a tolerance, or differ. What a run says of
itself (times, machine, threads) never counts.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

Verdict = Literal["equal", "within tolerance", "different", "only in A", "only in B"]

RELATIVE, ABSOLUTE = 1e-3, 1e-5
"""How far numbers may lie apart: what another number of threads or another processor does to short runs."""

SKIPPED = frozenset(
    [
        *("logs", "benchmarks", "resume", "resume.discarded", "raw", "report.html", "demo_time.txt"),
        "README.md",
    ]
)
"""Folders and files that hold times, messages, downloads and unfinished runs, or come with a checkout."""

OF_THE_MACHINE = frozenset(
    [
        *("seconds", "minutes", "steps_per_second", "threads", "device"),
        *("versions", "commit", "resumed_from_step", "path"),
    ]
)
"""Keys of json files, columns and quantities of tables that say where and how fast something was made."""

PICTURES = (".png", ".pdf")
WORDS = (".md", ".tex", ".html")


@dataclass(frozen=True)
class Comparison:
    """Verdict on one file, by its path in the folders; the note says where they differ, and by how much."""

    file: str
    verdict: Verdict
    note: str = ""


@dataclass(frozen=True)
class Tolerance:
    """`|a - b| <= absolute + relative |b|`, element by element; NaN equals NaN."""

    relative: float = RELATIVE
    absolute: float = ABSOLUTE

    def largest_excess(self, a: NDArray[Any], b: NDArray[Any]) -> float:
        """Largest distance in units of what is allowed: up to 1 is within the tolerance."""
        a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        with np.errstate(invalid="ignore"):
            excess = np.abs(a - b) / (self.absolute + self.relative * np.abs(b))
        excess = np.where(same, 0.0, np.where(np.isfinite(excess), excess, np.inf))
        return float(excess.max(initial=0.0))


def compare_folders(a: Path, b: Path, tolerance: Tolerance | None = None) -> list[Comparison]:
    """Compare all results below two `results` folders, or folders inside them, file by file, by path.

    FileNotFoundError if a folder is missing or has no results.
    """
    found = {folder: set(result_files(folder)) for folder in (a, b)}
    limit = tolerance or Tolerance()
    verdicts = {}
    for file in sorted(found[a] | found[b]):
        if file not in found[b] or file not in found[a]:
            verdicts[file] = Comparison(file, "only in B" if file in found[b] else "only in A")
        else:
            verdicts[file] = _compare(file, a, b, limit)
    return [_judge_picture(comparison, verdicts) for comparison in verdicts.values()]


def result_files(folder: Path) -> Iterable[str]:
    """Paths, relative to a folder, of all results in it; FileNotFoundError if there is none."""
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder; give the `results` folder of a finished run")
    files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    kept = [f.as_posix() for f in files if not any(p in SKIPPED or p.startswith(".") for p in f.parts)]
    if not kept:
        raise FileNotFoundError(f"{folder}: no results in it")
    return kept


def _compare(file: str, a: Path, b: Path, tolerance: Tolerance) -> Comparison:
    """Compare one file that is in both folders."""
    one, other = a / file, b / file
    if one.read_bytes() == other.read_bytes():
        return Comparison(file, "equal")
    suffix = one.suffix
    if suffix not in READERS:
        return Comparison(file, "different", "bytes differ")
    try:
        values, others = READERS[suffix](one), READERS[suffix](other)
    except (ValueError, OSError, EOFError, BadZipFile) as error:
        return Comparison(file, "different", f"cannot be read: {error}")
    if values.keys() != others.keys():
        names = ", ".join(sorted(values.keys() ^ others.keys())[:3])
        return Comparison(file, "different", f"only one of them has {names}")
    worst, where = 0.0, ""
    for name, value in values.items():
        problem = _distance(value, others[name], tolerance)
        if problem > worst:
            worst, where = problem, name
    if worst == 0:
        return Comparison(file, "equal", "but for times and machine" if _holds_times(one) else "same numbers")
    words = f"{where}: {worst:.2g} of the tolerance" if np.isfinite(worst) else f"{where} is another"
    return Comparison(file, "within tolerance" if worst <= 1 else "different", words)


def _holds_times(path: Path) -> bool:
    """Whether a file says where or how fast it was made, beside what it holds."""
    if path.suffix == ".csv":
        lines = path.read_text(encoding="utf-8").splitlines()
        return any(not OF_THE_MACHINE.isdisjoint(line.split(",")) for line in lines)
    return path.suffix == ".json"


def _distance(a: NDArray[Any], b: NDArray[Any], tolerance: Tolerance) -> float:
    if a.shape != b.shape:
        return np.inf
    if a.dtype.kind in "biuf" and b.dtype.kind in "biuf":
        return tolerance.largest_excess(a, b)
    return 0.0 if (a.astype(str) == b.astype(str)).all() else np.inf


def _judge_picture(comparison: Comparison, verdicts: Mapping[str, Comparison]) -> Comparison:
    """Judge a picture or a printed table that differs by the csv it was made from, if that differs too."""
    suffix = Path(comparison.file).suffix
    data = verdicts.get(str(Path(comparison.file).with_suffix(".csv")))
    if comparison.verdict != "different" or suffix not in (*PICTURES, *WORDS) or data is None:
        return comparison
    same_bytes = data.verdict == "equal" and not data.note
    return comparison if same_bytes else Comparison(comparison.file, data.verdict, "as its csv")


def _read_csv(path: Path) -> dict[str, NDArray[Any]]:
    """Columns of a table, without those, and without rows of those quantities, that are of the machine."""
    import pandas as pd

    table = pd.read_csv(path)
    if "quantity" in table:
        table = table[~table["quantity"].isin(OF_THE_MACHINE)]
    return {str(name): column.to_numpy() for name, column in table.items() if name not in OF_THE_MACHINE}


def _read_safetensors(path: Path) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return dict(load_file(path))
    except SafetensorError as error:
        raise ValueError(str(error)) from error


def _read_npy(path: Path) -> dict[str, NDArray[Any]]:
    return {"array": np.load(path, mmap_mode="r", allow_pickle=False)}


def _read_npz(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def _read_json(path: Path) -> dict[str, NDArray[Any]]:
    return dict(_flatten(json.loads(path.read_text(encoding="utf-8")), ""))


def _flatten(value: Any, name: str) -> Iterable[tuple[str, NDArray[Any]]]:
    """Yield every plain value of nested mappings and lists with its place, without those of the machine."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            if key not in OF_THE_MACHINE:
                yield from _flatten(part, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _flatten(part, f"{name}[{index}]")
    else:
        yield name, np.asarray("null" if value is None else value)


READERS = {
    ".csv": _read_csv,
    ".safetensors": _read_safetensors,
    ".npy": _read_npy,
    ".npz": _read_npz,
    ".json": _read_json,
}


def report(comparisons: Sequence[Comparison], everything: bool = False) -> str:
    """Lines of the files that are not equal (or of all), and the number of files by verdict."""
    shown = [c for c in comparisons if everything or c.verdict != "equal"]
    lines = [f"{c.verdict:17} {c.file}" + (f"  ({c.note})" if c.note else "") for c in shown]
    verdicts = [c.verdict for c in comparisons]
    counts = ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in dict.fromkeys(verdicts))
    return "\n".join([*lines, f"{len(comparisons)} files: {counts}"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the report; 0 if nothing differs, 1 if something does, 2 if a folder is no results folder."""
    usage = "make verify A=results B=other/results, or %(prog)s [options] A B"
    parser = argparse.ArgumentParser(prog="python -m maskaae.verify", usage=usage, description=__doc__)
    parser.add_argument("a", metavar="A", type=Path, help="results folder")
    parser.add_argument("b", metavar="B", type=Path, help="the other results folder")
    parser.add_argument("--relative", type=float, default=RELATIVE, help="relative tolerance")
    parser.add_argument("--absolute", type=float, default=ABSOLUTE, help="absolute tolerance")
    parser.add_argument("--all", action="store_true", help="name equal files too")
    asked = parser.parse_args(arguments)
    try:
        comparisons = compare_folders(asked.a, asked.b, Tolerance(asked.relative, asked.absolute))
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 2
    print(report(comparisons, asked.all))
    return int(any(c.verdict not in ("equal", "within tolerance") for c in comparisons))


if __name__ == "__main__":
    sys.exit(main())
