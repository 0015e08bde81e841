"""The guard's side: it opens requests, and lets an action run on an approval that it has counted.

The store is not believed. What it calls approved counts only if the votes, each signed by a
service whose key the guard holds and cast by people whom the guard knows, satisfy the terms that
the guard's own policies state now.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar

from guardrails.approvals.budget import Budget, check_admission
from guardrails.approvals.request import Kind, Status, make_request
from guardrails.approvals.tally import genuine, reachable, tally
from guardrails.approvals.terms import covers, remember_of, timeout_of
from guardrails.errors import ApprovalsUnavailable, EscalationRefused
from guardrails.forks import after_fork

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from guardrails.approvals.people import People
    from guardrails.approvals.request import ApprovalRequest, Case
    from guardrails.approvals.settings import Sampling
    from guardrails.approvals.store import Store
    from guardrails.approvals.vote import Verifier


class Standing(StrEnum):
    """What a guard may do about a case."""

    GRANTED = "granted"
    """Run it, once, now: the approval has been used up for it."""
    WAITING = "waiting"
    """Wait, or come again: people have been asked."""
    DENIED = "denied"
    """Refuse it: people have said no, and that holds until the request's time is over."""


@dataclass(frozen=True, slots=True)
class Claim:
    """How a case stands, the request that says so, and who approved it (where granted)."""

    standing: Standing
    request: ApprovalRequest
    approvers: tuple[str, ...] = ()


class Requester:
    """What a guard holds of approvals.

    `people()` gives the accounts known at the moment (no hashes are needed), `verifier` the keys of
    the services whose votes count. Without a budget in `budget` the default one holds. `sampling`
    says what share of allowed actions people look at afterwards; at first none.
    """

    __slots__ = (
        "__weakref__",
        "_lock",
        "_people",
        "_spent",
        "budget",
        "sampling",
        "store",
        "verifier",
    )

    prompts: ClassVar[bool] = False
    """Whether it asks somebody itself while a call waits, so that calls must wait."""

    def __init__(
        self,
        store: Store,
        people: Callable[[], People],
        verifier: Verifier,
        budget: Budget | None = None,
    ) -> None:
        self.store = store
        self._people = people
        self.verifier = verifier
        self.budget = Budget() if budget is None else budget
        self.sampling: Sampling | None = None
        # Whoever rewrites the store can't have this process use one approval twice.
        self._spent: set[str] = set()
        self._make_lock()
        after_fork(self, Requester._make_lock)  # a thread of the parent may hold the lock

    def _make_lock(self) -> None:
        self._lock = Lock()

    def claim(
        self,
        case: Case,
        *,
        revision: str = "",
        environment: Mapping[str, Any] | None = None,
        evidence: Mapping[str, Any] | None = None,
        labels: Iterable[str] = (),
    ) -> Claim:
        """How a case stands: an approval for it is used, or people are asked, once.

        `case.rules` are the rules that escalate it now. Raises EscalationRefused where nobody can
        be asked, ApprovalsUnavailable where the store fails; nothing may run then.
        """
        found = self.store.find(case.action_digest, _remembered(case))
        for request in found:
            claim = self.use(request, case)
            if claim is not None:
                return claim
        for request in found:
            if request.status is Status.APPROVED and request.digest == case.digest:
                self._give_up(request)
        opened = self._open(case, revision, environment or {}, evidence or {}, labels)
        if opened.status is Status.DENIED:
            return Claim(Standing.DENIED, opened)
        return Claim(Standing.WAITING, opened)

    def use(self, request: ApprovalRequest, case: Case) -> Claim | None:
        """The grant, with the approval used up, or None where it does not hold for the case now.

        A rule that was not among those approved, or whose terms have changed, undoes it; so does a
        vote that does not count any more.
        """
        if request.kind is not Kind.APPROVAL:
            return None
        if request.status not in (Status.APPROVED, Status.USED):
            return None
        same = request.case.action_digest == case.action_digest
        if not same or not case.rules or not covers(request.rules, case.rules):
            return None
        if not self._is_in_time(request):
            return None
        return self._use_counted(request)

    def use_up(self, request: ApprovalRequest) -> None:
        """Use up an approval that was waited for by a call that is allowed without it by now.

        People let one call run; left behind, it would let another. A store that can't be reached
        does not hold up what policy allows.
        """
        with suppress(ApprovalsUnavailable):
            self.store.use(request.id, request.digest)

    def wait(self, request: ApprovalRequest, **how: Any) -> ApprovalRequest:
        """The request once people have decided; see `Store.wait`."""
        return self.store.wait(request.id, **how)

    async def wait_async(self, request: ApprovalRequest, **how: Any) -> ApprovalRequest:
        """The request once people have decided; see `Store.wait_async`."""
        return await self.store.wait_async(request.id, **how)

    def cancel(self, request: ApprovalRequest, reason: str = "") -> ApprovalRequest:
        """The request, cancelled by the agent that asked, if it was open."""
        return self.store.cancel(request.id, request.agent, reason)

    def review(
        self,
        case: Case,
        *,
        kind: Kind = Kind.REVIEW,
        revision: str = "",
        environment: Mapping[str, Any] | None = None,
        evidence: Mapping[str, Any] | None = None,
        labels: Iterable[str] = (),
    ) -> ApprovalRequest:
        """A review, or with `kind` a sample, opened for an action that runs now.

        `case.rules` are the rules that ask for it, their terms the reviewers'. Raises
        EscalationRefused where nobody could review it, ApprovalsUnavailable.
        """
        request = make_request(
            case,
            self.store.now_ns(),
            kind=kind,
            revision=revision,
            environment=environment or {},
            evidence=evidence or {},
            labels=labels,
        )
        if not reachable(request, self._people()):
            raise EscalationRefused("nobody is configured who may review this", "no_approvers")
        return self.store.open(request)

    def _open(
        self,
        case: Case,
        revision: str,
        environment: Mapping[str, Any],
        evidence: Mapping[str, Any],
        labels: Iterable[str],
    ) -> ApprovalRequest:
        request = make_request(
            case,
            self.store.now_ns(),
            revision=revision,
            environment=environment,
            evidence=evidence,
            labels=labels,
        )
        people = self._people()
        return self.store.open(
            request,
            lambda crowd: check_admission(request, crowd, people, self.budget),
            self.budget.window_ns,
        )

    def _is_in_time(self, request: ApprovalRequest) -> bool:
        """Whether it had no more time than its rules give, and has some left, if yet unused."""
        given = request.expires_ns - request.created_ns
        over = request.status is Status.APPROVED and request.passed(self.store.now_ns())
        return given <= timeout_of(request.rules) and not over

    def _use_counted(self, request: ApprovalRequest) -> Claim | None:
        people = self._people()
        votes = genuine(request, self.verifier)
        stands = tally(request, votes, people)
        if not stands.approved:
            return None
        span = _remembered(request.case)
        until = max(vote.cast_ns for vote in votes) + span if span else 0
        with self._lock:
            if request.id in self._spent and self.store.now_ns() >= until:
                return None
            if not self.store.use(request.id, request.digest, until):
                return None
            self._spent.add(request.id)
        return Claim(Standing.GRANTED, self.store.get(request.id), stands.approvers)

    def _give_up(self, request: ApprovalRequest) -> None:
        """Cancel what is called approved and is not, so that people can be asked anew."""
        reason = "the votes no longer satisfy the terms"
        self.store.cancel(request.id, request.agent, reason)


def _remembered(case: Case) -> int:
    """For how many nanoseconds an approval of a case serves again, 0 where it serves once."""
    return 0 if case.session is None else remember_of(case.rules) or 0
