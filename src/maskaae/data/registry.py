"""Every source of data by name, and the check of the config's entries against them.

The Snakefile imports this module while it is parsed, so it and the modules it imports need only the standard
library; a source's own module is imported when it prepares something.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from maskaae.data import definitions
from maskaae.data.source import Description, Source, Spec

SOURCES: Mapping[str, Source] = {source.name: source for source in definitions.ALL}


def resolve(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Check an entry of the config against its source and fill in the defaults.

    Parameters
    ----------
    entry : dict
        `name`, `source` and the source's own keys.

    Returns
    -------
    dict
        The entry with every key of its source.

    Raises
    ------
    ValueError
        If the source is unknown, a key is unknown or missing, a value is of the wrong type or out of range,
        or values contradict each other; the message names data set, key and value and what would be right.
    """
    name = entry.get("name")
    if not isinstance(name, str):
        raise ValueError(f"a data set's name must be text, not {name!r}")
    source = _source_of(entry)
    own = {key: value for key, value in entry.items() if key not in ("name", "source")}
    _check_keys(name, own, source)
    spec: dict[str, Any] = {"name": name, "source": source.name}
    for key, schema in source.spec_schema["properties"].items():
        spec[key] = own.get(key, schema.get("default"))
        _check_value(name, key, spec[key], schema)
    try:
        source.check(spec)
    except ValueError as error:
        raise ValueError(f"data set {name!r}: {error}") from error
    return spec


def describe(spec: Spec) -> Description:
    """Tell what is known about a data set before it is prepared.

    Parameters
    ----------
    spec : dict
        A resolved entry of the config.

    Returns
    -------
    kind : {"images", "vectors"} or None
        None where only the data can tell.
    dimension : int or None
        The data dimension D, None where only the data can tell.
    """
    return _source_of(spec).describe(spec)


def input_paths(spec: Spec) -> list[str]:
    """Return the user's files and folders that a data set is made from.

    Parameters
    ----------
    spec : dict
        A resolved entry of the config.

    Returns
    -------
    list of str
        Paths as given in the config; empty for a source that reads no file of the user's.
    """
    return [spec[key] for key in _source_of(spec).path_keys if spec[key] is not None]


def _source_of(entry: Mapping[str, Any]) -> Source:
    try:
        return SOURCES[entry["source"]]
    except (KeyError, TypeError):
        raise ValueError(
            f"data set {entry.get('name')!r}: source {entry.get('source')!r} is unknown; "
            f"the sources are {', '.join(SOURCES)}"
        ) from None


def _check_keys(name: str, own: Mapping[str, Any], source: Source) -> None:
    properties = source.spec_schema["properties"]
    for key in own:
        if key not in properties:
            known = ", ".join(properties) or "none"
            raise ValueError(
                f"data set {name!r}: unknown key {key!r}; the keys of {source.name!r} are: {known}"
            )
    for key in source.spec_schema["required"]:
        if key not in own:
            what = properties[key]["description"]
            raise ValueError(f"data set {name!r}: key {key!r} is missing ({what})")


def _check_value(name: str, key: str, value: object, schema: Mapping[str, Any]) -> None:
    from jsonschema import Draft202012Validator

    # JSON schema lets 8.0 pass as an integer, and infinity as a number.
    unfit = isinstance(value, float) and ("number" not in schema["type"] or not math.isfinite(value))
    problems = [f"{value} is not a finite {schema['type']}"] if unfit else []
    problems += [error.message for error in Draft202012Validator(schema).iter_errors(value)]
    if problems:
        raise ValueError(f"data set {name!r}: {key}: {problems[0]} ({schema['description']})")
