"""The macros that go through a list or a map, as the parser expands them.

Those with one variable are of the CEL specification ("Macros"), those with two of its extension
for two-variable comprehensions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.language.cel.errors import CelError
from guardrails.language.cel.tree import Comprehension, Has, Name, Node, Select

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLES: Mapping[str, Mapping[int, int]] = {
    "all": {2: 1, 3: 2},
    "exists": {2: 1, 3: 2},
    "exists_one": {2: 1, 3: 2},
    "existsOne": {2: 1, 3: 2},
    "filter": {2: 1},
    "map": {2: 1, 3: 1},
    "transformList": {3: 2, 4: 2},
    "transformMap": {3: 2, 4: 2},
}
"""How many of a macro's arguments are variables, by how many arguments it has."""

ASKING = frozenset({"all", "exists", "exists_one"})
"""Those that ask a condition of the elements, and so are true or false."""

USAGE: Mapping[str, str] = {
    "all": "list.all(x, condition)",
    "exists": "list.exists(x, condition)",
    "exists_one": "list.exists_one(x, condition)",
    "existsOne": "list.existsOne(x, condition)",
    "filter": "list.filter(x, condition)",
    "map": "list.map(x, result)",
    "transformList": "list.transformList(index, value, result)",
    "transformMap": "map.transformMap(key, value, result)",
}


def expand(start: int, end: int, macro: str, operand: Node, arguments: tuple[Node, ...]) -> Node:
    """The comprehension that `operand.macro(arguments)` stands for; `macro` is in `VARIABLES`.

    Raises `CelError` where the arguments don't fit.
    """
    count = VARIABLES[macro].get(len(arguments))
    if count is None:
        raise CelError(f"`{macro}` is written `{USAGE[macro]}`", start, end)
    names = tuple(_variable(macro, argument) for argument in arguments[:count])
    if len(set(names)) < count:
        raise CelError(f"two variables of one name `{names[0]}`", arguments[1].start, end)
    *where, last = arguments[count:]
    name = "exists_one" if macro == "existsOne" else macro
    if macro == "filter":
        return Comprehension(start, end, name, operand, names, last, None)
    return Comprehension(start, end, name, operand, names, where[0] if where else None, last)


def _variable(macro: str, argument: Node) -> str:
    if isinstance(argument, Name) and not argument.name.startswith("."):
        return argument.name
    raise CelError(
        f"the first argument of `{macro}` is a name for the element, say `x`",
        argument.start,
        argument.end,
    )


def expand_has(start: int, end: int, arguments: tuple[Node, ...]) -> Node:
    """The test that `has(arguments)` stands for; raises `CelError` where it isn't of a key."""
    match arguments:
        case (Select(operand=operand, field=field),):
            return Has(start, end, operand, field)
        case _:
            raise CelError("`has` asks for a key, as in `has(arguments.amount)`", start, end)
