"""Ways round the people: each is tried, and none runs anything or stays untold."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails import ActionDenied
from guardrails.approvals.exact import read_exact, write_exact
from guardrails.approvals.request import Kind, Status, make_request, write_body
from guardrails.approvals.store import Filter
from guardrails.approvals.tally import may_vote, reachable, tally
from guardrails.approvals.terms import Terms
from guardrails.errors import ApprovalsUnavailable
from tests.approvals.guarded import FAY, POLICY, TERMS, acting, ask, pending, requests, soon
from tests.approvals.scenes import (
    AGENT,
    MINUTE,
    PEOPLE,
    START,
    Clock,
    case,
    decide,
    request,
    rule,
    vote,
)

if TYPE_CHECKING:
    from pathlib import Path

    from guardrails.approvals.request import ApprovalRequest
    from guardrails.approvals.sql_store import SqlStore
    from tests.approvals.guarded import Office

OWNED = Terms.any_of(["finance"], separate_from=("owner",))


def codes(office: Office, guard: Any) -> str:
    with pytest.raises(ActionDenied) as denied:
        office.pay(guard)
    return str(denied.value.decision.code)


def rewrite(path: Path, *statements: str) -> None:
    """Do in the file what only its owner can: drop what refuses, and write."""
    with sqlite3.connect(path) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in names.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_where_nobody_says_who_the_owner_is_nobody_passes_for_not_being_it() -> None:
    asked = request(rule(terms=OWNED))
    approved = tally(asked, [vote(asked, FAY)], PEOPLE)
    assert not approved.approved
    assert may_vote(asked, PEOPLE, START) == frozenset()
    assert not reachable(asked, PEOPLE)


@pytest.mark.parametrize("owner", ["", [], None, 7, {"name": "fay@example.com"}])
def test_an_owner_that_cannot_be_read_is_not_known(owner: Any) -> None:
    agent = replace(AGENT, attributes={"owner": owner})
    asked = request(rule(terms=OWNED), subjects=(agent,))
    assert not tally(asked, [vote(asked, FAY)], PEOPLE).approved


@pytest.mark.parametrize("owner", [7, {"name": "fay@example.com"}, ["finn@example.com", 7]])
def test_an_agents_owner_that_cannot_be_read_may_be_anybody(owner: Any) -> None:
    agent = replace(AGENT, attributes={"owner": owner})
    asked = request(rule(terms=OWNED, owner="fred@example.com"), subjects=(agent,))
    assert not tally(asked, [vote(asked, FAY)], PEOPLE).approved


def test_a_known_owner_keeps_only_herself_apart() -> None:
    asked = request(rule(terms=OWNED, owner="fred@example.com"))
    assert tally(asked, [vote(asked, FAY)], PEOPLE).approved
    assert not tally(asked, [vote(asked, "fred@example.com")], PEOPLE).approved


def test_a_call_whose_owner_nobody_knows_is_denied(office: Office) -> None:
    unowned = POLICY.replace("owner: fred@example.com\n", "")
    terms = "approval: {from: [finance], separate_from: [owner]}"
    guard = office.guard(unowned.replace(TERMS, terms))
    with acting(guard):
        assert codes(office, guard) == "approval_denied"
    assert office.ran == []


def test_a_review_cannot_be_cancelled_away(store: SqlStore, clock: Clock) -> None:
    review = store.open(make_request(case(), clock(), kind=Kind.REVIEW))
    assert store.cancel(review.id, "agent-7").status is Status.PENDING
    clock.move(30 * MINUTE)
    assert store.cancel(review.id, "agent-7").status is Status.PENDING
    assert store.overdue(["pay/large"]) == ("pay/large",)


def test_an_approval_with_more_time_than_its_rule_gives_runs_nothing(office: Office) -> None:
    guard = office.guard()
    with acting(guard):
        first = office.store.get(ask(office, guard))
        office.store.cancel(first.id, "test")
        longer = replace(first, id="f" * 20, expires_ns=first.expires_ns + 1)
        office.store.open(replace(longer, status=Status.PENDING))
        office.service.approve(longer.id, FAY)
        assert ask(office, office.guard()) not in (first.id, longer.id)
    assert office.store.get(longer.id).status is Status.CANCELLED
    assert office.ran == []


def test_an_approval_whose_time_is_over_runs_nothing_whatever_the_store_calls_it(
    office: Office, tmp_path: Path, clock: Clock
) -> None:
    guard = office.guard()
    with acting(guard):
        asked = ask(office, guard)
        office.service.approve(asked, FAY)
        approved = office.store.get(asked)
        clock.move(30 * MINUTE)
        requester = office.requester()
        assert requester.use(approved, approved.case) is None
    assert office.ran == []


def test_an_approval_serves_no_case_without_rules(office: Office) -> None:
    approved = decide(office.store, office.store.open(request()), Status.APPROVED, FAY)
    bare = replace(approved.case, rules=())
    assert bare.action_digest == approved.case.action_digest
    assert office.requester().use(approved, bare) is None
    assert office.requester().use(approved, approved.case) is not None


def test_a_rule_that_escalates_on_unknown_terms_is_not_left_out(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that is no rule of a YAML document might."""
    guard = office.guard()
    policies = type(guard.policies)
    monkeypatch.setattr(policies, "concerning", lambda *_: ())
    with acting(guard):
        assert codes(office, guard) == "approval_denied"
    assert requests(office) == ()


