"""Where a result comes from: versions, commit and the code that made it."""

from __future__ import annotations

import ast
import hashlib
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parent


class _Effective(ast.NodeTransformer):
    """Drops docstrings and what stands under `if TYPE_CHECKING:`, and collects the imports that are left."""

    def __init__(self) -> None:
        self.imports: set[str] = set()

    def visit(self, node: ast.AST) -> Any:
        """Change a statement and those inside it; an expression holds none."""
        match node:
            case ast.expr():
                return node
            case ast.Expr(value=ast.Constant()):
                return None
            case ast.If(test=ast.Name("TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
                return [self.visit(statement) for statement in node.orelse]
            case ast.Import():
                self.imports |= {alias.name for alias in node.names}
            case ast.ImportFrom():
                self.imports |= {
                    f"{node.module}.{alias.name}" for alias in node.names
                }  # each may be a module
        return self.generic_visit(node)


@cache
def _read(path: Path) -> tuple[str, frozenset[str]]:
    """Return what a file does, as text without comments and docstrings, and the names that it imports.

    All quotes are single ones: Python 3.12 quotes strings that hold others in another way than 3.11.
    """
    effective = _Effective()
    text = ast.unparse(effective.visit(ast.parse(path.read_bytes(), path)))
    return text.replace('"', "'"), frozenset(effective.imports)


@cache
def _module_file(name: str) -> Path | None:
    """File of a module of this package by its dotted name; None if it is something else."""
    if name.partition(".")[0] != PACKAGE.name:
        return None
    place = PACKAGE.parent / name.replace(".", "/")
    return next(filter(Path.is_file, (place / "__init__.py", place.with_suffix(".py"))), None)


@cache
def import_closure(script: Path, entry_points: tuple[str, ...] = (), table: str = "") -> dict[str, Path]:
    """Modules of this package that a script imports, and those import, in functions too; nothing is imported.

    Parameters
    ----------
    script : Path
        Where to start: a script, or a module.
    entry_points : tuple of str
        What is imported by name only, ``"package.module:attribute"``.
    table : str
        Module that names the entry points, among others; it is left out, and with it what it alone imports.
    """
    found: dict[str, Path] = {}
    waiting = [*_read(script)[1], *(point.partition(":")[0] for point in entry_points)]
    while waiting:
        name = waiting.pop()
        if name and name not in found and name != table:
            waiting.append(name.rpartition(".")[0])  # a package runs before its modules
            if path := _module_file(name):
                found[name] = path
                waiting += _read(path)[1]
    return found


@cache
def code_version(script: Path, entry_points: tuple[str, ...] = (), table: str = "") -> str:
    """Hash of what a script and its import closure do: no path, comment or docstring changes it."""
    modules = sorted(import_closure(script, entry_points, table).items())
    parts = [script.name, _read(script)[0], *entry_points]
    parts += [part for name, path in modules for part in (name, _read(path)[0])]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def git_commit() -> str | None:
    """Commit of the checkout that the package runs from, ``-dirty`` if changed; None outside a checkout."""
    command = ["git", "-C", str(PACKAGE), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip()


def versions() -> dict[str, str | None]:
    """Versions that decide a number: Python, the libraries that compute, this package if it is installed."""
    libraries = {name: version(name) for name in ("numpy", "torch")}
    try:
        own = version("maskaae")
    except PackageNotFoundError:
        own = None  # runs from its sources, of which the commit tells
    return {"python": platform.python_version(), "maskaae": own, **libraries}
