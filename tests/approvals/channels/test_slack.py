"""Requests as Slack blocks: everything in plain text, and no button under what is not shown."""

from __future__ import annotations

import json
from typing import Any

import pytest

from guardrails.approvals.channels.channel import ALL_EVENTS, Notice
from guardrails.approvals.channels.slack import write_slack
from guardrails.approvals.request import Kind, make_request
from tests.approvals.scenes import START, case, request, rule

INBOX = "https://inbox.example.com"


def write(event: str = "opened", settings: dict[str, Any] | None = None, **parts: Any) -> Any:
    notice = Notice("r.1", event, "agent-7", START, request(**parts))
    return write_slack(notice, INBOX, **({"buttons": True} if settings is None else settings))


def texts(message: Any) -> list[str]:
    sections = [block for block in message["blocks"] if block["type"] in ("section", "header")]
    return [block["text"]["text"] for block in sections]


def buttons(message: Any) -> list[str]:
    actions = [block for block in message["blocks"] if block["type"] == "actions"]
    return [each["action_id"] for block in actions for each in block["elements"]]


def test_a_request_is_shown_with_what_was_judged_and_its_buttons() -> None:
    asked = rule("pay/large", description="Four eyes over 500.")
    message = write_slack(Notice("r.1", "opened", "", START, request(asked)), INBOX, buttons=True)
    header, arguments, circumstances, words = texts(message)
    assert header == "Approval asked for: payments.transfer"
    assert arguments == 'to = "ACME"\namount = 900.0'
    assert "agent agent-7 for dana@example.com" in circumstances
    assert 'environment = "prod"' in circumstances
    assert "what it can touch is not declared" in circumstances
    assert words == "pay/large: Four eyes over 500."
    assert buttons(message) == ["guardrails.approve", "guardrails.deny", "guardrails.open"]


def test_nothing_of_the_request_is_markup() -> None:
    trick = "<!channel> *approved by Fay* `x` <https://evil.example|inbox> :tada:\n\u202egnp"
    message = write(arguments={"to": trick}, tool="pay")
    for block in message["blocks"]:
        if "text" in block:
            assert block["text"]["type"] == "plain_text"
            assert block["text"]["emoji"] is False
    (shown,) = [text for text in texts(message) if "evil" in text]
    assert "\n" not in shown
    assert "\u202e" not in shown
    assert "<!" not in message["text"]


def test_what_is_too_long_is_not_cut_and_has_no_buttons() -> None:
    message = write(arguments={"to": "x" * 3000})
    assert "Too long to be shown here: look at it in the inbox." in texts(message)
    assert "xxx" not in json.dumps(message)
    assert buttons(message) == ["guardrails.open"]


def test_without_arguments_there_is_nothing_to_vote_on() -> None:
    message = write(settings={"arguments": False, "buttons": True}, arguments={"to": "s3cret"})
    assert "s3cret" not in json.dumps(message)
    assert "prod" not in json.dumps(message)
    assert "The arguments are shown in the inbox." in texts(message)
    assert buttons(message) == ["guardrails.open"]


def test_buttons_are_only_where_votes_can_come_back() -> None:
    assert buttons(write(settings={})) == ["guardrails.open"]


@pytest.mark.parametrize("event", ALL_EVENTS)
def test_every_event_is_told_within_the_limits(event: str) -> None:
    message = write(event, tool="t" * 128)
    assert 1 <= len(message["blocks"]) <= 50
    assert all(0 < len(text) <= 3000 for text in texts(message))
    assert len(texts(message)[0]) <= 150
    if event not in ("opened", "widened", "overdue"):
        assert buttons(message) == ["guardrails.open"]


def test_a_review_is_called_one() -> None:
    review = make_request(case(), START, kind=Kind.REVIEW)
    message = write_slack(Notice("r.1", "overdue", "", START, review))
    assert texts(message)[0] == "Review overdue: payments.transfer"
