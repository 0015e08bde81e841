"""Pieces of Python code as `ast` nodes.

What may raise has a line, the number of its place in the condition; the rest stands in line 1.
"""

from __future__ import annotations

import ast
from typing import Any, TypedDict


class Position(TypedDict):
    """Where a node stands, as all nodes have to say."""

    lineno: int
    col_offset: int


HERE: Position = {"lineno": 1, "col_offset": 0}
LOAD, STORE = ast.Load(), ast.Store()


def at(line: int) -> Position:
    """The position of what stands for the place of that number."""
    return {"lineno": line, "col_offset": 0}


def slot(number: int) -> str:
    """The parameter that holds a literal."""
    return f"slot{number}"


def local(number: int) -> str:
    """The variable that holds an element while a macro goes through a list."""
    return f"local{number}"


def load(name: str) -> ast.expr:
    """The value of the variable `name`."""
    return ast.Name(name, LOAD, **HERE)


def constant(*, value: int | None) -> ast.expr:
    """`value`, which may be a bool."""
    return ast.Constant(value, **HERE)


def call(function: str, line: int, *arguments: ast.expr) -> ast.expr:
    """`function(arguments)`."""
    return ast.Call(load(function), list(arguments), [], **at(line))


def compare(left: ast.expr, operator: ast.cmpop, right: ast.expr) -> ast.expr:
    """`left operator right`."""
    return ast.Compare(left, [operator], [right], **HERE)


def type_of(variable: str) -> ast.expr:
    """`type(variable)`."""
    return ast.Call(load("type"), [load(variable)], [], **HERE)


def type_is(variable: str, type_: str) -> ast.expr:
    """`type(variable) is type_`."""
    return compare(type_of(variable), ast.Is(), load(type_))


def kind_is(kind: str, type_: str) -> ast.expr:
    """`kind is type_`, where the variable `kind` holds a type."""
    return compare(load(kind), ast.Is(), load(type_))


def is_plain_number(kind: str) -> ast.expr:
    """Whether the type held by the variable `kind` is `float` or `int`."""
    tests = [kind_is(kind, each) for each in ("float", "int")]
    return ast.BoolOp(ast.Or(), tests, **HERE)


def opposite(value: ast.expr) -> ast.expr:
    """`not value`."""
    return ast.UnaryOp(ast.Not(), value, **HERE)


def assign(name: str, value: ast.expr) -> ast.stmt:
    """`name = value`."""
    return ast.Assign([ast.Name(name, STORE, **HERE)], value, **HERE)


def when(test: ast.expr, *block: ast.stmt) -> ast.stmt:
    """`if test: block`."""
    return ast.If(test, list(block), [], **HERE)


def still_open(result: str, *, neutral: bool) -> ast.expr:
    """Whether no operand so far, the last in `result`, has decided the whole."""
    return load(result) if neutral else opposite(load(result))


def raise_if_any(error: str) -> ast.stmt:
    """Raise what the variable `error` holds, unless that is None."""
    return when(
        compare(load(error), ast.IsNot(), constant(value=None)),
        ast.Raise(load(error), None, **HERE),
    )


def worded() -> ast.expr:
    """The error at hand, worded as an error of the condition."""
    return call("worded", 1, load("error"), load("trace"))


def rescued(block: list[ast.stmt], *rescue: ast.stmt) -> ast.stmt:
    """`block`, and what to do instead if it raises."""
    handler = ast.ExceptHandler(load("Exception"), "error", list(rescue), **HERE)
    return ast.Try(block, [handler], [], [], **HERE)


def function(name: str, parameters: tuple[str, ...], block: list[ast.stmt]) -> ast.stmt:
    """`def name(parameters): block`."""
    declared = [ast.arg(each, **HERE) for each in parameters]
    arguments = ast.arguments([], declared, None, [], [], None, [])
    fields: dict[str, Any] = {"type_params": []}  # of Python 3.12 and later
    return ast.FunctionDef(name, arguments, block, [], **fields, **HERE)


def module_of(block: list[ast.stmt], slots: int) -> ast.Module:
    """A module that defines `condition(arguments, frame, slots.., trace)`, with body `block`."""
    names = ("arguments", "frame", *map(slot, range(slots)), "trace")
    body = rescued(block, ast.Raise(worded(), constant(value=None), **HERE))
    return ast.Module([function("condition", names, [body])], [])
