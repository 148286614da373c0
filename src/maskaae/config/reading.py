"""A configuration as it is written: YAML, checked against the description of its keys.

Problems are told all at once, each with its place, what stands there and what would be right.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from maskaae.config.keys import Configuration
from maskaae.config.schema import Values, adapter_of, json_schema, meaning_of, resolved, values_of
from maskaae.data.registry import suggestion


class ConfigError(ValueError):
    """A configuration cannot be used; the message lists every problem found."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("the configuration cannot be used:\n" + "\n".join(f"  - {p}" for p in problems))
        self.problems = list(problems)


class _StrictLoader(yaml.SafeLoader):
    """YAML in which a key given twice is an error, not an overwriting."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Check the keys as they are written: `<<` adds keys only afterwards, and may repeat some."""
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key_node, _ in node.value:
            merge = key_node.tag == "tag:yaml.org,2002:merge"
            key = "<<" if merge else self.construct_object(key_node, deep=True)
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
        return node


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


def nested_overrides(entries: Sequence[str]) -> dict[str, Any]:
    """Lists and mappings among `--config key=value` entries, typed as in a file.

    Snakemake types a single value, but hands over `[0, 1]` as `["0", "1"]`.

    Raises
    ------
    ConfigError
        If a list or mapping repeats a key.
    """
    found = {}
    for entry in entries:
        key, _, text = entry.partition("=")
        try:
            value = yaml.load(text, Loader=_StrictLoader)
        except yaml.YAMLError:  # plain text, as Snakemake takes it too
            continue
        except ConfigError as error:
            raise ConfigError([f"--config {entry}: {problem}" for problem in error.problems]) from error
        if isinstance(value, list | dict):
            found[key] = value
    return found


def typed(config: Values) -> Configuration:
    """Check a configuration against the description of its keys, and fill in defaults.

    Raises
    ------
    ConfigError
        With every problem.
    """
    problems = problems_of(config, Configuration)
    if problems:
        raise ConfigError(problems)
    made: Configuration = adapter_of(Configuration).validate_python(config)
    return made


def problems_of(values: Any, description: Any, place: Sequence[str] = ()) -> list[str]:
    """Problems of values that stand in some place, by the description of what may stand there; sorted."""
    try:
        adapter_of(description).validate_python(values)
    except ValidationError as error:
        schema = json_schema(description)
        errors = [one for one in error.errors(include_url=False) if not _follows(one)]
        told = (_in_words(one, schema) for one in errors)
        return sorted(f"{_where((*place, *inner))}: {problem}" for inner, problem in told)
    return []


def _follows(error: ErrorDetails) -> bool:
    """Whether a list is too short only because its items are wrong."""
    return error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]


_TYPES = {
    "int_type": "integer",
    "float_type": "number",
    "string_type": "string",
    "bool_type": "boolean",
    "list_type": "array",
    "tuple_type": "array",
    "dict_type": "object",
    "dataclass_type": "object",
    "model_type": "object",
}
_WORDS = {
    "greater_than": "{0!r} is less than or equal to the minimum of {gt:g}",
    "greater_than_equal": "{0!r} is less than the minimum of {ge:g}",
    "less_than": "{0!r} is greater than or equal to the maximum of {lt:g}",
    "less_than_equal": "{0!r} is greater than the maximum of {le:g}",
    "literal_error": "{0!r} is not one of {expected}",
    "string_pattern_mismatch": "{0!r} does not match {pattern!r}",
    "string_too_short": "{0!r} is too short",
    "string_too_long": "{0!r} is too long",
    "too_short": "{0!r} is too short",
    "too_long": "{0!r} is too long",
    "not_auto": "{0!r} does not match 'auto'",
    "repeated": "{0!r} has non-unique elements",
    "finite_number": "{0!r} is not a finite number",
}


def _in_words(error: ErrorDetails, schema: Values) -> tuple[Sequence[Any], str]:
    """Return the place of an error of pydantic, and what is there and what would be right."""
    kind, place, value = error["type"], error["loc"], error["input"]
    if kind in ("unexpected_keyword_argument", "extra_forbidden", "invalid_key"):
        known = _parts(place[:-1], schema)[-1].get("properties", {})
        return place[:-1], f"key {place[-1]!r} is unknown{suggestion(str(place[-1]), known)}"
    if kind == "missing" and isinstance(place[-1], str):
        return place[:-1], f"{place[-1]!r} is a required property{_meaning(place, schema)}"
    if kind == "too_short" and value == []:
        return place, f"the list is empty; give at least {error['ctx']['min_length']} value"
    if kind == "too_short" and value == {}:
        problem = "{} should be non-empty"
    elif kind == "missing":  # one of a fixed number of values in a list
        place, problem = place[:-1], f"{value!r} is too short"
    elif kind in _TYPES:
        problem = f"{value!r} is not of type {_TYPES[kind]!r}"
    elif kind == "value_error":  # of a check of ours, which says all
        problem = str(error["ctx"]["error"])
    elif kind in _WORDS:
        problem = _WORDS[kind].format(value, **error.get("ctx", {}))
    else:
        problem = f"{value!r}: {error['msg']}"
    if place[-1:] == ("[key]",):
        place = place[:-2]
    return place, f"{problem}{_meaning(place, schema)}"


def _where(place: Sequence[Any]) -> str:
    return ": ".join(map(str, place)) or "top level"


def _meaning(place: Sequence[Any], schema: Values) -> str:
    """Return the meaning of the innermost key of a place that has one."""
    meanings = [meaning_of(part) for part in _parts(place, schema)[1:]]
    told = [meaning for meaning in meanings if meaning]
    return f" ({told[-1]})" if told else ""


def _parts(place: Sequence[Any], schema: Values) -> list[Values]:
    """Return the JSON schema of each key and item on the way to a place, the whole first."""
    parts = [schema]
    for step in place:
        here = parts[-1]
        inner = here.get("items", {}) if isinstance(step, int) else here.get("properties", {}).get(step)
        parts.append(resolved(values_of(here) if inner is None else inner, schema))
    return parts


def repeated(names: Sequence[str]) -> list[str]:
    """Names that stand more than once, sorted."""
    return sorted({name for name in names if names.count(name) > 1})
