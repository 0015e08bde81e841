"""The type that a condition may rely on for a value that satisfies a JSON Schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.language.cel.types import (
    BOOL,
    DOUBLE,
    DYN,
    INT,
    NULL,
    STRING,
    RecordType,
    Type,
    list_of,
    map_of,
)
from guardrails.language.coercion import AFFIRMED, MOMENTS, gather, number_of
from guardrails.language.dialect import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MAX_DEPTH = 16
"""How deep types are told apart; further down anything may be."""

_ANNOTATIONS = frozenset(
    {"$comment", "$defs", "default", "deprecated", "description", "examples", "readOnly", "title",
     "writeOnly"}
)  # fmt: skip

_COMBINING = AFFIRMED | {"$ref"}
_SCALARS: Mapping[Any, Type] = {"boolean": BOOL, "null": NULL, "": DYN}
_LITERALS: Mapping[type, Type] = {bool: BOOL, str: STRING, type(None): NULL}


class TypeReader:
    """The types of the schemas in `root`; numbers have the type that coercion gives them."""

    __slots__ = ("_known", "_root")

    def __init__(self, root: Any) -> None:
        self._root = root
        self._known: dict[int, Type] = {}

    def type_of(self, schema: Any, depth: int = 0) -> Type:
        """The type of what satisfies `schema`; `dyn` where several can."""
        if type(schema) is not dict or depth > _MAX_DEPTH:
            return DYN
        if id(schema) not in self._known:
            self._known[id(schema)] = DYN  # what a schema that holds itself sees of itself
            self._known[id(schema)] = self._read(schema, depth)
        return self._known[id(schema)]

    def _read(self, schema: dict[str, Any], depth: int) -> Type:
        if schema.keys() - _ANNOTATIONS == {"$ref"}:
            return self.type_of(resolve(self._root, schema["$ref"]), depth + 1)
        name = _only(schema.get("type"))
        combined = bool(schema.keys() & _COMBINING)
        if name in ("number", "integer"):
            return DOUBLE if number_of(gather(self._root, [schema])) is float else INT
        if name == "array":
            return list_of(DYN if combined else self._item_type(schema, depth))
        if name == "object":
            return map_of(STRING, DYN) if combined else self._map_type(schema, depth)
        if name == "string":
            return DYN if schema.get("format") in MOMENTS else STRING
        if name is not None:
            return _SCALARS[name]
        return _common(schema.get("enum", [schema["const"]] if "const" in schema else []))

    def _item_type(self, schema: dict[str, Any], depth: int) -> Type:
        if "prefixItems" in schema or "unevaluatedItems" in schema:
            return DYN
        return self.type_of(schema.get("items"), depth + 1)

    def _map_type(self, schema: dict[str, Any], depth: int) -> Type:
        others = schema.get("additionalProperties")
        free = "patternProperties" in schema or "unevaluatedProperties" in schema
        if "properties" not in schema:
            return map_of(STRING, DYN if free else self.type_of(others, depth + 1))
        fields = {
            name: DYN if free else self.type_of(each, depth + 1)
            for name, each in schema["properties"].items()
        }
        return RecordType("map", fields=fields, closed=others is False and not free)


def _only(types: Any) -> Any:
    """The one type that the keyword `type` names, "" for several, None where there is none."""
    if type(types) is not list:
        return types
    return types[0] if len(types) == 1 else ""


def _common(values: Iterable[Any]) -> Type:
    """The type of all of `values`; `dyn` for several, and for numbers, which have two."""
    types = {_LITERALS.get(type(value), DYN) for value in values}
    return types.pop() if len(types) == 1 else DYN
