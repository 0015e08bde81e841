"""Everything about one tool that can be known before a call: the hot path starts here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.engine.combine import combine, combine_chain
from guardrails.engine.facts import Frame
from guardrails.engine.rule import rule_conditions
from guardrails.errors import EvaluationError
from guardrails.spending import USED_UP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from guardrails.decision import Decision
    from guardrails.engine.facts import Circumstances
    from guardrails.engine.rule import CompiledRule, Outcome
    from guardrails.language.document import Tool
    from guardrails.spending import Charge

    Single = tuple[Callable[[dict[str, Any], Any], object], Decision, Decision]

_REMEMBERED = 256
"""How many outcomes of one tool are kept ready; a tool has few, but rules could make many."""


class Plan:
    """The rules that concern one tool, and how to combine what they say.

    `context_keys` are the facts that those rules read ("*": they may read any). `quick` says
    that `decide_quickly` may be asked: the arguments alone decide. `single` is the one condition
    of a tool that has but one and declares no arguments, with what either answer means. `reviewed`
    are the rules that let things run to be reviewed afterwards, by full name, `budgeted` those
    that have a budget. `asks` says that an engine for Rego is asked, which may take a while, and
    `attended` that any of these three is so.
    """

    __slots__ = ("_always", "_by_subject", "_outcomes", "_revision", "_settled", "_tests",
                 "asks", "attended", "budgeted", "context_keys", "declared", "quick", "reviewed",
                 "rules", "single", "suspending", "tool")  # fmt: skip

    def __init__(
        self,
        tool: str,
        declared: Tool | None,
        rules: tuple[CompiledRule, ...],
        revision: str,
    ) -> None:
        self.tool = tool
        self.declared = declared
        self.rules = rules
        self._revision = revision
        self.context_keys = frozenset(key for rule in rules for key in rule.context_keys)
        self.reviewed = tuple(rule.name for rule in rules if rule.rule.review is not None)
        self.budgeted = tuple(rule for rule in rules if rule.budget is not None)
        self.suspending = frozenset(rule.name for rule in rules if rule.rule.suspends)
        self.asks = any(rule.rule.module is not None for rule in rules)
        self.attended = bool(self.reviewed or self.budgeted or self.asks)
        self._by_subject = any(rule.by_subject for rule in rules)
        self.quick = all(map(_needs_arguments_only, rules))
        self._always = sum(1 << place for place, rule in enumerate(rules) if rule.when is None)
        self._tests = [
            (1 << place, rule.when) for place, rule in enumerate(rules) if rule.when is not None
        ]
        self._outcomes: dict[int, Decision] = {}
        self._settled = declared is not None or all(rule.timeless for rule in rules)
        self.single = self._find_single()

    def decide_quickly(self, values: dict[str, Any]) -> Decision | None:
        """Return the decision over checked arguments, or None where `decide` has to say.

        The conditions run without a frame: what has to be charged for fails, and is then judged
        with one. Where `||` or `&&` absorbs such a failure, its value is the same with a frame.
        """
        matched = self._always
        try:
            for bit, when in self._tests:
                value = when(values, None)  # type: ignore[arg-type]
                if value is True:
                    matched |= bit
                elif value is not False:
                    return None
        except EvaluationError:
            return None
        return self._outcomes.get(matched) or self._remember(matched)

    def decide(self, values: dict[str, Any], circumstances: Circumstances) -> Decision:
        """Return the decision over a call whose arguments have been checked."""
        frame = Frame(self, values, circumstances)
        if not self._by_subject:
            return self._judge(values, frame)
        decisions = []
        for member in circumstances.chain or (None,):
            frame.member = member
            decisions.append(self._judge(values, frame))
        return combine_chain(decisions)

    def charges(self, values: dict[str, Any], circumstances: Circumstances) -> tuple[Charge, ...]:
        """Return what a call that runs spends, of each budget whose rule concerns it.

        What can't be told is left out: there the rule matches, with the error. A call made by
        several members of a delegation who share a budget spends of it once.
        """
        frame = Frame(self, values, circumstances._replace(spending=USED_UP))
        found: dict[tuple[str, str], Charge] = {}
        for member in circumstances.chain or (None,):
            frame.member = member
            for rule in self.budgeted:
                charge = rule.charge(values, frame)
                if charge is not None and charge.amount:
                    known = found.setdefault(charge.account, charge)
                    if known.amount < charge.amount:
                        found[charge.account] = charge
        return tuple(found[account] for account in sorted(found))

    def _judge(self, values: dict[str, Any], frame: Frame) -> Decision:
        outcomes = [rule.judge(values, frame) for rule in self.rules]
        matched = self._number(outcomes) if self._settled else None
        if matched is None:
            return combine(self, outcomes, frame.now_ns, self._revision)
        return self._outcomes.get(matched) or self._remember(matched)

    def _number(self, outcomes: Iterable[Outcome]) -> int | None:
        """Which rules matched, as `_outcomes` knows it; None where one said more than that."""
        matched, bit = 0, 1
        for rule, outcome in zip(self.rules, outcomes, strict=True):
            if outcome is rule.match:
                matched |= bit
            elif outcome is not None:
                return None
            bit <<= 1
        return matched

    def _find_single(self) -> Single | None:
        checked = self.declared is not None and self.declared.arguments is not None
        if checked or not self.quick or len(self._tests) != 1:
            return None
        bit, when = self._tests[0]
        return when, self._remember(self._always | bit), self._remember(self._always)

    def _remember(self, matched: int) -> Decision:
        outcomes = [
            rule.match if matched >> place & 1 else None for place, rule in enumerate(self.rules)
        ]
        decision = combine(self, outcomes, 0, self._revision)
        if len(self._outcomes) < _REMEMBERED:
            self._outcomes[matched] = decision
        return decision


def _needs_arguments_only(rule: CompiledRule) -> bool:
    return rule.bare and all(
        condition.checked.variables <= {"arguments"} for condition in rule_conditions(rule.rule)
    )
