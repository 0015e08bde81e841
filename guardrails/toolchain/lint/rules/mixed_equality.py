"""A value put into a list is equal to nothing, so it slips by a comparison that should stop it.

What it does
------------
Reports `==` or `in` with constants where being equal stops the call (in a `deny` or `escalate`),
and `!=` where being different lets it through (in an `allow` or an exception), of an argument whose
type is not declared: where a list round the value is admitted and gets by.

Why it is bad
-------------
Values of different types are unequal, and no error. `["evil@example.com"]` is not equal to
`"evil@example.com"`, and many a tool takes both.

Example
-------
    version: 1
    policy: mail
    owner: it@acme.example
    tools:
      mail.send:
        traits: [communicate]
    rules:
      - {id: mail, effect: allow, tools: mail.send}
      - id: not-the-press
        effect: deny
        tools: mail.send
        when: has(arguments.to) && arguments.to == "press@example.com"

Use instead
-----------
    version: 1
    policy: mail
    owner: it@acme.example
    tools:
      mail.send:
        traits: [communicate]
        arguments:
          to: {type: string}
    rules:
      - {id: mail, effect: allow, tools: mail.send}
      - id: not-the-press
        effect: deny
        tools: mail.send
        when: has(arguments.to) && arguments.to == "press@example.com"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from guardrails.language.cel.tree import Literal, Operation
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.registry import lint_rule
from guardrails.toolchain.lint.what_if import can_be, gets_by
from guardrails.toolchain.notation import notate
from guardrails.toolchain.regions.terms import name_of_path, path_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.language.cel.tree import Node
    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.project import Clause, Project
    from guardrails.toolchain.regions.terms import Path

_SCALARS = (str, int, float, bool)
_NAMES = {str: "string", int: "integer", float: "number", bool: "boolean"}


class _Test(NamedTuple):
    """A comparison of what stands at `path` with `constant`, or with several of its kind."""

    path: Path
    constant: object
    finds: bool
    """Whether it is true where they are equal."""


@lint_rule("mixed-equality", Severity.WARNING)
def check(project: Project) -> Iterator[Finding]:
    """The comparisons that a list round the value gets by."""
    for clause in project.conditions():
        for node in project.walk(clause.condition):
            test = _read(node)
            if test is not None and _slips_by(project, clause, node, test):
                yield _finding(project, clause, node, test)


def _read(node: Node) -> _Test | None:
    """The test that `node` is, if it compares an argument with constants."""
    if not isinstance(node, Operation) or node.operator not in ("==", "!=", "in"):
        return None
    one, other = node.operands
    if node.operator != "in" and isinstance(one, Literal):
        one, other = other, one
    path = path_of(one)
    if path is None or len(path) != 2 or path[0] != "arguments" or not isinstance(other, Literal):
        return None
    listed = other.value if type(other.value) is list else [other.value]
    constants = [each for each in listed if type(each) in _SCALARS]
    if node.operator != "in" and type(other.value) is list:
        return None
    return _Test(path, constants[0], node.operator != "!=") if constants else None


def _slips_by(project: Project, clause: Clause, node: Node, test: _Test) -> bool:
    """Whether a list round the constant gets by where the constant itself does not."""
    listed = [test.constant]
    return any(
        can_be(project, tool, test.path, listed)
        and can_be(project, tool, test.path, test.constant)
        and gets_by(project, clause, tool, node, {test.path: listed}, fair=test.finds)
        for tool in project.reach.tools(clause.rule) or project.names_of(clause.rule)
    )


def _finding(project: Project, clause: Clause, node: Node, test: _Test) -> Finding:
    name, value = name_of_path(test.path), notate(test.constant)
    return project.finding(
        project.at(clause.condition, node),
        f"a list round the value gets by: `[{value}]` is not equal to `{value}`",
        why=f"the type of `{name}` is not declared, so a call may give a list",
        mend=f"declare `{name}` as `{{type: {_NAMES[type(test.constant)]}}}` under `tools:`",
    )
