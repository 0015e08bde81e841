"""From the shape of a condition to Python code, as an `ast` and never as text.

What succeeds runs inline and calls nothing; what is rare or wrong goes to the functions of the
run time. Every value is checked by its exact type when it is used, whatever the checker found, so
that a wrong declaration can't make a condition lie.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from guardrails.language.cel.comparisons import write_among, write_equal, write_order
from guardrails.language.cel.logic import return_logic, write_logic
from guardrails.language.cel.loops import write_loop
from guardrails.language.cel.macros import ASKING
from guardrails.language.cel.syntax import (
    HERE,
    LOAD,
    assign,
    at,
    call,
    compare,
    constant,
    function,
    load,
    local,
    module_of,
    opposite,
    slot,
    type_is,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from guardrails.language.cel.shape import Shape

_NESTING_MAX = 8
"""Blocks inside each other before the rest moves into a function: Python allows 20."""

_BOOLEAN = frozenset({"has", "equal", "order", "in", "among", "not", "logic", "truth"})
"""Shapes whose code gives nothing but true or false."""

_OPERATORS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "modulo"}

_CLASSES = {
    "bool": "bool",
    "int": "int",
    "uint": "UInt",
    "double": "float",
    "string": "str",
    "bytes": "bytes",
    "list": "list",
    "map": "dict",
    "google.protobuf.Timestamp": "Timestamp",
    "google.protobuf.Duration": "Duration",
}
"""The Python type of a library function's parameter."""


def code_for(shape: Shape, slots: int) -> ast.Module:
    """A module that defines the function of a condition of this shape, with so many slots."""
    writer = Writer()
    writer.whole(shape)
    return module_of(writer.block, slots)


