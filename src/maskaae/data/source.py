"""What a source of data is. Only the standard library is imported here: see `registry`."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from maskaae.data.dataset import DatasetInfo

Spec = Mapping[str, Any]
Description = tuple[Literal["images", "vectors"] | None, int | None]


def _no_further_check(spec: Spec) -> None:
    """Accept a spec whose keys are all that there is to check."""


@dataclass(frozen=True)
class Source:
    """A place where data sets come from.

    Attributes
    ----------
    name : str
        Its name in the config (`source: name`).
    description : str
        One line for the docs.
    module : str
        The module whose `prepare` writes the data set.
    spec_schema : dict
        JSON schema of the source's own keys: `properties` (each with description, type and, unless required,
        default) and `required`.
    describe : callable
        From a resolved spec to `(kind, dimension)`, each None where only the data can tell.
    check : callable
        Raises ValueError where the values of a spec contradict each other.
    raw_files : tuple of str
        The files it needs below the raw folder, downloaded or put there by hand; empty if it needs none.
    path_keys : tuple of str
        Those of its keys that name a file or folder of the user's.
    """

    name: str
    description: str
    module: str
    spec_schema: Mapping[str, Any]
    describe: Callable[[Spec], Description]
    check: Callable[[Spec], None] = _no_further_check
    raw_files: tuple[str, ...] = ()
    path_keys: tuple[str, ...] = ()

    def prepare(self, spec: Spec, raw: Path, folder: Path, workers: int = 1) -> DatasetInfo:
        """Write the data set that `spec` describes.

        Parameters
        ----------
        spec : dict
            A resolved entry of the config (`registry.resolve`).
        raw : Path
            The folder of downloaded or hand-placed files.
        folder : Path
            Where the data set goes.
        workers : int
            Processes that may work at the same time.

        Returns
        -------
        DatasetInfo
            What was written to `dataset.json`.
        """
        info: DatasetInfo = importlib.import_module(self.module).prepare(spec, raw, folder, workers)
        return info
