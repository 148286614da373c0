"""How `keys` describes a configuration in terms of pydantic, and what is made from the description.

The JSON schema for editors and the table in config/README.md are written by

    python -m maskaae.config.schema workflow/schemas/config.schema.json config/README.md
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    TypeAdapter,
    WrapValidator,
)
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import no_info_wrap_validator_function

Values = Mapping[str, Any]


class Section(BaseModel):
    """A mapping of the configuration: a field for each key, its meaning in the text below it.

    Unknown keys are refused, and text or infinity for a number, and 0.5 for an integer.
    """

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        frozen=True,
        regex_engine="python-re",
        use_attribute_docstrings=True,
        defer_build=True,
    )


def as_written(value: Any, check: Callable[[Any], Any]) -> Any:
    """Check a value and keep it: 100 is not made 100.0, in what a run records either."""
    check(value)
    return value


class SomeOf:
    """Annotation of a mapping with some of the keys of a section or dataclass, kept as it is written."""

    def __init__(self, described: type) -> None:
        self.described = described

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Take what the described class takes: all of its keys have defaults."""
        return no_info_wrap_validator_function(as_written, handler.generate_schema(self.described))


def _distinct(values: list[Any]) -> list[Any]:
    if len(set(values)) < len(values):
        raise PydanticCustomError("repeated", "has non-unique elements")
    return values


def _or_auto(value: Any, check: Callable[[Any], Any]) -> Any:
    if isinstance(value, str) and value != "auto":
        raise PydanticCustomError("not_auto", "does not match 'auto'")
    return value if value == "auto" else check(value)


T = TypeVar("T")
Some = Annotated[list[T], Field(min_length=1)]
Distinct = Annotated[list[T], AfterValidator(_distinct), Field(json_schema_extra={"uniqueItems": True})]
SomeDistinct = Annotated[Distinct[T], Field(min_length=1)]
OrAuto = Annotated[
    T, WrapValidator(_or_auto), Field(json_schema_extra={"type": ["object", "string"], "pattern": "^auto$"})
]


class _Compact(GenerateJsonSchema):
    """JSON schemas whose keys have no titles, with null among the types."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Leave the titles of keys out."""
        return False

    def nullable_schema(self, schema: Any) -> dict[str, Any]:
        """Put null into `type` and `enum`."""
        made = self.generate_inner(schema["schema"])
        if "$ref" in made:
            return {"anyOf": [made, {"type": "null"}]}
        if "enum" in made:
            made["enum"] = [*made["enum"], None]
        return {**made, "type": [made["type"], "null"]}


@cache
def adapter_of(described: Any) -> TypeAdapter[Any]:
    """Return what checks values against a description."""
    return TypeAdapter(described)


@cache
def json_schema(described: Any) -> dict[str, Any]:
    """JSON schema of a description."""
    return adapter_of(described).json_schema(schema_generator=_Compact)


MARKER = "<!-- made by `make docs` from src/maskaae/config/keys.py: do not edit below -->\n"


def key_table(schema: Values) -> str:
    """Markdown table of every key of a JSON schema: its path, type, default and meaning."""
    lines = ["| key | type | default | meaning |", "|---|---|---|---|"]
    lines += [f"| `{key}` | {' | '.join(cells)} |" for key, *cells in _rows(schema, schema, "", {})]
    return "\n".join(lines) + "\n"


def _rows(part: Values, schema: Values, prefix: str, told: dict[str, str]) -> Iterator[tuple[str, ...]]:
    """Rows of the keys of one mapping, each followed by those inside it.

    ``told`` holds the titles of the mappings whose keys have rows already, and where.
    """
    for key, raw in part.get("properties", {}).items():
        value = resolved(raw, schema)
        meaning = meaning_of(value).replace("|", "\\|")
        inner = {f"{key}": value, f"{key}[]": resolved(value.get("items", {}), schema)}
        inner[f"{key}.<name>"] = resolved(values_of(value), schema)
        path = f"{prefix}{key}"
        repeats = [told[one["title"]] for one in inner.values() if one.get("title") in told]
        if repeats:
            meaning += f"; keys as in `{repeats[0]}`"
        yield path, _kind(value, schema), _default(value, key in part.get("required", ())), meaning
        if not repeats:
            for name, one in inner.items():
                told.setdefault(one.get("title", ""), f"{prefix}{name}")
                yield from _rows(one, schema, f"{prefix}{name}.", told)


def resolved(part: Values, schema: Values) -> Values:
    """A part of a JSON schema with what it refers to put in."""
    if "$ref" not in part and "anyOf" in part:  # a mapping, or null
        return {**resolved(part["anyOf"][0], schema), "type": ["object", "null"], **part}
    if "$ref" not in part:
        return part
    return {**schema["$defs"][part["$ref"].rsplit("/", 1)[1]], **part}


def meaning_of(part: Values) -> str:
    """Description of a part of a JSON schema, on one line and without the end of a sentence."""
    text = " ".join(part.get("description", "").split())
    return text[:1].lower() + text[1:].removesuffix(".") if text.endswith(".") else text


def values_of(part: Values) -> Values:
    """Return the JSON schema of a mapping's values under names that are not fixed."""
    values: Any = part.get("additionalProperties") or next(
        iter(part.get("patternProperties", {}).values()), {}
    )
    return values if isinstance(values, dict) else {}


def _kind(value: Values, schema: Values) -> str:
    if "enum" in value:
        return ", ".join("null" if choice is None else f"`{choice}`" for choice in value["enum"])
    names = [value["type"]] if isinstance(value["type"], str) else value["type"]
    item = resolved(value.get("items", value.get("prefixItems", [{}])[0]), schema).get("type")
    return " or ".join(f"list of {item}" if name == "array" and item else name for name in names)


def _default(value: Values, required: bool) -> str:
    if required:
        return "required"
    default = value.get("default", {})
    if default is None or isinstance(default, dict):
        return "null" if default is None else ""
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def main(description: Any, schema: Path, readme: Path) -> None:
    """Write the JSON schema, and replace everything below the marker line of a README by the table."""
    made = json_schema(description)
    schema.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    head, marker, _ = readme.read_text(encoding="utf-8").partition(MARKER)
    readme.write_text(head + marker + key_table(made), encoding="utf-8")


if __name__ == "__main__":
    from maskaae.config.keys import Configuration

    main(Configuration, *map(Path, sys.argv[1:]))
