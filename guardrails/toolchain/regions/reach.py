"""Which actions a rule can match, and how two rules stand to one another.

What is called impossible is so for certain. What isn't may still be, for of much that a condition
can ask nothing is known here but that it is true, false or an error. Left out of account are calls
that exceed the engine's bounds on work, and those with values that can't be judged: whatever
touches one is an error.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from guardrails.decision import Effect
from guardrails.engine.index import RuleIndex
from guardrails.engine.rule import CompiledRule
from guardrails.language.cel.tree import Literal, Operation, Select, Variable
from guardrails.language.cel.types import BOOL
from guardrails.language.document import Condition
from guardrails.language.pattern import Pattern
from guardrails.toolchain.regions.comparison import beginning_with, below
from guardrails.toolchain.regions.formula import (
    ALWAYS,
    NEVER,
    Formula,
    Within,
    every,
    negate,
    some,
)
from guardrails.toolchain.regions.outcomes import Outcomes, read_outcomes
from guardrails.toolchain.regions.region import TRUE, exactly, kinds
from guardrails.toolchain.regions.search import Undecided, find_values
from guardrails.toolchain.regions.world import World
from guardrails.values import Timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from guardrails.language.cel.tree import Node
    from guardrails.language.document import Bundle, Exemption, Expiry, Rule, Subjects
    from guardrails.toolchain.regions.search import Values
    from guardrails.toolchain.regions.terms import Path

_KNOWN = Within("subject", kinds("map"))
_UNKNOWN = negate(_KNOWN)


class Reach:
    """What the rules of one load can match from `now_ns` on (nanoseconds since 1970).

    What was worked out is kept, for the same rules are asked about again and again.
    """

    def __init__(self, bundle: Bundle, now_ns: int) -> None:
        self._bundle = bundle
        self._now_ns = now_ns
        self._worlds: dict[str, World] = {}
        self._outcomes: dict[tuple[int, str], Outcomes] = {}
        self._matches: dict[tuple[str, str], Formula] = {}
        self._concerning = _concerning(bundle)
        self._tools: dict[str, list[str]] = defaultdict(list)
        for tool, rules in self._concerning.items():
            for rule in rules:
                self._tools[rule.name].append(tool)
        self._roles = tuple(sorted(set(_exact_roles(bundle.rules))))

    def tools(self, rule: Rule) -> tuple[str, ...]:
        """The tools that `rule` concerns of those that can be allowed at all.

        They are the declared ones and those that an `allow` or `escalate` rule names exactly: a
        call of any other is denied whatever rules say.
        """
        return tuple(self._tools.get(rule.name, ()))

    def rules(self, tool: str) -> tuple[Rule, ...]:
        """The rules that concern `tool`, one of those that can be allowed, sorted by full name."""
        return self._concerning.get(tool, ())

    def world(self, tool: str) -> World:
        """What can be so when `tool` is called."""
        if tool not in self._worlds:
            self._worlds[tool] = World(self._bundle, tool, self._now_ns)
        return self._worlds[tool]

    def outcomes(
        self, condition: Condition, tool: str, given: Mapping[Path, object] | None = None
    ) -> Outcomes:
        """When a condition is true and when false on `tool`, where paths have `given` values."""
        if given is not None:
            return read_outcomes(self.world(tool), condition.checked.root, given)
        key = id(condition), tool
        if key not in self._outcomes:
            self._outcomes[key] = read_outcomes(self.world(tool), condition.checked.root)
        return self._outcomes[key]

    def match(self, rule: Rule, tool: str) -> Formula:
        """When `rule`, whose selectors take in `tool`, matches a call of it."""
        key = rule.name, tool
        if key not in self._matches:
            self._matches[key] = self._match(rule, tool)
        return self._matches[key]

    def find(self, tool: str, *formulas: Formula) -> Values | None:
        """Regions from which any values satisfy `formulas`; None where no call of `tool` does.

        Raises `Undecided` where that can't be told with bounded work.
        """
        world = self.world(tool)
        return find_values([*world.ties(formulas), *formulas], world.domain)

    def impossible(self, tool: str, *formulas: Formula) -> bool:
        """Whether it is certain that no call of `tool` satisfies all of `formulas`."""
        try:
            return self.find(tool, *formulas) is None
        except Undecided:
            return False

    def _match(self, rule: Rule, tool: str) -> Formula:
        allows = rule.effect is Effect.ALLOW
        parts = [self.selected(rule.subjects, tool, unknown=not allows)]
        if rule.when is not None:
            outcomes = self.outcomes(rule.when, tool)
            parts.append(outcomes.true if allows else negate(outcomes.false))
        if isinstance(rule.unless, Condition):
            outcomes = self.outcomes(rule.unless, tool)
            parts.append(outcomes.false if allows else negate(outcomes.true))
        else:
            parts += (negate(self.exempted(each, tool)) for each in rule.unless or ())
        if allows and rule.expires is not None:
            parts.append(self._until(rule.expires, tool))
        return every(parts)

    def exempted(self, exemption: Exemption, tool: str) -> Formula:
        """When a named exception excepts."""
        parts = [
            self._until(exemption.expires, tool),
            self.selected(exemption.subjects, tool, unknown=False),
        ]
        if exemption.when is not None:
            parts.append(self.outcomes(exemption.when, tool).true)
        return every(parts)

    def selected(self, subjects: Subjects | None, tool: str, *, unknown: bool) -> Formula:
        """When a selector `subjects` takes in who acts; `unknown` if nobody knows who that is."""
        if subjects is None:
            return ALWAYS
        world = self.world(tool)
        world.path(("subject",))
        parts: list[Formula] = [_KNOWN]
        if subjects.ids is not None:
            name = world.path(("subject", "id"))
            parts.append(some(_fits(world, name, pattern) for pattern in subjects.ids))
        if subjects.roles is not None:
            parts.append(some(self._has_role(world, pattern) for pattern in subjects.roles))
        return some((every(parts), _UNKNOWN if unknown else NEVER))

    def _has_role(self, world: World, pattern: str) -> Formula:
        """When a subject has a role that fits: one that the policies name, or some other."""
        read = Pattern(pattern)
        named = [role for role in self._roles if read.matches(role)]
        fitting = [read_outcomes(world, _role_test(role)).true for role in named]
        if read.exact:
            return fitting[0]
        return some((*fitting, Within(world.add_free(f"another role fits {pattern}"), TRUE)))

    def _until(self, expiry: Expiry, tool: str) -> Formula:
        """When something that ends has not ended."""
        now = self.world(tool).path(("now",))
        return Within(now, below(Timestamp(expiry.ends_ns), inclusive=False))


def _concerning(bundle: Bundle) -> dict[str, tuple[Rule, ...]]:
    """The rules that concern each tool that can be allowed."""
    index = RuleIndex(map(CompiledRule, bundle.rules), bundle.tools)
    named = (
        name
        for rule in bundle.rules
        if rule.effect is not Effect.DENY
        for name in rule.tools or ()
        if Pattern(name).exact
    )
    return {
        tool: tuple(compiled.rule for compiled in index.concerning(tool))
        for tool in dict.fromkeys((*bundle.tools, *named))
    }


def _fits(world: World, name: str, pattern: str) -> Formula:
    """When the text that the term `name` is fits a pattern."""
    read = Pattern(pattern)
    if read.exact:
        return Within(name, exactly(pattern))
    if pattern == read.prefix + "*":
        return Within(name, beginning_with(read.prefix))
    return Within(world.add_free(f"{name} fits {pattern}"), TRUE)


def _role_test(role: str) -> Node:
    """The condition that asks whether a subject has a role."""
    roles = Select(0, 0, Variable(0, 0, "subject"), "roles")
    return Operation(0, 0, "in", (Literal(0, 0, role), roles), type=BOOL)


def _exact_roles(rules: Iterable[Rule]) -> Iterator[str]:
    """The roles that selectors name, without patterns."""
    for rule in rules:
        selectors = [rule.subjects]
        if not isinstance(rule.unless, Condition):
            selectors += (each.subjects for each in rule.unless or ())
        for subjects in selectors:
            if subjects is not None:
                yield from (role for role in subjects.roles or () if Pattern(role).exact)
