"""Fetching the published data sets with torchvision's own addresses, checksums and download code.

Every file is fetched into a folder of its own, checked, and only then moved to its place; so a file in its
place is whole, or was put there by hand. What is there already, in any of the forms in which people have it,
is known by its content, used without network, and never overwritten. This is the only module that imports
torchvision, which takes seconds: it does so when it is used.
"""

from __future__ import annotations

import glob
import importlib.util
import logging
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from maskaae.data.published import celeba, cifar, mnist
from maskaae.data.published.forms import Form, NotPublishedError, what_it_is
from maskaae.data.writer import NO_SPACE

logger = logging.getLogger(__name__)


class DownloadError(RuntimeError):
    """A file could not be fetched; the message says which file to put where."""


@dataclass(frozen=True)
class Archive:
    """One published file.

    Attributes
    ----------
    path : str
        Its place below the raw folder, where torchvision too would look for it.
    md5 : str
        torchvision's checksum.
    addresses : tuple of str
        Where it can be fetched, tried in turn; ids of Google Drive if it lies there.
    """

    path: str
    md5: str
    addresses: tuple[str, ...]
    on_google_drive: bool = False


class Published(Protocol):
    """What the module of a published data set knows of its files."""

    def find(self, source: str, raw: Path) -> Form | None:
        """First whole form of the data set among the published files."""

    def find_file(self, source: str, raw: Path, place: str) -> Path | None:
        """A published file: at its place, or packed or named otherwise."""

    def check(self, source: str, form: Form) -> None:
        """Refuse, by `NotPublishedError`, files whose content is not the published one or cannot be known."""


def archives(source: str) -> tuple[Archive, ...]:
    """Files of a source that has `raw_files`, from torchvision's tables, in the order of fetching."""
    return _ARCHIVES[source]()


def download(
    source: str,
    raw: Path,
    *,
    verify: bool = True,
    attempts: int = 3,
    pause: float = 5.0,
    timeout: float = 60.0,
) -> dict[str, Any]:
    """Fetch the files of a source that are not there yet in any form, and check the content of all of them.

    Parameters
    ----------
    raw : Path
        Folder of downloaded or hand-placed files.
    verify : bool
        Whether to check the content of what is there.
    attempts : int
        How often each address is tried.
    pause : float
        Seconds to wait before trying again.
    timeout : float
        Seconds without an answer after which an attempt has failed.

    Returns
    -------
    dict
        `source`, `form` and, under `files`, the size of each file or folder that is used.

    Raises
    ------
    DownloadError
        If a file cannot be fetched, or one that is there is not the published one.
    """
    published = _PUBLISHED[source]
    if published.find(source, raw) is None:
        for archive in archives(source):
            if published.find_file(source, raw, archive.path) is None:
                _fetch(archive, raw, attempts, pause, timeout)
                logger.info("%s: fetched, checksum right", raw / archive.path)
    form = published.find(source, raw)
    if form is None:
        raise DownloadError(f"{raw}: holds no whole form of {source}; docs/data.md lists what is taken")
    if verify:
        try:
            published.check(source, form)
        except NotPublishedError as error:
            raise DownloadError(str(error)) from error
    logger.info("%s: %s, %s", raw, form.name, "content right" if verify else "taken on your word")
    files = {str(path.relative_to(raw)): _fingerprint(path) for path in form.paths}
    return {"source": source, **form.details(verify), "files": files}


def _fingerprint(path: Path) -> dict[str, Any]:
    from torchvision.datasets.utils import calculate_md5

    if path.is_dir():
        return {}
    return {"bytes": path.stat().st_size, "md5": calculate_md5(path)}


def _fetch(archive: Archive, raw: Path, attempts: int, pause: float, timeout: float) -> None:
    """Fetch one file into a folder of this process's own and move it to its place, whole."""
    place = raw / archive.path
    incoming = _own_folder(raw / ".incoming", archive.md5)
    failures = []
    try:
        for attempt in range(attempts):
            for address in archive.addresses:
                time.sleep(pause if attempt else 0)
                shutil.rmtree(incoming, ignore_errors=True)
                incoming.mkdir(parents=True)
                failure = _attempt(archive, address, incoming / place.name, timeout)
                if failure is None:
                    place.parent.mkdir(parents=True, exist_ok=True)
                    (incoming / place.name).replace(place)
                    return
                logger.warning("%s, attempt %d: %s", place.name, attempt + 1, failure)
                failures.append(failure)
    finally:
        shutil.rmtree(incoming, ignore_errors=True)
    tried = "\n".join(f"  {failure}" for failure in dict.fromkeys(failures))
    raise DownloadError(
        f"{place.name} could not be fetched, {attempts} attempts:\n{tried}\n{_by_hand(place, archive)}"
    )


