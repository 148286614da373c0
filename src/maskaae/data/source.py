"""What a source of data is: a record with its keys; `maskaae.data.registry` lists them.

The Snakefile imports this module while it is parsed, so it needs only the standard library.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from maskaae.data.dataset import DatasetInfo

Spec = Mapping[str, Any]
"""A resolved entry of the configuration: `name`, `source`, and every key of the source."""

Key = Mapping[str, Any]
"""JSON schema of a source's key: description, type, limits and, unless the key is required, its default."""

Description = tuple[Literal["images", "vectors"] | None, int | None]
"""Kind and data dimension D of a data set, each None where only the data can tell."""


@dataclass(frozen=True)
class Source:
    """A place where data sets come from.

    Attributes
    ----------
    module : str
        Its `prepare(spec, raw, folder, workers)` writes the data set.
    describe : callable
        Kind and dimension of the data set of a resolved spec.
    check : callable
        Raises ValueError where the values of a spec contradict each other.
    raw_files : tuple of str
        Published files that it reads below the raw folder, downloaded or placed by hand.
    path_keys : tuple of str
        Keys that name a file or folder of the user's.
    """

    name: str
    description: str
    module: str
    keys: Mapping[str, Key]
    describe: Callable[[Spec], Description]
    check: Callable[[Spec], None] = lambda spec: None
    raw_files: tuple[str, ...] = ()
    path_keys: tuple[str, ...] = ()

    def prepare(self, spec: Spec, raw: Path, folder: Path, workers: int = 1) -> DatasetInfo:
        """Write the data set of a resolved spec to `folder`.

        Published files are read below `raw`, and image files are decoded in `workers` processes.

        Raises
        ------
        FileNotFoundError, ValueError
            If a file is missing or cannot be used; the message names file and place.
        """
        info: DatasetInfo = importlib.import_module(self.module).prepare(spec, raw, folder, workers)
        return info


def described(description: str, kind: str | list[str], **schema: Any) -> Key:
    """Schema of a key: what it means, its JSON type, and limits or default."""
    return {"description": description, "type": kind, **schema}
