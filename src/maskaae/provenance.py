"""Where a result comes from: versions, commit and the code that made it."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

PACKAGE = Path(__file__).parent
TRAINING_CODE = ("method", "networks", "models", "training", "randomness.py")
"""Parts of the package that decide the numbers of a training run."""


def source_files(parts: tuple[str, ...]) -> list[Path]:
    """Python files of some modules and sub-packages of the package, sorted."""
    files: list[Path] = []
    for part in parts:
        path = PACKAGE / part
        files += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return files


def code_version(parts: tuple[str, ...] = TRAINING_CODE) -> str:
    """Hash of the source that decides the numbers of a training run."""
    digest = hashlib.sha256()
    for path in source_files(parts):
        digest.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def git_commit() -> str | None:
    """Commit of the checkout that the package runs from, ``-dirty`` if changed; None outside a checkout."""
    command = ["git", "-C", str(PACKAGE), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip()


def versions() -> dict[str, str]:
    """Versions that decide a number: Python and the libraries that compute."""
    packages = ("maskaae", "numpy", "torch")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}
