"""A request laid out in a terminal: complete, in full, and nothing of it a command to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from guardrails.approvals.differences import ABSENT, find_differences
from guardrails.approvals.request import Actor, Status, make_request
from guardrails.approvals.tally import tally
from guardrails.approvals.terms import Stage
from guardrails.approvals.wording import tell_span, write_name, write_value
from guardrails.toolchain.approvals.request_text import tell_request, tell_row
from guardrails.toolchain.lines import plain
from guardrails.values import Duration, Timestamp, UInt
from tests.approvals.scenes import DENY, MINUTE, PEOPLE, SECOND, START, case, each_of, rule, vote

if TYPE_CHECKING:
    from guardrails.approvals.request import ApprovalRequest


def told(request: ApprovalRequest, now_ns: int = START) -> list[str]:
    stands = tally(request, request.votes, PEOPLE)
    return plain(tell_request(request, stands, now_ns)).splitlines()


def asked(*rules: Any, evidence: Any = None, **parts: Any) -> ApprovalRequest:
    return make_request(
        case(*rules, **parts),
        START,
        revision="sha256:ab",
        environment={"host": "web-1"},
        evidence=evidence or {},
        labels=("pii",),
    )


def test_all_that_a_decision_needs_is_told() -> None:
    terms = each_of(
        {"finance": 1, "risk": 1},
        then=(Stage(10 * MINUTE, ("oncall",)),),
        separate_from=("owner",),
        remember_ns=90 * MINUTE,
    )
    request = asked(
        rule("pay/large", terms, description="Four eyes.\nReally.", message="Needs two."),
        evidence={"description": "Pay.", "traits": ["spend", "read"], "kinds": {}, "earlier": []},
    )
    lines = told(request, START + 61 * SECOND)
    for expected in (
        f"approval {request.id}  pending",
        "payments.transfer  Pay.",
        "  amount        900.0",
        '  to            "ACME"',
        "  no earlier call of this tool in the session is known",
        "  can touch     spend, read; not simply taken back: spend",
        "  agent         agent-7 (billing) for dana@example.com",
        "  session       s-1",
        "  labels        pii",
        '  environment   "prod"',
        '  host          "web-1"',
        "  opened        2027-01-15T08:00:00Z",
        "  ends          2027-01-15T08:30:00Z, 28m 59s left",
        "pay/large",
        "  Four eyes. Really.",
        "  Needs two.",
        "  needs         1 of finance; 0 so far",
        "  needs         1 of risk; 0 so far",
        "  then          after 10m also oncall",
        "  not           owner",
        "  holds         for 1h 30m in the session s-1",
        "  policies      sha256:ab",
        f"  digest        {request.digest}",
    ):
        assert expected in lines


def test_votes_are_told_with_their_comments_in_quotes() -> None:
    request = asked()
    cast = replace(vote(request, "fay@example.com", DENY), comment='no\x1b[2J "really"')
    lines = told(replace(request, votes=(cast,), status=Status.DENIED))
    assert r'  2027-01-15T08:00:00Z  deny      fay@example.com  "no\u001b[2J \"really\""' in lines


def test_what_is_not_known_is_said_to_be() -> None:
    lines = told(asked(subjects=(), session=None))
    assert "  can touch     unknown: the tool is declared without traits" in lines
    assert "  agent         unknown" in lines
    assert "  session       none" in lines


def test_a_delegation_is_told_from_the_first_to_the_last() -> None:
    chain = (Actor("boss", (), "dana@example.com"), Actor("child", ("reader",)))
    assert "  agent         boss for dana@example.com -> child (reader)" in told(
        asked(subjects=chain)
    )


def earlier(*calls: tuple[str, Any]) -> dict[str, Any]:
    known = [
        {"at_ns": START, "tool": tool, "effect": "allow", "arguments": given}
        for tool, given in calls
    ]
    return {"description": "", "traits": ["spend"], "kinds": {}, "earlier": known}


def test_what_differs_from_the_last_call_of_the_tool_is_told() -> None:
    evidence = earlier(
        ("payments.transfer", {"to": "OTHER"}),
        ("payments.transfer", {"to": "ACME", "amount": 900, "note": "x"}),
        ("read", {}),
    )
    request = asked(evidence=evidence)
    assert find_differences(request) == (("amount", 900, 900.0), ("note", "x", ABSENT))
    lines = told(request)
    at = lines.index("  amount        900.0")
    assert lines[at + 1] == "                last time in this session: 900"
    at = lines.index("  note: not given")
    assert lines[at + 1] == '                last time in this session: "x"'
    assert '  2027-01-15T08:00:00Z  allow     payments.transfer  to: "OTHER"' in lines


def test_a_call_that_can_not_be_shown_is_no_ground_for_likeness() -> None:
    request = asked(evidence=earlier(("payments.transfer", None)))
    assert find_differences(request) is None
    assert "  2027-01-15T08:00:00Z  allow     payments.transfer  (too long to be shown)" in told(
        request
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (1.0, "1.0"),
        (UInt(1), "1u"),
        ("1", '"1"'),
        (b"\xff", "base64 /w=="),
        (True, "true"),
        (None, "null"),
        ([1, "a"], '[1, "a"]'),
        ({"a": [{}]}, '{"a": [{}]}'),
        (Timestamp(START), 'timestamp("2027-01-15T08:00:00Z")'),
        (Duration(90 * SECOND), 'duration("90s")'),
    ],
)
def test_a_value_is_written_so_that_its_type_is_seen(value: Any, text: str) -> None:
    assert write_value(value) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("to", "to"),
        ("content-type", '"content-type"'),
        ("t\u043e", '"t\u043e"'),
        ("a b", '"a b"'),
        ("", '""'),
    ],
)
def test_a_name_that_is_no_plain_one_stands_in_quotes(name: str, text: str) -> None:
    assert write_name(name) == text


@pytest.mark.parametrize(
    ("span", "text"), [(-1, "0s"), (59, "59s"), (3_661, "1h 1m"), (86_400, "1d"), (90_061, "1d 1h")]
)
def test_a_span_is_told_in_its_two_greatest_units(span: int, text: str) -> None:
    assert tell_span(span * SECOND) == text


def test_a_row_holds_what_a_reader_chooses_by() -> None:
    request = asked()
    (row,) = plain([tell_row(request, START + MINUTE, mine=True)]).splitlines()
    assert row == (
        f"* {request.id}  pending   29m left       agent-7  payments.transfer  pay/large"
    )
    (row,) = plain([tell_row(replace(request, status=Status.USED), START)]).splitlines()
    assert row.startswith(f"  {request.id}  used      ")
    assert "left" not in row
