"""CelebA: aligned photographs of faces, decoded straight from the publishers' zip.

The published partition is used as it is: part 0 trains, part 2 tests; part 1 (validation) is left out. The
photographs pass through one by one, so memory holds a few hundred of them at a time.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from maskaae.data.dataset import DatasetInfo, Split
from maskaae.data.decode import File, Framing, Workers, decode_all
from maskaae.data.writer import DatasetWriter, require

FOLDER = "celeba"
ARCHIVE = "img_align_celeba.zip"
PARTITION = "list_eval_partition.txt"
FOLDER_IN_ARCHIVE = "img_align_celeba"
PARTS: Mapping[Split, int] = {"train": 0, "test": 2}


def read_partition(path: Path) -> dict[Split, list[str]]:
    """Names of the photographs that train and that test, in the list's order.

    A line of `list_eval_partition.txt` holds a file name and its part (0, 1 or 2). ValueError if one is not
    of that form, or a split is empty.
    """
    names: dict[int, list[str]] = {0: [], 1: [], 2: []}
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        fields = line.split()
        if len(fields) != 2 or fields[1] not in {"0", "1", "2"}:
            raise ValueError(f"{path}, line {number}: {line!r} is not a file name and a part (0, 1 or 2)")
        names[int(fields[1])].append(fields[0])
    for split, part in PARTS.items():
        if not names[part]:
            raise ValueError(f"{path}: no photograph belongs to part {part}, the {split} split")
    return {split: names[part] for split, part in PARTS.items()}


def photographs(archive: zipfile.ZipFile, names: Sequence[str], path: Path) -> Iterator[File]:
    """Read photographs from the opened zip one by one; ValueError names one that is missing or damaged."""
    for name in names:
        member = f"{FOLDER_IN_ARCHIVE}/{name}"
        try:
            yield File(f"{path}: {member}", archive.read(member))
        except KeyError:
            raise ValueError(f"{path}: lacks {member}, which {PARTITION} lists") from None
        except (zipfile.BadZipFile, EOFError) as error:
            raise ValueError(f"{path}: {member} is damaged ({error})") from error


def prepare(spec: Mapping[str, Any], raw: Path, folder: Path, workers: int = 1) -> DatasetInfo:
    """Write CelebA with its standard split, cropped and resized: 162,770 and 19,962 images, unlabelled.

    ValueError if the zip or the partition list is damaged, or they do not belong together.
    """
    path = require(raw / FOLDER / ARCHIVE)
    partition = read_partition(require(raw / FOLDER / PARTITION))
    framing = Framing(crop=spec["crop"], size=spec["size"], channels=3)
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path}: not a whole zip archive ({error})") from error
    with archive, Workers(workers) as processes, DatasetWriter(folder) as writer:
        for split, names in partition.items():
            images = decode_all(photographs(archive, names, path), framing, processes)
            writer.fill(split, len(names), images)
        return writer.publish(
            name=spec["name"], source="celeba", details={"crop": spec["crop"], "size": spec["size"]}
        )
