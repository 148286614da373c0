"""A configuration as it is written: YAML, the numbers in it, and the schema's defaults where it is silent."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from maskaae.config.errors import ConfigError

Values = Mapping[str, Any]


class _StrictLoader(yaml.SafeLoader):
    """YAML in which a key given twice is an error, not an overwriting."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if not isinstance(key, str | int | float | bool | None):
                raise ConfigError(
                    [f"{node.start_mark.name}, line {line}: a key is {key!r}; keys are single words"]
                )
            if key in seen:
                raise ConfigError(
                    [f"{node.start_mark.name}, line {line}: key {key!r} is given twice; keep one"]
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_config(path: Path) -> dict[str, Any]:
    """Read a YAML file, refusing a key that is given twice.

    Raises
    ------
    ConfigError
        If the file is not YAML, is no mapping or repeats a key.
    """
    try:
        with path.open(encoding="utf-8") as file:
            values = yaml.load(file, Loader=_StrictLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: not YAML: {error}"]) from error
    if not isinstance(values, dict):
        raise ConfigError([f"{path}: must hold keys and values, not {type(values).__name__}"])
    try:
        json.dumps(values, default=str)
    except ValueError as error:
        raise ConfigError([f"{path}: an anchor (&) holds itself (*): {error}"]) from error
    return values


def infinite_values(values: Any, *place: Any) -> Iterator[str]:
    """Numbers of a configuration that are infinite or not a number."""
    if isinstance(values, float) and not math.isfinite(values):
        yield f"{': '.join(map(str, place))}: {values} is not a finite number"
    if isinstance(values, Mapping):
        for key, value in values.items():
            yield from infinite_values(value, *place, key)
    if isinstance(values, list):
        for index, value in enumerate(values):
            yield from infinite_values(value, *place, index)


def fill_defaults(values: Any, schema: Values) -> Any:
    """Return a copy of ``values`` with the defaults of ``schema`` wherever a key is absent."""
    if isinstance(values, dict):
        filled = dict(values)
        for key, part in schema.get("properties", {}).items():
            if key in values:
                filled[key] = fill_defaults(values[key], part)
            elif "default" in part:
                filled[key] = fill_defaults(part["default"], part)
        return filled
    if isinstance(values, list) and "items" in schema:
        return [fill_defaults(value, schema["items"]) for value in values]
    return values
