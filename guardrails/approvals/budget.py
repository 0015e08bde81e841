"""How many requests people are asked to bear, so that none is approved out of weariness."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from guardrails.approvals.tally import may_vote, reachable
from guardrails.errors import ConfigurationError, EscalationRefused
from guardrails.values import NANOSECONDS

if TYPE_CHECKING:
    from guardrails.approvals.people import People
    from guardrails.approvals.request import ApprovalRequest
    from guardrails.approvals.store import Crowd


@dataclass(frozen=True, slots=True)
class Budget:
    """The bounds: open requests of one agent, those one approver is asked for, and floods.

    An agent that tries to open more than `flood` new requests within `window_ns` is suspended.
    Raises ConfigurationError for a bound that is none.
    """

    per_agent: int = 20
    per_approver: int = 100
    flood: int = 100
    window_ns: int = 10 * 60 * NANOSECONDS

    def __post_init__(self) -> None:
        bounds = (self.per_agent, self.per_approver, self.flood, self.window_ns)
        if not all(type(bound) is int and bound > 0 for bound in bounds):
            raise ConfigurationError("each bound of a budget is a whole number above 0")


def check_admission(request: ApprovalRequest, crowd: Crowd, people: People, budget: Budget) -> None:
    """Refuse a request beyond the budget, or that nobody could approve: EscalationRefused.

    An approver who is asked for as much as she can bear counts as absent: the request is refused
    where the others would not be enough.
    """
    if crowd.suspended:
        msg = "nobody is asked for this agent any more: it has been suspended"
        raise EscalationRefused(msg, "suspended")
    if crowd.recent > budget.flood:
        msg = "nobody is asked for this agent any more: it has asked far too often"
        raise EscalationRefused(msg, "suspended")
    if not reachable(request, people):
        msg = "nobody is configured who may approve this"
        raise EscalationRefused(msg, "no_approvers")
    if crowd.mine >= budget.per_agent:
        msg = f"{crowd.mine} requests of this agent are open already"
        raise EscalationRefused(msg, "agent_budget")
    if not reachable(request, people, _busy(request.created_ns, crowd, people, budget)):
        msg = "those who may approve this are asked for too much already"
        raise EscalationRefused(msg, "approver_budget")


def _busy(now_ns: int, crowd: Crowd, people: People, budget: Budget) -> frozenset[str]:
    """The accounts that are asked for as much as they can bear."""
    if crowd.open < budget.per_approver:  # nobody can be asked for more than there are
        return frozenset()
    asked: Counter[str] = Counter()
    for request in crowd.others():
        voted = {people.identity(vote.voter) for vote in request.votes}
        asked.update(may_vote(request, people, now_ns) - voted)
    return frozenset(account for account, count in asked.items() if count >= budget.per_approver)
