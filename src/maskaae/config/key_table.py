"""The table of configuration keys in config/README.md, made from the schema."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

Row = tuple[str, str, str, str]
MARKER = "<!-- made by `make docs` from workflow/schemas/config.schema.yaml: do not edit below -->\n"


def key_table(schema: Mapping[str, Any]) -> str:
    """Markdown table of every key: its path, type, default and description."""
    lines = ["| key | type | default | meaning |", "|---|---|---|---|"]
    lines += [f"| `{key}` | {' | '.join(cells)} |" for key, *cells in _rows(schema, schema, "")]
    return "\n".join(lines) + "\n"


def _rows(part: Mapping[str, Any], schema: Mapping[str, Any], prefix: str) -> Iterator[Row]:
    """Rows of the keys of one mapping, each followed by those inside it."""
    for key, raw in part.get("properties", {}).items():
        value = _resolved(raw, schema)
        path = f"{prefix}{key}"
        required = key in part.get("required", ())
        yield path, _kind(value, schema), _default(value, required), raw["description"].replace("|", "\\|")
        inner = _resolved(value.get("items", {}), schema)
        yield from _rows(value, schema, f"{path}.")
        yield from _rows(inner, schema, f"{path}[].")
        if isinstance(value.get("additionalProperties"), dict):
            yield from _rows(_resolved(value["additionalProperties"], schema), schema, f"{path}.<name>.")


def _resolved(part: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in part:
        return part
    return {**schema["$defs"][part["$ref"].rsplit("/", 1)[1]], **part}


def _kind(value: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    if "enum" in value:
        return ", ".join("null" if choice is None else f"`{choice}`" for choice in value["enum"])
    kind = value["type"]
    names = [kind] if isinstance(kind, str) else kind
    item = _resolved(value.get("items", {}), schema).get("type")
    return " or ".join(f"list of {item}" if name == "array" and item else name for name in names)


def _default(value: Mapping[str, Any], required: bool) -> str:
    if required:
        return "required"
    default = value.get("default")
    if "default" not in value or default == {}:
        return ""
    return "null" if default is None else f"`{default}`"


def main(schema: Path, readme: Path) -> None:
    """Replace everything below the marker line of a README by the table."""
    head, marker, _ = readme.read_text().partition(MARKER)
    readme.write_text(head + marker + key_table(yaml.safe_load(schema.read_text())))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