def _own_folder(parent: Path, md5: str) -> Path:
    """Make a folder that no other process uses, and remove those of processes that were killed here.

    Users may share the folder of downloads: each fetches for itself, and the last to end moves the same file
    to the same place once more.
    """
    host = socket.gethostname()
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.glob(f"{md5}+{glob.escape(host)}+*"):
        if not _is_alive(int(left.name.split("+")[-2])):
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{md5}+{host}+{os.getpid()}+", dir=parent))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


def _attempt(archive: Archive, address: str, target: Path, timeout: float) -> str | None:
    """Try one address once; return what went wrong, or None."""
    from torchvision.datasets.utils import download_file_from_google_drive, download_url

    fetch: Callable[..., None] = download_url
    if archive.on_google_drive:
        _require_gdown(target, archive)
        fetch = download_file_from_google_drive
    try:
        with _socket_timeout(timeout):
            fetch(address, str(target.parent), target.name, archive.md5)
    except Exception as error:  # gdown's errors have no common base but Exception
        if isinstance(error, OSError) and error.errno in NO_SPACE:
            raise DownloadError(
                f"no space left for {target.name} in {target.parent} ({error.strerror}); "
                "make room and run again"
            ) from error
        return f"{address}: {_explain(error, target, archive)}"
    return None


def _explain(error: Exception, target: Path, archive: Archive) -> str:
    """Say what is wrong with an answer: the error, or what came in place of the file."""
    if not target.is_file() or not isinstance(error, RuntimeError):
        return f"{type(error).__name__}: {error}"
    from torchvision.datasets.utils import calculate_md5

    md5 = f"md5 {calculate_md5(target)} where {archive.md5} is right"
    return f"the answer is not the published file: {what_it_is(target)}, {md5}"


def _by_hand(place: Path, archive: Archive) -> str:
    return (
        f"Put the file (md5 {archive.md5}) at {place} by hand and run again; "
        "a file that is there is used without network. docs/data.md says where else to get it."
    )


def _require_gdown(target: Path, archive: Archive) -> None:
    if importlib.util.find_spec("gdown") is None:
        raise DownloadError(
            f"{target.name} lies on Google Drive, which torchvision reads with the package gdown; it is not "
            f"installed. Install it, or: {_by_hand(target.parents[2] / archive.path, archive)}"
        )


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    """Give new connections a time limit: torchvision sets none, and a silent server would hold it forever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _mnist_archives() -> tuple[Archive, ...]:
    from torchvision.datasets import MNIST

    return _idx_archives("MNIST", MNIST.mirrors, MNIST.resources)


def _fashion_archives() -> tuple[Archive, ...]:
    from torchvision.datasets import FashionMNIST

    return _idx_archives("FashionMNIST", FashionMNIST.mirrors, FashionMNIST.resources)


def _idx_archives(folder: str, mirrors: list[str], resources: list[tuple[str, str]]) -> tuple[Archive, ...]:
    return tuple(
        Archive(f"{folder}/raw/{file}", md5, tuple(mirror + file for mirror in mirrors))
        for file, md5 in resources
    )


def _cifar_archives() -> tuple[Archive, ...]:
    from torchvision.datasets import CIFAR10

    return (Archive(CIFAR10.filename, CIFAR10.tgz_md5, (CIFAR10.url,)),)


def _celeba_archives() -> tuple[Archive, ...]:
    from torchvision.datasets import CelebA

    # Attributes, identities and boxes are on torchvision's list too, but nothing here reads them.
    needed = ("list_eval_partition.txt", "img_align_celeba.zip")
    known = {file: (file_id, md5) for file_id, md5, file in CelebA.file_list}
    return tuple(
        Archive(f"{CelebA.base_folder}/{file}", known[file][1], (known[file][0],), on_google_drive=True)
        for file in needed
    )


_ARCHIVES: Mapping[str, Callable[[], tuple[Archive, ...]]] = {
    "mnist": _mnist_archives,
    "fashion_mnist": _fashion_archives,
    "cifar10": _cifar_archives,
    "celeba": _celeba_archives,
}

_PUBLISHED: dict[str, Published] = {
    "mnist": mnist,
    "fashion_mnist": mnist,
    "cifar10": cifar,
    "celeba": celeba,
}
