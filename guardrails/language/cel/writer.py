"""From the shape of a condition to Python code, as an `ast` and never as text.

What succeeds runs inline and calls nothing; what is rare or wrong goes to the functions of the
run time. Every value is checked by its exact type when it is used, whatever the checker found, so
that a wrong declaration can't make a condition lie. Line numbers are numbers of places.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from guardrails.language.cel.shape import Shape

_NESTING_MAX = 8
"""Blocks inside each other before the rest moves into a function: Python allows 20."""

_BOOLEAN = frozenset({"has", "equal", "order", "in", "among", "not", "logic", "truth"})
"""Shapes whose code gives nothing but true or false."""

_ASKING = frozenset({"all", "exists", "exists_one"})

_ORDERS: Mapping[str, tuple[ast.cmpop, ast.cmpop, str]] = {
    "<": (ast.Lt(), ast.GtE(), "less"),
    "<=": (ast.LtE(), ast.Gt(), "less_equal"),
    ">": (ast.Gt(), ast.LtE(), "greater"),
    ">=": (ast.GtE(), ast.Lt(), "greater_equal"),
}
"""The Python operator, the one that holds exactly where it doesn't (NaN apart), and what decides
when the operands are no plain numbers."""

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

_LOAD, _STORE = ast.Load(), ast.Store()
_YES, _NO = (ast.Constant(value, lineno=1, col_offset=0) for value in (True, False))


def module_of(shape: Shape, slots: int) -> ast.Module:
    """A module whose one statement defines `condition(arguments, frame, slots.., trace)`."""
    writer = _Writer()
    writer.whole(shape)
    names = ("arguments", "frame", *map(_slot, range(slots)), "trace")
    return ast.Module([_function("condition", names, [_guarded(writer.block)])], [])


def _guarded(block: list[ast.stmt]) -> ast.stmt:
    """`block` with any error worded as an error of the condition."""
    raising = ast.Raise(_worded(), _constant(None), lineno=1, col_offset=0)
    return _try(block, [raising])


def _slot(number: int) -> str:
    return f"slot{number}"


def _name(name: str, line: int = 1) -> ast.expr:
    return ast.Name(name, _LOAD, lineno=line, col_offset=0)


def _constant(value: int | None) -> ast.expr:
    return ast.Constant(value, lineno=1, col_offset=0)


def _call(function: str, line: int, *arguments: ast.expr) -> ast.expr:
    return ast.Call(_name(function, line), list(arguments), [], lineno=line, col_offset=0)


def _compare(left: ast.expr, operator: ast.cmpop, right: ast.expr, line: int = 1) -> ast.expr:
    return ast.Compare(left, [operator], [right], lineno=line, col_offset=0)


def _either(operator: ast.boolop, tests: list[ast.expr]) -> ast.expr:
    return tests[0] if len(tests) == 1 else ast.BoolOp(operator, tests, lineno=1, col_offset=0)


def _choice(test: ast.expr, chosen: ast.expr, otherwise: ast.expr) -> ast.expr:
    return ast.IfExp(test, chosen, otherwise, lineno=1, col_offset=0)


def _inverse(value: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), value, lineno=1, col_offset=0)


def _is(kind: str, *types: str) -> ast.expr:
    """Whether the type held by the variable `kind` is one of `types`."""
    return _either(ast.Or(), [_compare(_name(kind), ast.Is(), _name(each)) for each in types])


def _type_is(variable: str, type_: str) -> ast.expr:
    return _compare(_call("type", 1, _name(variable)), ast.Is(), _name(type_))


def _assign(name: str, value: ast.expr) -> ast.stmt:
    return ast.Assign([ast.Name(name, _STORE, lineno=1, col_offset=0)], value, lineno=1,
                      col_offset=0)  # fmt: skip


def _if(test: ast.expr, block: list[ast.stmt], otherwise: list[ast.stmt] | None = None) -> ast.stmt:
    return ast.If(test, block, otherwise or [], lineno=1, col_offset=0)


def _return(value: ast.expr) -> ast.stmt:
    return ast.Return(value, lineno=1, col_offset=0)


def _raise(name: str) -> ast.stmt:
    return ast.Raise(_name(name), None, lineno=1, col_offset=0)


def _worded() -> ast.expr:
    return _call("worded", 1, _name("error"), _name("trace"))


def _try(block: list[ast.stmt], rescue: list[ast.stmt]) -> ast.stmt:
    handler = ast.ExceptHandler(_name("Exception"), "error", rescue, lineno=1, col_offset=0)
    return ast.Try(block, [handler], [], [], lineno=1, col_offset=0)


def _for(target: ast.expr, iterable: ast.expr, block: list[ast.stmt], line: int) -> ast.stmt:
    return ast.For(target, iterable, block, [], lineno=line, col_offset=0)


def _append(name: str, value: ast.expr) -> ast.stmt:
    method = ast.Attribute(_name(name), "append", _LOAD, lineno=1, col_offset=0)
    return ast.Expr(ast.Call(method, [value], [], lineno=1, col_offset=0), lineno=1, col_offset=0)


def _function(name: str, parameters: tuple[str, ...], block: list[ast.stmt]) -> ast.stmt:
    declared = [ast.arg(each, lineno=1, col_offset=0) for each in parameters]
    arguments = ast.arguments([], declared, None, [], [], None, [])
    fields: dict[str, Any] = {"type_params": []}  # of Python 3.12 and later
    return ast.FunctionDef(name, arguments, block, [], lineno=1, col_offset=0, **fields)


class _Writer:
    """Writes statements into `block`; what a shape's value is comes back as an expression.

    An expression is to be used once, at once; `variable` keeps it in a name. `nesting` counts the
    blocks around.
    """

    __slots__ = ("_names", "_nesting", "block")

    def __init__(self) -> None:
        self.block: list[ast.stmt] = []
        self._names = 0
        self._nesting = 1

    def whole(self, shape: Shape) -> None:
        """Write the body of a function that returns the value of `shape`."""
        if shape[0] == "logic":
            self._chain_returning(*shape[1:])
        else:
            self.block.append(_return(self.value(shape)))

    def value(self, shape: Shape) -> ast.expr:
        return _WRITERS[shape[0]](self, *shape[1:])

    def fresh(self) -> str:
        self._names += 1
        return f"value{self._names}"

    def keep(self, value: ast.expr) -> str:
        """The name of a variable that holds `value`."""
        if isinstance(value, ast.Name):
            return value.id
        name = self.fresh()
        self.block.append(_assign(name, value))
        return name

    def variable(self, shape: Shape) -> str:
        return self.keep(self.value(shape))

    def inside(self, write: Callable[[], None], blocks: int = 1) -> list[ast.stmt]:
        """The statements that `write` writes, as a block of their own; an `if` counts for none."""
        outer, self.block = self.block, []
        self._nesting += blocks
        write()
        self._nesting -= blocks
        inner, self.block = self.block, outer
        return inner

    def assigned(self, name: str, shape: Shape) -> Callable[[], None]:
        """What writes the value of `shape` into the variable `name`."""
        return lambda: self.block.append(_assign(name, self.value(shape)))

    def apart(self, write: Callable[[], ast.expr]) -> ast.expr:
        """The value that `write` writes, in a function of its own where blocks nest too deep."""
        if self._nesting < _NESTING_MAX:
            return write()
        name = self.fresh()
        nesting, self._nesting = self._nesting, 0
        block = self.inside(lambda: self.block.append(_return(write())))
        self._nesting = nesting
        self.block.append(_function(name, (), block))
        return _call(name, 1)

    def constant(self, value: int | None) -> ast.expr:
        return _constant(value)

    def slot(self, number: int, _kind: str) -> ast.expr:
        return _name(_slot(number))

    def read(self, name: str, line: int) -> ast.expr:
        if name == "arguments":
            return _name(name)
        return ast.Attribute(_name("frame", line), name, _LOAD, lineno=line, col_offset=0)

    def local(self, number: int) -> ast.expr:
        return _name(f"local{number}")

    def select(self, operand: Shape, key: int, line: int) -> ast.expr:
        # Of all values only maps take a text in brackets; the others raise, as does a missing key.
        holder = self.value(operand)
        return ast.Subscript(holder, _name(_slot(key), line), _LOAD, lineno=line, col_offset=0)

    def has(self, operand: Shape, key: int, line: int) -> ast.expr:
        if operand[:2] == ("read", "arguments"):
            return _compare(_name(_slot(key)), ast.In(), _name("arguments"))
        return _call("has_key", line, self.value(operand), _name(_slot(key)))

    def truth(self, shape: Shape, line: int) -> ast.expr:
        """The value of `shape`, which must be true or false."""
        if shape[0] in _BOOLEAN or (shape[0] == "loop" and shape[1] in _ASKING):
            return self.value(shape)
        value = self.variable(shape)
        return _choice(_type_is(value, "bool"), _name(value), _call("no_truth", line, _name(value)))

    def negation(self, shape: Shape, line: int) -> ast.expr:
        return _inverse(self.truth(shape, line))

    def equal(self, operator: str, left: Shape, right: Shape, line: int) -> ast.expr:
        slow = "equal" if operator == "==" else "unequal"
        fast = ast.Eq() if operator == "==" else ast.NotEq()
        if _is_simple(left) and not _is_simple(right):
            left, right = right, left
        value = self.variable(left)
        if right[0] == "constant":
            same = ast.Is() if operator == "==" else ast.IsNot()
            wanted = _constant(right[1])
            kind = "bool" if type(right[1]) is bool else "none"
            test, quick = _type_is(value, kind), _compare(_name(value), same, wanted)
        elif right[0] == "slot" and right[2] == "text":
            wanted = _name(_slot(right[1]))
            test, quick = _type_is(value, "str"), _compare(_name(value), fast, wanted)
        elif right[0] == "slot" and right[2] == "number":
            wanted = _name(_slot(right[1]))
            kind = self.keep(_call("type", 1, _name(value)))
            test, quick = _is(kind, "float", "int"), _compare(_name(value), fast, wanted)
        else:
            return _call(slow, line, _name("frame"), _name(value), self.value(right))
        return _choice(test, quick, _call(slow, line, _name("frame"), _name(value), wanted))

    def order(self, operator: str, left: Shape, right: Shape, line: int) -> ast.expr:
        holds, fails, slow = _ORDERS[operator]
        numbers = [side[0] == "slot" and side[2] == "number" for side in (left, right)]
        if numbers not in ([False, True], [True, False]):
            first = _name(self.variable(left))
            return _call(slow, line, _name("frame"), first, self.value(right))
        value = self.variable(left if numbers[1] else right)
        kind = self.keep(_call("type", 1, _name(value)))
        sides = (value, _slot(right[1])) if numbers[1] else (_slot(left[1]), value)
        one, other = map(_name, sides)
        quick = _choice(
            _compare(one, holds, other),
            _YES,
            _choice(_compare(one, fails, other), _NO, _call("no_order", line)),
        )
        return _choice(
            _is(kind, "float", "int"), quick, _call(slow, line, _name("frame"), one, other)
        )

    def membership(self, element: Shape, container: Shape, line: int) -> ast.expr:
        value = _name(self.variable(element))
        return _call("contains", line, _name("frame"), value, self.value(container))

    def among(self, element: Shape, known: int, every: int, kind: str, line: int) -> ast.expr:
        value = self.variable(element)
        quick = _compare(_name(value), ast.In(), _name(_slot(known)))
        slow = _call("contains", line, _name("frame"), _name(value), _name(_slot(every)))
        if kind == "text":
            return _choice(_type_is(value, "str"), quick, slow)
        type_ = self.keep(_call("type", 1, _name(value)))
        return _choice(_is(type_, "float", "int"), quick, slow)

    def operate(self, operator: str, left: Shape, right: Shape, line: int) -> ast.expr:
        first = _name(self.variable(left))
        return _call(_OPERATORS[operator], line, _name("frame"), first, self.value(right))

    def index(self, container: Shape, key: Shape, line: int) -> ast.expr:
        first = _name(self.variable(container))
        return _call("look_up", line, first, self.value(key))

    def negative(self, operand: Shape, line: int) -> ast.expr:
        return _call("negate", line, _name("frame"), self.value(operand))

    def choose(self, condition: Shape, chosen: Shape, otherwise: Shape) -> ast.expr:
        test = self.value(condition)
        result = self.fresh()
        then = self.inside(self.assigned(result, chosen), blocks=0)
        other = self.inside(self.assigned(result, otherwise), blocks=0)
        self.block.append(_if(test, then, other))
        return _name(result)

    def logic(self, operator: str, operands: tuple[Shape, ...]) -> ast.expr:
        return self.apart(lambda: self._chain(operator, operands))

    def _chain(self, operator: str, operands: tuple[Shape, ...]) -> ast.expr:
        """`&&` or `||`: what decides the whole ends it; an error waits for what might decide."""
        *firsts, last = operands
        result, open_ = self.fresh(), operator == "&&"
        error = self._pending(firsts)
        for number, operand in enumerate(operands):
            write = self.assigned(result, operand)
            if operand is not last and _can_fail(operand):
                write = self._absorbing(error, write, _assign(result, _constant(open_)))
            block = self.inside(write, blocks=0)
            self.block += [_if(_still(result, open_), block)] if number else block
        if error:
            self.block.append(_if(_still(result, open_), [_raise_if_any(error)]))
        return _name(result)

    def _chain_returning(self, operator: str, operands: tuple[Shape, ...]) -> None:
        """The same as the body of a function, which returns as soon as the whole is decided."""
        *firsts, last = operands
        open_ = operator == "&&"
        error = self._pending(firsts)
        for operand in firsts:
            write = self._returning(operand, open_)
            if _can_fail(operand):
                write = self._absorbing(error, write)
            self.block += self.inside(write, blocks=0)
        result = self.variable(last)
        if error:
            self.block.append(_if(_still(result, open_), [_raise_if_any(error)]))
        self.block.append(_return(_name(result)))

    def _returning(self, operand: Shape, open_: bool) -> Callable[[], None]:  # noqa: FBT001
        def write() -> None:
            value = self.value(operand)
            decided = _inverse(value) if open_ else value
            self.block.append(_if(decided, [_return(_constant(not open_))]))

        return write

    def _pending(self, operands: list[Shape]) -> str:
        """The variable for the first error of `operands`, or "" where there can be none."""
        if not any(map(_can_fail, operands)):
            return ""
        name = self.fresh()
        self.block.append(_assign(name, _constant(None)))
        return name

    def _absorbing(
        self, error: str, write: Callable[[], None], *rescue: ast.stmt
    ) -> Callable[[], None]:
        """What writes the same, with an error kept in the variable `error` if it is the first."""

        def absorb() -> None:
            keep = _if(
                _compare(_name(error), ast.Is(), _constant(None)), [_assign(error, _worded())]
            )
            self.block.append(_try(self.inside(write), [keep, *rescue]))

        return absorb

    def list_of(self, elements: tuple[Shape, ...]) -> ast.expr:
        values = [_name(self.variable(element)) for element in elements]
        return ast.List(values, _LOAD, lineno=1, col_offset=0)

    def map_of(self, parts: tuple[Shape, ...], line: int) -> ast.expr:
        return _call("map_from", line, *[_name(self.variable(part)) for part in parts])

    def invoke(
        self,
        function: int,
        charged: bool,  # noqa: FBT001 - a part of the shape
        types: tuple[str, ...],
        arguments: tuple[Shape, ...],
        line: int,
    ) -> ast.expr:
        values = [self.variable(argument) for argument in arguments]
        tests = [
            _type_is(value, _CLASSES[type_])
            for value, type_, argument in zip(values, types, arguments, strict=True)
            if not (type_ == "dyn" or (type_ == "string" and argument[-1] == "text"))
        ]
        names = [_name(value) for value in values]
        budget = [_name("frame", line)] if charged else []
        call = _call(_slot(function), line, *budget, *names)
        if not tests:
            return call
        return _choice(_either(ast.And(), tests), call, _call("refuse", line, *names))

    def dispatch(self, table: int, arguments: tuple[Shape, ...], line: int) -> ast.expr:
        names = [_name(self.variable(argument)) for argument in arguments]
        return _call("dispatch", line, _name("frame"), _name(_slot(table)), *names)

    def invalid(self, message: int, line: int) -> ast.expr:
        return _call("fail", line, _name(_slot(message)))

    def loop(self, macro: str, operand: Shape, *rest: Any) -> ast.expr:
        return self.apart(lambda: self._loop(macro, operand, *rest))

    def _loop(
        self,
        macro: str,
        operand: Shape,
        numbers: tuple[int, ...],
        where: Shape | None,
        body: Shape | None,
        weight: int,
        line: int,
    ) -> ast.expr:
        source = "elements" if len(numbers) == 1 else "entries"
        iterable = _call(source, line, _name("frame"), self.value(operand), _constant(weight))
        targets: list[ast.expr] = [
            ast.Name(f"local{number}", _STORE, lineno=line, col_offset=0) for number in numbers
        ]
        target = targets[0]
        if len(targets) > 1:
            target = ast.Tuple(targets, _STORE, lineno=line, col_offset=0)
        result = self.fresh()
        if macro in ("all", "exists") and where is not None:
            return self._asking(
                macro, result, where, lambda block: _for(target, iterable, block, line)
            )
        start, write, finish = self._collecting(macro, result, numbers, body, line)
        self.block.append(_assign(result, start))
        self.block.append(_for(target, iterable, self.inside(self._filtered(where, write)), line))
        return finish

    def _asking(
        self, macro: str, result: str, where: Shape, loop: Callable[[list[ast.stmt]], ast.stmt]
    ) -> ast.expr:
        """`all` and `exists`: as a chain of `&&` or `||` over the elements."""
        open_ = macro == "all"
        self.block.append(_assign(result, _constant(open_)))
        error = self._pending([where])

        def decide() -> None:
            value = self.value(where)
            ending = [_assign(result, _constant(not open_)), ast.Break(lineno=1, col_offset=0)]
            self.block.append(_if(_inverse(value) if open_ else value, ending))

        write = self._absorbing(error, decide) if error else decide
        self.block.append(loop(self.inside(write)))
        if error:
            self.block.append(_if(_still(result, open_), [_raise_if_any(error)]))
        return _name(result)

    def _filtered(self, where: Shape | None, write: Callable[[], None]) -> Callable[[], None]:
        """What writes the same, for the elements of which `where` is true."""
        if where is None:
            return write

        def filtered() -> None:
            test = self.value(where)
            self.block.append(_if(test, self.inside(write, blocks=0)))

        return filtered

    def _collecting(
        self, macro: str, result: str, numbers: tuple[int, ...], body: Shape | None, line: int
    ) -> tuple[ast.expr, Callable[[], None], ast.expr]:
        """What the other macros start with, do with an element, and give in the end."""
        first = _name(f"local{numbers[0]}")
        if macro == "exists_one":
            one = ast.AugAssign(ast.Name(result, _STORE, lineno=1, col_offset=0), ast.Add(),
                                _constant(1), lineno=1, col_offset=0)  # fmt: skip
            last = _compare(_name(result), ast.Eq(), _constant(1))
            return _constant(0), lambda: self.block.append(one), last
        if macro == "transformMap":
            empty: ast.expr = ast.Dict([], [], lineno=1, col_offset=0)
            return empty, lambda: self._store(result, first, body, line), _name(result)
        empty = ast.List([], _LOAD, lineno=1, col_offset=0)
        return empty, lambda: self._append(result, first, body), _name(result)

    def _append(self, result: str, element: ast.expr, body: Shape | None) -> None:
        value = element if body is None else self.value(body)
        self.block.append(_append(result, value))

    def _store(self, result: str, key: ast.expr, body: Shape | None, line: int) -> None:
        value = key if body is None else self.value(body)
        place = ast.Subscript(_name(result), _call("key_of", line, key), _STORE, lineno=line,
                              col_offset=0)  # fmt: skip
        self.block.append(ast.Assign([place], value, lineno=line, col_offset=0))


def _is_simple(shape: Shape) -> bool:
    """Whether comparing with `shape` is quick: a literal that is small or a text."""
    return shape[0] == "constant" or (shape[0] == "slot" and shape[2] != "other")


def _can_fail(shape: Shape) -> bool:
    """Whether evaluating `shape` may raise anything."""
    match shape:
        case ("constant", bool()):
            return False
        case ("has", ("read", "arguments", _), _, _):
            return False
        case ("truth" | "not", tuple(inner), _):
            return _can_fail(inner)
        case ("logic", _, operands):
            return any(_can_fail(operand) for operand in operands)
        case _:
            return True


def _still(result: str, open_: bool) -> ast.expr:  # noqa: FBT001 - it is a value
    """Whether the whole is still open, all operands having been `open_`."""
    return _name(result) if open_ else _inverse(_name(result))


def _raise_if_any(error: str) -> ast.stmt:
    return _if(_compare(_name(error), ast.IsNot(), _constant(None)), [_raise(error)])


_WRITERS: Mapping[str, Callable[..., ast.expr]] = {
    "constant": _Writer.constant,
    "slot": _Writer.slot,
    "read": _Writer.read,
    "local": _Writer.local,
    "select": _Writer.select,
    "has": _Writer.has,
    "truth": _Writer.truth,
    "not": _Writer.negation,
    "equal": _Writer.equal,
    "order": _Writer.order,
    "in": _Writer.membership,
    "among": _Writer.among,
    "operate": _Writer.operate,
    "index": _Writer.index,
    "negate": _Writer.negative,
    "choose": _Writer.choose,
    "logic": _Writer.logic,
    "list": _Writer.list_of,
    "map": _Writer.map_of,
    "invoke": _Writer.invoke,
    "dispatch": _Writer.dispatch,
    "invalid": _Writer.invalid,
    "loop": _Writer.loop,
}
