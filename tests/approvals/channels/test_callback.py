"""Votes that come in over a channel: only those of whom it may speak for, signed, new, and once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from guardrails.approvals.channels.callback import (
    BODY_MAX,
    TOLERANCE_S,
    Answer,
    Callbacks,
    Dialect,
    Endpoint,
)
from guardrails.approvals.channels.channel import Notice
from guardrails.approvals.channels.signature import sign_for_slack, sign_message
from guardrails.approvals.channels.slack import write_slack
from guardrails.approvals.people import Account, People
from guardrails.approvals.request import Status
from guardrails.approvals.service import ApprovalService
from guardrails.approvals.terms import Terms
from guardrails.errors import ApprovalsUnavailable, ConfigurationError
from tests.approvals.scenes import PEOPLE, SECOND, SIGNER, START, Clock, request, rule

if TYPE_CHECKING:
    from guardrails.approvals.request import ApprovalRequest
    from guardrails.approvals.sql_store import SqlStore

KEY, OTHER = bytes(range(32)), bytes(32)
NOW = START // SECOND

SLACKERS = People(
    [
        Account("fay@example.com", "Fay", ("finance",), ("slack:T1:UFAY",)),
        Account("dana@example.com", "Dana", ("finance",), ("slack:T1:UDANA",)),
        Account("finn@example.com", "Finn", ("finance",)),
    ]
)


@pytest.fixture
def asked(store: SqlStore) -> ApprovalRequest:
    return store.open(request())


@pytest.fixture
def callbacks(store: SqlStore) -> Callbacks:
    service = ApprovalService(store, lambda: PEOPLE, SIGNER)
    return Callbacks(service, [Endpoint("desk", Dialect.WEBHOOK, (KEY,), ("finance",))])


@pytest.fixture
def slack(store: SqlStore) -> Callbacks:
    service = ApprovalService(store, lambda: SLACKERS, SIGNER)
    return Callbacks(service, [Endpoint("slack", Dialect.SLACK, (KEY,))])


def ballot(asked: ApprovalRequest, **changes: Any) -> dict[str, Any]:
    return {
        "type": "approval.vote",
        "request": asked.id,
        "content": asked.content,
        "account": "fay@example.com",
        "outcome": "approve",
        **changes,
    }


def send(
    callbacks: Callbacks,
    form: Any,
    *,
    key: bytes = KEY,
    nonce: str = "vote-1",
    seconds: int = NOW,
    channel: str = "desk",
) -> Answer:
    body = form if type(form) is bytes else json.dumps(form).encode()
    headers = sign_message([key], nonce, seconds, body)
    return callbacks.answer(channel, {k.title(): v for k, v in headers.items()}, body)


def press(
    asked: ApprovalRequest, user: str = "UFAY", outcome: str = "approve", team: str = "T1"
) -> bytes:
    """What Slack sends when one of the buttons of the message is pressed."""
    message = write_slack(Notice("r.1", "opened", "", START, asked), buttons=True)
    buttons = {each["action_id"]: each for each in message["blocks"][-1]["elements"]}
    action = buttons[f"guardrails.{outcome}"]
    form = {
        "type": "block_actions",
        "user": {"id": user, "team_id": team, "username": "fay"},
        "actions": [{"action_id": action["action_id"], "value": action["value"]}],
    }
    return urlencode({"payload": json.dumps(form)}).encode()


def from_slack(
    callbacks: Callbacks, body: bytes, *, key: bytes = KEY, seconds: int = NOW
) -> Answer:
    headers = {
        "X-Slack-Request-Timestamp": str(seconds),
        "X-Slack-Signature": sign_for_slack(key, seconds, body),
    }
    return callbacks.answer("slack", headers, body)


def test_a_signed_vote_of_a_named_account_counts(
    store: SqlStore, callbacks: Callbacks, asked: ApprovalRequest
) -> None:
    answer = send(callbacks, ballot(asked, comment="fine"))
    assert answer == (200, {"request": asked.id, "status": "approved"})
    (vote,) = store.get(asked.id).votes
    assert (vote.voter, vote.comment, vote.seen_ns) == ("fay@example.com", "fine", 0)


def test_a_denial_counts(store: SqlStore, callbacks: Callbacks, asked: ApprovalRequest) -> None:
    assert send(callbacks, ballot(asked, outcome="deny")).status == 200
    assert store.get(asked.id).status is Status.DENIED


def refused(store: SqlStore, asked: ApprovalRequest, answer: Answer, status: int) -> str:
    """The text of a refusal, after making sure that nothing came of it."""
    assert answer.status == status
    assert store.get(asked.id).votes == ()
    return str(answer.body.get("code", answer.body["error"]))


@pytest.mark.parametrize(
    "alter",
    [
        lambda headers: headers.pop("webhook-signature"),
        lambda headers: headers.pop("webhook-id"),
        lambda headers: headers.pop("webhook-timestamp"),
        lambda headers: headers.update({"webhook-id": "vote-2"}),
        lambda headers: headers.update({"webhook-timestamp": str(NOW + 1)}),
        lambda headers: headers.update({"webhook-timestamp": f" {NOW}"}),
        lambda headers: headers.update({"webhook-timestamp": "²"}),
        lambda headers: headers.update({"webhook-signature": "v1,"}),
        lambda headers: headers.update({"webhook-signature": "v1,ü"}),
        lambda headers: headers.update(
            {"webhook-signature": headers["webhook-signature"].replace("v1,", "v1a,")}
        ),
    ],
)
def test_what_is_not_signed_whole_is_refused(
    store: SqlStore, callbacks: Callbacks, asked: ApprovalRequest, alter: Any
) -> None:
    body = json.dumps(ballot(asked)).encode()
    headers = sign_message([KEY], "vote-1", NOW, body)
    alter(headers)
    answer = callbacks.answer("desk", headers, body)
    assert refused(store, asked, answer, 401) == "the signature does not hold"


def test_another_key_and_another_body_are_refused(
    store: SqlStore, callbacks: Callbacks, asked: ApprovalRequest
) -> None:
    refused(store, asked, send(callbacks, ballot(asked), key=OTHER), 401)
    headers = sign_message([KEY], "vote-1", NOW, json.dumps(ballot(asked)).encode())
    body = json.dumps(ballot(asked, account="rita@example.com")).encode()
    refused(store, asked, callbacks.answer("desk", headers, body), 401)


@pytest.mark.parametrize("off", [-TOLERANCE_S - 1, TOLERANCE_S + 1])
def test_a_message_of_another_time_is_refused(
    store: SqlStore, callbacks: Callbacks, asked: ApprovalRequest, off: int
) -> None:
    answer = send(callbacks, ballot(asked), seconds=NOW + off)
    assert refused(store, asked, answer, 401) == "the message is not of this time, or came before"


def test_a_message_that_comes_again_is_refused(
    store: SqlStore, callbacks: Callbacks, clock: Clock
) -> None:
    terms = Terms.any_of(["finance"], quorum=2)
    asked = store.open(request(rule(terms=terms)))
    assert send(callbacks, ballot(asked)).status == 200
    assert send(callbacks, ballot(asked)) == (
        401,
        {"error": "the message is not of this time, or came before"},
    )
    clock.move(TOLERANCE_S * SECOND)
    assert send(callbacks, ballot(asked)).status == 401
    clock.move(10 * TOLERANCE_S * SECOND)
    store.claim("desk", "later", NOW * SECOND, 1)  # old nonces are forgotten here
    assert send(callbacks, ballot(asked)).status == 401


def test_a_clock_set_back_lets_no_message_come_again(
    store: SqlStore, callbacks: Callbacks, clock: Clock
) -> None:
    asked = store.open(request(rule(terms=Terms.any_of(["finance"], quorum=2))))
    assert send(callbacks, ballot(asked)).status == 200
    clock.move(2 * TOLERANCE_S * SECOND)
    assert store.claim("desk", "later", clock(), TOLERANCE_S * SECOND)
    clock.move(-TOLERANCE_S * SECOND)
    assert send(callbacks, ballot(asked)).status == 401


def test_the_vote_is_for_what_was_shown(
    store: SqlStore, callbacks: Callbacks, asked: ApprovalRequest
) -> None:
    other = store.open(request(tool="other"))
    answer = send(callbacks, ballot(asked, request=other.id))
    assert refused(store, other, answer, 409) == "not_open"
    assert refused(store, asked, answer, 409) == "not_open"


def test_whom_the_channel_does_not_speak_for_cannot_vote_over_it(
    store: SqlStore, callbacks: Callbacks, asked: ApprovalRequest
) -> None:
    for account, text in {
        "rita@example.com": "the channel may not vote for that account",
        "nobody@example.com": "no account goes by that name",
        "finance": "no account goes by that name",
    }.items():
        answer = send(callbacks, ballot(asked, account=account), nonce=account)
        assert refused(store, asked, answer, 403) == text


def test_every_check_of_a_vote_is_made(
    store: SqlStore, callbacks: Callbacks, asked: ApprovalRequest
) -> None:
    answer = send(callbacks, ballot(asked, account="dana"))
    assert refused(store, asked, answer, 409) == "separated"
    answer = send(callbacks, ballot(asked, comment="x" * 4001), nonce="vote-2")
    assert refused(store, asked, answer, 409) == "comment"
    assert send(callbacks, ballot(asked), nonce="vote-3").status == 200
    again = send(callbacks, ballot(asked, account="finn"), nonce="vote-4")
    assert (again.status, again.body["code"]) == (409, "not_open")


@pytest.mark.parametrize("text", ["a\0b", "\ud800"], ids=repr)
@pytest.mark.parametrize(
    ("key", "status"), [("comment", 409), ("request", 404), ("content", 409), ("account", 403)]
)
def test_text_that_no_store_can_keep_is_refused_and_breaks_nothing(
    store: SqlStore, callbacks: Callbacks, asked: ApprovalRequest, key: str, status: int, text: str
) -> None:
    refused(store, asked, send(callbacks, ballot(asked, **{key: text})), status)


def test_a_channel_that_there_is_not_writes_no_line_of_the_log(
    callbacks: Callbacks, asked: ApprovalRequest, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        assert send(callbacks, ballot(asked), channel="x\nforged").status == 404
    assert "\n" not in caplog.text.removesuffix("\n")


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": "maybe"},
        {"type": "approval.opened"},
        {"account": 7},
        {"comment": None},
        {"extra": 1},
    ],
)
def test_what_is_no_vote_is_refused(
    store: SqlStore, callbacks: Callbacks, asked: ApprovalRequest, change: dict[str, Any]
) -> None:
    answer = send(callbacks, ballot(asked, **change))
    assert refused(store, asked, answer, 400) == "this is no vote"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"7", b"{", b"\xff", b"[" * 60_000, b'{"type":1,"type":1}']
)
def test_what_cannot_be_read_is_refused(
    store: SqlStore, callbacks: Callbacks, asked: ApprovalRequest, body: bytes
) -> None:
    refused(store, asked, send(callbacks, body), 400)


def test_a_body_too_long_is_refused_before_it_is_looked_at(callbacks: Callbacks) -> None:
    assert callbacks.answer("desk", {}, b"x" * (BODY_MAX + 1)).status == 413


def test_a_channel_or_a_request_that_there_is_not_is_told(
    callbacks: Callbacks, asked: ApprovalRequest
) -> None:
    assert send(callbacks, ballot(asked), channel="other").status == 404
    assert send(callbacks, ballot(asked, request="0" * 20)).status == 404


def test_a_store_that_fails_takes_no_vote(
    callbacks: Callbacks, asked: ApprovalRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bool:
        raise ApprovalsUnavailable("gone, with s3cret details")

    monkeypatch.setattr(type(callbacks._service.store), "claim", fail)
    assert send(callbacks, ballot(asked)) == (503, {"error": "votes can't be taken at present"})


def test_a_button_in_slack_votes_for_whoever_pressed_it(
    store: SqlStore, slack: Callbacks, asked: ApprovalRequest
) -> None:
    assert from_slack(slack, press(asked)).body["status"] == "approved"
    assert [vote.voter for vote in store.get(asked.id).votes] == ["fay@example.com"]


@pytest.mark.parametrize(
    ("user", "team", "status", "text"),
    [
        ("UNOBODY", "T1", 403, "no account goes by that name"),
        ("UFAY", "T2", 403, "no account goes by that name"),
        ("UDANA", "T1", 409, "separated"),
    ],
)
def test_a_button_pressed_by_another_does_not_count(
    store: SqlStore,
    slack: Callbacks,
    asked: ApprovalRequest,
    user: str,
    team: str,
    status: int,
    text: str,
) -> None:
    answer = from_slack(slack, press(asked, user, team=team))
    assert refused(store, asked, answer, status) == text


def test_what_slack_did_not_sign_now_is_refused(
    store: SqlStore, slack: Callbacks, asked: ApprovalRequest
) -> None:
    refused(store, asked, from_slack(slack, press(asked), key=OTHER), 401)
    refused(store, asked, from_slack(slack, press(asked), seconds=NOW - 301), 401)
    body = press(asked)
    signed = sign_message([KEY], "vote-1", NOW, body)
    refused(store, asked, slack.answer("slack", signed, body), 401)


def test_a_press_that_comes_again_is_refused(store: SqlStore, slack: Callbacks) -> None:
    asked = store.open(request(rule(terms=Terms.any_of(["finance"], quorum=2))))
    assert from_slack(slack, press(asked)).status == 200
    assert from_slack(slack, press(asked)).status == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"payload=",
        b"payload=7",
        b"payload=%7B%7D&payload=%7B%7D",
        b"a=1&b=1&c=1&d=1&e=1&payload=%7B%7D",
        b"payload=%FF",
        urlencode({"payload": json.dumps({"actions": [{"action_id": "other"}]})}).encode(),
    ],
)
def test_what_slack_sends_of_another_kind_is_no_vote(slack: Callbacks, body: bytes) -> None:
    assert from_slack(slack, body) == (400, {"error": "this is no vote"})


def test_the_signature_of_slack_is_that_of_its_documentation() -> None:
    # docs.slack.dev, "Verifying requests from Slack", its example
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
        b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
        b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
        b"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121"
        b".803a0bc887a14d10d2c447fce8b6703c"
    )
    expected = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    assert sign_for_slack(b"8f742231b10e8888abcd99yyyzzz85a5", 1531420618, body) == expected


@pytest.mark.parametrize(
    ("dialect", "keys", "accounts", "message"),
    [
        (Dialect.WEBHOOK, (KEY,), (), "say in `accounts` for whom"),
        (Dialect.WEBHOOK, (), ("finance",), "needs a secret"),
        (Dialect.SLACK, (b"",), (), "needs a secret"),
    ],
)
def test_an_endpoint_that_anybody_could_use_is_refused(
    dialect: Dialect, keys: tuple[bytes, ...], accounts: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Endpoint("desk", dialect, keys, accounts)
