"""The JSON Schemas that policies may write: draft 2020-12, less what can't be relied on.

An unknown keyword would be a check that is silently not made, so it is refused, and so is what is
known but not checked (`contentEncoding` and its kin), what leaves the document (a remote `$ref`,
`$id`) and what never ends (a `$ref` that leads back to itself).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from guardrails.language.complaints import complain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Path = tuple[str | int, ...]

_ONE, _LIST, _MAP, _DATA = "one schema", "a list of schemas", "a map of schemas", "no schema"

KEYWORDS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "additionalProperties",
            "contains",
            "else",
            "if",
            "items",
            "not",
            "propertyNames",
            "then",
            "unevaluatedItems",
            "unevaluatedProperties",
        ),
        _ONE,
    ),
    **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), _LIST),
    **dict.fromkeys(("$defs", "dependentSchemas", "patternProperties", "properties"), _MAP),
    **dict.fromkeys(
        (
            "$comment",
            "$ref",
            "const",
            "default",
            "dependentRequired",
            "deprecated",
            "description",
            "enum",
            "examples",
            "exclusiveMaximum",
            "exclusiveMinimum",
            "format",
            "maxContains",
            "maxItems",
            "maxLength",
            "maxProperties",
            "maximum",
            "minContains",
            "minItems",
            "minLength",
            "minProperties",
            "minimum",
            "multipleOf",
            "pattern",
            "readOnly",
            "required",
            "title",
            "type",
            "uniqueItems",
            "writeOnly",
        ),
        _DATA,
    ),
}
"""Every keyword that a schema may have, and what schemas its value holds."""

IN_PLACE = frozenset({"allOf", "anyOf", "dependentSchemas", "else", "if", "not", "oneOf", "then"})
"""Keywords whose schemas judge the same value as the schema around them."""

FORMATS = frozenset(
    {
        "date",
        "date-time",
        "duration",
        "email",
        "hostname",
        "idn-email",
        "idn-hostname",
        "ipv4",
        "ipv6",
        "iri",
        "iri-reference",
        "json-pointer",
        "regex",
        "relative-json-pointer",
        "time",
        "uri",
        "uri-reference",
        "uri-template",
        "uuid",
    }
)
"""The formats of draft 2020-12 ("Validation", section 7.3), all of which are checked."""

_INDEX = re.compile(r"[0-9]{1,9}")


class SchemaFault(Exception):  # noqa: N818 - it never leaves this package
    """A fault of a schema: where, from its root, whether the key is at fault, and what it is."""

    def __init__(self, path: Path, message: str, *, of_key: bool = False) -> None:
        super().__init__(message)
        self.path = path
        self.message = message
        self.of_key = of_key


def compile_schema(root: Any) -> Any:
    """The validator of a schema; raises `SchemaFault` where it can't be, as for a bad pattern.

    Patterns run in linear time, so that an argument can't hang the check.
    """
    from jsonschema_rs import (  # noqa: PLC0415 - needed only where there are schemas
        Draft202012Validator,
        RegexOptions,
        ValidationError,
    )

    try:
        return Draft202012Validator(
            root,
            validate_formats=True,
            ignore_unknown_formats=False,
            pattern_options=RegexOptions(),
            offline=True,
        )
    except ValidationError as error:
        raise SchemaFault((), f"the schema can't be compiled: {complain(error)}") from None


def subschemas(schema: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """A schema and every schema inside it, each with its path from the first."""
    yield path, schema
    if type(schema) is not dict:
        return
    for key, value in schema.items():
        holds = KEYWORDS.get(key, _DATA)
        if holds is _ONE:
            yield from subschemas(value, (*path, key))
        elif holds is _LIST and type(value) is list:
            for index, item in enumerate(value):
                yield from subschemas(item, (*path, key, index))
        elif holds is _MAP and type(value) is dict:
            for name, item in value.items():
                yield from subschemas(item, (*path, key, name))


def in_place(
    root: Any, schema: Mapping[str, Any], keywords: frozenset[str] = IN_PLACE
) -> Iterator[Any]:
    """The schemas that judge the same value as `schema`: what it refers to and combines."""
    if "$ref" in schema:
        yield resolve(root, schema["$ref"])
    for key in keywords & schema.keys():
        holds, value = KEYWORDS[key], schema[key]
        if holds is _ONE:
            yield value
        else:
            yield from value.values() if holds is _MAP else value


def resolve(root: Any, reference: str) -> Any:
    """What a local `$ref` leads to, a JSON pointer (RFC 6901) after `#`; None for nothing."""
    pointer = unquote(reference[1:])
    steps = pointer.split("/")
    if steps[0]:
        return None
    found = root
    for step in steps[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if type(found) is dict and name in found:
            found = found[name]
        elif type(found) is list and _INDEX.fullmatch(name) and int(name) < len(found):
            found = found[int(name)]
        else:
            return None
    return found
