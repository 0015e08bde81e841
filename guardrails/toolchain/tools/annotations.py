"""JSON Schema of a parameter, as far as its annotation tells."""

from __future__ import annotations

import enum
import types
import typing
from datetime import date, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    import inspect

_SCALARS: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    None: {"type": "null"},
    type(None): {"type": "null"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    UUID: {"type": "string", "format": "uuid"},
}


def parameter_schema(parameter: inspect.Parameter, hints: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of what a call may give for `parameter`; {} where nobody says."""
    schema = annotation_schema(hints.get(parameter.name, Any))
    if parameter.kind is parameter.VAR_POSITIONAL:
        return {"type": "array", "items": schema} if schema else {"type": "array"}
    return schema


def annotation_schema(hint: Any) -> dict[str, Any]:
    """Return the JSON Schema of an annotation; {} for what has none here, which admits all."""
    if hint in _SCALARS:
        return dict(_SCALARS[hint])
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return annotation_schema(inner[0])
    if origin is typing.Literal:
        return {"enum": list(inner)}
    if origin in (typing.Union, types.UnionType):
        return _union([annotation_schema(each) for each in inner])
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return {"enum": [member.value for member in hint]}
    if isinstance(hint, type) and issubclass(hint, PurePath):
        return {"type": "string"}
    return _container(origin or hint, inner)


def _container(kind: Any, inner: tuple[Any, ...]) -> dict[str, Any]:
    if not isinstance(kind, type):
        return {}
    if issubclass(kind, dict):
        return {"type": "object"}
    if issubclass(kind, list | tuple | set | frozenset) or kind.__name__ in (
        "Sequence",
        "Iterable",
    ):
        items = {} if len(set(inner) - {...}) != 1 else annotation_schema(inner[0])
        return {"type": "array", "items": items} if items else {"type": "array"}
    return {}


def _union(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """The schema of "one of these": the list of types where types are all that is said."""
    if not all(parts):
        return {}
    names = [part.get("type") for part in parts if set(part) == {"type"}]
    if len(names) == len(parts):
        return {"type": names}
    return {"anyOf": parts}
