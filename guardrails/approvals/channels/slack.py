"""A notice as Slack blocks, and what comes back when somebody presses a button.

All that is of the request stands in `plain_text`, in which nothing is markup, with what would not
show escaped. What doesn't fit is not cut: the message then has no buttons, and says where to look.
Limits are those of docs.slack.dev, "Block Kit", "Blocks" (November 2026).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs

from guardrails.approvals.channels.message import link_to, tell_time
from guardrails.approvals.outbox import OPENED, OVERDUE, WIDENED
from guardrails.approvals.request import Kind, Status
from guardrails.approvals.vote import VoteOutcome
from guardrails.approvals.wording import lasting_of, write_value
from guardrails.display import escape
from guardrails.errors import CallbackRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.approvals.channels.channel import Notice
    from guardrails.approvals.request import ApprovalRequest

_TEXT_MAX = 3_000  # characters of a section
_HEADER_MAX = 150

_ACTIONS = {f"guardrails.{outcome}": outcome for outcome in VoteOutcome}


class Press(NamedTuple):
    """A button pressed: by whom (`slack:TEAM:USER`), on which request, and what it says."""

    user: str
    request_id: str
    content: str
    outcome: VoteOutcome


def write_slack(
    notice: Notice, inbox: str = "", *, arguments: bool = True, buttons: bool = False
) -> dict[str, Any]:
    """The notice as a message of blocks.

    With `buttons` people can vote where they read it, if all that they vote on is shown there.
    """
    request, title = notice.request, _title(notice)
    whole = arguments
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(_cut(title, _HEADER_MAX))}]
    for text in _parts(notice, arguments=arguments):
        fits = len(text) <= _TEXT_MAX
        whole &= fits
        shown = text if fits else "Too long to be shown here: look at it in the inbox."
        blocks.append({"type": "section", "text": _plain(shown)})
    asks = notice.event in (OPENED, WIDENED, OVERDUE) and request.status is Status.PENDING
    elements = list(_buttons(request)) if asks and buttons and whole else []
    link = link_to(inbox, request)
    if link is not None:
        show = {"type": "button", "text": _plain("Open in the inbox"), "url": link}
        elements.append({**show, "action_id": "guardrails.open"})
    if elements:
        blocks.append({"type": "actions", "elements": elements})
    return {"text": _escape_markup(title), "blocks": blocks}


def read_press(body: bytes) -> Press:
    """What an interaction that Slack sent says; raises CallbackRefused for another than a vote."""
    try:
        (payload,) = parse_qs(body.decode(), strict_parsing=True, max_num_fields=4)["payload"]
        form = json.loads(payload)
        (action,) = form["actions"]
        outcome = _ACTIONS[action["action_id"]]
        request_id, content = json.loads(action["value"])
        user = f"slack:{form['user']['team_id']}:{form['user']['id']}"
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CallbackRefused("this is no vote", 400) from None
    if form.get("type") != "block_actions" or not all(
        type(each) is str and each for each in (request_id, content)
    ):
        raise CallbackRefused("this is no vote", 400)
    return Press(user, request_id, content, outcome)


def _title(notice: Notice) -> str:
    request = notice.request
    what = "Review" if request.kind is not Kind.APPROVAL else "Approval"
    words = {
        OPENED: f"{what} asked for",
        WIDENED: f"{what} still asked for",
        OVERDUE: "Review overdue",
    }
    return f"{words.get(notice.event, f'{what} {notice.event}')}: {escape(request.tool)}"


def _parts(notice: Notice, *, arguments: bool) -> Iterator[str]:
    """The texts of the message's sections."""
    request = notice.request
    if notice.event not in (OPENED, WIDENED, OVERDUE):
        yield "\n".join(_tell_outcome(notice))
        return
    if request.evidence.get("description"):
        yield escape(str(request.evidence["description"]))
    if arguments:
        pairs = request.arguments.items()
        lines = [f"{escape(name)} = {escape(write_value(value))}" for name, value in pairs]
        yield "\n".join(lines) or "without arguments"
    else:
        yield "The arguments are shown in the inbox."
    yield "\n".join(_tell_circumstances(request, arguments=arguments))
    for rule in request.rules:
        yield escape(f"{rule.rule}: {rule.description}" if rule.description else rule.rule)


def _tell_outcome(notice: Notice) -> Iterator[str]:
    request = notice.request
    yield f"Request {request.id} was {notice.event}" + (
        f" by {escape(notice.actor)}." if notice.actor else "."
    )
    for vote in request.votes:
        comment = f": {escape(json.dumps(vote.comment, ensure_ascii=False))}"
        yield f"{escape(vote.voter)}: {vote.outcome}{comment if vote.comment else ''}"


def _tell_circumstances(request: ApprovalRequest, *, arguments: bool) -> Iterator[str]:
    traits = request.evidence.get("traits")
    lasting = lasting_of(traits or ())
    if traits is None:
        yield "what it can touch is not declared"
    else:
        back = f"; not simply taken back: {', '.join(lasting)}" if lasting else ""
        yield f"it can touch: {', '.join(traits)}{back}"
    for actor in request.subjects:
        person = f" for {escape(actor.on_behalf_of)}" if actor.on_behalf_of else ""
        yield f"agent {escape(actor.id)}{person}"
    if arguments:
        for name, value in request.context.items():
            yield f"{escape(name)} = {escape(write_value(value))}"
    yield f"until {tell_time(request.expires_ns)}; request {request.id}"


def _buttons(request: ApprovalRequest) -> Iterator[dict[str, Any]]:
    bound = json.dumps([request.id, request.content])
    words = {VoteOutcome.APPROVE: ("Approve", "primary"), VoteOutcome.DENY: ("Deny", "danger")}
    for outcome, (label, style) in words.items():
        button = {"type": "button", "text": _plain(label), "style": style, "value": bound}
        yield {**button, "action_id": f"guardrails.{outcome}"}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _escape_markup(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
