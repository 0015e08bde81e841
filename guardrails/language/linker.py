"""Conditions parsed and checked against what all documents declare."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from guardrails.decision import Effect
from guardrails.display import quote
from guardrails.language.cel.checker import check
from guardrails.language.cel.errors import CelError, CelErrors
from guardrails.language.cel.parser import parse
from guardrails.language.cel.relations import described
from guardrails.language.document import Condition
from guardrails.language.environments import Environments
from guardrails.language.offsets import locate, segments_of

if TYPE_CHECKING:
    from guardrails.errors import Problem
    from guardrails.language.cel.environment import Environment
    from guardrails.language.cel.tree import Checked, Expression
    from guardrails.language.declarations import Declarations
    from guardrails.language.document import Tool
    from guardrails.language.offsets import Segments
    from guardrails.language.yaml_tree import Tree

_COMMENT = re.compile(r"[ \t]+#")


class Types(NamedTuple):
    """The types that an expression may have, by name, and how people are told."""

    names: frozenset[str]
    told: str


BOOLEAN = Types(frozenset({"bool", "dyn"}), "a condition is true or false")
"""What a condition must be."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What the conditions of a rule are checked against.

    `declared` is what the tools that it can match declare. A wildcard of `deny` and `escalate` also
    matches tools that nobody declared: `judged` is what holds for these too. `tools` are those that
    it can match, as far as they are known; None stands for one that is named and not declared.
    """

    declared: Environment
    judged: Environment
    tools: tuple[Tool | None, ...] = ()


class Linker:
    """Links the conditions of all documents."""

    def __init__(self, declared: Declarations) -> None:
        self._environments = Environments(declared)
        self._tools = declared.tools
        self._scopes: dict[Any, Scope] = {}
        self.unbounded = Scope(self._environments.open, self._environments.open)
        """The scope of a rule that may match any tool."""

    def hint_for_tool(self, name: str) -> str:
        """Which declared tool may be meant by `name`, which none is; "" where that isn't clear."""
        return self._environments.hint_for_tool(name)

    def scope(
        self, effect: Effect, tools: tuple[str, ...] | None, traits: tuple[str, ...] | None
    ) -> Scope:
        """The scope of a rule with that effect and these selectors."""
        key = (effect is Effect.ALLOW, tools, traits)
        scope = self._scopes.get(key)
        if scope is None:
            concerned = self._environments.concerned(effect, tools, traits)
            declared = self._environments.of_tools(concerned)
            wild = tools is None or any("*" in name for name in tools)
            bounded = effect is Effect.ALLOW or not wild
            known = tuple(map(self._tools.get, concerned))
            scope = Scope(declared, declared if bounded else self._environments.open, known)
            self._scopes[key] = scope
        return scope

    def link(
        self,
        tree: Tree,
        text: str,
        event: Any,
        scope: Scope,
        problems: list[Problem],
        wanted: Types = BOOLEAN,
    ) -> Condition | None:
        """The condition `text` at `event`, or None where it has faults: they join `problems`.

        `wanted` are the types that an expression may have which is no condition.
        """
        if event.tag:
            return None  # a fault that has been told
        segments = segments_of(tree.source.text, event)
        try:
            checked = _check(text, scope, wanted)
        except CelError as error:
            hint = _yaml_hint(tree, event)
            problems.append(_problem(tree, segments, error, hint))
        except CelErrors as errors:
            problems += [_problem(tree, segments, error) for error in errors.problems]
        else:
            return Condition(text, tree.span(event), checked, segments)
        return None


def _check(text: str, scope: Scope, wanted: Types) -> Checked:
    expression = parse(text)
    checked = _check_in(scope.declared, expression, wanted)
    if scope.judged is scope.declared:
        return checked
    return _check_in(scope.judged, expression, wanted)


def _check_in(environment: Environment, expression: Expression, wanted: Types) -> Checked:
    checked = check(expression, environment, condition=wanted is BOOLEAN)
    if checked.type.name in wanted.names:
        return checked
    root = expression.root
    raise CelError(f"{wanted.told}; this is {described(checked.type)}", root.start, root.end)


def _problem(tree: Tree, segments: Segments, error: CelError, hint: str = "") -> Problem:
    line, column = locate(segments, error.start)
    last, end = locate(segments, max(error.end, error.start + 1) - 1)
    width = end - column + 1 if last == line else len(tree.source.text)
    return tree.source.problem(line, column, error.message + hint, width)


def _yaml_hint(tree: Tree, event: Any) -> str:
    """What to do where YAML took a part of a condition for something else."""
    advice = "put the condition in quotes or after `>-`"
    if event.anchor:
        return f"; YAML takes {quote(f'&{event.anchor}')} for an anchor: {advice}"
    if event.implicit[0] and _COMMENT.match(tree.source.text, event.end_mark.index):
        return f"; YAML ends it at ` #`: {advice}"
    return ""
