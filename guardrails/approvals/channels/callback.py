"""Votes that come in over a channel: who signed the message, when, and that it comes once.

What a vote must satisfy is no different here: `ApprovalService.vote` makes every check. The service
that answers over HTTP hands in the headers and the body, and sends back what it is given.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from guardrails.approvals.channels.signature import check_message, check_slack
from guardrails.approvals.channels.slack import read_press
from guardrails.approvals.vote import VoteOutcome
from guardrails.display import quote
from guardrails.errors import (
    ApprovalsUnavailable,
    CallbackRefused,
    ConfigurationError,
    RequestUnknown,
    VoteRefused,
)
from guardrails.values import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from guardrails.approvals.request import ApprovalRequest
    from guardrails.approvals.service import ApprovalService

TOLERANCE_S = 300
"""How old or how new a message may be (Standard Webhooks and Slack both say five minutes)."""

BODY_MAX = 64 * 1024
"""Bytes of a message: what Slack sends of one button is a few thousand."""

_KEYS = {"type", "request", "content", "account", "outcome", "comment"}

_log = logging.getLogger("guardrails.approvals")


class Dialect(StrEnum):
    """How a message is written and signed."""

    WEBHOOK = "webhook"
    SLACK = "slack"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where votes of a channel come in.

    `keys` sign them. `accounts` are the groups and people for whom the other side may vote; whoever
    holds a key can vote for each of them. For Slack it may be empty: then they are all that have an
    alias `slack:TEAM:USER`. Raises ConfigurationError where it must not be.
    """

    name: str
    dialect: Dialect
    keys: tuple[bytes, ...] = field(repr=False)
    accounts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.keys or not all(self.keys):
            msg = f"channel `{self.name}` takes votes, so it needs a secret that signs them"
            raise ConfigurationError(msg)
        if self.dialect is Dialect.WEBHOOK and not self.accounts:
            msg = f"channel `{self.name}` takes votes: say in `accounts` for whom"
            raise ConfigurationError(msg)


class Answer(NamedTuple):
    """What to send back: a status of HTTP, and JSON."""

    status: int
    body: dict[str, Any]


class _Ballot(NamedTuple):
    """A vote as it was sent: `voter` is any name of an account."""

    request_id: str
    content: str
    voter: str
    outcome: VoteOutcome
    comment: str


class Callbacks:
    """Takes the votes that come in over channels, for `service`. Safe to use from threads."""

    __slots__ = ("_endpoints", "_service")

    def __init__(self, service: ApprovalService, endpoints: Iterable[Endpoint]) -> None:
        self._service = service
        self._endpoints = {each.name: each for each in endpoints}

    def answer(self, channel: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """What becomes of a message to `channel`; nothing is raised.

        200: the vote counts. 400: it is no vote. 401: it is not signed, not of this time, or came
        before. 403: not that person's to cast here. 404: no such channel or request. 409: it can't
        count, with a code. 413: too long. 503: come again, with another id.
        """
        try:
            request = self._take(channel, headers, body)
        except CallbackRefused as refused:
            _log.info("a vote over channel %s is refused: %s", quote(channel), refused)
            return Answer(refused.status, {"error": str(refused)})
        except VoteRefused as refused:
            _log.info("a vote over channel %s is refused: %s", quote(channel), refused)
            return Answer(409, {"error": str(refused), "code": refused.code})
        except RequestUnknown as unknown:
            return Answer(404, {"error": str(unknown)})
        except ApprovalsUnavailable:
            return Answer(503, {"error": "votes can't be taken at present"})
        return Answer(200, {"request": request.id, "status": str(request.status)})

    def _take(self, channel: str, headers: Mapping[str, str], body: bytes) -> ApprovalRequest:
        endpoint = self._endpoints.get(channel)
        if endpoint is None:
            raise CallbackRefused("there is no such channel", 404)
        if len(body) > BODY_MAX:
            raise CallbackRefused("the message is too long", 413)
        lowered = {name.lower(): value for name, value in headers.items()}
        check = check_slack if endpoint.dialect is Dialect.SLACK else check_message
        nonce, seconds = check(endpoint.keys, lowered, body)
        ballot = _read_press(body) if endpoint.dialect is Dialect.SLACK else _read_ballot(body)
        voter = self._find_voter(endpoint, ballot.voter)
        sent_ns, tolerance_ns = seconds * NANOSECONDS, TOLERANCE_S * NANOSECONDS
        if not self._service.store.claim(channel, nonce, sent_ns, tolerance_ns):
            raise CallbackRefused("the message is not of this time, or came before", 401)
        return self._service.vote(
            ballot.request_id,
            voter,
            ballot.outcome,
            ballot.comment,
            ballot.content,
            elsewhere=True,
        )

    def _find_voter(self, endpoint: Endpoint, name: str) -> str:
        """The account for whom the other side votes; raises CallbackRefused where it may not."""
        people = self._service.people()
        account = people.find(name)
        if account is None:
            raise CallbackRefused("no account goes by that name", 403)
        if endpoint.accounts and account.id not in people.members(endpoint.accounts):
            raise CallbackRefused("the channel may not vote for that account", 403)
        return account.id


def _read_press(body: bytes) -> _Ballot:
    press = read_press(body)
    return _Ballot(press.request_id, press.content, press.user, press.outcome, "")


def _read_ballot(body: bytes) -> _Ballot:
    try:
        form = json.loads(body, object_pairs_hook=_unique)
        outcome = VoteOutcome(form["outcome"])
        texts = [form["request"], form["content"], form["account"], form.get("comment", "")]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CallbackRefused("this is no vote", 400) from None
    if form.get("type") != "approval.vote" or set(form) - _KEYS:
        raise CallbackRefused("this is no vote", 400)
    if not all(type(text) is str for text in texts):
        raise CallbackRefused("this is no vote", 400)
    return _Ballot(texts[0], texts[1], texts[2], outcome, texts[3])


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The map of the pairs; raises ValueError for a key that stands twice."""
    form = dict(pairs)
    if len(form) != len(pairs):
        raise ValueError("a key stands twice")
    return form
