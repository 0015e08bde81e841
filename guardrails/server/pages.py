"""The pages on which people find what waits for them, look at it, and decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from starlette.responses import RedirectResponse

from guardrails.approvals.request import Status
from guardrails.approvals.service import check_voter
from guardrails.approvals.store import Filter
from guardrails.approvals.untold import RECENT_NS
from guardrails.approvals.vote import COMMENT_MAX, VoteOutcome
from guardrails.approvals.wording import lasting_of, tell_span
from guardrails.errors import VoteRefused
from guardrails.server.request_view import tell_moment, tell_status, view_request
from guardrails.server.values import lay_out, mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from starlette.responses import Response

    from guardrails.approvals.request import ApprovalRequest
    from guardrails.approvals.store import Suspension
    from guardrails.server.inbox import Visit
    from guardrails.server.request_view import Moment
    from guardrails.server.values import Piece, Value

LISTED = 500
"""How many requests the inbox lists; more are told of, and found in the history."""

_GLANCE = 3  # arguments of a call that its row shows
_GLANCE_LENGTH = 120  # characters of one of them


class Row(NamedTuple):
    """A request in a list."""

    request: ApprovalRequest
    status: str
    glance: tuple[tuple[tuple[Piece, ...], Value, bool], ...]
    more: int
    lasting: tuple[str, ...]
    undeclared: bool
    opened: Moment
    left: str
    left_ms: int
    agents: tuple[tuple[Piece, ...], ...]


def show_inbox(visit: Visit) -> Response:
    """What is open: first what waits for this visitor, soonest end first, then the rest."""
    service = visit.inbox.service
    page = service.store.list(Filter(statuses=(Status.PENDING,), limit=LISTED))
    people, now = service.people(), service.store.now_ns()
    mine: list[ApprovalRequest] = []
    others: list[ApprovalRequest] = []
    for request in sorted(page.requests, key=lambda each: each.expires_ns):
        refusal = _refusal(visit, request, now)
        (others if refusal else mine).append(request)
    return visit.render(
        "inbox.html",
        mine=list(make_rows(mine, now)),
        others=list(make_rows(others, now)),
        more=page.more,
        damaged=page.damaged,
        suspensions=_tell_suspensions(service.store.suspensions(), now),
        untold=[
            (each, tell_moment(each.latest_ns, now))
            for each in service.store.outbox.untold(now - RECENT_NS)
        ],
        known=people.find(visit.voter.id) is not None,
    )


def show_request(visit: Visit) -> Response:
    """One request with all there is to know; that it was shown to this visitor is kept."""
    return _show(visit, visit.inbox.service.store.get(visit.request.path_params["id"]))


def take_vote(visit: Visit) -> Response:
    """The request with the vote, or with the reason why it does not count."""
    service, id_ = visit.inbox.service, visit.request.path_params["id"]
    comment = visit.form.get("comment", "").replace("\r\n", "\n").strip()  # HTML sends it so
    try:
        outcome = VoteOutcome(visit.form.get("outcome", ""))
    except ValueError:
        return _show(visit, service.store.get(id_), "Say whether you approve or deny.", comment)
    try:
        service.vote(id_, visit.voter.id, outcome, comment, visit.form.get("shown", ""))
    except VoteRefused as refusal:
        text = f"Your vote was not taken: {refusal}."
        return _show(visit, service.store.get(id_), text, comment)
    return RedirectResponse(f"/requests/{id_}", 303)


def make_rows(requests: Iterable[ApprovalRequest], now_ns: int) -> Iterator[Row]:
    """The rows of a list."""
    for request in requests:
        traits = request.evidence.get("traits")
        kinds: Mapping[str, str] = request.evidence.get("kinds", {})
        # What the manifest marks, a recipient or an amount say, before the rest.
        arguments = sorted(request.arguments.items(), key=lambda each: each[0] not in kinds)
        yield Row(
            request,
            tell_status(request),
            tuple((mark(name), *_glance(lay_out(each))) for name, each in arguments[:_GLANCE]),
            max(0, len(arguments) - _GLANCE),
            lasting_of(traits or ()),
            traits is None,
            tell_moment(request.created_ns, now_ns),
            tell_span(request.expires_ns - now_ns),
            (request.expires_ns - now_ns) // 1_000_000,
            tuple(mark(actor.id) for actor in request.subjects),
        )


def _glance(value: Value) -> tuple[Value, bool]:
    """As much of a value as a row has room for, and whether there is more."""
    kept, room = [], _GLANCE_LENGTH
    for piece in value.pieces:
        if piece.text.isspace() and piece.tone == "text":
            continue  # the line break after a written-out one
        text = piece.text.replace("\n", " ")
        kept.append(piece._replace(text=text[:room]))
        room -= len(text)
        if room < 0:
            return value._replace(pieces=tuple(kept)), True
    return value._replace(pieces=tuple(kept)), False


def _show(visit: Visit, request: ApprovalRequest, fault: str = "", comment: str = "") -> Response:
    service = visit.inbox.service
    now = service.store.now_ns()
    if request.status is Status.PENDING:
        service.store.see(request.id, visit.voter.id)
    return visit.render(
        "request.html",
        409 if fault else 200,
        view=view_request(request, service.standing(request), now),
        refusal=_refusal(visit, request, now),
        mine=next((vote for vote in request.votes if vote.voter == visit.voter.id), None),
        fault=fault,
        comment=comment,
        comment_max=COMMENT_MAX,
        following=_find_next(visit, request, now),
    )


def _refusal(visit: Visit, request: ApprovalRequest, now_ns: int) -> str:
    """Why this visitor can't vote on the request, "" where she can."""
    try:
        check_voter(request, visit.voter, visit.inbox.service.people(), now_ns)
    except VoteRefused as refusal:
        return str(refusal)
    return ""


def _find_next(visit: Visit, request: ApprovalRequest, now_ns: int) -> str:
    """The id of the request that waits for this visitor and ends soonest, another than this."""
    page = visit.inbox.service.store.list(Filter(statuses=(Status.PENDING,), limit=LISTED))
    for each in sorted(page.requests, key=lambda found: found.expires_ns):
        if each.id != request.id and not _refusal(visit, each, now_ns):
            return each.id
    return ""


def _tell_suspensions(
    suspensions: Iterable[Suspension], now_ns: int
) -> list[tuple[tuple[Piece, ...], Moment, str]]:
    return [
        (mark(each.agent), tell_moment(each.since_ns, now_ns), each.reason) for each in suspensions
    ]
