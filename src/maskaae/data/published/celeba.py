"""CelebA: aligned photographs of faces, decoded straight from the publishers' zip or from a folder of them.

The published partition is used as it is: part 0 trains, part 2 tests; part 1 (validation) is left out. The
photographs pass through one by one, so memory holds a few hundred of them at a time.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from maskaae.data.dataset import DatasetInfo, Split
from maskaae.data.decode import File, Framing, Workers, decode_all
from maskaae.data.published import forms
from maskaae.data.published.forms import Form
from maskaae.data.writer import DatasetWriter

FOLDER = "celeba"
ARCHIVE = "img_align_celeba.zip"
PARTITION = "list_eval_partition.txt"
FOLDER_IN_ARCHIVE = "img_align_celeba"
PARTITIONS = (PARTITION, "list_eval_partition.csv")
"""The publishers' list, and the same as a table, which comes with folders of photographs."""
PARTS: Mapping[Split, int] = {"train": 0, "test": 2}
CONTENT: dict[str, str] = {
    ARCHIVE: "00d2c5bc6d35e252742224ab0c1e8fcb",
    PARTITION: "d32c9cbf5e040fd4025c592c306e6668",
}
"""md5 of the publishers' files, torchvision's (a test compares)."""

ZIP, PHOTOGRAPHS = "zip of photographs", "folder of photographs"


def read_partition(path: Path) -> dict[Split, list[str]]:
    """Names of the photographs that train and that test, in the list's order.

    A line of `list_eval_partition.txt` holds a file name and its part (0, 1 or 2); in a csv a comma stands
    between them, below a line of names. ValueError if a line is not of that form, or a split is empty.
    """
    names: dict[int, list[str]] = {0: [], 1: [], 2: []}
    table = path.suffix == ".csv"
    lines = path.read_text().splitlines()[int(table) :]
    for number, line in enumerate(lines, start=1 + int(table)):
        fields = line.split("," if table else None)
        if len(fields) != 2 or fields[1] not in {"0", "1", "2"}:
            raise ValueError(f"{path}, line {number}: {line!r} is not a file name and a part (0, 1 or 2)")
        names[int(fields[1])].append(fields[0])
    for split, part in PARTS.items():
        if not names[part]:
            raise ValueError(f"{path}: no photograph belongs to part {part}, the {split} split")
    return {split: names[part] for split, part in PARTS.items()}


def find(source: str, raw: Path) -> Form | None:
    """First whole form of the data set among the published files; None if there is none."""
    folder = raw / FOLDER
    partition = forms.first_file(folder / name for name in PARTITIONS)
    if partition is None:
        return None
    archive = forms.first_file([folder / ARCHIVE])
    if archive is not None:
        return Form(ZIP, {ARCHIVE: (archive,), PARTITION: (partition,)})
    first = next((name for names in read_partition(partition).values() for name in names), "")
    places = (folder / FOLDER_IN_ARCHIVE / first, folder / FOLDER_IN_ARCHIVE / FOLDER_IN_ARCHIVE / first)
    photograph = forms.first_file(places)
    if photograph is None:
        return None
    return Form(PHOTOGRAPHS, {ARCHIVE: (photograph.parent,), PARTITION: (partition,)})


find_file = forms.at_its_place


def check(source: str, form: Form) -> None:
    """Refuse, by `NotPublishedError`, files whose content is not the published one or cannot be known."""
    if form.name == PHOTOGRAPHS:
        raise forms.only_on_your_word(form)
    for name, (path,) in form.files.items():
        with path.open("rb") as file:
            found, right = hashlib.file_digest(file, "md5").hexdigest(), CONTENT[name]
        if found != right:
            raise forms.not_published(path, f"md5 {found} where {right} is right")


def photographs(form: Form, names: Sequence[str]) -> Iterator[File]:
    """Read photographs one by one; ValueError names one that is missing or damaged."""
    path = form.files[ARCHIVE][0]
    if form.name == PHOTOGRAPHS:
        for name in names:
            if not (path / name).is_file():
                raise ValueError(f"{path}: lacks {name}, which {form.files[PARTITION][0].name} lists")
            yield File(str(path / name), str(path / name))
        return
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path}: not a whole zip archive ({error})") from error
    with archive:
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

    ValueError if the photographs or the partition list are damaged, or they do not belong together.
    """
    usual = [raw / FOLDER / name for name in (ARCHIVE, PARTITION)]
    form = forms.require_form(find(spec["source"], raw), usual)
    if spec["verify"]:
        check(spec["source"], form)
    partition = read_partition(form.files[PARTITION][0])
    framing = Framing(crop=spec["crop"], size=spec["size"], channels=3)
    with Workers(workers) as processes, DatasetWriter(folder) as writer:
        for split, names in partition.items():
            images = decode_all(photographs(form, names), framing, processes)
            writer.fill(split, len(names), images)
        details = {"crop": spec["crop"], "size": spec["size"], **form.details(spec["verify"])}
        return writer.publish(name=spec["name"], source="celeba", details=details)
