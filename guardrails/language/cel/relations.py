"""How types relate: what fits where, what can be compared, what two have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.language.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    NULL,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    RecordType,
    Type,
    list_of,
    map_of,
)
from guardrails.values import Duration, MapKey, Timestamp, UInt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NUMERIC = frozenset({"int", "uint", "double"})

_NULLABLE = frozenset({TIMESTAMP.name, DURATION.name})
"""Types that CEL lets be null, being messages of protobuf."""

DENOTED: Mapping[str, Type] = {
    type_.name: type_
    for type_ in (
        *(BOOL, INT, UINT, DOUBLE, STRING, BYTES, NULL, TYPE, TIMESTAMP, DURATION),
        *(Type("list"), Type("map")),
    )
}
"""The names that stand for types: `type(x) == int` (specification, "Values")."""

RUNTIME_TYPES: Mapping[type, Type] = {
    type(None): NULL,
    bool: BOOL,
    int: INT,
    UInt: UINT,
    float: DOUBLE,
    str: STRING,
    bytes: BYTES,
    list: DENOTED["list"],
    dict: DENOTED["map"],
    Timestamp: TIMESTAMP,
    Duration: DURATION,
    Type: TYPE,
}
"""The type of a value, by its exact Python type; what is not here can take part in nothing."""


def parameters(type_: Type) -> tuple[Type, ...]:
    """The parameters of a list or map, `dyn` where none are given; the keys of records are text."""
    if type_.parameters:
        return type_.parameters
    if type_.name == "list":
        return (DYN,)
    if type_.name == "map":
        return (STRING if isinstance(type_, RecordType) else DYN, DYN)
    return ()


def fits(given: Type, wanted: Type) -> bool:
    """Whether a value of type `given` may be passed where `wanted` is asked for."""
    return (
        given.name == "dyn"
        or wanted.name == "dyn"
        or (given.name == wanted.name and all(map(fits, parameters(given), parameters(wanted))))
    )


def comparable(one: Type, other: Type) -> bool:
    """Whether `==` between the two can be true: equal types, any two numbers, or `dyn`."""
    if one.name == "dyn" or other.name == "dyn":
        return True
    if one.name == other.name:
        return all(map(comparable, parameters(one), parameters(other)))
    if one.name in NUMERIC and other.name in NUMERIC:
        return True
    names = {one.name, other.name}
    return "null_type" in names and bool(names & _NULLABLE)


def same_kind(one: Type, other: Type) -> bool:
    """Whether the two results of `?` go together: comparable, and not two kinds of number."""
    numbers = {one.name, other.name} <= NUMERIC
    return comparable(one, other) and not (numbers and one.name != other.name)


def join(one: Type, other: Type) -> Type:
    """The narrowest type that both fit: `dyn` where they have nothing in common."""
    if one is other or one == other:
        return one
    if one.name == "dyn" or one.name != other.name:
        return DYN
    return Type(one.name, tuple(map(join, parameters(one), parameters(other))))


def join_all(types: Iterable[Type]) -> Type:
    """The narrowest type that all fit; `dyn` for none."""
    joined: Type | None = None
    for type_ in types:
        joined = type_ if joined is None else join(joined, type_)
        if joined.name == "dyn":
            break
    return joined or DYN


def type_of(value: object) -> Type:
    """The type of a constant, of lists and maps with what their elements have in common."""
    if type(value) is list:
        return list_of(join_all(map(type_of, value)))
    if type(value) is dict:
        return map_of(join_all(map(_type_of_key, value)), join_all(map(type_of, value.values())))
    return RUNTIME_TYPES[type(value)]


def _type_of_key(key: object) -> Type:
    return BOOL if type(key) is MapKey else RUNTIME_TYPES[type(key)]


def described(type_: Type) -> str:
    """`type_` as people call it: `a string`, `a list`."""
    name = _SPOKEN.get(type_.name, type_.name)
    return f"{'an' if name[0] in 'aeio' else 'a'} {name}" if name not in _BARE else name


_SPOKEN = {TIMESTAMP.name: "timestamp", DURATION.name: "duration", "null_type": "null"}
_BARE = frozenset({"null", "bytes"})
