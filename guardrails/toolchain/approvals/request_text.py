"""A request laid out for a decision: what would happen, where, why, and what went before.

Nothing of it is the agent's own account, nothing is cut short, and whatever a terminal would obey
or hide is escaped.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from guardrails.approvals.differences import ABSENT, find_differences
from guardrails.approvals.request import Status
from guardrails.approvals.vote import VoteOutcome
from guardrails.approvals.wording import (
    lasting_of,
    tell_moment,
    tell_span,
    write_name,
    write_value,
)
from guardrails.toolchain.lines import Tone, line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from guardrails.approvals.request import Actor, ApprovalRequest
    from guardrails.approvals.tally import Tally
    from guardrails.approvals.terms import RuleTerms
    from guardrails.approvals.vote import Vote
    from guardrails.toolchain.lines import Line

_TONES = {
    Status.PENDING: Tone.ESCALATE,
    Status.APPROVED: Tone.ALLOW,
    Status.USED: Tone.ALLOW,
    Status.DENIED: Tone.DENY,
}

_NAMES = 14  # columns that the name of a part takes


def tell_row(request: ApprovalRequest, now_ns: int, *, mine: bool = False) -> Line:
    """A request on one line: its id, status, how long it has left, agent, tool and rules.

    One that waits for the reader's own vote (`mine`) is marked.
    """
    tone = _TONES.get(request.status, Tone.FAINT)
    left = f"{tell_span(request.expires_ns - now_ns)} left" if request.status.is_open else ""
    rules = ", ".join(rule.rule for rule in request.rules)
    return line(
        "* " if mine else "  ",
        request.id,
        "  ",
        (f"{request.status:<9}", tone),
        f" {left:<14} {request.agent or 'unknown'}  ",
        (request.tool, Tone.STRONG),
        (f"  {rules}", Tone.FAINT),
    )


def tell_sight(
    event: str, actor: str, request: ApprovalRequest, now_ns: int, *, mine: bool = False
) -> Line:
    """Something that happened to a request, who did it, and the request on the same line."""
    by = f" by {actor}" if actor else ""
    head = line((f"{event}{by}", Tone.STRONG), "  ")
    return (*head, *tell_row(request, now_ns, mine=mine))


def tell_request(request: ApprovalRequest, tally: Tally, now_ns: int) -> Iterator[Line]:
    """The request with all that a decision needs, most weighty first."""
    tone = _TONES.get(request.status, Tone.FAINT)
    yield line(f"{request.kind} {request.id}  ", (str(request.status), tone))
    yield from _tell_action(request)
    yield from _tell_circumstances(request, now_ns)
    for rule in request.rules:
        yield from _tell_rule(rule, request, tally)
    yield from _tell_earlier(request)
    yield from _tell_votes(request.votes)
    yield line("")
    yield _part("policies", request.revision or "unknown")
    yield _part("digest", request.digest)


def _tell_action(request: ApprovalRequest) -> Iterator[Line]:
    yield line("")
    yield line((request.tool, Tone.STRONG), f"  {request.evidence.get('description', '')}")
    found = find_differences(request)
    changed = {each.name: each for each in found or ()}
    if request.arguments:
        yield line("  ", ("with, as the agent gave it:", Tone.FAINT))
    for name, value in request.arguments.items():
        yield _part(write_name(name), write_value(value))
        if name in changed:
            before = changed[name].before
            was = "not given" if before is ABSENT else write_value(before)
            yield line(" " * (_NAMES + 2), (f"last time in this session: {was}", Tone.ESCALATE))
    for each in found or ():
        if each.now is ABSENT:
            yield line("  ", (f"{write_name(each.name)}: not given", Tone.ESCALATE))
            yield line(
                " " * (_NAMES + 2),
                (f"last time in this session: {write_value(each.before)}", Tone.ESCALATE),
            )
    if found is None:
        yield line("  ", ("no earlier call of this tool in the session is known", Tone.FAINT))


def _tell_circumstances(request: ApprovalRequest, now_ns: int) -> Iterator[Line]:
    yield line("")
    traits = request.evidence.get("traits")
    if traits is None:
        yield _part("can touch", "unknown: the tool is declared without traits")
    else:
        lasting = lasting_of(traits)
        back = f"; not simply taken back: {', '.join(lasting)}" if lasting else ""
        yield _part("can touch", f"{', '.join(traits)}{back}")
    chain = " -> ".join(map(_tell_actor, request.subjects))
    yield _part("agent", chain or "unknown")
    yield _part("session", request.session or "none")
    if request.labels:
        yield _part("labels", ", ".join(request.labels))
    for name, value in request.context.items():
        yield _part(name, write_value(value))
    for name, value in request.environment.items():
        yield _part(name, write_value(value))
    yield _part("opened", tell_moment(request.created_ns))
    left = request.expires_ns - now_ns
    ends = tell_moment(request.expires_ns)
    yield _part("ends", f"{ends}, {tell_span(left)} left" if left > 0 else ends)


def _tell_rule(rule: RuleTerms, request: ApprovalRequest, tally: Tally) -> Iterator[Line]:
    yield line("")
    yield line((rule.rule, Tone.STRONG))
    for text in (rule.description, rule.message):
        if text:
            yield line(f"  {' '.join(text.split())}")
    for seat in tally.seats:
        if seat.rule == rule.rule:
            who = " or ".join(seat.voters)
            yield _part("needs", f"{seat.quorum} of {who}; {seat.filled} so far")
    for stage in rule.terms.then:
        who = " or ".join(stage.voters)
        yield _part("then", f"after {tell_span(stage.after_ns)} also {who}")
    if rule.terms.separate_from:
        yield _part("not", ", ".join(rule.terms.separate_from))
    if rule.terms.remember_ns is not None:
        yield _part(
            "holds", f"for {tell_span(rule.terms.remember_ns)} in the session {request.session}"
        )


def _tell_earlier(request: ApprovalRequest) -> Iterator[Line]:
    earlier = request.evidence.get("earlier", [])
    if not earlier:
        return
    yield line("")
    yield line(("the session's last actions", Tone.STRONG))
    for each in earlier:
        effect = each["effect"]
        shown = "(too long to be shown)" if each["arguments"] is None else _call(each["arguments"])
        at = tell_moment(each["at_ns"])
        tone = Tone(effect) if effect in ("allow", "escalate", "deny") else Tone.PLAIN
        yield line(f"  {at}  ", (f"{effect:<8}", tone), f"  {each['tool']}  {shown}")


def _tell_votes(votes: tuple[Vote, ...]) -> Iterator[Line]:
    if not votes:
        return
    yield line("")
    yield line(("votes", Tone.STRONG))
    for vote in votes:
        approves = vote.outcome is VoteOutcome.APPROVE
        comment = f"  {json.dumps(vote.comment, ensure_ascii=False)}" if vote.comment else ""
        at = tell_moment(vote.cast_ns)
        word = f"{vote.outcome:<8}"
        yield line(
            f"  {at}  ", (word, Tone.ALLOW if approves else Tone.DENY), f"  {vote.voter}{comment}"
        )


def _tell_actor(actor: Actor) -> str:
    roles = f" ({', '.join(actor.roles)})" if actor.roles else ""
    person = f" for {actor.on_behalf_of}" if actor.on_behalf_of else ""
    return f"{actor.id}{roles}{person}"


def _call(arguments: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{write_name(name)}: {write_value(value)}" for name, value in arguments.items()
    )


def _part(name: str, text: str) -> Line:
    return line("  ", (f"{name:<{_NAMES - 2}}  ", Tone.FAINT), text)
