"""What becomes of a condition if something that it reads is missing, empty or a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from guardrails.language.cel.tree import Literal
from guardrails.language.cel.types import BOOL
from guardrails.language.dialect import compile_schema
from guardrails.toolchain.lint.polarity import sanctions
from guardrails.toolchain.regions.formula import Within, negate, terms_in
from guardrails.toolchain.regions.region import ABSENT, MISSING
from guardrails.toolchain.regions.terms import asked_for, name_of_path, path_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from guardrails.language.cel.tree import Node
    from guardrails.toolchain.lint.project import Clause, Project
    from guardrails.toolchain.regions.terms import Path

GIVEN = ("arguments", "kinds")
"""The variables that hold what the agent gives."""


class Read(NamedTuple):
    """Something the agent gives, where a condition reads it first."""

    path: Path
    node: Node


def reads(project: Project, clause: Clause) -> Iterator[Read]:
    """What a condition reads of what the agent gives, each thing once; `has` reads nothing."""
    seen = set()
    for node in project.walk(clause.condition):
        path = path_of(node)
        if path is not None and len(path) > 1 and path[0] in GIVEN and path not in seen:
            seen.add(path)
            yield Read(path, node)


def fails_without(project: Project, clause: Clause, tool: str, path: Path) -> bool:
    """Whether a condition can fail because nothing stands at `path`, and for no other reason."""
    reach = project.reach
    root = clause.condition.checked.root
    outcomes = reach.outcomes(root, tool, {path: MISSING})
    asked = set(filter(None, map(asked_for, project.walk(clause.condition))))
    read = {term for each in outcomes for term in terms_in(each)} - set(map(name_of_path, asked))
    present = [Within(term, ~ABSENT) for term in sorted(read)]
    return reach.possible(tool, outcomes.error, *present)


def gets_by(
    project: Project,
    clause: Clause,
    tool: str,
    part: Node,
    given: Mapping[Path, object],
    *,
    fair: bool,
) -> bool:
    """Whether with what is `given` a call gets by only because its `part` is not `fair`.

    A call gets by a condition that sanctions if that is true, and by any other if it is false.
    """
    reach = project.reach
    root = clause.condition.checked.root
    as_it_is = reach.outcomes(root, tool, given)
    changed = put(root, part, Literal(part.start, part.end, fair, type=BOOL))
    in_fairness = reach.outcomes(changed, tool, given)
    if sanctions(clause):
        return reach.possible(tool, as_it_is.true, negate(in_fairness.true))
    return reach.possible(tool, as_it_is.false, in_fairness.true)


def put(node: Node, part: Node, new: Node) -> Node:
    """`node` with `new` in the place of its `part`."""
    return new if node is part else node.map(lambda child: put(child, part, new))


def can_be(project: Project, tool: str, path: Path, value: object) -> bool:
    """Whether `value` can stand at a path that begins with `arguments` or `kinds`."""
    declared = project.bundle.tools.get(tool)
    schema = None if declared is None else declared.arguments
    if schema is None:
        return path[0] == "arguments"
    if path[0] == "kinds":
        names = schema.kinds_of.get(path[1], ())
        return bool(names) and all(
            name not in schema.required or can_be(project, tool, ("arguments", name), value)
            for name in names
        )
    if path[1] not in schema.properties:
        return False
    own = schema.properties[path[1]]
    if len(path) > 2 or type(own) is not dict:
        return own is not False
    valid: bool = compile_schema({"$defs": schema.definitions, **own}).is_valid(value)
    return valid
