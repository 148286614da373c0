"""What is made from the description of the keys is as the description is."""

import json
from pathlib import Path

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
