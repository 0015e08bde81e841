"""What may become of a request: the steps of one writing transaction."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select, update

from guardrails.approvals.request import Kind, Status
from guardrails.approvals.rows import (
    APPROVALS,
    OPEN,
    believe,
    read_all,
    read_one,
    request_row,
    vote_row,
)
from guardrails.approvals.store import Crowd
from guardrails.approvals.tables import attempts, requests, rules, suspensions, votes
from guardrails.errors import EscalationRefused, VoteRefused

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from guardrails.approvals.line import Writer
    from guardrails.approvals.request import ApprovalRequest
    from guardrails.approvals.store import Admit, Judge
    from guardrails.approvals.vote import Vote


def end_due(writer: Writer) -> tuple[str, ...]:
    """End the requests whose time has come; returns their ids."""
    return _end(writer, OPEN & (requests.c.expires_ns <= writer.now_ns))


def end_open(writer: Writer) -> tuple[str, ...]:
    """End all requests that are open; returns their ids."""
    return _end(writer, OPEN)


def _end(writer: Writer, which: ColumnElement[bool]) -> tuple[str, ...]:
    query = select(requests.c.id).where(which).order_by(requests.c.number)
    ids = tuple(writer.connection.scalars(query))
    for request_id in ids:
        _update(writer, request_id, {"status": str(Status.EXPIRED)})
        writer.tell(request_id, str(Status.EXPIRED))
    return ids


def _update(writer: Writer, request_id: str, values: dict[str, Any]) -> None:
    writer.connection.execute(update(requests).where(requests.c.id == request_id).values(values))


def find_same(writer: Writer, request: ApprovalRequest) -> ApprovalRequest | None:
    """What is open for the same digest; what was denied stays so until its time is over."""
    denied = (requests.c.status == str(Status.DENIED)) & (requests.c.expires_ns > writer.now_ns)
    query = (
        select(requests)
        .where(requests.c.digest == request.digest, OPEN | (APPROVALS & denied))
        .order_by(requests.c.number.desc())
        .limit(1)
    )
    row = writer.connection.execute(query).one_or_none()
    return None if row is None else believe(writer.connection, row)


def admit_request(
    writer: Writer, request: ApprovalRequest, admit: Admit | None, window_ns: int
) -> None:
    """Count the attempt to open a request; raises EscalationRefused where `admit` does."""
    if admit is None:
        return
    connection, agent, now = writer.connection, request.agent, writer.now_ns
    connection.execute(delete(attempts).where(attempts.c.at_ns < now - window_ns))
    row = {"number": writer.next_number(), "agent": agent, "at_ns": now}
    connection.execute(attempts.insert().values(row))
    recent = select(func.count()).select_from(attempts).where(attempts.c.agent == agent)
    reason = select(suspensions.c.reason).where(suspensions.c.agent == agent)
    pending = APPROVALS & (requests.c.status == str(Status.PENDING))
    mine = select(func.count()).where(pending, requests.c.agent == agent)
    crowd = Crowd(
        mine=connection.execute(mine).scalar_one(),
        open=connection.execute(select(func.count()).where(pending)).scalar_one(),
        others=lambda: read_all(connection, select(requests).where(pending))[0],
        recent=connection.execute(recent).scalar_one(),
        suspended=connection.execute(reason).scalar_one_or_none() or "",
    )
    try:
        admit(crowd)
    except EscalationRefused as error:
        if error.code == "suspended" and not crowd.suspended:
            suspend_agent(writer, agent, str(error))
        raise


def suspend_agent(writer: Writer, agent: str, reason: str) -> None:
    """Let nobody be asked for that agent any more."""
    writer.connection.execute(delete(suspensions).where(suspensions.c.agent == agent))
    row = {"agent": agent, "since_ns": writer.now_ns, "reason": reason}
    writer.connection.execute(suspensions.insert().values(row))


def insert_request(writer: Writer, request: ApprovalRequest) -> None:
    """Write a new request down, pending."""
    row = request_row(request, writer.next_number())
    writer.connection.execute(requests.insert().values(row))
    for rule in {rule.rule for rule in request.rules}:
        writer.connection.execute(rules.insert().values(request_id=request.id, rule=rule))
    writer.tell(request.id, "opened", request.agent)


def count_vote(writer: Writer, vote: Vote, judge: Judge) -> ApprovalRequest:
    """The request with the vote; everything that can refuse it comes before the first write."""
    request = read_one(writer.connection, vote.request_id)
    if request.status is not Status.PENDING:
        msg = f"the request is {request.status}, so it takes no votes"
        raise VoteRefused(msg, "not_open")
    if any(other.voter == vote.voter for other in request.votes):
        raise VoteRefused("you have voted on this request already", "voted")
    voted = replace(request, votes=(*request.votes, vote))
    status = judge(voted)
    row = vote_row(vote, writer.next_number())
    writer.connection.execute(votes.insert().values(row))
    writer.tell(vote.request_id, "voted", vote.voter)
    if status is Status.PENDING:
        return voted
    _update(writer, vote.request_id, {"status": str(status), "decided_ns": writer.now_ns})
    writer.tell(vote.request_id, str(status), vote.voter)
    return replace(voted, status=status, decided_ns=writer.now_ns)


def use_approval(writer: Writer, request_id: str, digest: str, remember_until_ns: int) -> bool:
    """Whether the approval was there: unused, or used and remembered still. Now it is used."""
    same = (requests.c.id == request_id) & (requests.c.digest == digest) & APPROVALS
    first = writer.connection.execute(
        update(requests)
        .where(same, requests.c.status == str(Status.APPROVED))
        .values(status=str(Status.USED), used_ns=writer.now_ns, uses=1)
    )
    used = first.rowcount == 1
    if not used and writer.now_ns < remember_until_ns:
        again = writer.connection.execute(
            update(requests)
            .where(same, requests.c.status == str(Status.USED))
            .values(uses=requests.c.uses + 1)
        )
        used = again.rowcount == 1
    if used:
        writer.tell(request_id, str(Status.USED))
    return used


def cancel_request(writer: Writer, request_id: str, by: str, reason: str) -> ApprovalRequest:
    """The request, cancelled if it was open, and otherwise as it is; raises RequestUnknown.

    A review is not cancelled: what it asks about has happened, and its rule waits for the answer.
    """
    known = read_one(writer.connection, request_id)
    if known.kind is not Kind.REVIEW and known.status.is_open:
        ended = {"status": str(Status.CANCELLED), "ended_by": by, "reason": reason}
        _update(writer, request_id, ended)
        writer.tell(request_id, str(Status.CANCELLED), by)
    return read_one(writer.connection, request_id)
