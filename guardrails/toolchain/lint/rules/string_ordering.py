"""Texts are ordered letter by letter: `"9" < "10"` is false.

What it does
------------
Reports `<`, `<=`, `>` and `>=` between texts where one can be a number, version, date or time of
another length than what it is compared with: a text is compared with one that has digits in it, or
two texts with one another. Not reported are parts of `local(..)`, which have a fixed form, and
arguments and facts that are declared with a `format`, a `pattern`, an `enum` or a `const`.

Why it is bad
-------------
`"900" > "1000"` is true, and `"2026-1-9" < "2026-01-10"` is false. A limit that looks right lets
what it should stop slip by.

Example
-------
    version: 1
    policy: payments
    owner: finance@acme.example
    tools:
      payments.transfer:
        traits: [spend]
        arguments:
          amount: {type: string}
        required: [amount]
    rules:
      - {id: small, effect: allow, tools: payments.transfer, when: arguments.amount < "500"}

Use instead
-----------
    version: 1
    policy: payments
    owner: finance@acme.example
    tools:
      payments.transfer:
        traits: [spend]
        arguments:
          amount: {type: number}
        required: [amount]
    rules:
      - {id: small, effect: allow, tools: payments.transfer, when: arguments.amount < 500}
"""

from __future__ import annotations

import re
from operator import ge, gt, le, lt
from typing import TYPE_CHECKING, Any

from guardrails.language.cel.operators import ORDERINGS
from guardrails.language.cel.tree import Invoke, Literal, Operation, Select
from guardrails.language.dialect import resolve
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.registry import lint_rule
from guardrails.toolchain.notation import notate
from guardrails.toolchain.regions.terms import path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from guardrails.language.cel.tree import Node
    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.project import Clause, Project

_FIXING = frozenset({"format", "pattern", "enum", "const"})
"""Keywords that say what form a text has."""

_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.][0-9]+)?")
_DIGITS = re.compile(r"([0-9]+)")
_OTHERS = ("9", "10", "99", "100", "1000", "1")
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}
_WHY = "texts are ordered letter by letter, so one of another length is on the wrong side"


@lint_rule("string-ordering", Severity.WARNING)
def check(project: Project) -> Iterator[Finding]:
    """The orderings of texts that have no fixed form."""
    for clause in project.conditions():
        for node in project.walk(clause.condition):
            if isinstance(node, Operation) and node.operator in ORDERINGS:
                yield from _check_ordering(project, clause, node)


def _check_ordering(project: Project, clause: Clause, node: Operation) -> Iterator[Finding]:
    one, other = node.operands
    literal = next((each for each in node.operands if isinstance(each, Literal)), None)
    free = [
        each
        for each in node.operands
        if not isinstance(each, Literal) and not _has_fixed_form(project, clause, each)
    ]
    if not free:
        return
    if literal is None:
        if one.type.name == other.type.name == "string":
            yield _finding(project, clause, node, free[0], '`"9" < "10"` is false', number=True)
    elif type(literal.value) is str:
        shown = _slip(node.operator, literal.value, first=literal is one)
        if shown:
            number = _NUMBER.fullmatch(literal.value) is not None
            yield _finding(project, clause, node, free[0], shown, number=number)


def _finding(
    project: Project, clause: Clause, node: Node, free: Node, shown: str, *, number: bool
) -> Finding:
    text = clause.condition.source[free.start : free.end]
    if number:
        mend = f"compare numbers: declare it as one, or write `int({text})` or `double({text})`"
    else:
        mend = f"declare a `format` or a `pattern` for `{text}`, so that all have one form"
    return project.finding(
        project.at(clause.condition, node), f"texts are compared: {shown}", why=_WHY, mend=mend
    )


def _has_fixed_form(project: Project, clause: Clause, node: Node) -> bool:
    """Whether the texts that `node` can be have one form, as far as is declared."""
    if isinstance(node, Select) and isinstance(node.operand, Invoke):
        return node.operand.function == "local"
    path = path_of(node)
    if path is None or len(path) != 2:
        return False
    if path[0] == "context":
        context = project.bundle.context
        return context is not None and _fixes(context.facts[path[1]].schema, {})
    tools = project.tools_of(clause.rule)
    return (
        path[0] == "arguments"
        and bool(tools)
        and all(
            each.arguments is not None
            and _fixes(
                each.arguments.properties.get(path[1]), {"$defs": each.arguments.definitions}
            )
            for each in tools
        )
    )


def _fixes(schema: Any, root: Any) -> bool:
    """Whether a schema says what form a text has, itself or by one that it refers to."""
    if type(schema) is not dict:
        return schema is None
    if "$ref" in schema and root:
        return _fixes(resolve(root, schema["$ref"]), {}) or bool(schema.keys() & _FIXING)
    return bool(schema.keys() & _FIXING)


def _slip(operator: str, literal: str, *, first: bool) -> str:
    """An example of a text on the wrong side of `literal`; empty where it has no digits."""
    compare = _COMPARE[operator]
    pieces = _DIGITS.split(literal)
    for at in reversed(range(1, len(pieces), 2)):
        for other in _OTHERS:
            text = "".join((*pieces[:at], other, *pieces[at + 1 :]))
            pair = (literal, text) if first else (text, literal)
            said = compare(*pair)
            if said is not compare(*map(_numbers_in, pair)):
                shown = f"{notate(pair[0])} {operator} {notate(pair[1])}"
                return f"`{shown}` is {notate(said)}"
    return ""


def _numbers_in(text: str) -> list[Any]:
    """`text` with its digits as numbers, for an order as people mean it."""
    pieces = _DIGITS.split(text)
    return [int(piece) if at % 2 else piece for at, piece in enumerate(pieces)]
