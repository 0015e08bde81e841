"""What is certain of the parts of a rule's conditions, whichever of its tools is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from guardrails.decision import Effect
from guardrails.display import quote
from guardrails.language.cel.tree import Operation
from guardrails.toolchain.regions.formula import negate
from guardrails.toolchain.regions.outcomes import MAX_VALUES
from guardrails.toolchain.regions.telling import tell
from guardrails.toolchain.regions.terms import is_fixed, name_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.language.cel.tree import Node
    from guardrails.language.document import Condition, Rule
    from guardrails.toolchain.lint.project import Project
    from guardrails.toolchain.regions.formula import Formula
    from guardrails.toolchain.regions.region import Region


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The verdicts on one rule of a project."""

    project: Project
    rule: Rule

    @property
    def tools(self) -> tuple[str, ...]:
        """The tools that the rule concerns of those that can be allowed at all."""
        return self.project.reach.tools(self.rule)

    @property
    def ended(self) -> bool:
        """Whether it is an `allow` whose time is over."""
        rule = self.rule
        over = rule.expires is not None and rule.expires.passed(self.project.now_ns)
        return over and rule.effect is Effect.ALLOW

    def selected(self) -> Formula:
        """When the rule takes in who calls."""
        allows = self.rule.effect is Effect.ALLOW
        return self.project.reach.selected(self.rule.subjects, unknown=not allows)

    def never_true(self, node: Node) -> bool:
        """Whether a part of the rule's conditions can't be true."""
        return self._excluded(lambda tool: self.project.reach.outcomes(node, tool).true)

    def never_true_of_anyone(self, node: Node) -> bool:
        """Whether a part of the rule's conditions can't be true, whoever calls."""
        reach = self.project.reach
        return all(reach.impossible(tool, reach.outcomes(node, tool).true) for tool in self.tools)

    def never_false(self, node: Node) -> bool:
        """Whether a part of the rule's conditions is true or else an error."""
        return self._excluded(lambda tool: self.project.reach.outcomes(node, tool).false)

    def always_true(self, node: Node) -> bool:
        """Whether a part of the rule's conditions can't be anything but true."""
        return self._excluded(lambda tool: negate(self.project.reach.outcomes(node, tool).true))

    def never_matches(self) -> bool:
        """Whether the rule as a whole can't match."""
        return self._excluded(lambda tool: self.project.reach.match(self.rule, tool))

    def _excluded(self, formula: Callable[[str], Formula]) -> bool:
        """Whether it is certain of all tools that what `formula` gives for one can't be."""
        reach = self.project.reach
        return all(reach.impossible(tool, self.selected(), formula(tool)) for tool in self.tools)

    def facts(self, condition: Condition, node: Node) -> str:
        """What is declared of the one thing that `node` tests, as a clause; empty for nothing."""
        tested = _tested(node)
        told = set(map(tell, self._regions(tested)))
        if tested is None or len(told) != 1 or not (said := told.pop()):
            return ""
        return f"{quote(condition.source[tested.start : tested.end])} is {said}"

    def known_texts(self, node: Node) -> list[str]:
        """The texts that the one thing that `node` tests can be, where they are few."""
        regions = self._regions(_tested(node))
        values = [value for each in regions for value in each.values(MAX_VALUES) or ()]
        return [value for value in values if type(value) is str]

    def _regions(self, tested: Node | None) -> list[Region]:
        """What a part of a condition can be, on each tool; empty where nothing is known of it."""
        if tested is None:
            return []
        worlds = map(self.project.reach.world, self.tools)
        known = (world.known(name_of(tested)) for world in worlds)
        return [region for region in known if region is not None]


def _tested(node: Node) -> Node | None:
    """What `node` compares with something that is the same for every call, or asks for itself."""
    if not isinstance(node, Operation):
        return node
    tested = [each for each in node.operands if not is_fixed(each)]
    return tested[0] if len(tested) == 1 and len(node.operands) == 2 else None
