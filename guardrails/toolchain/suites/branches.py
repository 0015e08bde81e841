"""Policies made to tell which branches of their conditions decisions take.

The typed trees get probes round every part that can go either way, and are compiled as ever: what
is counted is what the engine's own code evaluates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from guardrails.errors import EvaluationError
from guardrails.language.cel.tree import Conditional, Has, Literal, Logic, Probe
from guardrails.language.document import Condition

if TYPE_CHECKING:
    from guardrails.language.cel.tree import Node
    from guardrails.language.document import Bundle, Exemption, Rule, Span


@dataclass(slots=True)
class Branching:
    """A part of a condition that is true or false, and how often it was either.

    `clause` is where the condition stands in its rule (`when`, `unless`, `unless[0].when`), `kind`
    what the part is to it. What gave an error was neither.
    """

    rule: str
    clause: str
    kind: str
    source: str
    span: Span
    true: int = 0
    false: int = 0

    def watch(self, frame: object, value: object) -> object:
        """Count `value` and hand it on.

        Without a frame nothing is counted: the engine then only tries whether the arguments alone
        decide, and asks again with one when it is refused.
        """
        if frame is None:
            raise EvaluationError("watched conditions have a frame")
        if value is True:
            self.true += 1
        elif value is False:
            self.false += 1
        return value


def watch_branches(bundle: Bundle) -> tuple[Bundle, dict[str, tuple[Branching, ...]]]:
    """The same policies with their conditions watched, and what is watched, by rule."""
    found: dict[str, tuple[Branching, ...]] = {}
    documents = []
    for document in bundle.documents:
        rules = []
        for rule in document.rules:
            watcher = _Watcher(rule)
            rules.append(watcher.watched())
            found[rule.name] = tuple(watcher.branchings)
        documents.append(replace(document, rules=tuple(rules)))
    return replace(bundle, documents=tuple(documents)), found


class _Watcher:
    """Puts probes into the conditions of one rule."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.branchings: list[Branching] = []

    def watched(self) -> Rule:
        """The rule with its conditions watched."""
        rule = self.rule
        when = None if rule.when is None else self._watch("when", rule.when)
        unless = rule.unless
        if isinstance(unless, Condition):
            return replace(rule, when=when, unless=self._watch("unless", unless))
        if unless is None:
            return replace(rule, when=when)
        exemptions = (self._exemption(*numbered) for numbered in enumerate(unless))
        return replace(rule, when=when, unless=tuple(exemptions))

    def _exemption(self, index: int, exemption: Exemption) -> Exemption:
        if exemption.when is None:
            return exemption
        return replace(exemption, when=self._watch(f"unless[{index}].when", exemption.when))

    def _watch(self, clause: str, condition: Condition) -> Condition:
        watched = _WatchedCondition(self.rule.name, clause, condition, self.branchings)
        checked = replace(condition.checked, root=watched.whole())
        return replace(condition, checked=checked)


@dataclass(frozen=True, slots=True)
class _WatchedCondition:
    rule: str
    clause: str
    condition: Condition
    found: list[Branching]

    def whole(self) -> Node:
        return self._watch(self.condition.checked.root, "condition")

    def _watch(self, node: Node, kind: str) -> Node:
        """`node` with a probe round it, and round what can go either way inside."""
        if isinstance(node, Literal):
            return node
        condition = self.condition
        source = condition.source[node.start : node.end]
        span = condition.place(node.start)
        branching = Branching(self.rule, self.clause, kind, source, span)
        self.found.append(branching)
        return Probe(node.start, node.end, self._inside(node), branching.watch, type=node.type)

    def _inside(self, node: Node) -> Node:
        if isinstance(node, Logic):
            kind = f"operand of `{node.operator}`"
            return node.map(lambda operand: self._watch(operand, kind))
        if isinstance(node, Conditional):
            choice = self._watch(node.condition, "condition of `? :`")
            return replace(
                node,
                condition=choice,
                chosen=self._child(node.chosen),
                otherwise=self._child(node.otherwise),
            )
        return node.map(self._child)

    def _child(self, node: Node) -> Node:
        return self._watch(node, "`has`") if isinstance(node, Has) else self._inside(node)
