"""Files on disk: those downloaded or placed by hand, and the lack of room for more."""

from __future__ import annotations

import errno
from pathlib import Path

# How the system says that a disk is full, a quota used up or a file longer than allowed.
NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def require(path: Path) -> Path:
    """Return `path` if there is a file.

    Raises
    ------
    FileNotFoundError
        If not; the message says how to get it.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing: let the download rule fetch it, or put the file there by hand "
            "(docs/data.md says where to get it)"
        )
    return path


def require_own(path: Path) -> Path:
    """Return a path of the user's if there is a file.

    Raises
    ------
    FileNotFoundError
        If not.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: no such file; paths are relative to the working directory, {Path.cwd()}"
        )
    return path
