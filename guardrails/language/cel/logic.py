"""The code of `&&` and `||`.

What decides the whole ends it, on either side; an error waits for what might decide (CEL
specification, "Logical Operators"). What can't fail needs no rescue, and neither does the last
operand, after which nothing can decide any more.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from guardrails.language.cel.syntax import (
    HERE,
    assign,
    call,
    constant,
    load,
    opposite,
    raise_if_any,
    rescued,
    still_open,
    when,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.language.cel.shape import Shape
    from guardrails.language.cel.writer import Writer


def write_logic(writer: Writer, operator: str, operands: tuple[Shape, ...]) -> ast.expr:
    """The value of `operands` joined by `&&` or `||`."""
    *firsts, last = operands
    neutral = operator == "&&"
    result = writer.fresh()
    error = pending(writer, firsts)
    for number, operand in enumerate(operands):
        write = writer.assigning(result, operand)
        if operand is not last and can_fail(operand):
            write = absorbing(writer, error, write, assign(result, constant(value=neutral)))
        block = writer.inside(write)
        test = still_open(result, neutral=neutral)
        writer.block += [when(test, *block)] if number else block
    settle(writer, result, error, neutral=neutral)
    return load(result)


def return_logic(writer: Writer, operator: str, operands: tuple[Shape, ...]) -> None:
    """The same as the body of a function, which returns as soon as the whole is decided."""
    *firsts, last = operands
    neutral = operator == "&&"
    error = pending(writer, firsts)
    for operand in firsts:
        write = _returning(writer, operand, neutral=neutral)
        if can_fail(operand):
            write = absorbing(writer, error, write)
        writer.block += writer.inside(write)
    result = writer.variable(last)
    settle(writer, result, error, neutral=neutral)
    writer.block.append(ast.Return(load(result), **HERE))


def _returning(writer: Writer, operand: Shape, *, neutral: bool) -> Callable[[], None]:
    def write() -> None:
        value = writer.value(operand)
        decided = opposite(value) if neutral else value
        writer.block.append(when(decided, ast.Return(constant(value=not neutral), **HERE)))

    return write


def pending(writer: Writer, operands: list[Shape]) -> str:
    """The variable for the first error of `operands`, or "" where there can be none."""
    if not any(map(can_fail, operands)):
        return ""
    name = writer.fresh()
    writer.block.append(assign(name, constant(value=None)))
    return name


def absorbing(
    writer: Writer, error: str, write: Callable[[], None], *rescue: ast.stmt
) -> Callable[[], None]:
    """What writes the same, with an error kept in the variable `error` if it is the first."""

    def absorb() -> None:
        first = call("first", 1, load(error), load("error"), load("trace"))
        block = writer.inside(write, blocks=1)
        writer.block.append(rescued(block, assign(error, first), *rescue))

    return absorb


def settle(writer: Writer, result: str, error: str, *, neutral: bool) -> None:
    """Raise the error that was kept, if there is one and nothing has decided the whole."""
    if error:
        test = still_open(result, neutral=neutral)
        writer.block.append(when(test, raise_if_any(error)))


def can_fail(shape: Shape) -> bool:
    """Whether evaluating `shape` may raise anything."""
    match shape:
        case ("constant", bool()):
            return False
        case ("has", ("read", "arguments", _), _, _):
            return False
        case ("truth" | "not", tuple(inner), _):
            return can_fail(inner)
        case ("logic", _, tuple(inner)):
            return any(map(can_fail, inner))
        case _:
            return True
