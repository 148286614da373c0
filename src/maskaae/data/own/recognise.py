"""Completing a config for the user's own data: its source and capacities, from the data themselves.

The Snakefile imports this module while it is parsed: of large files only the beginning is read here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maskaae.data import registry

Values = Mapping[str, Any]

AUTO = "auto"
OWN = "own"
"""Name of the data set that `data: path` stands for."""

LARGEST_CAPACITY = 32
LIST_KEYS = frozenset(["drop", "columns", "missing_values"])
"""Keys that hold a list, for which a command line has one value, or text with commas."""
LABEL_KEYS: Mapping[str, str] = {"table": "label_column", "array": "label_key"}
"""Key that names the classes, for each source that has one."""
OWN_SOURCES = ("images", "table", "array")


def complete(config: Values) -> dict[str, Any]:
    """Replace `data`, `options` and every `auto` of a configuration by what the data say.

    `config` is as read from YAML, of the schema's form. The result has no `data` and no `options`: they
    become path and further keys of the data set `own`. Entries of `datasets` get their source and lists of
    capacities.

    Raises
    ------
    FileNotFoundError, ValueError
        If there are no such data, or they cannot be recognised.
    """
    entries = config["datasets"]
    given = {} if config.get("data") is None else {"path": str(config["data"])}
    options = config.get("options") or {}
    if given or options:
        if not any(entry["name"] == OWN for entry in entries):
            key = "data" if given else "options"
            raise ValueError(f"{key}: no data set is named {OWN!r}; name that way the one that it is for")
        entries = [
            entry_of({**entry, **given}, options) if entry["name"] == OWN else entry for entry in entries
        ]
    rest = {key: value for key, value in config.items() if key not in ("data", "options", "datasets")}
    return {**rest, "datasets": [_complete_entry(entry) for entry in entries]}


def entry_of(entry: Values, options: Values) -> dict[str, Any]:
    """Add a user's options to the entry of their data set, and the source that reads it.

    `options` are keys of the source; `label` stands for the key by which it names classes, and lists may be
    text with commas. ValueError if the source has no classes by name.
    """
    made = {"source": AUTO, **entry, **{key: value for key, value in options.items() if value is not None}}
    if made["source"] == AUTO:
        made["source"] = recognise(_path_of(made))
    label = made.pop("label", None)
    if label is not None:
        if made["source"] not in LABEL_KEYS:
            raise ValueError(f"label: {label!r}: the classes of images are the sub-folders that they lie in")
        made[LABEL_KEYS[made["source"]]] = label
    for key in LIST_KEYS & set(made):
        if isinstance(made[key], str):
            made[key] = [name.strip() for name in made[key].split(",") if name.strip()]
        elif isinstance(made[key], int | float):
            made[key] = [made[key]]
    return made


def recognise(path: Path) -> str:
    """Tell which source reads a user's file or folder (`images`, `table` or `array`), by looking inside.

    FileNotFoundError if there is no such file or folder, ValueError if it is of a kind that is not read.
    """
    if _existing(path).is_dir():
        return "images"
    from maskaae.data.own.sniff import ARRAYS, TABLES, kind_of

    kind = kind_of(path)
    return "table" if kind in TABLES else "array" if kind in ARRAYS else "images"


def choose_capacities(dimension: int) -> list[int]:
    """Choose capacities for data of so many dimensions: a quarter, half and all of min(D, 32) (our choice).

    More latent than data dimensions are never needed, and a small network on a CPU learns little more than
    32. Where D is too small for three different ones there are fewer.
    """
    top = min(dimension, LARGEST_CAPACITY)
    return sorted({-(-top // 4), -(-top // 2), top})


def data_dimension(entry: Values) -> int:
    """Data dimension D of the user's data, from headers alone.

    For a folder of images these are the pixels of one channel, since only reading them all tells the
    channels. ValueError if the source tells its dimension only once prepared.
    """
    source = registry.SOURCES.get(entry["source"])
    own = {key: value for key, value in entry.items() if source and key in source.keys}
    spec = registry.resolve({"name": entry.get("name"), "source": entry["source"], **own})
    _, dimension = registry.describe(spec)
    if dimension is not None:
        return dimension
    if spec["source"] == "images":
        return int(spec["size"]) ** 2
    if spec["source"] == "table":
        from maskaae.data.own.table import width

        return width(spec)
    raise ValueError(f"data set {entry['name']!r}: capacities: {AUTO!r} cannot tell D here; list capacities")


def _complete_entry(entry: Values) -> dict[str, Any]:
    completed = dict(entry)
    if entry["source"] == AUTO:
        completed["source"] = recognise(_path_of(entry))
    if entry["capacities"] == AUTO:
        if completed["source"] in OWN_SOURCES:
            _existing(_path_of(entry))
        capacities = choose_capacities(data_dimension(completed))
        completed["capacities"] = {"wae": capacities, "maae": capacities}
        completed.setdefault("capacity", capacities[-1])
    return completed


def _path_of(entry: Values) -> Path:
    """Path of the user's data; ValueError if none is given."""
    if not isinstance(entry.get("path"), str):
        raise ValueError(
            f"data set {entry.get('name')!r}: path: which data? Run `make own DATA=path`, or write it "
            "into the configuration"
        )
    return Path(entry["path"])


def _existing(path: Path) -> Path:
    if not path.exists():
        raise FileNotFoundError(
            f"{path}: no such file or folder; paths are relative to the working directory, {Path.cwd()}"
        )
    return path
