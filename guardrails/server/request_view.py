"""A request laid out for a decision in half a minute, the most weighty first.

Nothing of it is the agent's own account, and nothing is cut short.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from guardrails.approvals.differences import ABSENT, find_differences
from guardrails.approvals.request import Kind, Status
from guardrails.approvals.vote import VoteOutcome
from guardrails.approvals.wording import lasting_of, tell_span
from guardrails.server.values import Value, lay_out, mark, point_out
from guardrails.values import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from guardrails.approvals.request import ApprovalRequest
    from guardrails.approvals.tally import Seat, Tally
    from guardrails.approvals.terms import RuleTerms
    from guardrails.server.values import Piece


class Moment(NamedTuple):
    """A point in time: for people, for programs, and how far it is from now, in words."""

    text: str
    stamp: str
    distance: str


class Argument(NamedTuple):
    """An argument: its value now and, where that has changed in the session, before.

    None is a value that is not given. `marked` is the kind that the manifest marks it as.
    """

    name: tuple[Piece, ...]
    now: Value | None
    before: Value | None
    changed: bool
    marked: str


class RuleView(NamedTuple):
    """A rule that asks: its words, the seats that must be filled, and its further terms."""

    name: str
    description: str
    message: str
    seats: tuple[Seat, ...]
    terms: tuple[str, ...]


class EarlierView(NamedTuple):
    """One of the session's last actions; `arguments` is None where they can't be shown."""

    at: Moment
    effect: str
    tool: str
    arguments: Value | None


class VoteView(NamedTuple):
    """A vote that was cast, its comment by lines; `took` is the time to decide, "" if unknown."""

    voter: str
    approves: bool
    comment: tuple[tuple[Piece, ...], ...]
    at: Moment
    took: str


class RequestView(NamedTuple):
    """All that the page of a request shows."""

    request: ApprovalRequest
    question: str
    tense: str
    status: str
    arguments: tuple[Argument, ...]
    compared: bool
    traits: tuple[str, ...] | None
    lasting: tuple[str, ...]
    facts: tuple[tuple[tuple[Piece, ...], Value], ...]
    environment: tuple[tuple[str, Value], ...]
    chain: tuple[tuple[tuple[Piece, ...], str, str, Value | None], ...]
    rules: tuple[RuleView, ...]
    earlier: tuple[EarlierView, ...]
    votes: tuple[VoteView, ...]
    missing: tuple[str, ...]
    opened: Moment
    ends: Moment
    left_ms: int
    left: str


_QUESTIONS = {
    Kind.APPROVAL: "waits for a decision. It has not run.",
    Kind.REVIEW: "has run already, under a rule that lets it break glass. It is up for review.",
    Kind.SAMPLE: "has run already, as the policies allow. It is up for review by sample.",
}
_STATUSES = {
    Status.PENDING: "waiting",
    Status.APPROVED: "approved, not yet run",
    Status.DENIED: "denied",
    Status.EXPIRED: "expired",
    Status.CANCELLED: "cancelled",
    Status.USED: "approved and run",
}
_FINISHED = {
    Status.APPROVED: "was approved and may run once.",
    Status.DENIED: "was denied. It does not run.",
    Status.EXPIRED: "was not approved in time. It does not run.",
    Status.CANCELLED: "was cancelled. It does not run.",
    Status.USED: "was approved and has been let run.",
}


def view_request(request: ApprovalRequest, tally: Tally, now_ns: int) -> RequestView:
    """The request as its page shows it at that moment."""
    traits = request.evidence.get("traits")
    differences = find_differences(request)
    return RequestView(
        request=request,
        question=_ask(request),
        tense=_tell_tense(request),
        status=tell_status(request),
        arguments=tuple(_view_arguments(request)),
        compared=differences is not None,
        traits=None if traits is None else tuple(traits),
        lasting=lasting_of(traits or ()),
        facts=tuple((mark(name), lay_out(value)) for name, value in request.context.items()),
        environment=tuple((name, lay_out(each)) for name, each in request.environment.items()),
        chain=tuple(_view_chain(request)),
        rules=tuple(_view_rule(rule, request, tally) for rule in request.rules),
        earlier=tuple(_view_earlier(request, now_ns)),
        votes=tuple(_view_votes(request, now_ns)),
        missing=tuple(_missing(tally)),
        opened=tell_moment(request.created_ns, now_ns),
        ends=tell_moment(request.expires_ns, now_ns),
        left_ms=(request.expires_ns - now_ns) // 1_000_000,
        left=tell_span(request.expires_ns - now_ns),
    )


def tell_status(request: ApprovalRequest) -> str:
    """How far a request has come, in words; of a review, an approval is its acceptance."""
    if request.kind is not Kind.APPROVAL and request.status is Status.APPROVED:
        return "accepted"
    if request.kind is not Kind.APPROVAL and request.status is Status.DENIED:
        return "objected to"
    return _STATUSES[request.status]


def tell_moment(at_ns: int, now_ns: int) -> Moment:
    """A point in time, by the clock of UTC."""
    at = datetime.fromtimestamp(at_ns // NANOSECONDS, UTC)
    span = tell_span(abs(at_ns - now_ns))
    distance = f"in {span}" if at_ns > now_ns else f"{span} ago"
    return Moment(f"{at.day} {at:%b %Y, %H:%M:%S} UTC", at.isoformat(), distance)


def _ask(request: ApprovalRequest) -> str:
    if request.status is Status.PENDING:
        return _QUESTIONS[request.kind]
    if request.kind is not Kind.APPROVAL:
        return f"has run; the review of it is over: {tell_status(request)}."
    return _FINISHED[request.status]


def _tell_tense(request: ApprovalRequest) -> str:
    """What the arguments are those of: a call to come, one that was made, or one that was not."""
    if request.kind is not Kind.APPROVAL or request.status is Status.USED:
        return "What has happened"
    return "What will happen" if request.status.is_open else "What was asked for"


def _view_arguments(request: ApprovalRequest) -> Iterator[Argument]:
    changed = {each.name: each for each in find_differences(request) or ()}
    kinds: Mapping[str, str] = request.evidence.get("kinds", {})
    for name in [*request.arguments, *(name for name in changed if name not in request.arguments)]:
        difference = changed.get(name)
        now = _value(request.arguments.get(name, ABSENT))
        before = None if difference is None else _value(difference.before)
        yield Argument(
            mark(name),
            point_out(now, before) if now and before else now,
            before,
            difference is not None,
            kinds.get(name, ""),
        )


def _value(value: Any) -> Value | None:
    return None if value is ABSENT else lay_out(value)


def _view_chain(
    request: ApprovalRequest,
) -> Iterator[tuple[tuple[Piece, ...], str, str, Value | None]]:
    for actor in request.subjects:
        attributes = lay_out(dict(actor.attributes)) if actor.attributes else None
        yield mark(actor.id), ", ".join(actor.roles), actor.on_behalf_of, attributes


def _view_rule(rule: RuleTerms, request: ApprovalRequest, tally: Tally) -> RuleView:
    seats = tuple(seat for seat in tally.seats if seat.rule == rule.rule)
    return RuleView(
        rule.rule, rule.description, rule.message, seats, tuple(_tell_terms(rule, request))
    )


def _tell_terms(rule: RuleTerms, request: ApprovalRequest) -> Iterator[str]:
    terms = rule.terms
    for stage in terms.then:
        yield f"After {tell_span(stage.after_ns)} also {' or '.join(stage.voters)} may decide."
    if terms.separate_from:
        yield f"Kept apart from it: {', '.join(terms.separate_from)}."
    if terms.remember_ns is not None:
        span = tell_span(terms.remember_ns)
        yield (
            f"An approval holds for {span}: the very same call may then run again in the"
            f" session {request.session}."
        )
    if not terms.veto:
        yield "One denial does not end it; a denial takes as many as an approval."


def _view_earlier(request: ApprovalRequest, now_ns: int) -> Iterator[EarlierView]:
    for each in reversed(request.evidence.get("earlier", [])):
        arguments = each["arguments"]
        shown = None if arguments is None else lay_out(dict(arguments))
        yield EarlierView(tell_moment(each["at_ns"], now_ns), each["effect"], each["tool"], shown)


def _view_votes(request: ApprovalRequest, now_ns: int) -> Iterator[VoteView]:
    for vote in request.votes:
        yield VoteView(
            vote.voter,
            vote.outcome is VoteOutcome.APPROVE,
            tuple(map(mark, vote.comment.split("\n"))),
            tell_moment(vote.cast_ns, now_ns),
            tell_span(vote.cast_ns - vote.seen_ns) if vote.seen_ns else "",
        )


def _missing(tally: Tally) -> Iterator[str]:
    """What approvals are still wanted, in words."""
    for seat in tally.seats:
        left = seat.quorum - seat.filled
        if left > 0:
            yield f"{left} of {' or '.join(seat.voters)}"
