"""A call on its way: as it is judged, as people are asked about it, and as it may run."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, NamedTuple

from guardrails.action import Action
from guardrails.decision import Code, Effect
from guardrails.errors import ActionDenied, ApprovalExpired, ApprovalRejected, ApprovalRequired

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardrails.audit.records import DecisionEntry
    from guardrails.budgets import Reservation
    from guardrails.budgets.ledger import Account
    from guardrails.engine import PolicySet
    from guardrails.engine.plan import Plan
    from guardrails.language.document import Tool
    from guardrails.session import Session, SessionState
    from guardrails.snapshot import Snapshot
    from guardrails.spending import Charge

    Known = tuple[Mapping[str, Any], frozenset[str]]
    """The facts that providers found, and the rules of which a review is overdue."""


class Proposal(NamedTuple):
    """A call as it is judged, and the facts that a provider has to look up for it.

    Once it has been judged, `known` is what was looked up, `charges` what it spends if it runs and
    `now_ns` the time of that; `used_up` are the accounts of budgets that could not bear it.
    """

    policies: PolicySet
    plan: Plan
    snapshot: Snapshot
    session: Session | None
    context: Mapping[str, Any]
    wanted: tuple[str, ...]
    known: Known | None = None
    charges: tuple[Charge, ...] = ()
    now_ns: int = 0
    used_up: frozenset[Account] = frozenset()

    @property
    def action(self) -> Action:
        """The call, for those who look up facts: in copies, for what is judged is not theirs."""
        session = self.session
        return Action(
            self.plan.tool,
            deepcopy(self.snapshot.values),
            None if session is None else session.subject,
            deepcopy(dict(self.context)),
            None if session is None else session.view,
        )


class Question(NamedTuple):
    """A judged call about which people are asked, before it runs or (`reviewed`) afterwards."""

    proposal: Proposal
    entry: DecisionEntry
    reviewed: bool


class Call(NamedTuple):
    """A call that may run: its record's id, what the tool receives, and when it began.

    `session` is what it happens in, `tool` the declaration of its tool; each may be None. `names`
    are those by which a stop may mean who calls, `name`
    is the tool's name, `reservation` what it spends of budgets.
    """

    id: str
    received: Mapping[str, Any]
    began_ns: int
    session: SessionState | None
    tool: Tool | None
    name: str
    names: frozenset[str] = frozenset()
    reservation: Reservation | None = None


def concerns_people(entry: DecisionEntry, plan: Plan) -> bool:
    """Whether people decide over a call before it runs, or review it afterwards."""
    effect = entry.decision.effect
    if effect is Effect.ALLOW and plan.reviewed:
        matches = entry.decision.matches
        return any(each.rule in plan.reviewed and not each.observed for each in matches)
    return effect is Effect.ESCALATE


def refusal(entry: DecisionEntry, record: str) -> ActionDenied | ApprovalRequired:
    """What a call that doesn't run raises; `record` is the id of its record."""
    decision, request = entry.decision, entry.request
    if decision.effect is Effect.ESCALATE:
        text = decision.message or f"This action needs a person's approval (decision {record})."
        return ApprovalRequired(text, decision, record, request)
    text = decision.message or f"This action is not permitted (decision {record})."
    if request and decision.code is Code.APPROVAL_DENIED:
        return ApprovalRejected(text, decision, record, request)
    if request and decision.code is Code.APPROVAL_EXPIRED:
        return ApprovalExpired(text, decision, record, request)
    return ActionDenied(text, decision, record)
