"""A rule of a Rego module, judged by asking the engine that evaluates the module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.decision import Effect, RuleMatch
from guardrails.engine.rule import CompiledRule
from guardrails.errors import EvaluationError
from guardrails.language.rego.action_text import find_unknown, write_action
from guardrails.language.rego.results import read_matches
from guardrails.language.rego.seam import Answer, EngineFailure

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from guardrails.action import Subject
    from guardrails.engine.facts import Frame
    from guardrails.engine.rule import Outcome
    from guardrails.language.document import Rule
    from guardrails.language.rego.builder import Asked

    Answers = Sequence[Answer] | str
    """What the rules of a unit evaluated to, or why nothing was evaluated."""

MODULE = "module"
"""The id under which a module denies as a whole, because it could not be evaluated."""


class ModuleRule(CompiledRule):
    """A rule whose outcome an engine knows; one question serves all rules of its unit."""

    __slots__ = ("_asked",)

    def __init__(self, rule: Rule, asked: Asked) -> None:
        super().__init__(rule)
        self._asked = asked
        self.bare = False
        parts = asked.unit_reads.parts
        self.by_subject = "subject" in parts or "*" in parts

    @property
    def context_keys(self) -> Iterable[str]:
        """The facts that the rule's unit reads."""
        return self._asked.unit_reads.facts

    def judge(self, values: dict[str, Any], frame: Frame) -> Outcome:
        """Return the matches, several where the rule is a set of objects with ids.

        What can't be evaluated is closed: the rule has its effect, with an error, and where that
        concerns the module as a whole, it denies besides.
        """
        if not self.in_force(frame.now_ns):
            return None
        observed = self.observes(frame.now_ns)
        unknown = find_unknown(self._asked.reads, frame)
        if unknown is not None:
            return read_matches(self.rule, Answer(error=unknown), observed=observed)
        answers = self._answers(values, frame)
        if isinstance(answers, str):
            name = f"{self.rule.policy}/{MODULE}"
            failed = RuleMatch(name, Effect.DENY, answers, observed or self._asked.watches)
            return (*read_matches(self.rule, Answer(error=answers), observed=observed), failed)
        return read_matches(self.rule, answers[self._asked.index], observed=observed)

    def _answers(self, values: dict[str, Any], frame: Frame) -> Answers:
        """What the unit says of the action, asked once for each member whom it looks at."""
        known = frame.answers
        if known is None:
            known = frame.answers = {}
        member: Subject | None = frame.member if self.by_subject else None
        key = self._asked.unit.digest, id(member)
        if key not in known:
            known[key] = self._ask(values, frame)
        answers: Answers = known[key]
        return answers

    def _ask(self, values: dict[str, Any], frame: Frame) -> Answers:
        asked = self._asked
        try:
            text = write_action(asked.unit_reads, values, frame)
            answers = asked.engine.evaluate(asked.unit, text)
        except (EvaluationError, EngineFailure) as error:
            return str(error)
        except Exception:  # noqa: BLE001 - an engine may be anyone's
            return "the engine for Rego failed"
        if len(answers) != len(asked.unit.entries):
            return "the engine for Rego gave another number of answers than were asked for"
        return answers
