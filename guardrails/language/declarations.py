"""What documents declare for all of them: policies, constants, facts and tools."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from guardrails.display import quote
from guardrails.language.context import ContextSchema, Fact, join_facts, read_fact
from guardrails.language.draft import SECTIONS
from guardrails.language.tools import read_tool

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guardrails.errors import Problem
    from guardrails.language.document import Span, Tool
    from guardrails.language.draft import Draft
    from guardrails.language.yaml_tree import Tree


@dataclass(slots=True)
class Declarations:
    """One namespace over all documents.

    `hidden` are the sections of which a fault may hide a part: a name that is not in one of them
    isn't unknown for that. `uncertain` are the facts, and `outlines` the arguments of the tools,
    of which faults leave no more than the names.
    """

    constants: dict[str, Any] = field(default_factory=dict)
    tools: dict[str, Tool] = field(default_factory=dict)
    context: ContextSchema | None = None
    hidden: frozenset[str] = frozenset()
    uncertain: frozenset[str] = frozenset()
    outlines: dict[str, tuple[str, ...]] = field(default_factory=dict)


def declare(drafts: list[Draft], problems: list[Problem], *, whole: bool) -> Declarations:
    """The declarations of all documents; their faults are added to `problems`.

    `whole` says that `drafts` are all documents: none could not be read.
    """
    declared = _Collector(problems).collect(drafts)
    hidden = (draft.hidden for draft in drafts)
    declared.hidden = frozenset[str]().union(*hidden) if whole else SECTIONS
    return declared


class _Collector:
    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        self.places: dict[tuple[str, str], Span] = {}
        self.found = Declarations()
        self.facts: dict[str, Fact | None] = {}

    def collect(self, drafts: Iterable[Draft]) -> Declarations:
        for draft in drafts:
            if draft.policy:
                event = draft.tree.value(draft.root.data, "policy")
                self._claim(draft.tree, "policy", draft.policy, event)
            self._collect_constants(draft)
            self._collect_facts(draft)
            self._collect_tools(draft)
        found = self.found
        found.context = join_facts(fact for fact in self.facts.values() if fact is not None)
        found.uncertain = frozenset(name for name, fact in self.facts.items() if fact is None)
        return found

    def _collect_constants(self, draft: Draft) -> None:
        constants = draft.root.get("constants", {})
        for name, value in constants.items():
            if self._claim(draft.tree, "constant", name, draft.tree.key(constants, name)):
                self.found.constants[name] = value

    def _collect_facts(self, draft: Draft) -> None:
        context = draft.root.get("context", {})
        for name in context:
            if self._claim(draft.tree, "context fact", name, draft.tree.key(context, name)):
                broken = ("context", name) in draft.root.faults
                self.facts[name] = None if broken else self._read_fact(draft.tree, context, name)

    def _collect_tools(self, draft: Draft) -> None:
        tree = draft.tree
        for name, part in draft.root.parts("tools"):
            key = tree.key(draft.root.data["tools"], name)
            if self._claim(tree, "tool", name, key):
                tool = read_tool(tree, part, name, draft.policy, tree.span(key), self.problems)
                self.found.tools[name] = tool if draft.clean else replace(tool, arguments=None)
                if tool.arguments is None and draft.clean and "arguments" in part:
                    self.found.outlines[name] = tuple(part.data["arguments"])

    def _claim(self, tree: Tree, noun: str, name: str, event: Any) -> bool:
        """Whether `name` is new; if not, a problem is added that tells the other place."""
        span = tree.span(event)
        first = self.places.setdefault((noun, name), span)
        if first is span:
            return True
        place = f"{first.path}:{first.line}:{first.column}"
        message = f"the {noun} {quote(name)} is defined already, at {place}"
        self.problems.append(tree.problem(event, message))
        return False

    def _read_fact(self, tree: Tree, context: dict[str, Any], name: str) -> Fact | None:
        fact, faults = read_fact(name, context[name])
        for fault in faults:
            event = tree.event_at(context, (name, *fault.path), of_key=fault.of_key)
            self.problems.append(tree.problem(event, fault.message))
        return fact
