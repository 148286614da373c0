"""How problems of a configuration are told: all at once, each with its place and what would be right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jsonschema.exceptions import ValidationError

from maskaae.data.registry import suggestion


class ConfigError(ValueError):
    """A configuration cannot be used; the message lists every problem found."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("the configuration cannot be used:\n" + "\n".join(f"  - {p}" for p in problems))
        self.problems = list(problems)


def explain(error: ValidationError) -> str:
    """One line for a schema error: where, what is there, what would be right."""
    where = ": ".join(str(part) for part in error.absolute_path) or "top level"
    if error.validator == "additionalProperties":
        known = list(error.schema.get("properties", {})) if isinstance(error.schema, dict) else []
        given: Any = error.instance
        unknown = [key for key in given if key not in known]
        return "; ".join(f"{where}: key {key!r} is unknown{suggestion(key, known)}" for key in unknown)
    if error.validator == "minItems" and not error.instance:
        return f"{where}: the list is empty; give at least {error.validator_value} value"
    meaning = error.schema.get("description", "") if isinstance(error.schema, dict) else ""
    return f"{where}: {error.message}" + (f" ({meaning})" if meaning else "")


def repeated(names: Sequence[str]) -> list[str]:
    """Names that stand more than once, sorted."""
    return sorted({name for name in names if names.count(name) > 1})
