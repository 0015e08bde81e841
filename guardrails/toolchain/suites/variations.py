"""Conditions changed in one place: a comparison turned, an operand left out, a pattern widened.

What a tester would want a test to notice. The typed tree is changed, not the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from posixpath import dirname
from typing import TYPE_CHECKING, Any

from guardrails.language.cel.tree import (
    Comprehension,
    Conditional,
    Invoke,
    ListOf,
    Literal,
    Logic,
    Node,
    Operation,
)
from guardrails.language.cel.types import BOOL
from guardrails.toolchain.notation import notate
from guardrails.values import INT_MAX, UInt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from guardrails.language.document import Condition

LISTED = 20
"""Elements of one list that are left out in turn."""

_TURNED: Mapping[str, tuple[str, ...]] = {
    "==": ("!=",),
    "!=": ("==",),
    "<": ("<=", ">="),
    "<=": ("<", ">"),
    ">": (">=", "<="),
    ">=": (">", "<"),
}
"""For each comparison the one beside it, which the limit alone tells apart, and the opposite."""

_MACROS = {"all": "exists", "exists": "all"}
_START = re.compile(r"\\[^A]|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]|(?P<anchor>\^|\\A)", re.DOTALL)
"""A character escaped, a class of characters (its `^` is none), or an anchor at the start."""
_END = re.compile(r"(?<!\\)(?:\$|\\z)\Z")


@dataclass(frozen=True, slots=True)
class Variation:
    """A condition's tree (or a part of one) with one change.

    `start` is where the part that changed begins, in code points; `change` says what was done.
    """

    root: Node
    start: int
    change: str


def vary(condition: Condition) -> Iterator[Variation]:
    """Every variation of `condition`."""
    return _vary(condition.checked.root, condition.source)


def _vary(node: Node, source: str) -> Iterator[Variation]:
    for variant, change in _VARIED.get(type(node), _leave)(node, source):
        yield Variation(variant, node.start, change)
    for child in node.children():
        for inner in _vary(child, source):
            yield replace(inner, root=_put(node, child, inner.root))


def _put(node: Node, child: Node, new: Node) -> Node:
    return node.map(lambda each: new if each is child else each)


def _leave(node: Any, source: str) -> Iterator[tuple[Node, str]]:
    del node, source
    return iter(())


def _vary_logic(node: Logic, source: str) -> Iterator[tuple[Node, str]]:
    for operand in node.operands:
        rest = tuple(each for each in node.operands if each is not operand)
        kept = rest[0] if len(rest) == 1 else replace(node, operands=rest)
        yield kept, f"`{_text(operand, source)}` left out of `{_text(node, source)}`"


def _vary_operation(node: Operation, source: str) -> Iterator[tuple[Node, str]]:
    whole = _text(node, source)
    if node.operator == "!":
        yield node.operands[0], f"`{whole}` became `{_text(node.operands[0], source)}`"
    if node.operator == "in":
        turned = Operation(node.start, node.end, "!", (node,), type=BOOL)
        in_brackets = node.start < node.operands[0].start
        yield turned, f"`{whole}` became `!{whole if in_brackets else f'({whole})'}`"
    for operator in _TURNED.get(node.operator, ()):
        left, right = node.operands
        between = source[left.end : right.start].replace(node.operator, operator, 1)
        now = f"{source[node.start : left.end]}{between}{source[right.start : node.end]}"
        yield replace(node, operator=operator), f"`{whole}` became `{now}`"


def _vary_conditional(node: Conditional, source: str) -> Iterator[tuple[Node, str]]:
    for arm in (node.chosen, node.otherwise):
        yield arm, f"`{_text(node, source)}` became `{_text(arm, source)}`"


def _vary_comprehension(node: Comprehension, source: str) -> Iterator[tuple[Node, str]]:
    if node.macro in _MACROS and not _holds_one(node.operand):
        macro = _MACROS[node.macro]
        yield (
            replace(node, macro=macro),
            f"`{node.macro}` became `{macro}`: `{_text(node, source)}`",
        )


def _holds_one(node: Node) -> bool:
    """Whether `node` is a list of one element at most, for which `all` and `exists` are alike."""
    if isinstance(node, ListOf):
        return len(node.elements) <= 1
    return isinstance(node, Literal) and isinstance(node.value, list) and len(node.value) <= 1


def _vary_list(node: ListOf, source: str) -> Iterator[tuple[Node, str]]:
    elements = node.elements if len(node.elements) > 1 else ()
    for element in elements[:LISTED]:
        rest = tuple(each for each in node.elements if each is not element)
        change = f"`{_text(element, source)}` left out of `{_text(node, source)}`"
        yield replace(node, elements=rest), change


def _vary_literal(node: Literal, source: str) -> Iterator[tuple[Node, str]]:
    value = node.value
    written = _text(node, source)
    if type(value) is list:
        for index, element in enumerate(value[:LISTED] if len(value) > 1 else ()):
            rest = [*value[:index], *value[index + 1 :]]
            yield replace(node, value=rest), f"`{notate(element)}` left out of `{written}`"
    raised = _raise(value)
    if raised is not None:
        yield replace(node, value=raised), f"`{written}` became `{notate(raised)}`"


def _raise(value: object) -> object:
    """A number that is larger by a tenth, an integer by one at least; None for anything else."""
    if type(value) is float:
        return value + (abs(value) / 10 or 1.0)
    if isinstance(value, int) and type(value) in (int, UInt):
        raised = value + max(1, abs(value) // 10)
        return type(value)(raised) if raised <= INT_MAX else None
    return None


def _vary_call(node: Invoke, source: str) -> Iterator[tuple[Node, str]]:
    widen = _WIDENED.get(node.function)
    pattern = node.arguments[-1] if node.arguments else None
    if widen is None or not isinstance(pattern, Literal) or type(pattern.value) is not str:
        return
    for wider in widen(pattern.value):
        varied = replace(pattern, value=wider)
        change = f"{notate(pattern.value)} became {notate(wider)} in `{_text(node, source)}`"
        yield replace(node, arguments=(*node.arguments[:-1], varied)), change


def _widen_pattern(pattern: str) -> list[str]:
    anchor = next((each for each in _START.finditer(pattern) if each["anchor"]), None)
    from_anywhere = (
        pattern if anchor is None else pattern[: anchor.start()] + pattern[anchor.end() :]
    )
    wider = [from_anywhere, _END.sub("", pattern)]
    return [each for each in wider if each != pattern] or ["(?s).*"]


def _widen_domain(domain: str) -> list[str]:
    parent = domain.partition(".")[2]
    return [parent] if parent else []


def _widen_path(path: str) -> list[str]:
    parent = dirname(path.rstrip("/"))
    return [parent] if parent and parent != path else []


def _text(node: Node, source: str) -> str:
    return " ".join(source[node.start : node.end].split())


_WIDENED: Mapping[str, Callable[[str], list[str]]] = {
    "matches": _widen_pattern,
    "domain_within": _widen_domain,
    "path_within": _widen_path,
    "startsWith": lambda text: [text[:-1]] if text else [],
    "endsWith": lambda text: [text[1:]] if text else [],
    "contains": lambda text: [text[:-1]] if len(text) > 1 else [],
}
"""How the last argument of a function is made to fit more."""

_VARIED: Mapping[type[Node], Callable[[Any, str], Iterator[tuple[Node, str]]]] = {
    Logic: _vary_logic,
    Operation: _vary_operation,
    Conditional: _vary_conditional,
    Comprehension: _vary_comprehension,
    ListOf: _vary_list,
    Literal: _vary_literal,
    Invoke: _vary_call,
}
