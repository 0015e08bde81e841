"""When a rule matches a call, as a formula."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.decision import Effect
from guardrails.engine.rule import rule_conditions
from guardrails.language.cel.tree import Literal, Operation, Select, Variable
from guardrails.language.cel.types import BOOL
from guardrails.language.document import Condition
from guardrails.language.pattern import Pattern
from guardrails.toolchain.regions.comparison import beginning_with, below
from guardrails.toolchain.regions.formula import ALWAYS, NEVER, Formula, Within, every, negate, some
from guardrails.toolchain.regions.outcomes import Outcomes, read_outcomes
from guardrails.toolchain.regions.region import TRUE, exactly, kinds
from guardrails.toolchain.regions.terms import name_of
from guardrails.toolchain.regions.world import World
from guardrails.values import Timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from guardrails.language.cel.tree import Node
    from guardrails.language.document import Bundle, Exemption, Expiry, Rule, Subjects
    from guardrails.toolchain.regions.terms import Path

_KNOWN = Within("subject", kinds("map"))
_UNKNOWN = negate(_KNOWN)
_OF_THE_TOOL = frozenset({"tool", "traits", "arguments", "kinds"})
"""Variables of which what is known differs from tool to tool."""


class Matching:
    """The formulas of the rules of one load, from `now_ns` on (nanoseconds since 1970).

    What was worked out is kept, for the same rules are asked about again and again.
    """

    def __init__(self, bundle: Bundle, now_ns: int) -> None:
        self.now_ns = now_ns
        self._bundle = bundle
        self._common = World(bundle, "", now_ns)
        self._worlds: dict[str, World] = {"": self._common}
        self._outcomes: dict[tuple[int, str], Outcomes] = {}
        self._matches: dict[tuple[str, str], Formula] = {}
        self._roles = tuple(sorted(set(_exact_roles(bundle.rules))))

    def role_terms(self) -> Iterator[tuple[str, str]]:
        """The roles that policies name, each with the term that says whether a subject has it."""
        return ((role, name_of(_role_test(role))) for role in self._roles)

    def world(self, tool: str) -> World:
        """What can be so when `tool` is called."""
        if tool not in self._worlds:
            self._worlds[tool] = World(self._bundle, tool, self.now_ns, self._common)
        return self._worlds[tool]

    def outcomes(
        self, node: Node, tool: str, given: Mapping[Path, object] | None = None
    ) -> Outcomes:
        """When a condition, or a part of one, is true on `tool` and when it is false.

        Paths that are `given` have that value; `MISSING` is one.
        """
        if given is not None:
            return read_outcomes(self.world(tool), node, given)
        key = id(node), tool
        if key not in self._outcomes:
            self._outcomes[key] = read_outcomes(self.world(tool), node)
        return self._outcomes[key]

    def match(self, rule: Rule, tool: str) -> Formula:
        """When `rule`, whose selectors take in `tool`, matches a call of it."""
        key = rule.name, self._told_apart(rule, tool)
        if key not in self._matches:
            self._matches[key] = self._match(rule, key[1])
        return self._matches[key]

    def _told_apart(self, rule: Rule, tool: str) -> str:
        """`tool`, or nothing where it is all the same to `rule` which of its tools is called."""
        read = {each for part in rule_conditions(rule) for each in part.checked.variables}
        return "" if read.isdisjoint(_OF_THE_TOOL) else tool

    def unexcepted(self, rule: Rule, tool: str) -> Formula:
        """When `rule` would match a call of `tool`, had it no exceptions."""
        allows = rule.effect is Effect.ALLOW
        parts = [self.selected(rule.subjects, unknown=not allows), *self._past(rule)]
        if rule.when is not None:
            outcomes = self.outcomes(rule.when.checked.root, tool)
            parts.append(outcomes.true if allows else negate(outcomes.false))
        if allows and rule.expires is not None:
            parts.append(self._until(rule.expires))
        if rule.budget is not None:  # what has been spent when a call is made, nobody knows here
            used_up = self._common.add_free(f"the budget of {rule.name} is used up")
            parts.append(Within(used_up, TRUE))
        return every(parts)

    def _past(self, rule: Rule) -> Iterator[Formula]:
        """What a rule asks of the session's past: of that, nothing but that it may be so or not."""
        restricts = rule.effect is not Effect.ALLOW
        for key, steps in (("after", rule.after), ("not before", rule.not_before)):
            if steps:
                term = f"{key} {steps} {restricts}"
                yield Within(self._common.add_free(term), TRUE)

    def _match(self, rule: Rule, tool: str) -> Formula:
        allows = rule.effect is Effect.ALLOW
        parts = [self.unexcepted(rule, tool)]
        if isinstance(rule.unless, Condition):
            outcomes = self.outcomes(rule.unless.checked.root, tool)
            parts.append(outcomes.false if allows else negate(outcomes.true))
        else:
            parts += (negate(self.exempted(each, tool)) for each in rule.unless or ())
        return every(parts)

    def exempted(self, exemption: Exemption, tool: str) -> Formula:
        """When a named exception excepts."""
        parts = [
            self._until(exemption.expires),
            self.selected(exemption.subjects, unknown=False),
        ]
        if exemption.when is not None:
            parts.append(self.outcomes(exemption.when.checked.root, tool).true)
        return every(parts)

    def selected(self, subjects: Subjects | None, *, unknown: bool) -> Formula:
        """When a selector `subjects` takes in who acts; `unknown` if nobody knows who that is."""
        if subjects is None:
            return ALWAYS
        world = self._common
        world.path(("subject",))
        parts: list[Formula] = [_KNOWN]
        if subjects.ids is not None:
            name = world.path(("subject", "id"))
            parts.append(some(_fits(world, name, pattern) for pattern in subjects.ids))
        if subjects.roles is not None:
            parts.append(some(self._has_role(pattern) for pattern in subjects.roles))
        return some((every(parts), _UNKNOWN if unknown else NEVER))

    def _has_role(self, pattern: str) -> Formula:
        """When a subject has a role that fits: one that the policies name, or some other."""
        read = Pattern(pattern)
        named = [role for role in self._roles if read.matches(role)]
        fitting = [read_outcomes(self._common, _role_test(role)).true for role in named]
        if read.exact:
            return fitting[0]
        return some((*fitting, Within(self._common.add_free(f"another role fits {pattern}"), TRUE)))

    def _until(self, expiry: Expiry) -> Formula:
        """When something that ends has not ended."""
        now = self._common.path(("now",))
        return Within(now, below(Timestamp(expiry.ends_ns), inclusive=False))


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
        for subjects in selectors(rule):
            yield from (role for role in subjects.roles or () if Pattern(role).exact)


def selectors(rule: Rule) -> list[Subjects]:
    """The selectors `subjects` of a rule and of its exceptions."""
    selectors = [rule.subjects]
    if not isinstance(rule.unless, Condition):
        selectors += (each.subjects for each in rule.unless or ())
    return [each for each in selectors if each is not None]
