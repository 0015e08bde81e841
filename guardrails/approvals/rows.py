"""Requests and votes as rows, and back; rows that can't be believed are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from guardrails.approvals.exact import is_storable
from guardrails.approvals.request import Kind, Status, read_body, write_body
from guardrails.approvals.tables import requests, rules, votes
from guardrails.approvals.vote import Vote, VoteOutcome
from guardrails.errors import ApprovalsUnavailable, RequestUnknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Row, Select

    from guardrails.approvals.request import ApprovalRequest
    from guardrails.approvals.store import Filter


def request_row(request: ApprovalRequest, number: int) -> dict[str, Any]:
    """The row of a new request."""
    return {
        "id": request.id,
        "number": number,
        "kind": str(request.kind),
        "status": str(Status.PENDING),
        "tool": request.tool,
        "agent": request.agent,
        "session": request.session,
        "digest": request.digest,
        "action_digest": request.case.action_digest,
        "body": write_body(request),
        "created_ns": request.created_ns,
        "expires_ns": request.expires_ns,
    }


def vote_row(vote: Vote, number: int) -> dict[str, Any]:
    """The row of a vote."""
    return {
        "request_id": vote.request_id,
        "voter": vote.voter,
        "number": number,
        "digest": vote.digest,
        "content": vote.content,
        "outcome": str(vote.outcome),
        "comment": vote.comment,
        "cast_ns": vote.cast_ns,
        "seen_ns": vote.seen_ns,
        "key": vote.key,
        "signature": vote.signature,
    }


def read_votes(connection: Connection, ids: Sequence[str]) -> dict[str, list[Row[Any]]]:
    """The rows of the votes on those requests, by request, in the order they were cast."""
    found: dict[str, list[Row[Any]]] = {}
    query = select(votes).where(votes.c.request_id.in_(ids)).order_by(votes.c.number)
    for row in connection.execute(query):
        found.setdefault(row.request_id, []).append(row)
    return found


def read_request(row: Row[Any], vote_rows: Sequence[Row[Any]]) -> ApprovalRequest:
    """The request of its rows; raises ValueError where they can't be what the store wrote.

    What is searched by must be what is shown: the digests are computed anew.
    """
    _check_types(row, _PROGRESS)
    request = read_body(
        row.id,
        row.body,
        status=Status(row.status),
        votes=tuple(map(_read_vote, vote_rows)),
        decided_ns=row.decided_ns,
        used_ns=row.used_ns,
        uses=row.uses,
        ended_by=row.ended_by,
        reason=row.reason,
    )
    written = request_row(request, row.number)
    written["status"] = row.status
    kept = row._mapping  # noqa: SLF001 - the public name of SQLAlchemy's rows begins so
    if any(kept[name] != value for name, value in written.items()):
        raise ValueError("not the row of a request")
    return request


_PROGRESS: Mapping[str, type] = {
    "number": int,
    "decided_ns": int,
    "used_ns": int,
    "uses": int,
    "ended_by": str,
    "reason": str,
}
_VOTE: Mapping[str, type] = {
    "digest": str,
    "content": str,
    "voter": str,
    "comment": str,
    "cast_ns": int,
    "seen_ns": int,
    "key": str,
}


def _check_types(row: Row[Any], types: Mapping[str, type]) -> None:
    """Refuse values of other types, which SQLite keeps in any column: ValueError."""
    kept = row._mapping  # noqa: SLF001 - as above
    if any(type(kept[name]) is not wanted for name, wanted in types.items()):
        raise ValueError("not the types of a row")


def _read_vote(row: Row[Any]) -> Vote:
    _check_types(row, _VOTE)
    if not isinstance(row.signature, bytes | memoryview):
        raise ValueError("no signature")  # noqa: TRY004 - a row that can't be believed
    return Vote(
        row.request_id,
        row.digest,
        row.content,
        row.voter,
        VoteOutcome(row.outcome),
        row.comment,
        row.cast_ns,
        row.seen_ns,
        row.key,
        bytes(row.signature),
    )


APPROVALS = requests.c.kind == str(Kind.APPROVAL)
OPEN = APPROVALS & requests.c.status.in_([str(Status.PENDING), str(Status.APPROVED)])


def narrow(query: Select[Any], which: Filter) -> Select[Any]:
    """The query of requests, less those that the filter leaves out."""
    for column, wanted in (
        (requests.c.status, tuple(map(str, which.statuses)) or None),
        (requests.c.kind, tuple(map(str, which.kinds)) or None),
        (requests.c.agent, which.agent),
        (requests.c.session, which.session),
        (requests.c.tool, which.tool),
    ):
        if wanted is not None:
            matches = column.in_(wanted) if type(wanted) is tuple else column == wanted
            query = query.where(matches)
    if which.rule is not None:
        named = select(rules.c.request_id).where(rules.c.rule == which.rule)
        query = query.where(requests.c.id.in_(named))
    if which.voter is not None:
        voted = select(votes.c.request_id).where(votes.c.voter == which.voter)
        query = query.where(requests.c.id.in_(voted))
    if which.since_ns is not None:
        query = query.where(requests.c.created_ns >= which.since_ns)
    if which.until_ns is not None:
        query = query.where(requests.c.created_ns < which.until_ns)
    if which.text:
        found = requests.c.id.startswith(which.text, autoescape=True)
        query = query.where(found | requests.c.tool.contains(which.text, autoescape=True))
    if which.before is not None:
        last = select(requests.c.number).where(requests.c.id == which.before).scalar_subquery()
        query = query.where(requests.c.number < last)
    return query


def read_one(connection: Connection, request_id: str) -> ApprovalRequest:
    """The request; raises RequestUnknown, and ApprovalsUnavailable where it is damaged."""
    query = select(requests).where(requests.c.id == request_id)
    row = connection.execute(query).one_or_none() if is_storable(request_id) else None
    if row is None:
        raise RequestUnknown("there is no such request for approval")
    return believe(connection, row)


def believe(connection: Connection, row: Row[Any]) -> ApprovalRequest:
    """The request of that row, with its votes; raises ApprovalsUnavailable for a damaged one."""
    try:
        return read_request(row, read_votes(connection, [row.id]).get(row.id, ()))
    except ValueError as error:
        raise damaged_row(row.id) from error


def damaged_row(request_id: str) -> ApprovalsUnavailable:
    """The error of a request whose row can't be believed."""
    return ApprovalsUnavailable(f"request `{request_id}` is damaged in the store")


def read_all(
    connection: Connection, query: Select[Any]
) -> tuple[tuple[ApprovalRequest, ...], tuple[str, ...]]:
    """The requests of the rows, and the ids of rows that can't be believed."""
    found: list[ApprovalRequest] = []
    damaged: list[str] = []
    rows = connection.execute(query).all()
    vote_rows = read_votes(connection, [row.id for row in rows])
    for row in rows:
        try:
            found.append(read_request(row, vote_rows.get(row.id, ())))
        except ValueError:
            damaged.append(row.id)
    return tuple(found), tuple(damaged)
