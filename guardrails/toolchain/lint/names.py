"""The names that policies use: tools, arguments, roles and controls, each with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from guardrails.language.cel.functions.session import NAMING_TOOLS
from guardrails.language.cel.tree import Has, Invoke, Literal, Operation, Select, Variable
from guardrails.toolchain.lint.modules import names_tools

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from guardrails.language.cel.tree import Node
    from guardrails.language.document import Approval, Document, Rule
    from guardrails.past import Step
    from guardrails.toolchain.lint.finding import Region
    from guardrails.toolchain.lint.project import Clause, Project


class Use(NamedTuple):
    """A name where it is used."""

    name: str
    region: Region


def tools_in_selectors(project: Project) -> Iterator[Use]:
    """The tools and patterns that rules name, for the call at hand and for those before it."""
    for rule in project.bundle.rules:
        for index, name in enumerate(rule.tools or ()):
            yield Use(name, project.region(rule, "tools", index))
        for key, index, step in _steps(rule):
            # A single step may stand without the list, and a single tool without its own.
            path = (key,) if type(project.data(rule)[key]) is dict else (key, index)
            for number, name in enumerate(step.calls.tools or ()):
                yield Use(name, project.region(rule, *path, "tools", number))
    for rule in project.module_rules:
        if names_tools(rule):
            for index, name in enumerate(rule.tools or ()):
                yield Use(name, project.region(rule, "tools", index))


def tools_asked_for(project: Project) -> Iterator[Use]:
    """The tools and patterns that conditions ask the session for: `calls("payments.*")`."""
    for clause in project.conditions():
        if "session" not in clause.condition.checked.variables:
            continue
        for node in project.walk(clause.condition):
            if isinstance(node, Invoke) and node.function in NAMING_TOOLS:
                name = node.arguments[0]
                if isinstance(name, Literal) and type(name.value) is str:
                    yield Use(name.value, project.at(clause.condition, name))


def tools_in_conditions(project: Project) -> Iterator[Use]:
    """The texts that conditions compare the variable `tool` with."""
    for clause in project.conditions():
        if "tool" in clause.condition.checked.variables:
            yield from _compared(project, clause, _is_tool)


def roles(project: Project) -> Iterator[Use]:
    """The roles of subjects, of approvers and in conditions; patterns and persons left out."""
    for rule in project.bundle.rules:
        for path in _paths_of_roles(rule):
            for step, name in _at(project.data(rule), path):
                if "*" not in name and "@" not in name:
                    yield Use(name, project.region(rule, *path, step, of_key=step == name))
    for rule in project.module_rules:
        for name in () if rule.approval is None else approvers(rule.approval):
            if "*" not in name and "@" not in name:
                yield Use(name, project.region(rule, "approval"))
    for clause in project.conditions():
        if "subject" in clause.condition.checked.variables:
            yield from _compared(project, clause, _is_roles)


def controls(project: Project) -> Iterator[Use]:
    """The controls of documents and of rules, each where it is written."""
    parts: tuple[Document | Rule, ...] = (*project.bundle.documents, *project.bundle.rules)
    for part in parts:
        for index, name in enumerate(project.data(part).get("controls", ())):
            yield Use(name, project.region(part, "controls", index))
    for rule in project.module_rules:
        for name in rule.controls:
            yield Use(name, project.region(rule, f"controls {name}"))


def keys_of(project: Project, clause: Clause, variable: str) -> Iterator[Use]:
    """The keys of a variable that a condition names."""
    if variable not in clause.condition.checked.variables:
        return
    for node in project.walk(clause.condition):
        if isinstance(node, Select | Has) and _is_variable(node.operand, variable):
            yield Use(node.field, _place_of_key(project, clause, node, node.field))
        elif isinstance(node, Operation) and node.operator == "[]":
            container, key = node.operands
            if _is_variable(container, variable) and isinstance(key, Literal):
                yield Use(str(key.value), project.at(clause.condition, key))


def _place_of_key(project: Project, clause: Clause, node: Node, key: str) -> Region:
    condition = clause.condition
    start = condition.source.rfind(key, node.start, node.end)
    if start < 0:  # written with escapes
        return project.at(condition, node)
    return project.stretch(condition, start, start + len(key))


def _compared(project: Project, clause: Clause, is_wanted: Callable[[Node], bool]) -> Iterator[Use]:
    """The literal texts that something wanted is compared with or looked up in."""
    for node in project.walk(clause.condition):
        if not (isinstance(node, Operation) and node.operator in ("==", "!=", "in")):
            continue
        for one, other in (node.operands, node.operands[::-1]):
            if is_wanted(one) and isinstance(other, Literal):
                texts = other.value if type(other.value) is list else [other.value]
                region = project.at(clause.condition, other)
                yield from (Use(text, region) for text in texts if type(text) is str)


def approvers(terms: Approval) -> Iterator[str]:
    """The roles and persons that may approve, in whatever stage."""
    for group in terms.groups:
        yield from group.names
    for stage in terms.stages:
        yield from stage.names


def _steps(rule: Rule) -> Iterator[tuple[str, int, Step]]:
    """What a rule asks of the past, each with its key and its place in the list."""
    for key, steps in (("after", rule.after), ("not_before", rule.not_before)):
        yield from ((key, index, step) for index, step in enumerate(steps))


def _is_tool(node: Node) -> bool:
    return _is_variable(node, "tool")


def _is_roles(node: Node) -> bool:
    return (
        isinstance(node, Select) and node.field == "roles" and _is_variable(node.operand, "subject")
    )


def _is_variable(node: Node, name: str) -> bool:
    return isinstance(node, Variable) and node.name == name


def _paths_of_roles(rule: Rule) -> Iterator[tuple[str | int, ...]]:
    """The paths below a rule of the lists of roles in it."""
    if rule.subjects is not None and rule.subjects.roles is not None:
        yield ("subjects", "roles")
    for index, exemption in enumerate(rule.unless if type(rule.unless) is tuple else ()):
        if exemption.subjects is not None and exemption.subjects.roles is not None:
            yield ("unless", index, "subjects", "roles")
    if rule.approval is not None:
        yield ("approval", "from")
        for index in range(len(rule.approval.stages)):
            yield ("approval", "then", index, "from")
    if rule.review is not None:
        yield ("review", "from")


def _at(data: object, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, str]]:
    """The names in a list, or those that are keys of a map, each with its index or key."""
    found: object = data
    for step in path:
        found = found[step]  # type: ignore[index]
    if type(found) is dict:
        yield from ((name, name) for name in found)
    elif type(found) is list:
        yield from enumerate(found)
