"""Every broken configuration of the table, and many generated ones, are answered as the table says."""

import copy
import math
import re
from pathlib import Path

import pytest
import yaml

from maskaae.config.checking import check_config
from maskaae.config.keys import Configuration
from maskaae.config.reading import ConfigError, read_config
from maskaae.config.schema import json_schema, resolved

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json_schema(Configuration)
TABLE = yaml.safe_load((Path(__file__).parent / "broken_configs.yaml").read_text())


def changed(at, value):
    """The good configuration with one value replaced."""
    config = copy.deepcopy(TABLE["good"])
    place = config
    for key in at[:-1]:
        place = place.setdefault(key, {}) if isinstance(place, dict) else place[key]
    place[at[-1]] = value
    return config


def check(config, folder):
    """Take the way of the Snakefile."""
    path = folder / "experiment.yaml"
    path.write_text(config if isinstance(config, str) else yaml.safe_dump(config), encoding="utf-8")
    check_config(read_config(path))


def test_the_configuration_that_is_broken_in_so_many_ways_is_good(tmp_path):
    check(TABLE["good"], tmp_path)


@pytest.mark.parametrize("case", TABLE["broken"], ids=lambda case: case["says"][:60])
def test_broken_configuration_is_refused_in_the_words_of_the_table(case, tmp_path):
    config = case["text"] if "text" in case else changed(case["at"], case["value"])
    with pytest.raises(ConfigError) as caught:
        check(config, tmp_path)
    assert re.search(case["says"], str(caught.value)), str(caught.value)


def leaves(schema, at=()):
    """Every key of the schema that takes a plain value, with its place and what it may be."""
    schema = resolved(schema, SCHEMA)
    for key, part in schema.get("properties", {}).items():
        yield from leaves(part, (*at, key))
    if at == ("datasets",):
        yield from leaves(schema["items"], ("datasets", 0))
    if "properties" not in schema and "items" not in schema and at:
        yield at, schema


def wrong_values(schema):
    """Values that a key must not take, by what the schema says of it."""
    types = schema.get("type", "string")
    types = [types] if isinstance(types, str) else types
    if "enum" in schema:
        return ["none of these", 3.5]
    wrong = [["a list"], {"a": "mapping"}]
    if "string" not in types:
        wrong.append("words")
    if "number" in types or "integer" in types:
        wrong += [math.nan, math.inf, -math.inf]
        wrong += [schema["minimum"] - 1] if "minimum" in schema else []
        wrong += [schema["maximum"] + 1] if "maximum" in schema else []
        wrong += [schema["exclusiveMinimum"]] if "exclusiveMinimum" in schema else []
        wrong += [0.5] if "number" not in types else []
    return wrong


GENERATED = [(at, value) for at, schema in leaves(SCHEMA) for value in wrong_values(schema)]


@pytest.mark.parametrize(("at", "value"), GENERATED, ids=lambda part: str(part)[:60])
def test_generated_broken_value_is_refused_by_its_key(at, value):
    with pytest.raises(ConfigError) as caught:
        check_config(changed(at, value))
    assert str(at[-1]) in str(caught.value)
