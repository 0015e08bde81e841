"""The types of the condition language."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Type:
    """A type of CEL: a name and, for `list` and `map`, its parameters."""

    name: str
    parameters: tuple[Type, ...] = ()

    def __str__(self) -> str:
        inner = ", ".join(map(str, self.parameters))
        return f"{self.name}({inner})" if inner else self.name


@dataclass(frozen=True, slots=True)
class RecordType(Type):
    """A map whose keys are known: `arguments`, `subject`, `context` and declared objects.

    `fields` gives each known key its type. Where `closed`, another key is an error at load, told
    as "unknown `noun` `key` `of`", say "unknown argument `ammount` of `payments.transfer`".
    """

    fields: Mapping[str, Type] = field(default_factory=dict)
    closed: bool = False
    noun: str = "key"
    of: str = ""

    def __str__(self) -> str:
        return "map"


DYN = Type("dyn")
BOOL = Type("bool")
INT = Type("int")
UINT = Type("uint")
DOUBLE = Type("double")
STRING = Type("string")
BYTES = Type("bytes")
NULL = Type("null_type")
TYPE = Type("type")
TIMESTAMP = Type("google.protobuf.Timestamp")
DURATION = Type("google.protobuf.Duration")


def list_of(element: Type) -> Type:
    """The type of lists of `element`."""
    return Type("list", (element,))


def map_of(key: Type, value: Type) -> Type:
    """The type of maps from `key` to `value`."""
    return Type("map", (key, value))
