"""Pieces of Python code as `ast` nodes.

What may raise has a line, the number of its place in the condition; everything else takes the
line of what it stands in.
"""

from __future__ import annotations

import ast
from typing import Any

LOAD, STORE = ast.Load(), ast.Store()


def slot(number: int) -> str:
    """The parameter that holds a literal."""
    return f"slot{number}"


def local(number: int) -> str:
    """The variable that holds an element while a macro goes through a list."""
    return f"local{number}"


def load(name: str) -> ast.expr:
    """The value of the variable `name`."""
    return ast.Name(name, LOAD)


def constant(*, value: int | None) -> ast.expr:
    """`value`, which may be a bool."""
    return ast.Constant(value)


def call(function: str, line: int, *arguments: ast.expr) -> ast.expr:
    """`function(arguments)`."""
    return ast.Call(load(function), list(arguments), [], lineno=line)


def compare(left: ast.expr, operator: ast.cmpop, right: ast.expr) -> ast.expr:
    """`left operator right`."""
    return ast.Compare(left, [operator], [right])


def type_of(variable: str) -> ast.expr:
    """`type(variable)`."""
    return ast.Call(load("type"), [load(variable)], [])


def type_is(variable: str, type_: str) -> ast.expr:
    """`type(variable) is type_`."""
    return compare(type_of(variable), ast.Is(), load(type_))


def is_plain_number(kind: str) -> ast.expr:
    """Whether the type held by the variable `kind` is `float` or `int`."""
    tests = [compare(load(kind), ast.Is(), load(each)) for each in ("float", "int")]
    return ast.BoolOp(ast.Or(), tests)


def opposite(value: ast.expr) -> ast.expr:
    """`not value`."""
    return ast.UnaryOp(ast.Not(), value)


def assign(name: str, value: ast.expr) -> ast.stmt:
    """`name = value`."""
    return ast.Assign([ast.Name(name, STORE)], value)


def when(test: ast.expr, *block: ast.stmt) -> ast.stmt:
    """`if test: block`."""
    return ast.If(test, list(block), [])


def still_open(result: str, *, neutral: bool) -> ast.expr:
    """Whether no operand so far, the last in `result`, has decided the whole."""
    return load(result) if neutral else opposite(load(result))


def raise_if_any(error: str) -> ast.stmt:
    """Raise what the variable `error` holds, unless that is None."""
    return when(
        compare(load(error), ast.IsNot(), constant(value=None)), ast.Raise(load(error), None)
    )


def worded() -> ast.expr:
    """The error at hand, worded as an error of the condition."""
    return call("worded", 1, load("error"), load("trace"))


def rescued(block: list[ast.stmt], *rescue: ast.stmt) -> ast.stmt:
    """`block`, and what to do instead if it raises."""
    handler = ast.ExceptHandler(load("Exception"), "error", list(rescue))
    return ast.Try(block, [handler], [], [])


def function(name: str, parameters: tuple[str, ...], block: list[ast.stmt]) -> ast.stmt:
    """`def name(parameters): block`."""
    declared = [ast.arg(each) for each in parameters]
    arguments = ast.arguments([], declared, None, [], [], None, [])
    fields: dict[str, Any] = {"type_params": []}  # of Python 3.12 and later
    return ast.FunctionDef(name, arguments, block, [], **fields)


def module_of(block: list[ast.stmt], slots: int) -> ast.Module:
    """A module that defines `condition(arguments, frame, slots.., trace)`, with body `block`."""
    names = ("arguments", "frame", *map(slot, range(slots)), "trace")
    body = rescued(block, ast.Raise(worded(), constant(value=None)))
    module = ast.Module([function("condition", names, [body])], [])
    _place(module)
    return module


def _place(module: ast.Module) -> None:
    """Give each node that needs a line its own, or that of what it stands in."""
    waiting: list[tuple[ast.AST, int]] = [(module, 1)]
    while waiting:
        node, line = waiting.pop()
        if isinstance(node, ast.stmt | ast.expr | ast.excepthandler | ast.arg):
            line = getattr(node, "lineno", line)
            node.lineno = node.end_lineno = line
            node.col_offset = node.end_col_offset = 0
        waiting += [(child, line) for child in ast.iter_child_nodes(node)]
