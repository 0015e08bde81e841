"""The values that a declared schema admits, as conditions see them: all of those, perhaps more.

What is read of a schema is its type, `enum`, `const`, bounds of numbers, and how it combines
others; whatever else it says can only narrow further what it admits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.language.coercion import MOMENTS, gather, number_of
from guardrails.language.dialect import resolve
from guardrails.toolchain.regions.comparison import below, equal_to
from guardrails.toolchain.regions.region import EVERYTHING, NOTHING, exactly, join, kinds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from guardrails.toolchain.regions.region import Region

_MAX_DEPTH = 16
"""How many schemas within one another are read; further in anything may be."""

GIVEN = EVERYTHING & ~kinds("missing", "error", "uint", "type")
"""Whatever a caller can give for an argument, or a host for a fact."""

_INT = kinds("int")
_DOUBLE = kinds("double")
_NUMBER = _INT | _DOUBLE
_TYPES: Mapping[str, Region] = {
    "null": kinds("null"),
    "boolean": kinds("bool"),
    "string": kinds("string"),
    "array": kinds("list"),
    "object": kinds("map"),
}
_MOMENTS = kinds("string", "timestamp", "duration")
_CONTENTS = ("allOf", "anyOf", "oneOf", "$ref", "if", "then", "else", "not", "dependentSchemas",
             "patternProperties", "unevaluatedProperties")  # fmt: skip


def admitted(root: Any, schema: Any, depth: int = 0) -> Region:
    """The values that satisfy `schema`, a part of `root`, with numbers of the declared type."""
    if number_of(gather(root, [schema])) is float:
        return _admitted(root, schema, depth, _DOUBLE) & ~_INT
    return _admitted(root, schema, depth, _INT)


def _admitted(root: Any, schema: Any, depth: int, number: Region) -> Region:
    """What `schema` admits, where a number of a declared type is a `number` for conditions."""
    if schema is False:
        return NOTHING
    if schema is True or depth > _MAX_DEPTH:
        return GIVEN
    region = GIVEN
    for part in _parts(root, schema, depth, number):
        region &= part
    return region


def _parts(root: Any, schema: dict[str, Any], depth: int, number: Region) -> Iterator[Region]:
    """What single keywords admit."""
    yield from _values(schema, number)
    if "$ref" in schema:
        yield _admitted(root, resolve(root, schema["$ref"]), depth + 1, number)
    for each in schema.get("allOf", ()):
        yield _admitted(root, each, depth + 1, number)
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            yield join(_admitted(root, each, depth + 1, number) for each in schema[keyword])


def _values(schema: dict[str, Any], number: Region) -> Iterator[Region]:
    """What those keywords admit that speak of the value itself."""
    names = schema.get("type")
    if names is not None:
        listed = [names] if type(names) is str else names
        yield join(_of_type(name, schema, number) for name in listed)
    if "enum" in schema:
        yield join(map(_equal, schema["enum"]))
    if "const" in schema:
        yield _equal(schema["const"])
    for keyword, bounded in _BOUNDS.items():
        if keyword in schema:
            yield bounded(schema[keyword]) | ~_NUMBER
    if schema.get("minLength", 0) >= 1:
        yield ~exactly("")


def _of_type(name: str, schema: dict[str, Any], number: Region) -> Region:
    if name in ("integer", "number"):
        return number
    return _MOMENTS if name == "string" and schema.get("format") in MOMENTS else _TYPES[name]


def _equal(value: Any) -> Region:
    """What JSON Schema takes for equal to `value`, as conditions see it."""
    if type(value) in (list, dict):
        return kinds("list" if type(value) is list else "map")
    return equal_to(value)


_BOUNDS: Mapping[str, Callable[[Any], Region]] = {
    "minimum": lambda bound: ~below(bound, inclusive=False),
    "exclusiveMinimum": lambda bound: ~below(bound, inclusive=True),
    "maximum": lambda bound: below(bound, inclusive=True),
    "exclusiveMaximum": lambda bound: below(bound, inclusive=False),
}


def inside(root: Any, schema: Any, key: str) -> tuple[Region, Any]:
    """What a map that satisfies `schema` can have under `key`, and the schema of that.

    With `missing`, unless the key is required.
    """
    missing = kinds("missing")
    while type(schema) is dict and set(schema) == {"$ref"}:
        schema = resolve(root, schema["$ref"])
    if type(schema) is not dict or any(keyword in schema for keyword in _CONTENTS):
        return GIVEN | missing, True
    properties = schema.get("properties", {})
    own = properties.get(key, schema.get("additionalProperties", True))
    region = admitted(root, own)
    return region if key in schema.get("required", ()) else region | missing, own