def test_a_request_that_vanishes_while_it_is_waited_for_is_refused_and_recorded(
    live: Office, tmp_path: Path
) -> None:
    guard = live.guard(on_escalate="wait")
    found: list[str] = []

    def call() -> None:
        with acting(guard):
            found.append(codes(live, guard))

    waiter = soon(call)
    asked = pending(live)
    rewrite(tmp_path / "approvals.db", f"DELETE FROM approval_requests WHERE id = '{asked.id}'")
    waiter.join(20)
    assert found == ["unavailable"]
    assert live.ran == []


SPOILT = {
    "a vote that is no text": "UPDATE approval_votes SET comment = x'00'",
    "a vote at no time": "UPDATE approval_votes SET cast_ns = 'then'",
    "a signature that is a number": "UPDATE approval_votes SET signature = 1000000000000",
    "a signature that is a text": "UPDATE approval_votes SET signature = 'x'",
    "a decision at no time": "UPDATE approval_requests SET decided_ns = 'then'",
    "a reason that is no text": "UPDATE approval_requests SET reason = x'00'",
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_row_is_told_as_damaged_and_hides_no_other(
    tmp_path: Path, clock: Clock, name: str
) -> None:
    from guardrails.approvals.sql_store import SqlStore as Opened

    store = Opened(tmp_path / "approvals.db", clock)
    asked = decide(store, store.open(request()), Status.APPROVED)
    rewrite(tmp_path / "approvals.db", SPOILT[name])
    other = store.open(request(tool="other"))
    with pytest.raises(ApprovalsUnavailable, match="is damaged"):
        store.get(asked.id)
    page = store.list(Filter())
    assert page.damaged == (asked.id,)
    assert [each.id for each in page.requests] == [other.id]
    store.close()


BODIES = (
    '["float","0x1p+99999"]',
    '["float","nan"]',
    '["timestamp","now"]',
    '["duration",true]',
    '"\\ud800"',
    "[" * 5_000 + "]" * 5_000,
    '["list"' * 5_000,
    '["map",[["list"],1]]',
    '["key",7]',
    '["uint","5"]',
    "1.5",
    "NaN",
)


@pytest.mark.parametrize("text", BODIES, ids=lambda text: text[:20])
def test_what_is_no_exact_value_is_refused_as_such(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_exact(text)


TAGS = st.sampled_from(
    ["list", "map", "float", "bytes", "uint", "timestamp", "duration", "key", "x"]
)
FORMS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | TAGS,
    lambda inner: st.lists(TAGS | inner, max_size=3) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(FORMS)
def test_any_text_is_a_value_or_refused(form: Any) -> None:
    text = json.dumps(form, separators=(",", ":"), ensure_ascii=False)
    try:
        value = read_exact(text)
    except ValueError:
        return
    assert write_exact(value) == text


def test_no_vote_of_another_request_is_lent_to_one(office: Office, tmp_path: Path) -> None:
    guard = office.guard()
    with acting(guard):
        small, large = ask(office, guard, 501), ask(office, guard, 900_000)
        office.service.approve(small, FAY)
        rewrite(
            tmp_path / "approvals.db",
            f"UPDATE approval_votes SET request_id = '{large}'",
            f"UPDATE approval_requests SET status = 'approved' WHERE id = '{large}'",
        )
        ask(office, guard, 900_000)
    assert office.ran == []


def test_a_vote_is_not_turned_round(office: Office, tmp_path: Path) -> None:
    guard = office.guard()
    with acting(guard):
        asked = ask(office, guard)
        office.service.deny(asked, FAY)
        rewrite(
            tmp_path / "approvals.db",
            "UPDATE approval_votes SET outcome = 'approve'",
            "UPDATE approval_requests SET status = 'approved'",
        )
        ask(office, guard)
    assert office.ran == []


def test_a_rewritten_body_gets_no_approval_of_the_one_shown(office: Office, tmp_path: Path) -> None:
    guard = office.guard()
    with acting(guard):
        asked: ApprovalRequest = office.store.get(ask(office, guard))
        shown = replace(asked, evidence={"description": "Water the plants."})
        rewrite(
            tmp_path / "approvals.db",
            f"UPDATE approval_requests SET body = '{write_body(shown)}'",
        )
        office.service.approve(asked.id, FAY)
        rewrite(
            tmp_path / "approvals.db",
            f"UPDATE approval_requests SET body = '{write_body(asked)}'",
        )
        ask(office, guard)
    assert office.ran == []


def test_a_used_approval_that_is_revived_in_the_store_runs_nothing_more(
    office: Office, tmp_path: Path
) -> None:
    guard = office.guard()
    with acting(guard):
        office.service.approve(ask(office, guard), FAY)
        assert office.pay(guard) == "paid"
        rewrite(
            tmp_path / "approvals.db",
            "UPDATE approval_requests SET status = 'approved', uses = 0, used_ns = 0",
        )
        ask(office, guard)
    assert len(office.ran) == 1
