"""What jsonschema-rs finds wrong with a value, in words that never hold the value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.display import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TYPES: Mapping[str, str] = {
    "array": "a list",
    "boolean": "a boolean",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "a map",
    "string": "text",
}
_LISTED = 8  # allowed values are listed up to so many


def _types(kind: Any) -> str:
    return "must be " + " or ".join(_TYPES[each] for each in kind.types)


def _enum(kind: Any) -> str:
    options = kind.options
    if len(options) > _LISTED or not all(type(option) is str for option in options):
        return "is none of the allowed values"
    return "must be one of " + ", ".join(map(quote, options))


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


_WORDS: Mapping[str, Callable[[Any], str]] = {
    "type": _types,
    "enum": _enum,
    "const": lambda _: "is not the only allowed value",
    "minimum": lambda kind: f"must be {kind.limit} or more",
    "maximum": lambda kind: f"must be {kind.limit} or less",
    "exclusiveMinimum": lambda kind: f"must be more than {kind.limit}",
    "exclusiveMaximum": lambda kind: f"must be less than {kind.limit}",
    "multipleOf": lambda kind: f"must be a multiple of {kind.multiple_of}",
    "minLength": lambda kind: f"must have {_plural(kind.limit, 'character')} or more",
    "maxLength": lambda kind: f"must have {_plural(kind.limit, 'character')} or fewer",
    "minItems": lambda kind: f"must have {_plural(kind.limit, 'item')} or more",
    "maxItems": lambda kind: f"must have {_plural(kind.limit, 'item')} or fewer",
    "minProperties": lambda kind: f"must have {_plural(kind.limit, 'key')} or more",
    "maxProperties": lambda kind: f"must have {_plural(kind.limit, 'key')} or fewer",
    "uniqueItems": lambda _: "has the same item twice",
    "required": lambda kind: f"has no {quote(kind.property)}",
    "format": lambda kind: f"is not of the format {quote(kind.format)}",
    "pattern": lambda kind: f"does not match {quote(kind.pattern)}",
    "additionalProperties": lambda _: "has a key that is not declared",
    "unevaluatedProperties": lambda _: "has a key that is not declared",
    "falseSchema": lambda _: "is not allowed",
    "anyOf": lambda _: "fits none of the declared alternatives",
    "oneOf": lambda _: "does not fit exactly one of the declared alternatives",
}


def complain(error: Any) -> str:
    """What is wrong, to be read after the name of what it is wrong with."""
    kind = error.kind
    name = kind.name
    if name == "falseSchema" and error.schema_path[-1] in _WORDS:
        name = error.schema_path[-1]  # jsonschema-rs shortens `additionalProperties: false`
    word = _WORDS.get(name)
    return f"does not satisfy {quote(name)}" if word is None else word(kind)
