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
from guardrails.engine import PolicySet
from guardrails.engine.rule import rule_conditions
from guardrails.language.pattern import Pattern
from guardrails.toolchain.regions.formula import Formula, canonical, negate
from guardrails.toolchain.regions.matching import Matching, selectors
from guardrails.toolchain.regions.search import Undecided, find_values, judge
from guardrails.toolchain.regions.terms import FIXED

if TYPE_CHECKING:
    from guardrails.language.document import Bundle, Rule
    from guardrails.toolchain.regions.search import Values


class Reach(Matching):
    """What the rules of one load can match, from `now_ns` on (nanoseconds since 1970).

    `policies` is the engine over the same load.
    """

    def __init__(self, bundle: Bundle, now_ns: int) -> None:
        super().__init__(bundle, now_ns)
        self.policies = PolicySet(bundle)
        self._reads: dict[str, frozenset[tuple[str, str]]] = {}
        self._forms: dict[tuple[str, str], Formula] = {}
        self._opposites: dict[tuple[str, str], Formula] = {}
        self._examples: dict[tuple[str, str], Values | None] = {}
        self._concerning = _concerning(self.policies)
        self._tools: dict[str, list[str]] = defaultdict(list)
        for tool, rules in self._concerning.items():
            for rule in rules:
                self._tools[rule.name].append(tool)

    def tools(self, rule: Rule) -> tuple[str, ...]:
        """The tools that `rule` concerns of those that can be allowed at all.

        They are the declared ones and those that an `allow` or `escalate` rule names exactly: a
        call of any other is denied whatever rules say.
        """
        return tuple(self._tools.get(rule.name, ()))

    def rules(self, tool: str) -> tuple[Rule, ...]:
        """The rules that concern `tool`, one of those that can be allowed, sorted by full name."""
        return self._concerning.get(tool, ())

    def unmatched(self, rule: Rule, tool: str) -> Formula:
        """When `rule`, whose selectors take in `tool`, does not match a call of it."""
        key = rule.name, tool
        if key not in self._opposites:
            self._opposites[key] = negate(self.match(rule, tool))
        return self._opposites[key]

    def example(self, rule: Rule, tool: str) -> Values | None:
        """Regions from which any values will make `rule` match a call of `tool`; None for none.

        None also where that can't be told with bounded work.
        """
        key = rule.name, tool
        if key not in self._examples:
            try:
                self._examples[key] = self.find(tool, self.match(rule, tool))
            except Undecided:
                self._examples[key] = None
        return self._examples[key]

    def reads(self, rule: Rule) -> frozenset[tuple[str, str]]:
        """What `rule` asks about, as (variable, key); a key `*` means any of that variable."""
        if rule.name not in self._reads:
            reads = {each for part in rule_conditions(rule) for each in part.checked.selects}
            reads |= {("subject", "*")} if selectors(rule) else set()
            reads |= {("session", "*")} if rule.after or rule.not_before else set()
            self._reads[rule.name] = frozenset(reads)
        return self._reads[rule.name]

    def related(self, rule: Rule, other: Rule) -> bool:
        """Whether both ask about one thing, or `other` asks about nothing that calls differ in.

        If not, `rule` implies `other` only where that matches every call.
        """
        mine, others = self.reads(rule), self.reads(other)
        asked = {each for each in others if each[0] not in FIXED}
        if not asked or not mine.isdisjoint(others):
            return True
        variables = {variable for variable, key in mine | others if key == "*"}
        return any(
            variable in variables and variable in {each for each, _ in mine}
            for variable, _ in asked
        )

    def implies(self, rule: Rule, other: Rule, tool: str) -> bool:
        """Whether it is certain that `other` matches every call of `tool` that `rule` matches.

        It is not if `rule` matches none.
        """
        example = self.example(rule, tool)
        return (
            example is not None
            and self.holds(tool, self.match(other, tool), example)
            and self.impossible(tool, self.match(rule, tool), self.unmatched(other, tool))
        )

    def form(self, rule: Rule, tool: str) -> Formula:
        """The formula of `match` in a form that is the same for rules that are written alike."""
        key = rule.name, tool
        if key not in self._forms:
            self._forms[key] = canonical(self.match(rule, tool), self.world(tool).domain)
        return self._forms[key]

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

    def possible(self, tool: str, *formulas: Formula) -> bool:
        """Whether some call of `tool` satisfies all of `formulas`, as far as can be told."""
        try:
            return self.find(tool, *formulas) is not None
        except Undecided:
            return False

    def holds(self, tool: str, formula: Formula, values: Values) -> bool:
        """Whether `formula` holds wherever terms lie in the regions of `values`."""
        return judge(formula, values, self.world(tool).domain) is True


def _concerning(policies: PolicySet) -> dict[str, tuple[Rule, ...]]:
    """The rules that concern each tool that can be allowed."""
    bundle = policies.bundle
    named = (
        name
        for rule in bundle.rules
        if rule.effect is not Effect.DENY
        for name in rule.tools or ()
        if Pattern(name).exact
    )
    return {
        tool: tuple(compiled.rule for compiled in policies.plan(tool).rules)
        for tool in dict.fromkeys((*bundle.tools, *named))
    }
