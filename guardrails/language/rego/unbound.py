"""Where a variable is declared that nothing gives a value: the engine says only that there is one.

That one is there is certain when this is asked; which it is, is told by what can give a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.language.rego.syntax import place_at, word_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.language.rego.syntax import Node, Place

    Declared = tuple[str, Place]

_LOOKED_UP = frozenset({"RefDot", "RefBrack", "Call"})


def find_unbound(tree: Node, text: str) -> Declared | None:
    """The first variable after `some` that nothing in its rule gives a value, and its place.

    Where each may be given one, the first that only a call could give it; None without any `some`.
    """
    declared: list[tuple[Declared, int]] = []
    encoded = text.encode()
    for rule in tree["rules"]:
        nodes = list(_walk(rule))
        given = {name for node in nodes for name in _given(node)}
        by_call = {name for node in nodes for name in _given_by_call(node)}
        for node in nodes:
            for span in node.get("SomeVars", {}).get("vars", ()):
                name = word_at(span, encoded)
                likely = 2 * (name in given) + (name in by_call)
                declared.append(((name, place_at(span)), likely))
    return min(declared, key=lambda each: each[1])[0] if declared else None


def _given(node: Node) -> Iterator[str]:
    """The variables that a node may give a value."""
    if "RefBrack" in node:
        yield from _names(node["RefBrack"]["index"])
    elif "SomeIn" in node:
        yield from _names([node["SomeIn"]["key"], node["SomeIn"]["value"]])
    elif "AssignExpr" in node:
        parts = node["AssignExpr"]
        yield from _names([parts["lhs"], parts["rhs"] if parts["op"] == "Eq" else None])


def _given_by_call(node: Node) -> Iterator[str]:
    """The variables that a call may give its result to, as its last argument."""
    if "Call" in node:
        yield from _names(node["Call"]["params"][1:][-1:])


def _names(pattern: Any) -> Iterator[str]:
    """The variables of a pattern, those left out by which something is looked up."""
    for node in _walk(pattern, but=_LOOKED_UP):
        if "Var" in node:
            yield node["Var"]["value"]


def _walk(node: Any, but: frozenset[str] = frozenset()) -> Iterator[Node]:
    """Every map below a node, itself included, in the order of the text.

    Those of the kinds in `but` are left out, with all below them.
    """
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if type(part) is dict and but.isdisjoint(part):
            yield part
            waiting += reversed(list(part.values()))
        elif type(part) is list:
            waiting += reversed(part)
