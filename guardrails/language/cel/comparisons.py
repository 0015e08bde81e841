"""The code of `==`, of `<` and their kin, and of `in` with a list of literals.

Python compares texts and plain numbers as CEL does, so they are compared at once; all else, known
by its exact type, goes to the functions of the run time.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from guardrails.language.cel.syntax import (
    HERE,
    call,
    compare,
    constant,
    is_plain_number,
    kind_is,
    load,
    slot,
    type_is,
    type_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardrails.language.cel.shape import Shape
    from guardrails.language.cel.writer import Writer

_ORDERS: Mapping[str, tuple[ast.cmpop, ast.cmpop, str]] = {
    "<": (ast.Lt(), ast.GtE(), "less"),
    "<=": (ast.LtE(), ast.Gt(), "less_equal"),
    ">": (ast.Gt(), ast.LtE(), "greater"),
    ">=": (ast.GtE(), ast.Lt(), "greater_equal"),
}
"""The Python operator, the one that holds exactly where it doesn't (NaN apart), and what decides
when the operands are no plain numbers."""


def write_equal(writer: Writer, operator: str, left: Shape, right: Shape, line: int) -> ast.expr:
    """Whether the two are equal, or with `!=` whether they are not."""
    slow = "equal" if operator == "==" else "unequal"
    if _is_simple(left) and not _is_simple(right):
        left, right = right, left
    value = writer.variable(left)
    wanted = writer.value(right)
    careful = call(slow, line, load("frame"), load(value), wanted)
    if not _is_simple(right):
        return careful
    test = _comparable_at_once(writer, value, right)
    quick = ast.Eq() if operator == "==" else ast.NotEq()
    return ast.IfExp(test, compare(load(value), quick, wanted), careful, **HERE)


def write_among(
    writer: Writer, element: Shape, known: int, every: int, kind: str, line: int
) -> ast.expr:
    """Whether `element` is one of literals that are all texts or all small numbers.

    `known` is the slot of their set, `every` that of their list, `kind` what they are.
    """
    value = writer.variable(element)
    test = _comparable_at_once(writer, value, ("slot", every, kind))
    quick = compare(load(value), ast.In(), load(slot(known)))
    careful = call("contains", line, load("frame"), load(value), load(slot(every)))
    return ast.IfExp(test, quick, careful, **HERE)


def write_order(writer: Writer, operator: str, left: Shape, right: Shape, line: int) -> ast.expr:
    """Whether the two stand in that order; NaN, which stands in none, is an error."""
    holds, fails, slow = _ORDERS[operator]
    one = writer.variable(left)
    other = writer.keep(writer.value(right))
    careful = call(slow, line, load("frame"), load(one), load(other))
    if _is_small(left) == _is_small(right):
        return careful
    kind = writer.keep(type_of(one if _is_small(right) else other))
    fails_too = compare(load(one), fails, load(other))
    unordered = ast.IfExp(fails_too, constant(value=False), call("no_order", line), **HERE)
    holds_first = compare(load(one), holds, load(other))
    of_double = ast.IfExp(holds_first, constant(value=True), unordered, **HERE)
    otherwise = ast.IfExp(kind_is(kind, "float"), of_double, careful, **HERE)
    of_int = compare(load(one), holds, load(other))
    return ast.IfExp(kind_is(kind, "int"), of_int, otherwise, **HERE)


def _comparable_at_once(writer: Writer, value: str, literal: Shape) -> ast.expr:
    """Whether Python's own `==` between a variable and a simple literal is right."""
    if literal[0] == "constant":
        return type_is(value, "none" if literal[1] is None else "bool")
    if literal[2] == "text":
        return type_is(value, "str")
    return is_plain_number(writer.keep(type_of(value)))


def _is_small(shape: Shape) -> bool:
    """Whether `shape` is a number that Python compares with ints and doubles as CEL does."""
    return shape[0] == "slot" and bool(shape[2] == "number")


def _is_simple(shape: Shape) -> bool:
    """Whether equality with `shape` is quick to tell: a literal that is a text or small."""
    return shape[0] == "constant" or (shape[0] == "slot" and bool(shape[2] != "other"))
