"""What is made from the description of the keys is as the description is."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from maskaae.config.keys import Configuration
from maskaae.config.schema import MARKER, json_schema, key_table

REPOSITORY = Path(__file__).parents[2]
SCHEMA = json_schema(Configuration)


def test_readme_holds_the_table_of_the_schema():
    table = (REPOSITORY / "config/README.md").read_text(encoding="utf-8").partition(MARKER)[2]
    assert table == key_table(SCHEMA), "run `make docs`"


def test_schema_for_editors_is_that_of_the_description():
    written = (REPOSITORY / "workflow/schemas/config.schema.json").read_text(encoding="utf-8")
    assert json.loads(written) == json.loads(json.dumps(SCHEMA)), "run `make docs`"


@pytest.mark.parametrize("path", sorted((REPOSITORY / "config").glob("*.yaml")), ids=lambda path: path.stem)
def test_schema_for_editors_takes_every_configuration_of_ours(path):
    jsonschema.validate(yaml.safe_load(path.read_text(encoding="utf-8")), SCHEMA)


@pytest.mark.parametrize("at", [("trainng",), ("training", "stepz"), ("hyperparameters", "vae", "rat")])
def test_schema_for_editors_refuses_a_misspelt_key(at):
    config = yaml.safe_load((REPOSITORY / "config/smoke.yaml").read_text(encoding="utf-8"))
    place = config
    for key in at[:-1]:
        place = place.setdefault(key, {})
    place[at[-1]] = {}
    with pytest.raises(jsonschema.ValidationError, match=at[-1]):
        jsonschema.validate(config, SCHEMA)


def test_nested_keys_and_list_items_have_rows_of_their_own():
    schema = {
        "required": ["sets"],
        "properties": {
            "sets": {"description": "d", "type": "array", "items": {"$ref": "#/$defs/set"}},
            "a": {"description": "e", "enum": ["x", None], "default": None},
        },
        "$defs": {
            "set": {
                "type": "object",
                "properties": {"n": {"description": "f", "type": "integer", "default": 3}},
            }
        },
    }
    assert key_table(schema).splitlines()[2:] == [
        "| `sets` | list of object | required | d |",
        "| `sets[].n` | integer | `3` | f |",
        "| `a` | `x`, null | null | e |",
    ]
