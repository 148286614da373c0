"""Where the user's images lie: a folder, zip or tar. Archives are read member by member, never unpacked."""

from __future__ import annotations

import os
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Protocol

from PIL import Image

from maskaae.data.decode import File
from maskaae.data.own.sniff import DAMAGE, is_hidden, is_packed, kind_of, opened

MOST_BYTES_PER_PIXEL = 8
"""Of an image as large as Pillow opens: 16 bits in each of four channels, not compressed."""


class Store(Protocol):
    """Image files by name, the path below the folder or in the archive with `/` between folders."""

    def names(self) -> list[str]:
        """Names of all files that are not hidden, in the order in which `files` is fastest."""

    def files(self, names: Sequence[str]) -> Iterator[File]:
        """Yield files in the order of their names, which is that of `names()`."""


def store_of(path: Path) -> Store:
    """Open the place where images lie.

    FileNotFoundError if there is none, ValueError if it is neither a folder nor an archive of images.
    """
    if path.is_dir():
        return _Folder(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: no such folder; `path` must name a folder of images, or a zip or tar of them"
        )
    kind = kind_of(path)
    if kind not in ("zip", "tar"):
        raise ValueError(
            f"{path}: is no folder or archive of images but {kind}; set source: auto, or leave it out"
        )
    return _Zip(path) if kind == "zip" else _Tar(path)


def largest_member() -> int:
    """Bytes that a member of an archive may unpack to: more than that no image holds."""
    return MOST_BYTES_PER_PIXEL * (Image.MAX_IMAGE_PIXELS or 0)


def _plain(name: str) -> str:
    return name.replace("\\", "/").lstrip("./")


class _Folder:
    """A folder on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> list[str]:
        files = (path.relative_to(self._path).as_posix() for path in sorted(_files_below(self._path)))
        return [name for name in files if not is_hidden(name)]

    def files(self, names: Sequence[str]) -> Iterator[File]:
        for name in names:
            place = str(self._path / name)
            yield File(place, place)


def _files_below(folder: Path) -> Iterator[Path]:
    """Yield files below a folder, links followed but those that lead back up.

    Links that lead nowhere are among them: whoever reads one says so. OSError if a folder cannot be listed.
    """
    trail = {folder: frozenset([folder.resolve()])}
    for place, folders, files in os.walk(folder, onerror=_refuse, followlinks=True):
        here = Path(place)
        above = trail.pop(here)
        folders[:] = [name for name in folders if (here / name).resolve() not in above]
        trail.update({here / name: above | {(here / name).resolve()} for name in folders})
        yield from (here / name for name in files if (here / name).is_file() or (here / name).is_symlink())


def _refuse(error: OSError) -> None:
    raise error


class _Zip:
    """A zip; its members can be read in any order."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        self._entries = {_plain(entry.filename): entry for entry in entries if not is_hidden(entry.filename)}

    def names(self) -> list[str]:
        return sorted(self._entries)

    def files(self, names: Sequence[str]) -> Iterator[File]:
        with zipfile.ZipFile(self._path) as archive:
            for name in names:
                entry, place = self._entries[name], f"{self._path}: {name}"
                try:
                    with archive.open(entry) as member:
                        yield File(place, _read_bounded(place, member, entry.file_size))
                except RuntimeError as error:  # how zipfile says that a password is needed
                    raise ValueError(
                        f"{place}: {error}; unpack the archive with its password and give the folder"
                    ) from error
                except DAMAGE as error:
                    raise _placed(error, place) from error


class _Tar:
    """A tar, compressed or not; it is read from the beginning each time, members in their own order."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._names = list(dict.fromkeys(_plain(member.name) for member, _ in self._members()))

    def names(self) -> list[str]:
        return self._names

    def files(self, names: Sequence[str]) -> Iterator[File]:
        waiting = iter(names)
        wanted = next(waiting, None)
        for member, archive in self._members():
            if wanted is None:
                return
            if _plain(member.name) == wanted:
                place = f"{self._path}: {wanted}"
                content = archive.extractfile(member)
                if content is not None:
                    yield File(place, _read_bounded(place, content, member.size))
                wanted = next(waiting, None)

    def _members(self) -> Iterator[tuple[tarfile.TarInfo, tarfile.TarFile]]:
        """Yield ordinary files that are not hidden; links and devices are none."""
        try:
            with opened(self._path) as file, tarfile.open(fileobj=file, mode="r|") as archive:
                for member in archive:
                    if member.isfile() and not is_hidden(member.name):
                        yield member, archive
                if not is_packed(self._path) and archive.offset > self._path.stat().st_size:
                    raise EOFError("it ends within a member")
        except DAMAGE as error:
            raise _placed(error, str(self._path)) from error


def _read_bounded(place: str, member: IO[bytes], promised: int) -> bytes:
    """Read a member, whose size the archive promises but may lie about."""
    limit = largest_member()
    content = member.read(limit + 1) if promised <= limit else b""
    if promised > limit or len(content) > limit:
        raise ValueError(
            f"{place}: unpacks to more than {limit / 2**20:.0f} MiB, more than an image can hold; refused"
        )
    return content


def _placed(error: Exception, place: str) -> Exception:
    return error if place in str(error) else ValueError(f"{place}: damaged ({error})")