class Writer:
    """Writes statements into `block`; what a shape's value is comes back as an expression.

    An expression is to be used once, at once; `variable` keeps it in a name. Nesting counts the
    blocks around for which Python has a limit, that is all but `if`.
    """

    __slots__ = ("_names", "_nesting", "block")

    def __init__(self) -> None:
        self.block: list[ast.stmt] = []
        self._names = 0
        self._nesting = 1

    def whole(self, shape: Shape) -> None:
        """Write the body of a function that returns the value of `shape`."""
        if shape[0] == "logic":
            return_logic(self, *shape[1:])
        else:
            self.block.append(ast.Return(self.value(shape), **HERE))

    def value(self, shape: Shape) -> ast.expr:
        """The value of `shape`."""
        return _WRITERS[shape[0]](self, *shape[1:])

    def fresh(self) -> str:
        """A name that nothing has yet."""
        self._names += 1
        return f"value{self._names}"

    def keep(self, value: ast.expr) -> str:
        """The name of a variable that holds `value`."""
        if isinstance(value, ast.Name):
            return value.id
        name = self.fresh()
        self.block.append(assign(name, value))
        return name

    def variable(self, shape: Shape) -> str:
        """The name of a variable that holds the value of `shape`."""
        return self.keep(self.value(shape))

    def inside(self, write: Callable[[], None], blocks: int = 0) -> list[ast.stmt]:
        """The statements that `write` writes, with so many more blocks around them."""
        outer, self.block = self.block, []
        self._nesting += blocks
        write()
        self._nesting -= blocks
        inner, self.block = self.block, outer
        return inner

    def apart(self, write: Callable[[], ast.expr]) -> ast.expr:
        """The value that `write` writes, in a function of its own where blocks nest too deep."""
        if self._nesting < _NESTING_MAX:
            return write()
        name = self.fresh()
        block = self.inside(lambda: self.block.append(ast.Return(write(), **HERE)), -self._nesting)
        self.block.append(function(name, (), block))
        return call(name, 1)

    def constant(self, value: int | None) -> ast.expr:
        """`true`, `false` or `null`."""
        return constant(value=value)

    def slot(self, number: int, _kind: str) -> ast.expr:
        """A literal."""
        return load(slot(number))

    def read(self, name: str, line: int) -> ast.expr:
        """A variable of the frame, or the arguments."""
        if name == "arguments":
            return load(name)
        return ast.Attribute(load("frame"), name, LOAD, **at(line))

    def local(self, number: int) -> ast.expr:
        """A variable of a macro."""
        return load(local(number))

    def select(self, operand: Shape, key: int, line: int) -> ast.expr:
        """`operand.key`; a key that is missing raises Python's own error."""
        holder = self.variable(operand)
        value = ast.Subscript(load(holder), load(slot(key)), LOAD, **at(line))
        if holder == "arguments":
            return value
        refusal = call("no_keys", line, load(holder))
        return ast.IfExp(type_is(holder, "dict"), value, refusal, **HERE)

    def has(self, operand: Shape, key: int, line: int) -> ast.expr:
        """`has(operand.key)`."""
        if operand[:2] == ("read", "arguments"):
            return compare(load(slot(key)), ast.In(), load("arguments"))
        return call("has_key", line, self.value(operand), load(slot(key)))

    def truth(self, shape: Shape, line: int) -> ast.expr:
        """The value of `shape`, which must be true or false."""
        if shape[0] in _BOOLEAN or (shape[0] == "loop" and shape[1] in ASKING):
            return self.value(shape)
        value = self.variable(shape)
        refusal = call("no_truth", line, load(value))
        return ast.IfExp(type_is(value, "bool"), load(value), refusal, **HERE)

    def negation(self, shape: Shape, line: int) -> ast.expr:
        """`!shape`."""
        return opposite(self.truth(shape, line))

    def membership(self, element: Shape, container: Shape, line: int) -> ast.expr:
        """`element in container`."""
        value = load(self.variable(element))
        return call("contains", line, load("frame"), value, self.value(container))

    def operate(self, operator: str, left: Shape, right: Shape, line: int) -> ast.expr:
        """`left + right`, or its kin."""
        first = load(self.variable(left))
        return call(_OPERATORS[operator], line, load("frame"), first, self.value(right))

    def index(self, container: Shape, key: Shape, line: int) -> ast.expr:
        """`container[key]`."""
        first = load(self.variable(container))
        return call("look_up", line, first, self.value(key))

    def negative(self, operand: Shape, line: int) -> ast.expr:
        """`-operand`."""
        return call("negate", line, load("frame"), self.value(operand))

    def choose(self, condition: Shape, chosen: Shape, otherwise: Shape) -> ast.expr:
        """`condition ? chosen : otherwise`."""
        test = self.value(condition)
        result = self.fresh()
        branches = (self.inside(self.assigning(result, each)) for each in (chosen, otherwise))
        self.block.append(ast.If(test, *branches, **HERE))
        return load(result)

    def assigning(self, name: str, shape: Shape) -> Callable[[], None]:
        """What writes the value of `shape` into the variable `name`."""
        return lambda: self.block.append(assign(name, self.value(shape)))

    def logic(self, operator: str, operands: tuple[Shape, ...]) -> ast.expr:
        """`&&` or `||`."""
        return self.apart(lambda: write_logic(self, operator, operands))

    def list_of(self, elements: tuple[Shape, ...]) -> ast.expr:
        """`[elements]`."""
        values = [load(self.variable(element)) for element in elements]
        return ast.List(values, LOAD, **HERE)

    def map_of(self, parts: tuple[Shape, ...], line: int) -> ast.expr:
        """`{key: value}`, the parts being keys and values in turn."""
        return call("map_from", line, *[load(self.variable(part)) for part in parts])

    def invoke(
        self,
        implementation: int,
        budget: tuple[str, ...],
        types: tuple[str, ...],
        arguments: tuple[Shape, ...],
        line: int,
    ) -> ast.expr:
        """A call of a function with one overload: straight to its implementation."""
        values = [self.variable(argument) for argument in arguments]
        tests = [
            type_is(value, _CLASSES[type_])
            for value, type_, argument in zip(values, types, arguments, strict=True)
            if not (type_ == "dyn" or (type_ == "string" and argument[-1] == "text"))
        ]
        called = call(slot(implementation), line, *map(load, (*budget, *values)))
        if not tests:
            return called
        test = tests[0] if len(tests) == 1 else ast.BoolOp(ast.And(), tests, **HERE)
        return ast.IfExp(test, called, call("refuse", line, *map(load, values)), **HERE)

    def dispatch(self, table: int, arguments: tuple[Shape, ...], line: int) -> ast.expr:
        """A call of a function whose overload the operands choose."""
        values = [load(self.variable(argument)) for argument in arguments]
        return call("dispatch", line, load("frame"), load(slot(table)), *values)

    def invalid(self, message: int, line: int) -> ast.expr:
        """What is an error whenever it is evaluated."""
        return call("fail", line, load(slot(message)))

    def probe(self, watch: int, operand: Shape, line: int) -> ast.expr:
        """A value that goes by somebody who watches."""
        return call(slot(watch), line, load("frame"), self.value(operand))

    def loop(self, *parts: Any) -> ast.expr:
        """A macro that goes through a list or a map."""
        return self.apart(lambda: write_loop(self, *parts))


_WRITERS: Mapping[str, Callable[..., ast.expr]] = {
    "constant": Writer.constant,
    "slot": Writer.slot,
    "read": Writer.read,
    "local": Writer.local,
    "select": Writer.select,
    "has": Writer.has,
    "truth": Writer.truth,
    "not": Writer.negation,
    "equal": write_equal,
    "order": write_order,
    "in": Writer.membership,
    "among": write_among,
    "operate": Writer.operate,
    "index": Writer.index,
    "negate": Writer.negative,
    "choose": Writer.choose,
    "logic": Writer.logic,
    "list": Writer.list_of,
    "map": Writer.map_of,
    "invoke": Writer.invoke,
    "dispatch": Writer.dispatch,
    "invalid": Writer.invalid,
    "probe": Writer.probe,
    "loop": Writer.loop,
}
"""What writes each kind of shape, called with the writer and the rest of the shape."""
