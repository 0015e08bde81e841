"""Which operand types an operator takes, by the CEL specification's "Standard definitions"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.language.cel.macros import ASKING
from guardrails.language.cel.relations import NUMERIC, comparable, described, join, parameters
from guardrails.language.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    UINT,
    Type,
    list_of,
    map_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    Signatures = Mapping[tuple[str, ...], Type]


def _same(*types: Type) -> dict[tuple[str, ...], Type]:
    return {(type_.name, type_.name): type_ for type_ in types}


_TIME, _SPAN = TIMESTAMP.name, DURATION.name

_SIGNATURES: Mapping[tuple[str, int], Signatures] = {
    ("+", 2): {
        **_same(INT, UINT, DOUBLE, STRING, BYTES, DURATION),
        (_TIME, _SPAN): TIMESTAMP,
        (_SPAN, _TIME): TIMESTAMP,
    },
    ("-", 2): {
        **_same(INT, UINT, DOUBLE, DURATION),
        (_TIME, _SPAN): TIMESTAMP,
        (_TIME, _TIME): DURATION,
    },
    ("*", 2): _same(INT, UINT, DOUBLE),
    ("/", 2): _same(INT, UINT, DOUBLE),
    ("%", 2): _same(INT, UINT),
    ("-", 1): {("int",): INT, ("double",): DOUBLE},
    ("!", 1): {("bool",): BOOL},
}

ORDERINGS = frozenset({"<", "<=", ">", ">="})

_ORDERED = frozenset({"bool", "string", "bytes", _TIME, _SPAN, *NUMERIC})


def result_of(operator: str, operands: tuple[Type, ...]) -> Type | None:
    """The type that `operator` gives for operands of these types; None where it takes them not.

    Beyond the specification, numbers of different types can be compared, ordered and looked for.
    """
    if operator in ORDERINGS:
        return BOOL if _ordered(*operands) else None
    if operator in ("==", "!="):
        return BOOL if comparable(*operands) else None
    if operator == "in":
        return BOOL if _contained(*operands) else None
    if operator == "[]":
        return _looked_up(*operands)
    if operator == "+" and "list" in (operands[0].name, operands[1].name):
        return _appended(*operands)
    signatures = _SIGNATURES[operator, len(operands)]
    names = tuple(operand.name for operand in operands)
    if "dyn" not in names:
        return signatures.get(names)
    results = {
        result
        for signature, result in signatures.items()
        if all(name in ("dyn", wanted) for name, wanted in zip(names, signature, strict=True))
    }
    if len(results) == 1:
        return results.pop()
    return DYN if results else None


def _ordered(one: Type, other: Type) -> bool:
    if not {one.name, other.name} <= _ORDERED | {"dyn"}:
        return False
    return comparable(one, other)


def _contained(element: Type, container: Type) -> bool:
    if container.name not in ("list", "map"):
        return container.name == "dyn"
    return comparable(element, parameters(container)[0])


def _looked_up(container: Type, key: Type) -> Type | None:
    if container.name == "list":
        return parameters(container)[0] if key.name in ("int", "dyn") else None
    if container.name == "map":
        wanted, value = parameters(container)
        return value if "dyn" in (key.name, wanted.name) or key.name == wanted.name else None
    return DYN if container.name == "dyn" else None


def _appended(one: Type, other: Type) -> Type | None:
    if one.name == other.name and comparable(one, other):
        return join(one, other)
    return list_of(DYN) if "dyn" in (one.name, other.name) else None


_CONVERTIBLE = frozenset({"string", *NUMERIC})


def refusal(operator: str, operands: tuple[Type, ...]) -> str:
    """Why `operator` does not take operands of these types, and what to write instead."""
    names = [operand.name for operand in operands]
    first = described(operands[0])
    if len(operands) == 1:
        return f"`{operator}` does not take {first}"
    second = described(operands[1])
    if first == second:
        first, second = f"a {operands[0]}", f"a {operands[1]}"
    if operator == "in" and names[1] == "string":
        return "`in` looks into lists and maps; in text, write `text.contains(part)`"
    if operator == "in" and names[1] not in ("list", "map"):
        return f"`in` looks into lists and maps, not into {second}"
    if operator == "in":
        return f"{first} is never in {_holding(operands[1])}"
    if operator == "[]" and names[0] not in ("list", "map"):
        return f"{first} has no elements"
    if operator == "[]":
        return f"{_holding(operands[0])} has no element at {second}"
    if operator in ("==", "!="):
        return f"{first} never equals {second}{_conversion(names)}"
    return f"`{operator}` does not take {first} and {second}{_conversion(names)}"


def _holding(container: Type) -> str:
    word = "elements" if container.name == "list" else "keys"
    return f"{described(container)} whose {word} are {parameters(container)[0]}"


def _conversion(names: list[str]) -> str:
    if len(set(names)) == 1:
        return ""
    if set(names) <= NUMERIC and "double" in names:
        return "; write `2.0` for a double, or convert with `double(..)`"
    if set(names) <= _CONVERTIBLE:
        return f"; convert one, as with `{names[0]}(..)`"
    return ""


def result_of_macro(macro: str, variables: tuple[Type, ...], body: Type | None) -> Type:
    """The type that a macro gives whose variables and last argument are of these types."""
    if macro in ASKING:
        return BOOL
    if macro == "transformMap":
        return map_of(variables[0], body or DYN)
    return list_of(body or variables[0])
