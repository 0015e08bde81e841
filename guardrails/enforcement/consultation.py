"""A call that people decide over: asked about, waited for, decided again, and only then run.

The order of the steps is what a crash at any moment leaves right. The approval is used first, in
one step of the store; then the record is written; then the tool runs. Killed between, the call has
not run and the approval is spent: never does a call run twice for one approval, or unrecorded.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Protocol, TypeVar

from guardrails.approvals.request import Status
from guardrails.approvals.requester import Claim, Standing
from guardrails.decision import Code, Effect
from guardrails.enforcement.proposal import Call, Question
from guardrails.enforcement.threads import in_thread
from guardrails.errors import (
    ApprovalsUnavailable,
    EscalationRefused,
    NotEscalatable,
    RequestUnknown,
)
from guardrails.state.stops import POLL_S, STOPPED

if TYPE_CHECKING:
    from guardrails.approvals.request import ApprovalRequest
    from guardrails.audit.records import DecisionEntry
    from guardrails.enforcement.desk import Desk
    from guardrails.enforcement.proposal import Proposal
    from guardrails.session import Session
    from guardrails.state.stops import Halt

    T = TypeVar("T")

_UNAVAILABLE = "This action was refused: the people who decide over it can't be asked at present."


class Court(Protocol):
    """Who decides and records: the enforcer, as far as a consultation needs it."""

    def judge_again(self, proposal: Proposal) -> Call | Question:
        """Decide under the policies and the facts of this moment."""

    async def judge_again_async(self, proposal: Proposal) -> Call | Question:
        """Decide as `judge_again` does, without holding up the event loop."""

    def halt(self, session: Session | None) -> Halt | None:
        """Why nothing may run in `session` now, None where it may."""

    def write(self, entry: DecisionEntry) -> str:
        """Record a decision and return its id; raises ActionDenied where that can't be."""

    def conclude(self, proposal: Proposal, entry: DecisionEntry) -> Call:
        """Record a decision and return the call if it runs; else raises what is."""

    def settle(self, call: Call, error: BaseException | None = None) -> None:
        """Record how a call ended."""


def consult(court: Court, desk: Desk, question: Question) -> Call:
    """Return the call if people let it run, after waiting for them if the desk waits.

    In a thread with a running event loop it never waits: that would hold up every task.
    """
    waits = desk.waits and not _in_event_loop()
    while True:
        asked = _ask(court, desk, question, waits=waits)
        if isinstance(asked, Call):
            return asked
        try:
            ended = desk.requester.wait(asked, stop=_Stopped(court, question))
        except (ApprovalsUnavailable, RequestUnknown):
            ended = asked
        _accept(court, question, ended)
        again = court.judge_again(question.proposal)
        if isinstance(again, Call):
            return _leave(desk, ended, again)
        question = again


async def consult_async(court: Court, desk: Desk, question: Question) -> Call:
    """Return the call as `consult` does; whoever cancels the task ends the waiting."""
    while True:
        asked = await _ask_in_thread(court, desk, question)
        if isinstance(asked, Call):
            return asked
        try:
            ended = await _wait_async(court, desk, question, asked)
        except (ApprovalsUnavailable, RequestUnknown):
            ended = asked
        _accept(court, question, ended)
        again = await court.judge_again_async(question.proposal)
        if isinstance(again, Call):
            return await in_thread(court.settle, partial(_leave, desk, ended, again))
        question = again


def _ask(court: Court, desk: Desk, question: Question, *, waits: bool) -> Call | ApprovalRequest:
    """The call, if it may run now, or the request to wait for; else raises what it is."""
    try:
        if question.reviewed:
            request = desk.open_review(question)
            return court.conclude(question.proposal, question.entry._replace(request=request))
        found = desk.ask(question)
    except (NotEscalatable, EscalationRefused) as error:
        return _refuse(court, question, Code.APPROVAL_DENIED, str(error))
    except (ApprovalsUnavailable, RequestUnknown):
        return _refuse(court, question, Code.UNAVAILABLE, _UNAVAILABLE)
    if not isinstance(found, Claim):
        return _refuse_ended(court, question, found)
    if found.standing is Standing.DENIED:
        return _refuse_ended(court, question, found.request)
    entry = question.entry._replace(request=found.request.id)
    if found.standing is Standing.GRANTED:
        return court.conclude(question.proposal, entry._replace(approvers=found.approvers))
    entry = entry._replace(decision=replace(entry.decision, code=Code.APPROVAL_REQUIRED))
    if not waits:
        return court.conclude(question.proposal, entry)
    court.write(entry)
    return found.request


class _Stopped(Event):
    """A flag that is up while who waits is stopped; whoever waits looks at it all the time."""

    def __init__(self, court: Court, question: Question) -> None:
        super().__init__()
        self._court = court
        self._question = question

    def is_set(self) -> bool:
        return _is_stopped(self._court, self._question)


def _is_stopped(court: Court, question: Question) -> bool:
    """Whether who waits is known to be stopped; that nobody can tell doesn't end a wait."""
    return court.halt(question.proposal.session) == STOPPED


async def _wait_async(
    court: Court, desk: Desk, question: Question, asked: ApprovalRequest
) -> ApprovalRequest:
    """The request once it has ended, or as it was asked when who waits is stopped."""
    waiting = asyncio.ensure_future(desk.requester.wait_async(asked))
    try:
        while not waiting.done():
            await asyncio.wait([waiting], timeout=POLL_S)
            if not waiting.done() and _is_stopped(court, question):
                return asked
        return waiting.result()
    finally:
        waiting.cancel()


def _accept(court: Court, question: Question, ended: ApprovalRequest) -> None:
    """Let the call be decided again if people approved; else raises what became of it."""
    if _is_stopped(court, question):
        _refuse(court, question, *STOPPED, ended.id)
    if ended.status is Status.PENDING:  # the store was away too long, or has been closed
        _refuse(court, question, Code.UNAVAILABLE, _UNAVAILABLE, ended.id)
    elif ended.status not in (Status.APPROVED, Status.USED):
        _refuse_ended(court, question, ended)


def _leave(desk: Desk, ended: ApprovalRequest, call: Call) -> Call:
    """The call, which by now runs without the approval that it waited for: none is left behind."""
    desk.requester.use_up(ended)
    return call


def _refuse_ended(court: Court, question: Question, request: ApprovalRequest) -> Call:
    if request.status is Status.EXPIRED:
        text = "Nobody approved this action in time."
        return _refuse(court, question, Code.APPROVAL_EXPIRED, text, request.id)
    text = "The people who were asked did not approve this action."
    return _refuse(court, question, Code.APPROVAL_DENIED, text, request.id)


def _refuse(court: Court, question: Question, code: Code, message: str, request: str = "") -> Call:
    """Record the denial and raise it."""
    decision = replace(question.entry.decision, effect=Effect.DENY, code=code, message=message)
    entry = question.entry._replace(decision=decision, request=request)
    return court.conclude(question.proposal, entry)


async def _ask_in_thread(court: Court, desk: Desk, question: Question) -> Call | ApprovalRequest:
    """What `_ask` says, asked in a thread; if the task is cancelled then, that call has ended."""
    return await in_thread(court.settle, lambda: _ask(court, desk, question, waits=desk.waits))


def _in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
