"""The JSON Schemas that policies may write: draft 2020-12, less what can't be relied on.

An unknown keyword would be a check that is silently not made, so it is refused, and so is what is
known but not checked (`contentEncoding` and its kin), what leaves the document (a remote `$ref`,
`$id`) and what never ends (a `$ref` that leads back to itself).
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from guardrails.display import quote
from guardrails.language.cel.errors import did_you_mean
from guardrails.language.complaints import complain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Path = tuple[str | int, ...]

_ONE, _LIST, _MAP, _DATA = "one schema", "a list of schemas", "a map of schemas", "no schema"

_KEYWORDS: Mapping[str, str] = {
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

MAX_REFERENCES = 100
"""How many schemas may lead to one another at the same value."""

_INDEX = re.compile(r"[0-9]{1,9}")
_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")


class SchemaFault(Exception):  # noqa: N818 - it never leaves this package
    """A fault of a schema: where, from its root, whether the key is at fault, and what it is."""

    def __init__(self, path: Path, message: str, *, of_key: bool = False) -> None:
        super().__init__(message)
        self.path = path
        self.message = message
        self.of_key = of_key


def find_schema_faults(root: Any) -> list[SchemaFault]:
    """Every fault of a schema; its paths lead from `root`."""
    schemas = dict(subschemas(root, ()))
    faults = [fault for path, schema in schemas.items() for fault in _check_keys(schema, path)]
    faults = faults or list(_check_meta(root, schemas))
    return faults or list(_check_references(root, schemas))


def compile_schema(root: Any) -> Any:
    """The validator of a schema without faults; raises `SchemaFault` for a bad pattern.

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
        path = tuple(error.instance_path)
        in_key = "patternProperties" in path[-2:-1]
        pattern = str(path[-1] if in_key else error.instance)
        message = (
            f"{quote(pattern)} is no regular expression that runs in linear time "
            "(look-around and back-references don't)"
        )
        raise SchemaFault(path, message, of_key=in_key) from None


def subschemas(schema: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """A schema and every schema inside it, each with its path from the first."""
    yield path, schema
    if type(schema) is not dict:
        return
    for key, value in schema.items():
        holds = _KEYWORDS.get(key, _DATA)
        if holds is _ONE:
            yield from subschemas(value, (*path, key))
        elif holds is _LIST and type(value) is list:
            for index, item in enumerate(value):
                yield from subschemas(item, (*path, key, index))
        elif holds is _MAP and type(value) is dict:
            for name, item in value.items():
                yield from subschemas(item, (*path, key, name))


def _check_keys(schema: Any, path: Path) -> Iterator[SchemaFault]:
    if type(schema) is not dict:
        return
    for key, value in schema.items():
        here = (*path, key)
        if key not in _KEYWORDS:
            hint = did_you_mean(key, _KEYWORDS)
            if key == "kind":
                hint = "; `kind` stands directly under an argument of a tool"
            yield SchemaFault(here, f"unknown keyword {quote(key)}{hint}", of_key=True)
        elif key == "format" and type(value) is str and value not in FORMATS:
            yield SchemaFault(here, f"unknown format {quote(value)}{did_you_mean(value, FORMATS)}")
        elif key == "$ref" and type(value) is str and not value.startswith("#"):
            message = f"{quote(value)} leads out of this document; only `#/...` can be followed"
            yield SchemaFault(here, message)
        elif key == "type":
            for index, name in enumerate(value if type(value) is list else [value]):
                if type(name) is str and name not in _TYPES:
                    place = (*here, index) if type(value) is list else here
                    hint = did_you_mean(name, _TYPES)
                    yield SchemaFault(place, f"unknown type {quote(name)}{hint}")


@cache
def _metaschema() -> Any:
    from jsonschema_rs import validator_for  # noqa: PLC0415 - needed only where there are schemas

    return validator_for({"$ref": "https://json-schema.org/draft/2020-12/schema"}, offline=True)


def _check_meta(root: Any, schemas: Mapping[Path, Any]) -> Iterator[SchemaFault]:
    """The faults that the metaschema finds; a value that is wrong twice is told once."""
    if _metaschema().is_valid(root):
        return
    errors: dict[Path, Any] = {}
    for error in _metaschema().iter_errors(root):
        errors.setdefault(tuple(error.instance_path), error)
    for path, error in errors.items():
        if path in schemas:
            message = f"a schema {complain(error)}"
        elif "type" in path[-2:]:
            message = "`type` must be the name of a type, or a list of different ones"
        else:
            message = f"`{path[-1]}` {complain(error)}"
        yield SchemaFault(path, message)


def _check_references(root: Any, schemas: Mapping[Path, Any]) -> Iterator[SchemaFault]:
    known = {id(schema) for schema in schemas.values()}
    bad = False
    for path, schema in schemas.items():
        if type(schema) is dict and "$ref" in schema:
            target = resolve(root, schema["$ref"])
            if type(target) is not bool and id(target) not in known:
                bad = True
                message = f"{quote(schema['$ref'])} leads to no schema"
                yield SchemaFault((*path, "$ref"), message)
    if not bad:
        yield from _check_cycles(root, schemas)


def _check_cycles(root: Any, schemas: Mapping[Path, Any]) -> Iterator[SchemaFault]:
    """Refuse what would be judged for ever: schemas that reach themselves at the same value."""
    state: dict[int, bool] = {}  # False while the schema is being followed
    for path, schema in schemas.items():
        if not _ends(root, schema, state, 0):
            message = (
                f"the schema leads back to itself, or through more than {MAX_REFERENCES} schemas"
            )
            yield SchemaFault((*path, "$ref") if "$ref" in schema else path, message)
            return


def _ends(root: Any, schema: Any, state: dict[int, bool], depth: int) -> bool:
    if type(schema) is not dict:
        return True
    if depth > MAX_REFERENCES or id(schema) in state:
        return state.get(id(schema), False)
    state[id(schema)] = False
    inner = [_ends(root, each, state, depth + 1) for each in in_place(root, schema)]
    state[id(schema)] = all(inner)
    return state[id(schema)]


def in_place(
    root: Any, schema: Mapping[str, Any], keywords: frozenset[str] = IN_PLACE
) -> Iterator[Any]:
    """The schemas that judge the same value as `schema`: what it refers to and combines."""
    if "$ref" in schema:
        yield resolve(root, schema["$ref"])
    for key in keywords & schema.keys():
        holds, value = _KEYWORDS[key], schema[key]
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
