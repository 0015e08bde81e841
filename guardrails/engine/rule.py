"""One rule, made ready to be judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.decision import Effect, RuleMatch, UsedException
from guardrails.engine.facts import CONDITION_STEPS
from guardrails.errors import EvaluationError
from guardrails.language.document import Condition, Subjects
from guardrails.language.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from guardrails.action import Subject
    from guardrails.engine.budget import CompiledBudget
    from guardrails.engine.facts import Frame
    from guardrails.language.document import Budget, Exemption, Rule
    from guardrails.spending import Charge

    Outcome = RuleMatch | UsedException | tuple[RuleMatch, ...] | None
    """What a rule said; one of a Rego module may say several things, none of them an exception."""

    Compiled = Callable[[dict[str, Any], Frame], object]


class CompiledRule:
    """A rule with its conditions compiled and its patterns read.

    `timeless` says that it matches today as it does tomorrow, as far as its own terms go;
    `by_subject` that who acts matters to it; `bare` that only `when` does, if it has any.
    """

    __slots__ = ("bare", "budget", "by_subject", "effect", "exemptions", "match", "name", "rule",
                 "subjects", "timeless", "unless", "when")  # fmt: skip

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.name = rule.name
        self.effect = rule.effect
        self.when = None if rule.when is None else _compile(rule.when)
        self.subjects = None if rule.subjects is None else SubjectsTest(rule.subjects)
        self.unless: Compiled | None = None
        self.exemptions: tuple[CompiledExemption, ...] = ()
        if isinstance(rule.unless, Condition):
            self.unless = _compile(rule.unless)
        elif rule.unless is not None:
            self.exemptions = tuple(map(CompiledExemption, rule.unless))
        self.budget = None if rule.budget is None else _make_ready(self.name, rule.budget)
        self.match = RuleMatch(self.name, self.effect, None, rule.observe)
        self.timeless = not self.exemptions and (
            rule.expires is None or (self.effect is not Effect.ALLOW and not rule.observe)
        )
        self.by_subject = (
            self.subjects is not None
            or bool(self.exemptions)
            or (self.budget is not None and self.budget.by_subject)
            or any("subject" in each.checked.variables for each in rule_conditions(rule))
        )
        alone = self.subjects is None and rule.unless is None and rule.review is None
        past = rule.after or rule.not_before
        self.bare = alone and self.timeless and not (past or rule.budget)

    @property
    def context_keys(self) -> Iterable[str]:
        """The facts that it reads ("*": it may read any)."""
        return (
            key
            for condition in rule_conditions(self.rule)
            for variable, key in condition.checked.selects
            if variable == "context"
        )

    def in_force(self, now_ns: int) -> bool:
        """Whether it can match at all at `now_ns`: an allow rule ends with its `expires`."""
        expires = self.rule.expires
        return self.effect is not Effect.ALLOW or expires is None or not expires.passed(now_ns)

    def observes(self, now_ns: int) -> bool:
        """Whether it only watches at `now_ns`; what restricts bites after its `expires`."""
        expires = self.rule.expires
        return self.rule.observe and (expires is None or not expires.passed(now_ns))

    def judge(self, values: dict[str, Any], frame: Frame) -> Outcome:
        """Return the match, the exception that kept it from matching, or None for neither.

        An allow rule's match with an `error` is none: it is what could not be evaluated.
        """
        if not self.bare:
            return self._judge_all(values, frame)
        if self.when is None:
            return self.match
        holds, error = evaluate(self.when, values, frame)
        if error is not None:
            return self._matched(error, frame.now_ns)
        return self.match if holds else None

    def _judge_all(self, values: dict[str, Any], frame: Frame) -> Outcome:
        """Do what `judge` does where more than `when` has a say."""
        if not self.in_force(frame.now_ns):
            return None
        allows = self.effect is Effect.ALLOW
        if self.subjects is not None and not self.subjects.test(frame.member, unknown=not allows):
            return None
        holds, lapse = judge_past(self.rule, frame)
        if lapse is None and not holds:
            return None
        holds, error = (True, None) if self.when is None else evaluate(self.when, values, frame)
        if error is None and not holds:
            return None
        error = lapse or error
        if error is None or not allows:
            excepted, failure = self._excepted(values, frame)
            if excepted is not None:
                return excepted
            error = error or failure
        if self.name in frame.overdue:
            error = error or "a review of what it let run is overdue"
        if error is None and self.budget is not None:
            passes, error = evaluate(self.budget.passes, values, frame)
            if error is None and not passes:
                return None
        return self._matched(error, frame.now_ns)

    def charge(self, values: dict[str, Any], frame: Frame) -> Charge | None:
        """Return what a call that runs spends of the rule's budget, None where that can't be told.

        None, too, where the rule doesn't concern the call: where it would not match even if all
        were spent, as `frame` must have it.
        """
        if self.budget is None or type(self.judge(values, frame)) is not RuleMatch:
            return None
        frame.steps = CONDITION_STEPS
        try:
            return self.budget.charge(values, frame, observed=self.observes(frame.now_ns))
        except EvaluationError:
            return None

    def _excepted(
        self, values: dict[str, Any], frame: Frame
    ) -> tuple[UsedException | None, str | None]:
        """The exception that holds, or else the error of one that could not be evaluated."""
        if self.unless is not None:
            holds, error = evaluate(self.unless, values, frame)
            return (UsedException(self.name, "") if holds else None), error
        failure: str | None = None
        for exemption in self.exemptions:
            holds, error = exemption.holds(values, frame)
            if holds:
                return UsedException(self.name, exemption.reason), None
            failure = failure or error
        return None, failure

    def _matched(self, error: str | None, now_ns: int) -> RuleMatch:
        observed = self.observes(now_ns)
        if error is None and observed is self.match.observed:
            return self.match
        return RuleMatch(self.name, self.effect, error, observed)


def compile_rule(rule: Rule) -> CompiledRule:
    """Return a rule made ready to be judged."""
    if rule.module is None:
        return CompiledRule(rule)
    from guardrails.engine.module_rule import ModuleRule  # noqa: PLC0415 - only where there is Rego

    return ModuleRule(rule, rule.module)


class CompiledExemption:
    """A named exception of a rule, made ready."""

    __slots__ = ("_expires", "_subjects", "_when", "reason")

    def __init__(self, exemption: Exemption) -> None:
        self.reason = exemption.reason
        self._expires = exemption.expires
        self._subjects = None if exemption.subjects is None else SubjectsTest(exemption.subjects)
        self._when = None if exemption.when is None else _compile(exemption.when)

    def holds(self, values: dict[str, Any], frame: Frame) -> tuple[bool, str | None]:
        """Whether it excepts, and the error if that can't be told (then it doesn't)."""
        if self._expires.passed(frame.now_ns):
            return False, None
        if self._subjects is not None and not self._subjects.test(frame.member, unknown=False):
            return False, None
        return (True, None) if self._when is None else evaluate(self._when, values, frame)


class SubjectsTest:
    """Whether a selector `subjects` concerns who acts."""

    __slots__ = ("_ids", "_roles")

    def __init__(self, subjects: Subjects) -> None:
        self._ids = None if subjects.ids is None else tuple(map(Pattern, subjects.ids))
        self._roles = None if subjects.roles is None else tuple(map(Pattern, subjects.roles))

    def test(self, member: Subject | None, *, unknown: bool) -> bool:
        """Whether `member` is meant; `unknown` is the answer where nobody knows who acts."""
        if member is None:
            return unknown
        if self._ids is not None and not any(each.matches(member.id) for each in self._ids):
            return False
        return self._roles is None or any(
            each.matches(role) for each in self._roles for role in member.roles
        )


def judge_past(rule: Rule, frame: Frame) -> tuple[bool, str | None]:
    """Whether the session's past is as `rule` asks, and the error if that can't be told.

    A tool of which nobody knows the traits counts as whatever makes the rule stricter.
    """
    if not (rule.after or rule.not_before):
        return True, None
    restricts = rule.effect is not Effect.ALLOW
    try:
        past, now = frame.past, frame.now_ns
        if rule.after and not past.happened(rule.after, now, unknown=restricts):
            return False, None
        if rule.not_before and past.happened(rule.not_before, now, unknown=False):
            return False, None
    except EvaluationError as error:
        return False, str(error)
    return True, None


def evaluate(condition: Compiled, values: dict[str, Any], frame: Frame) -> tuple[bool, str | None]:
    """Whether `condition` holds, and the error if it has no value (then it doesn't).

    The work it did is taken off what the decision has left.
    """
    allowance = frame.steps = min(CONDITION_STEPS, frame.left)
    try:
        value = condition(values, frame)
    except EvaluationError as error:
        return False, str(error)
    finally:
        frame.left -= allowance - max(frame.steps, 0)
    if value is True:
        return True, None
    return False, None if value is False else "the condition is neither true nor false"


def rule_conditions(rule: Rule) -> tuple[Condition, ...]:
    """Every expression of a rule: `when`, those of `unless`, and those of its budget."""
    unless = rule.unless
    exceptions = (
        (unless,)
        if isinstance(unless, Condition)
        else tuple(exemption.when for exemption in unless or ())
    )
    spending = () if rule.budget is None else rule.budget.conditions
    return tuple(each for each in (rule.when, *exceptions, *spending) if each is not None)


def _make_ready(rule: str, budget: Budget) -> CompiledBudget:
    from guardrails.engine.budget import (  # noqa: PLC0415 - only where policies are loaded
        CompiledBudget,
    )

    return CompiledBudget(rule, budget, _compile)


def _compile(condition: Condition) -> Compiled:
    from guardrails.language.cel.compiler import (  # noqa: PLC0415 - only where policies are loaded
        compile_condition,
    )

    return compile_condition(condition.checked)
