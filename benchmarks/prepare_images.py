"""Rate and memory of preparing images: 60,000 of 28x28 as MNIST has them, and photographs as CelebA has them.

    python benchmarks/prepare_images.py --photographs 200000 --output docs/results/preparation.csv

The files are made in a temporary folder: noise in MNIST's IDX files, and JPEGs of 178x218 and about 8 kB,
both loose in a folder (source `images`) and in a zip (source `celeba`). One process prepares the photographs,
then as many as there are cores; beside them Pillow decodes the same files and does nothing else. Every case
runs in a fresh process; `memory_mb` is its peak plus, for each process it starts, that of the largest.
"""

from __future__ import annotations

import argparse
import gzip
import io
import multiprocessing
import os
import resource
import struct
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import pandas as pd
from PIL import Image

from maskaae.data.decode import Workers, chunked
from maskaae.data.published.celeba import ARCHIVE, FOLDER, FOLDER_IN_ARCHIVE, PARTITION
from maskaae.data.published.mnist import FOLDERS, PREFIXES
from maskaae.data.registry import SOURCES, resolve

Result = TypeVar("Result")

DIFFERENT_PHOTOGRAPHS = 200
PHOTOGRAPHS_PER_TASK = 128
TEST_SHARE = 10  # every tenth photograph tests


class Case(NamedTuple):
    """What is timed: work that takes a number of processes."""

    name: str
    images: int
    processes: int
    work: Callable[[Path, int], None]


def write_idx(folder: Path, prefix: str, count: int) -> None:
    """Write MNIST's two files of one split, of noise."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    for kind, shape, top in (("images-idx3", (count, 28, 28), 256), ("labels-idx1", (count,), 10)):
        header = struct.pack(f">BBBB{len(shape)}I", 0, 0, 0x08, len(shape), *shape)
        with gzip.open(folder / f"{prefix}-{kind}-ubyte.gz", "wb", compresslevel=1) as file:
            file.write(header + rng.integers(0, top, shape, dtype=np.uint8).tobytes())


def photograph(rng: np.random.Generator) -> bytes:
    """One JPEG of 178x218: large smooth patches and a little noise compress like a photograph of a face."""
    patches = Image.fromarray(rng.integers(0, 256, (14, 11, 3), dtype=np.uint8))
    smooth = np.asarray(patches.resize((178, 218), Image.Resampling.BICUBIC), dtype=np.float64)
    noisy = np.clip(smooth + rng.normal(scale=6, size=smooth.shape), 0, 255).astype(np.uint8)
    content = io.BytesIO()
    Image.fromarray(noisy).save(content, "JPEG", quality=80)
    return content.getvalue()


def write_photographs(folder: Path, count: int) -> None:
    """Write photographs into `loose/`, and into CelebA's zip and partition list."""
    rng = np.random.default_rng(0)
    contents = [photograph(rng) for _ in range(DIFFERENT_PHOTOGRAPHS)]
    (folder / "loose").mkdir()
    (folder / FOLDER).mkdir()
    with (
        zipfile.ZipFile(folder / FOLDER / ARCHIVE, "w") as archive,
        (folder / FOLDER / PARTITION).open("w") as partition,
    ):
        for number in range(count):
            name, content = f"{number:06d}.jpg", contents[number % DIFFERENT_PHOTOGRAPHS]
            (folder / "loose" / name).write_bytes(content)
            archive.writestr(f"{FOLDER_IN_ARCHIVE}/{name}", content)
            partition.write(f"{name} {2 if number % TEST_SHARE == 0 else 0}\n")


def write_files(folder: Path, photographs: int) -> None:
    """Write all that is prepared later."""
    write_idx(folder / FOLDERS["mnist"][0], PREFIXES["train"], 60_000)
    write_idx(folder / FOLDERS["mnist"][0], PREFIXES["test"], 10_000)
    write_photographs(folder, photographs)


def prepare(folder: Path, processes: int, source: str, **keys: object) -> None:
    """Prepare a data set as its rule does."""
    spec = resolve({"name": source, "source": source, **keys})
    SOURCES[source].prepare(spec, raw=folder, folder=folder / "prepared", workers=processes)


def prepare_mnist(folder: Path, processes: int) -> None:
    """70,000 images from IDX files."""
    prepare(folder, processes, "mnist", verify=False)


def prepare_folder(folder: Path, processes: int) -> None:
    """Loose photographs, to 64x64."""
    prepare(folder, processes, "images", path=str(folder / "loose"), size=64)


def prepare_zip(folder: Path, processes: int) -> None:
    """Photographs in CelebA's zip, to 64x64."""
    prepare(folder, processes, "celeba", verify=False)


def decode_only(paths: Sequence[Path]) -> int:
    """Decode photographs with Pillow and forget them."""
    for path in paths:
        with Image.open(path) as image:
            image.load()
    return len(paths)


def decode_folder(folder: Path, processes: int) -> None:
    """Decode all loose photographs."""
    with Workers(processes) as workers:
        sum(workers.map(decode_only, chunked((folder / "loose").iterdir(), PHOTOGRAPHS_PER_TASK)))


def measure(case: Case, folder: Path) -> dict[str, object]:
    """Time one case in this process."""
    start = time.perf_counter()
    case.work(folder, case.processes)
    seconds = time.perf_counter() - start
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if case.processes > 1:
        kilobytes += case.processes * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return {
        "case": case.name,
        "images": case.images,
        "processes": case.processes,
        "seconds": round(seconds, 2),
        "images_per_second": round(case.images / seconds),
        "memory_mb": round(kilobytes / 1024),
    }


def in_fresh_process(function: Callable[..., Result], *arguments: object) -> Result:
    """Call a function in a new process, whose peak starts from that of this one: it must stay small."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as fresh:
        return fresh.submit(function, *arguments).result()


def main(photographs: int, output: Path) -> None:
    """Make the files, measure every case by itself, write the table."""
    cores = len(os.sched_getaffinity(0))
    cases = [Case("60,000 + 10,000 of 28x28, IDX files", 70_000, 1, prepare_mnist)]
    for processes in sorted({1, cores}):
        cases += [
            Case("decoding alone", photographs, processes, decode_folder),
            Case("folder of photographs", photographs, processes, prepare_folder),
            Case("zip of photographs", photographs, processes, prepare_zip),
        ]
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        in_fresh_process(write_files, folder, photographs)
        for case in cases:
            rows.append(in_fresh_process(measure, case, folder))
            print(rows[-1], flush=True)
    pd.DataFrame(rows).to_csv(output, index=False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--photographs", type=int, default=20_000)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    main(arguments.photographs, arguments.output)
