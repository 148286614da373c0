"""config/README.md shows the schema as it is."""

from pathlib import Path

import yaml

from maskaae.config.key_table import MARKER, key_table

REPOSITORY = Path(__file__).parents[2]


def test_readme_holds_the_table_of_the_schema():
    schema = yaml.safe_load((REPOSITORY / "workflow/schemas/config.schema.yaml").read_text())
    table = (REPOSITORY / "config/README.md").read_text().partition(MARKER)[2]
    assert table == key_table(schema), "run `make docs`"


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
