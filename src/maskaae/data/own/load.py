"""One call from a path to a data set, for whoever reads the user's own data without a workflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskaae.data import registry
from maskaae.data.dataset import Dataset, load_dataset
from maskaae.data.own.recognise import OWN, entry_of


@dataclass(frozen=True)
class OwnReading:
    """The user's own data, read.

    Attributes
    ----------
    dataset : Dataset
        Both splits, memory-mapped: images uint8 `(N, H, W, C)`, or vectors float32 `(N, D)`, scaled as
        `dataset.info.details["scaling"]` says (`Scaling.from_details(...).invert` undoes it).
    source : str
        `images`, `table` or `array`.
    guessed, left_out, warnings : list of str
        Sentences for the user: what was guessed, what was left out, what may spoil the result. They stand in
        `dataset.info.details["reading"]` too.
    """

    dataset: Dataset
    source: str
    guessed: list[str]
    left_out: list[str]
    warnings: list[str]


def read_own(
    path: Path, folder: Path, options: Mapping[str, Any] | None = None, workers: int = 1
) -> OwnReading:
    """Recognise, read, split and scale the user's own data, and store them as every data set is stored.

    Parameters
    ----------
    path : Path
        Table, array, folder or archive of images, of any kind that docs/data.md lists.
    folder : Path
        Where the data set is written; it is made if need be. The arrays of the result are mapped from there.
    options : dict, optional
        Keys of the source, as in a configuration (docs/data.md): `drop`, `missing`, `decimal`, `size` ...;
        `label` names the classes whatever the source. `drop` may be a list, or text with commas.
    workers : int
        Processes that decode images.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ChoiceError
        If the user must choose something first; its `options` would settle it.
    ValueError
        If the data cannot be used. All messages name file and place, and what to do, in a few lines.
    """
    spec = registry.resolve(entry_of({"name": OWN, "path": str(path)}, options or {}))
    try:
        info = registry.SOURCES[spec["source"]].prepare(spec, raw=Path(path), folder=folder, workers=workers)
    except ModuleNotFoundError as error:
        extra = "images" if spec["source"] == "images" else "formats"
        raise ValueError(f"{path}: needs {error.name}: pip install 'maskaae[{extra}]'") from error
    said = info.details["reading"]
    return OwnReading(
        load_dataset(folder), spec["source"], said["guessed"], said["left_out"], said["warnings"]
    )
