"""What is wrong with the JSON Schemas that policies write, each fault with its place."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from guardrails.display import quote
from guardrails.language.cel.errors import did_you_mean
from guardrails.language.complaints import complain
from guardrails.language.dialect import (
    FORMATS,
    KEYWORDS,
    SchemaFault,
    compile_schema,
    in_place,
    resolve,
    subschemas,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from guardrails.language.dialect import Path

MAX_REFERENCES = 100
"""How many schemas may lead to one another at the same value."""

_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")


def read_schema(root: Any) -> tuple[Any, list[SchemaFault]]:
    """The validator of a schema, or None and every fault; their paths lead from `root`."""
    schemas = dict(subschemas(root, ()))
    faults = _find_faults(root, schemas)
    if not faults:
        try:
            return compile_schema(root), []
        except SchemaFault as fault:
            return None, list(_check_patterns(schemas)) or [fault]
    return None, _new(_check_patterns(schemas), faults)


def _find_faults(root: Any, schemas: Mapping[Path, Any]) -> list[SchemaFault]:
    """The faults that need no regular expression to be compiled."""
    faults = [fault for path, schema in schemas.items() for fault in _check_keys(schema, path)]
    faults = _new(_check_meta(root, schemas), faults)
    faults = _new(_check_references(root, schemas), faults)
    return faults or list(_check_cycles(root, schemas))


def _new(found: Iterable[SchemaFault], told: list[SchemaFault]) -> list[SchemaFault]:
    """The faults told and those found, less what is told already of the same place or inside it."""
    places = {fault.path[:length] for fault in told for length in range(len(fault.path) + 1)}
    return told + [fault for fault in found if fault.path not in places]


def _check_keys(schema: Any, path: Path) -> Iterator[SchemaFault]:
    if type(schema) is not dict:
        return
    for key, value in schema.items():
        here = (*path, key)
        if key not in KEYWORDS:
            hint = did_you_mean(key, KEYWORDS)
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
    for path, schema in schemas.items():
        if type(schema) is dict and type(schema.get("$ref")) is str:
            target = resolve(root, schema["$ref"])
            if type(target) is not bool and id(target) not in known:
                message = f"{quote(schema['$ref'])} leads to no schema"
                yield SchemaFault((*path, "$ref"), message)


def _check_patterns(schemas: Mapping[Path, Any]) -> Iterator[SchemaFault]:
    for path, schema in schemas.items():
        if type(schema) is dict:
            if type(schema.get("pattern")) is str and not _is_pattern(schema["pattern"]):
                yield _bad_pattern((*path, "pattern"), schema["pattern"])
            named = schema.get("patternProperties")
            for pattern in named if type(named) is dict else ():
                if not _is_pattern(pattern):
                    place = (*path, "patternProperties", pattern)
                    yield _bad_pattern(place, pattern, of_key=True)


def _is_pattern(pattern: str) -> bool:
    try:
        compile_schema({"pattern": pattern})
    except SchemaFault:
        return False
    return True


def _bad_pattern(path: Path, pattern: str, *, of_key: bool = False) -> SchemaFault:
    message = (
        f"{quote(pattern)} is no regular expression that runs in linear time "
        "(look-around and back-references don't)"
    )
    return SchemaFault(path, message, of_key=of_key)


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
