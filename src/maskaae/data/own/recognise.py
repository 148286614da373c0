"""Completing a config for the user's own data: its source and capacities, from the data themselves.

The Snakefile imports this module while it is parsed: only headers of files are read here.
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
LABEL_KEYS: Mapping[str, str] = {"table": "label_column", "array": "label_key"}
"""Key that names the classes, for each source that has one."""
ENDINGS: Mapping[str, tuple[str, ...]] = {
    "table": (".csv", ".tsv", ".txt", ".parquet", ".pq"),
    "array": (".npy", ".npz", ".idx", "-ubyte"),
}
"""How the names of files of each source end, before a `.gz`; IDX files are often called `...-idx3-ubyte`."""


def complete(config: Values) -> dict[str, Any]:
    """Replace `data` and every `auto` of a configuration by what the data say.

    `config` is as read from YAML, of the schema's form. The result has no `data`: where it is given, it
    becomes the path of the data set `own`. Entries of `datasets` get their source and lists of capacities.

    Raises
    ------
    FileNotFoundError, ValueError
        If there are no such data, or they cannot be recognised.
    """
    entries = config["datasets"]
    if config.get("data") is not None:
        if not any(entry["name"] == OWN for entry in entries):
            raise ValueError(f"data: no data set is named {OWN!r}; name that way the one that gets the path")
        path = str(config["data"])
        entries = [{**entry, "path": path} if entry["name"] == OWN else entry for entry in entries]
    rest = {key: value for key, value in config.items() if key not in ("data", "datasets")}
    return {**rest, "datasets": [_complete_entry(entry) for entry in entries]}


def entry_of(entry: Values, options: Values) -> dict[str, Any]:
    """Add a user's options to the entry of their data set, and the source that reads it.

    `options` are keys of the source; `label` stands for the key by which it names classes, and `drop` may be
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
    if isinstance(made.get("drop"), str):
        made["drop"] = [name.strip() for name in made["drop"].split(",") if name.strip()]
    return made


def recognise(path: Path) -> str:
    """Tell which source reads a file or folder of the user's (`images`, `table` or `array`), by its ending.

    FileNotFoundError if there is no such file or folder, ValueError if the name of the file says nothing.
    """
    if _existing(path).is_dir():
        return "images"
    name = path.name.lower().removesuffix(".gz")
    for source, endings in ENDINGS.items():
        if name.endswith(endings):
            return source
    raise ValueError(
        f"{path}: not recognised; give a folder of images, a table ({' '.join(ENDINGS['table'])}) or array "
        f"({' '.join(ENDINGS['array'])}), text and arrays also with .gz; or say what it is by `source`"
    )


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
        return _table_width(spec)
    raise ValueError(f"data set {entry['name']!r}: capacities: {AUTO!r} cannot tell D here; list capacities")


def _complete_entry(entry: Values) -> dict[str, Any]:
    completed = dict(entry)
    if entry["source"] == AUTO:
        completed["source"] = recognise(_path_of(entry))
    if entry["capacities"] == AUTO:
        if completed["source"] in ("images", *ENDINGS):
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


def _table_width(spec: Values) -> int:
    """Number of columns that a table has beside its label column."""
    path = Path(spec["path"])
    if path.suffix.lower() in (".parquet", ".pq"):
        from pyarrow import ArrowInvalid, parquet  # type: ignore[import-untyped]

        try:
            columns = len(parquet.read_schema(path).names)
        except ArrowInvalid as error:
            raise ValueError(f"{path}: cannot be read as parquet ({error})") from error
    else:
        from maskaae.data.own.table import find_layout

        columns = len(find_layout(path, spec["delimiter"], spec["header"]).names)
    columns -= spec["label_column"] is not None
    if columns < 1:
        raise ValueError(f"{path}: no column beside the label column {spec['label_column']!r}")
    return columns
