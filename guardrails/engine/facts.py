"""What an action is judged by besides the policies, and how conditions read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from guardrails.errors import EvaluationError
from guardrails.values import Timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from guardrails.action import SessionView, Subject
    from guardrails.engine.plan import Plan
    from guardrails.language.document import Tool
    from guardrails.past import Past
    from guardrails.spending import Spending

CONDITION_STEPS = 100_000
"""The work that one condition may do; a step is some 100 ns at the worst, so about 10 ms."""

DECISION_STEPS = 1_000_000
"""The work that all conditions of one decision may do together."""


_NONE: frozenset[str] = frozenset()


class Facts(NamedTuple):
    """The time, the facts that the host provides, and the session: all that is not the action.

    `now_ns` is in nanoseconds since 1970-01-01T00:00:00Z. A fact of `context` wins over one of
    the same name in the action, and so does the `session`. `overdue` are the rules, by full name,
    of which a review is overdue. `spending` knows what budgets have been spent, None where nobody
    does.
    """

    now_ns: int
    context: Mapping[str, Any] | None = None
    session: SessionView | None = None
    overdue: frozenset[str] = _NONE
    spending: Spending | None = None

    @classmethod
    def at(
        cls,
        now: datetime,
        context: Mapping[str, Any] | None = None,
        session: SessionView | None = None,
    ) -> Facts:
        """Return the facts at `now`, a time with an offset."""
        from guardrails.snapshot.standard_types import (  # noqa: PLC0415 - not on the hot path
            timestamp_of,
        )

        return cls(timestamp_of(now).ns, context, session)


class Circumstances(NamedTuple):
    """All that an action is judged under, read and checked.

    `chain` are the subjects, the first delegator first and the one who acts last; empty where
    nobody knows who acts. `context` holds the facts that satisfy their schemas. `overdue`
    are the rules of which a review is overdue: they allow nothing. `spending` is as in `Facts`.
    """

    chain: tuple[Subject, ...]
    context: Mapping[str, Any]
    session: SessionView | None
    now_ns: int
    overdue: frozenset[str] = _NONE
    spending: Spending | None = None


class Frame:
    """The variables of a condition while an action is judged, each made when it is first read.

    `member` is who of the chain is judged, `steps` the work that the condition at hand may still
    do, `left` what is left for the decision, `answers` what Rego has said. Reading an unknown
    variable raises EvaluationError.
    """

    __slots__ = ("_circumstances", "_kinds", "_plan", "_session", "_values", "answers", "left",
                 "member", "steps")  # fmt: skip

    def __init__(self, plan: Plan, values: dict[str, Any], circumstances: Circumstances) -> None:
        self.member: Subject | None = None
        self.steps = CONDITION_STEPS
        self.left = DECISION_STEPS
        self.answers: dict[Any, Any] | None = None
        self._plan = plan
        self._values = values
        self._circumstances = circumstances
        self._kinds: dict[str, list[Any]] | None = None
        self._session: dict[str, Any] | None = None

    @property
    def now_ns(self) -> int:
        """The time of the decision, in nanoseconds since 1970."""
        return self._circumstances.now_ns

    @property
    def overdue(self) -> frozenset[str]:
        """The rules, by full name, of which a review is overdue."""
        return self._circumstances.overdue

    @property
    def spending(self) -> Spending | None:
        """Who knows what budgets have been spent, None where nobody does."""
        return self._circumstances.spending

    @property
    def declared(self) -> Tool | None:
        """The declaration of the tool, None where there is none."""
        return self._plan.declared

    @property
    def fields(self) -> frozenset[str]:
        """The names that the tool's declaration gives its arguments and their fields."""
        declared = self._plan.declared
        schema = None if declared is None else declared.arguments
        return frozenset() if schema is None else schema.names

    @property
    def context(self) -> Mapping[str, Any]:
        """The variable `context`: the facts that were provided."""
        return self._circumstances.context

    @property
    def tool(self) -> str:
        """The variable `tool`: the tool's name."""
        return self._plan.tool

    @property
    def now(self) -> Timestamp:
        """The variable `now`: the time of the decision."""
        return Timestamp(self.now_ns)

    @property
    def traits(self) -> list[str]:
        """The variable `traits`: what the tool is declared to touch."""
        declared = self._plan.declared
        if declared is None or declared.traits is None:
            raise EvaluationError("`traits` is unknown: the tool is not declared with any")
        return list(declared.traits)

    @property
    def kinds(self) -> dict[str, list[Any]]:
        """The variable `kinds`: the values of marked arguments, by kind."""
        if self._kinds is None:
            declared = self._plan.declared
            schema = None if declared is None else declared.arguments
            self._kinds = {} if schema is None else schema.kinds(self._values)
        return self._kinds

    @property
    def subject(self) -> dict[str, Any]:
        """The variable `subject`: who acts."""
        member = self.member
        if member is None:
            raise EvaluationError("`subject` is unknown")
        return {
            "id": member.id,
            "roles": list(member.roles),
            "on_behalf_of": member.on_behalf_of,
            "chain": [each.id for each in self._circumstances.chain],
            "attributes": member.judged,
        }

    @property
    def past(self) -> Past:
        """What happened in the session before."""
        session = self._circumstances.session
        if session is None:
            raise EvaluationError("`session` is unknown")
        if session.past is None:
            raise EvaluationError("what happened in the session is unknown")
        return session.past

    @property
    def session(self) -> dict[str, Any]:
        """The variable `session`: its id, its labels, and its targets if it has a task."""
        if self._session is not None:
            return self._session
        session = self._circumstances.session
        if session is None:
            raise EvaluationError("`session` is unknown")
        known: dict[str, Any] = {"id": session.id, "labels": sorted(session.labels)}
        if session.targets is not None:
            known["targets"] = list(session.targets)
        self._session = known
        return known
