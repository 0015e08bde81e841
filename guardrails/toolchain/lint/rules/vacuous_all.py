"""`all()` is true of an empty list, so an `allow` that rests on it allows a call with none.

What it does
------------
Reports `all()` over what the agent gives in the `when` of an `allow`, where the declared schema
lets the list (or map) be empty and the rule can then match for no other reason than that.

Why it is bad
-------------
"All recipients are colleagues" is true of no recipients. What a tool does with an empty list is its
own matter: to nobody, or to everybody.

Example
-------
    version: 1
    policy: mail
    owner: it@acme.example
    tools:
      mail.send:
        traits: [communicate]
        arguments:
          to: {type: array, items: {type: string}}
        required: [to]
    rules:
      - id: colleagues
        effect: allow
        tools: mail.send
        when: arguments.to.all(a, email_domain(a) == "acme.example")

Use instead
-----------
    version: 1
    policy: mail
    owner: it@acme.example
    tools:
      mail.send:
        traits: [communicate]
        arguments:
          to: {type: array, items: {type: string}, minItems: 1}
        required: [to]
    rules:
      - id: colleagues
        effect: allow
        tools: mail.send
        when: arguments.to.all(a, email_domain(a) == "acme.example")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.decision import Effect
from guardrails.language.cel.tree import Comprehension
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.polarity import weights
from guardrails.toolchain.lint.registry import lint_rule
from guardrails.toolchain.lint.what_if import GIVEN, can_be, gets_by
from guardrails.toolchain.regions.terms import mentions, name_of_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.language.cel.tree import Node
    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.project import Clause, Project
    from guardrails.toolchain.regions.terms import Path

    Empty = list[object] | dict[str, object]


@lint_rule("vacuous-all", Severity.WARNING)
def check(project: Project) -> Iterator[Finding]:
    """The uses of `all` by which an empty list is allowed."""
    for clause in project.conditions():
        if clause.rule.effect is not Effect.ALLOW or clause.key != "when":
            continue
        for node, helps in weights(clause.condition.checked.root):
            if helps and isinstance(node, Comprehension) and node.macro == "all":
                path = _gone_through(node)
                empty = None if path is None else _gets_by(project, clause, node, path)
                if path is not None and empty is not None:
                    yield _finding(project, clause, node, path, empty)


def _gone_through(node: Comprehension) -> Path | None:
    """The one thing that the agent gives of which `node` looks at all parts."""
    paths = {each.path for each in mentions(node.operand)}
    path = paths.pop() if len(paths) == 1 else ()
    return path if len(path) > 1 and path[0] in GIVEN else None


def _gets_by(project: Project, clause: Clause, node: Node, path: Path) -> Empty | None:
    """The empty list or map that gets by, if one does."""
    for tool in project.reach.tools(clause.rule):
        empty: Empty
        for empty in ([], {}):
            if can_be(project, tool, path, empty) and gets_by(
                project, clause, tool, node, {path: empty}, fair=False
            ):
                return empty
    return None


def _finding(
    project: Project, clause: Clause, node: Comprehension, path: Path, empty: Empty
) -> Finding:
    name = name_of_path(path)
    keyword = "minItems" if type(empty) is list else "minProperties"
    declare = f", or declare `{keyword}: 1` for `{name}`" if path[0] == "arguments" else ""
    return project.finding(
        project.at(clause.condition, node),
        f"`all` is true where `{name}` is empty",
        why="the rule then allows a call of which nothing has been tested",
        mend=f"write `size({name}) > 0 &&` before it{declare}",
    )
