"""The code of the macros that go through a list or a map, as loops."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from guardrails.language.cel.logic import absorbing, pending, settle
from guardrails.language.cel.syntax import (
    HERE,
    LOAD,
    STORE,
    assign,
    at,
    call,
    compare,
    constant,
    load,
    local,
    opposite,
    when,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.language.cel.shape import Shape
    from guardrails.language.cel.writer import Writer

    Loop = Callable[[list[ast.stmt]], ast.stmt]


def write_loop(
    writer: Writer,
    macro: str,
    operand: Shape,
    numbers: tuple[int, ...],
    where: Shape | None,
    body: Shape | None,
    weight: int,
    line: int,
) -> ast.expr:
    """The value of a macro; the work of all its rounds is charged before the first.

    `numbers` are those of its variables, `weight` the steps that one round takes.
    """
    source = "elements" if len(numbers) == 1 else "entries"
    iterable = call(source, line, load("frame"), writer.value(operand), constant(value=weight))
    targets: list[ast.expr] = [ast.Name(local(number), STORE, **HERE) for number in numbers]
    target = targets[0] if len(targets) == 1 else ast.Tuple(targets, STORE, **HERE)

    def loop(block: list[ast.stmt]) -> ast.stmt:
        return ast.For(target, iterable, block, [], **at(line))

    if where is not None and macro in ("all", "exists"):
        return _decided(writer, macro, where, loop)
    if where is not None and macro == "exists_one":
        return _counted(writer, where, loop)
    first = load(local(numbers[0]))
    return _collected(writer, macro, first, where, body, loop, line)


def _decided(writer: Writer, macro: str, where: Shape, loop: Loop) -> ast.expr:
    """`all` and `exists`: as a chain of `&&` or `||` over the elements."""
    neutral = macro == "all"
    result = writer.fresh()
    writer.block.append(assign(result, constant(value=neutral)))
    error = pending(writer, [where])

    def decide() -> None:
        value = writer.value(where)
        decided = opposite(value) if neutral else value
        ending = assign(result, constant(value=not neutral)), ast.Break(**HERE)
        writer.block.append(when(decided, *ending))

    write = absorbing(writer, error, decide) if error else decide
    writer.block.append(loop(writer.inside(write, blocks=1)))
    settle(writer, result, error, neutral=neutral)
    return load(result)


def _counted(writer: Writer, where: Shape, loop: Loop) -> ast.expr:
    """`exists_one`: no element decides, so every error counts."""
    result = writer.fresh()
    writer.block.append(assign(result, constant(value=0)))
    one: ast.stmt = ast.AugAssign(
        ast.Name(result, STORE, **HERE), ast.Add(), constant(value=1), **HERE
    )

    def count() -> None:
        writer.block.append(when(writer.value(where), one))

    writer.block.append(loop(writer.inside(count, blocks=1)))
    return compare(load(result), ast.Eq(), constant(value=1))


def _collected(
    writer: Writer,
    macro: str,
    element: ast.expr,
    where: Shape | None,
    body: Shape | None,
    loop: Loop,
    line: int,
) -> ast.expr:
    """`filter`, `map` and the transformations: a list or map of what `body` gives."""
    result = writer.fresh()
    into_map = macro == "transformMap"
    writer.block.append(
        assign(result, ast.Dict([], [], **HERE) if into_map else ast.List([], LOAD, **HERE))
    )

    def collect() -> None:
        value = element if body is None else writer.value(body)
        if into_map:
            key = call("key_of", line, element)
            place = ast.Subscript(load(result), key, STORE, **HERE)
            writer.block.append(ast.Assign([place], value, **HERE))
        else:
            append = ast.Attribute(load(result), "append", LOAD, **HERE)
            writer.block.append(ast.Expr(ast.Call(append, [value], [], **HERE), **HERE))

    def collect_some(test: Shape) -> None:
        writer.block.append(when(writer.value(test), *writer.inside(collect)))

    write = collect if where is None else lambda: collect_some(where)
    writer.block.append(loop(writer.inside(write, blocks=1)))
    return load(result)
