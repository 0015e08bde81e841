"""The types of JSON that a schema admits, as far as its own keywords tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMES: Mapping[type, str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
    type(None): "null",
}

Types = frozenset[str] | None
"""Names of types; None where any may be given, or where the schema doesn't tell."""


def types_of(schema: Any) -> Types:
    """The types that `schema` admits."""
    if type(schema) is not dict:
        return None
    if "enum" in schema or "const" in schema:
        values = schema["enum"] if "enum" in schema else [schema["const"]]
        return frozenset(_NAMES[type(value)] for value in values)
    for key in ("anyOf", "oneOf"):
        if key in schema:
            parts = [types_of(part) for part in schema[key]]
            known = [part for part in parts if part is not None]
            return frozenset().union(*known) if len(known) == len(parts) else None
    given = schema.get("type")
    return None if given is None else frozenset([given] if type(given) is str else given)


def common(one: Types, other: Types) -> bool:
    """Whether a value can be of both; a whole number is a number."""
    return one is None or other is None or not _wide(one).isdisjoint(_wide(other))


def told(types: Types) -> str:
    """The types in words: `string`, or `string` or `null`."""
    return " or ".join(f"`{each}`" for each in sorted(types or ()))


def _wide(types: frozenset[str]) -> frozenset[str]:
    return types | {"integer"} if "number" in types else types
