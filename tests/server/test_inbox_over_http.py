"""The inbox asked over HTTP, as a browser without scripts would."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from guardrails.approvals.request import Actor, Status
from guardrails.approvals.requester import Requester
from guardrails.approvals.store import Filter
from guardrails.approvals.terms import Terms
from guardrails.approvals.vote import Verifier
from guardrails.errors import ApprovalsUnavailable
from guardrails.testing import guard_over
from tests.approvals.guarded import POLICY
from tests.approvals.scenes import SIGNER, rule
from tests.server.premises import (
    FAY,
    FINN,
    RITA,
    Premises,
    token_of,
    vote,
)

if TYPE_CHECKING:
    from pathlib import Path

    from guardrails.approvals.people import People


def status_of(premises: Premises, id_: str) -> Status:
    return premises.store.get(id_).status


PAGES = ["/", "/history", "/figures", "/requests/0123"]


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_shown_to_whoever_is_not_signed_in(premises: Premises, path: str) -> None:
    asked = premises.ask()
    answer = premises.client().get(path.replace("0123", asked.id))
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")
    assert "ACME" not in answer.text


def test_a_vote_without_a_sign_in_is_none(premises: Premises) -> None:
    asked = premises.ask()
    client = premises.client()
    token = token_of(client.get("/sign-in").text)
    answer = client.post(f"/requests/{asked.id}", data={"token": token, "outcome": "approve"})
    assert answer.headers["location"].startswith("/sign-in")
    assert premises.store.get(asked.id).votes == ()


def test_an_approver_signs_in_and_approves_with_a_comment(premises: Premises) -> None:
    asked = premises.ask()
    client = premises.signed_in("fay")
    assert "1 request waits for you" in client.get("/").text
    answer = vote(client, asked.id, "approve", comment="checked the contract")
    assert answer.headers["location"] == f"/requests/{asked.id}"
    decided = premises.store.get(asked.id)
    assert decided.status is Status.APPROVED
    assert [(v.voter, v.comment) for v in decided.votes] == [(FAY, "checked the contract")]
    assert decided.votes[0].seen_ns < decided.votes[0].cast_ns
    assert "Nothing waits for you" in client.get("/").text


def test_a_denial_ends_it(premises: Premises) -> None:
    asked = premises.ask()
    vote(premises.signed_in(), asked.id, "deny")
    assert status_of(premises, asked.id) is Status.DENIED


def test_a_request_counts_as_seen_when_its_page_is_shown_and_not_before(premises: Premises) -> None:
    asked = premises.ask()
    client = premises.signed_in()
    client.get("/")
    before = premises.store.now_ns()
    client.get(f"/requests/{asked.id}")
    seen = premises.store.see(asked.id, FAY)
    assert before <= seen <= premises.store.now_ns()
    client.get(f"/requests/{asked.id}")
    assert premises.store.see(asked.id, FAY) == seen


def test_two_must_agree_where_the_rule_wants_two(premises: Premises) -> None:
    asked = premises.ask(rule(terms=Terms.any_of(["finance"], 2)))
    fay, finn = premises.signed_in(FAY), premises.signed_in(FINN)
    vote(fay, asked.id, "approve")
    assert status_of(premises, asked.id) is Status.PENDING
    page = fay.get(f"/requests/{asked.id}").text
    assert "You approved this" in page
    assert "Still wanted: 1 of finance" in page
    vote(finn, asked.id, "approve")
    assert status_of(premises, asked.id) is Status.APPROVED


def test_who_is_no_approver_sees_why_and_can_post_nothing(premises: Premises) -> None:
    asked = premises.ask()
    client = premises.signed_in(RITA)
    page = client.get(f"/requests/{asked.id}").text
    assert "don&#39;t name you as approver" in page
    assert 'value="approve"' not in page
    form = {"token": token_of(page), "outcome": "approve", "shown": asked.content}
    answer = client.post(f"/requests/{asked.id}", data=form)
    assert answer.status_code == 409
    assert "Your vote was not taken" in answer.text
    assert premises.store.get(asked.id).votes == ()


def test_a_vote_is_for_what_was_shown_alone(premises: Premises) -> None:
    asked = premises.ask()
    answer = vote(premises.signed_in(), asked.id, "approve", shown="sha256:another")
    assert answer.status_code == 409
    assert "not the one that was shown" in answer.text
    assert premises.store.get(asked.id).votes == ()


def test_a_vote_that_is_neither_yes_nor_no_is_none(premises: Premises) -> None:
    asked = premises.ask()
    answer = vote(premises.signed_in(), asked.id, "perhaps", comment="hm")
    assert answer.status_code == 409
    assert ">hm</textarea>" in answer.text


def test_what_agents_write_stays_text(premises: Premises) -> None:
    script = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{7*7}}"
    asked = premises.ask(
        arguments={script: script, "list": [script, {script: script}]},
        context={script: script},
        evidence={
            "description": script,
            "earlier": [
                {"at_ns": 1, "tool": "t", "effect": "allow", "arguments": {script: script}}
            ],
        },
    )
    client = premises.signed_in()
    vote(client, asked.id, "deny", comment=script)
    for path in ("/", f"/requests/{asked.id}", "/history"):
        page = client.get(path).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
    assert "&lt;script&gt;" in client.get(f"/requests/{asked.id}").text


@pytest.mark.parametrize("id_", ["0123456789", "%00", "a%ff", "%ED%A0%80"])
def test_a_request_that_is_not_there_is_told_so(premises: Premises, id_: str) -> None:
    answer = premises.signed_in().get(f"/requests/{id_}")
    assert answer.status_code == 404
    assert "no such request" in answer.text


def test_forms_that_are_too_long_or_none_are_refused(premises: Premises) -> None:
    client = premises.signed_in()
    assert client.post("/sign-out", data={"token": "x" * 70_000}).status_code == 413
    assert client.post("/sign-out", json={"token": "x"}).status_code == 415
    many = {f"f{number}": "x" for number in range(50)}
    assert client.post("/sign-out", data=many).status_code == 400
    bad = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.post("/sign-out", content=b"a=%ff", headers=bad).status_code == 400


def test_a_store_that_is_away_is_told_and_back_by_itself(
    premises: Premises, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = premises.ask()
    client = premises.signed_in()
    page = client.get(f"/requests/{asked.id}").text
    form = {"token": token_of(page), "outcome": "approve", "shown": asked.content}

    def away(*_: object) -> None:
        raise ApprovalsUnavailable("gone for /secret/path")

    with monkeypatch.context() as gone:
        for name in ("get", "list", "now_ns", "vote", "see"):
            gone.setattr(type(premises.store), name, away)
        shown = client.get("/")
        assert shown.status_code == 503
        assert shown.headers["retry-after"] == "5"
        assert 'http-equiv="refresh"' in shown.text
        assert "/secret/path" not in shown.text
        sent = client.post(f"/requests/{asked.id}", data=form)
        assert sent.status_code == 503
        assert "not known whether" in sent.text
        assert client.get("/healthy").status_code == 503
    assert client.get("/").status_code == 200
    assert client.get("/healthy").text == "ok\n"
    assert status_of(premises, asked.id) is Status.PENDING


def test_a_file_of_approvers_that_is_spoilt_lets_nobody_in(
    premises: Premises, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = premises.signed_in()

    def spoilt() -> People:
        raise ApprovalsUnavailable("nobody can approve")

    monkeypatch.setattr(premises.service, "_people", spoilt, raising=True)
    assert client.get("/").status_code == 503


def test_the_history_is_filtered_and_paged(premises: Premises) -> None:
    ids = [premises.ask(arguments={"n": n}, session=f"s-{n}").id for n in range(55)]
    client = premises.signed_in()
    vote(client, ids[0], "deny")
    first = client.get("/history").text
    assert ids[-1] in first
    assert ids[0] not in first
    older = client.get(f"/history?before={ids[5]}").text
    assert ids[0] in older
    assert "Newest" in older
    denied = client.get("/history", params={"status": "denied"}).text
    assert ids[0] in denied
    assert ids[1] not in denied
    assert ids[0] in client.get("/history", params={"text": ids[0]}).text
    assert "No request matches" in client.get("/history", params={"tool": "nothing"}).text
    assert (
        client.get("/history?since=nonsense&until=9999-99-99&status=bad&before=x").status_code
        == 200
    )


def test_the_figures_show_who_decided_without_reading(premises: Premises) -> None:
    client = premises.signed_in()
    for n in range(3):
        vote(client, premises.ask(session=f"s-{n}").id, "approve" if n else "deny")
    page = client.get("/figures?days=7").text
    assert "under 5 s: 3" in page
    assert "approved: 2, denied: 1" in page
    assert "67%" in page
    assert "3, hardly read" in page
    assert "<svg" in page
    assert "style=" not in page


def test_events_are_for_those_signed_in_and_tell_of_changes(premises: Premises) -> None:
    assert premises.client().get("/events").status_code == 401
    client = premises.signed_in()
    with client.stream("GET", "/events") as stream:
        lines = stream.iter_lines()
        assert next(lines) == "retry: 2000"
        asked = premises.ask()
        told = next(line for line in lines if line.startswith("data:") and asked.id in line)
    assert told == f'data: ["{asked.id}"]'


def test_events_go_on_after_a_fault_in_following_the_store(
    premises: Premises, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    follow, faults = premises.store.changes, [RuntimeError("a fault")]

    def fail_once(*asked: int) -> Any:
        if faults:
            raise faults.pop()
        return follow(*asked)

    client = premises.signed_in()
    with client.stream("GET", "/events") as stream:
        lines = stream.iter_lines()
        assert next(lines) == "retry: 2000"
        monkeypatch.setattr(premises.store, "changes", fail_once)
        premises.ask()  # of which nothing is heard but that something has happened
        assert next(line for line in lines if line.startswith("data:")) == 'data: [""]'
        asked = premises.ask(arguments={"to": "another"})
        assert next(line for line in lines if asked.id in line)
    assert "following the store failed" in caplog.text


def test_events_end_with_the_sign_in_and_tell_nothing_more(premises: Premises) -> None:
    client = premises.signed_in()
    token = token_of(client.get("/").text)
    with client.stream("GET", "/events") as stream:
        lines = stream.iter_lines()
        assert next(lines) == "retry: 2000"
        assert client.post("/sign-out", data={"token": token}).status_code == 303
        asked = premises.ask()
        assert not [line for line in lines if asked.id in line]


@pytest.mark.parametrize(
    ("outcome", "heading"),
    [("", "What will happen"), ("approve", "What will happen"), ("deny", "What was asked for")],
)
def test_what_was_not_let_run_is_not_told_as_what_will_happen(
    premises: Premises, outcome: str, heading: str
) -> None:
    client, asked = premises.signed_in(), premises.ask()
    if outcome:
        vote(client, asked.id, outcome)
    assert f'<h2 id="h-arguments">{heading}</h2>' in client.get(f"/requests/{asked.id}").text


def test_a_row_shows_first_what_the_manifest_marks(premises: Premises) -> None:
    given = {"a": 1, "b": 2, "c": 3, "to": "ACME"}
    premises.ask(arguments=given, evidence={"kinds": {"to": "recipient"}})
    page = premises.signed_in().get("/").text
    assert page.index("ACME") < page.index(">a<") < page.index(">b<")
    assert ">c<" not in page


def test_whoever_is_named_is_shown_with_nothing_that_would_not_show(premises: Premises) -> None:
    agent = Actor("agent", ("r\u202e",), "b\u202eob")
    asked = premises.ask(subjects=(agent,), session="s\u202e")
    client = premises.signed_in()
    for path in ("/", f"/requests/{asked.id}"):
        page = client.get(path).text
        assert "\u202e" not in page
        assert "\\u202e" in page


def test_a_comment_of_several_lines_is_kept_and_shown_as_that(premises: Premises) -> None:
    asked, client = premises.ask(rule(terms=Terms.any_of(["finance"], 2))), premises.signed_in()
    vote(client, asked.id, "approve", comment="as agreed\r\nwith Dana")
    assert premises.store.get(asked.id).votes[0].comment == "as agreed\nwith Dana"
    assert "as agreed\nwith Dana</p>" in client.get(f"/requests/{asked.id}").text


def test_in_a_long_text_the_changed_part_is_underlined(premises: Premises) -> None:
    body = "please pay {} to the account below by the end of this month, as agreed"
    call = {"at_ns": 1, "effect": "allow", "tool": "mail.send"}
    earlier = [{**call, "arguments": {"body": body.format("20 EUR")}}]
    given = {"body": body.format("95 USD")}
    asked = premises.ask(tool="mail.send", arguments=given, evidence={"earlier": earlier})
    page = premises.signed_in().get(f"/requests/{asked.id}").text
    assert '<ins><bdi class="text">95 USD</bdi></ins>' in page
    assert page.count("<ins>") == 1


def test_a_comment_that_no_store_can_keep_is_no_vote(premises: Premises) -> None:
    asked = premises.ask()
    answer = vote(premises.signed_in(), asked.id, "approve", comment="a\0b")
    assert answer.status_code == 409
    assert "without the character NUL" in answer.text
    assert status_of(premises, asked.id) is Status.PENDING


def test_reviews_are_told_as_what_has_run(premises: Premises) -> None:
    from guardrails.approvals.request import Kind, make_request
    from tests.approvals.scenes import case

    made = make_request(case(), premises.store.now_ns(), kind=Kind.REVIEW)
    asked = premises.store.open(replace(made, evidence={"traits": ["read"]}))
    client = premises.signed_in()
    page = client.get(f"/requests/{asked.id}").text
    assert "has run already" in page
    assert "It was right" in page
    vote(client, asked.id, "approve")
    assert "accepted" in client.get(f"/requests/{asked.id}").text


def test_a_link_in_a_message_is_asked_for_again_by_a_page_of_its_own(premises: Premises) -> None:
    asked = premises.ask()
    answer = premises.client().get(
        f"/requests/{asked.id}", headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 200
    assert f'content="0;url=/requests/{asked.id}"' in answer.text


def test_behind_tls_cookies_and_headers_say_so(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"behind_proxy": True, "names": ("inbox.example.com",)}
    with Premises(tmp_path, **settings).serving() as premises:
        client = premises.client()
        answer = client.get("/sign-in", headers={"Host": "inbox.example.com"})
        assert answer.headers["strict-transport-security"].startswith("max-age=")
        assert answer.headers["set-cookie"].startswith("__Host-guardrails-form=")
        assert "Secure" in answer.headers["set-cookie"]
        assert client.get("/sign-in").status_code == 421  # reached past the proxy


def test_requests_that_wait_for_the_visitor_come_first_soonest_end_first(
    premises: Premises,
) -> None:
    late = premises.ask(rule("a/late"), session="1", lasts_s=900)
    soon = premises.ask(rule("a/soon"), session="2", lasts_s=60)
    other = premises.ask(rule("a/risk", Terms.any_of(["risk"])), session="3", lasts_s=30)
    page = premises.signed_in().get("/").text
    places = [page.index(f"/requests/{each.id}") for each in (soon, late, other)]
    assert places == sorted(places)
    assert premises.store.list(Filter()).requests


def test_a_call_that_waits_goes_on_by_itself_when_it_is_approved_here(premises: Premises) -> None:
    requester = Requester(premises.store, premises.service.people, Verifier([SIGNER.public]))
    guard = guard_over(POLICY, approvals=requester, on_escalate="wait")
    ran: list[float] = []

    def pay() -> None:
        with guard.session(subject="agent-7", on_behalf_of="dana@example.com", id="task-1"):
            guard.run("pay", {"to": "ACME", "amount": 900.0}, lambda to, amount: ran.append(amount))

    call = threading.Thread(target=pay)
    call.start()
    client = premises.signed_in()
    while not (found := premises.store.list(Filter()).requests):
        time.sleep(0.01)
    assert ran == []
    page = client.get(f"/requests/{found[0].id}").text
    assert "Four eyes." in page
    assert "Pay a supplier." in page
    vote(client, found[0].id, "approve")
    call.join(timeout=10)
    assert ran == [900.0]
    assert "was approved and has been let run" in client.get(f"/requests/{found[0].id}").text


def test_a_request_altered_in_the_store_is_told_and_can_not_be_approved(
    premises: Premises, tmp_path: Path
) -> None:
    asked = premises.ask()
    client = premises.signed_in()
    page = client.get(f"/requests/{asked.id}").text
    with closing(sqlite3.connect(tmp_path / "approvals.db")) as store, store:
        triggers = store.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            store.execute(f"DROP TRIGGER {name}")
        store.execute("UPDATE approval_requests SET body = replace(body, 'ACME', 'EVIL')")
    listed = client.get("/").text
    assert "can&#39;t be believed" in listed or "can't be believed" in listed
    assert asked.id in listed
    assert "EVIL" not in listed
    form = {"token": token_of(page), "outcome": "approve", "shown": asked.content}
    assert client.post(f"/requests/{asked.id}", data=form).status_code == 503


def test_an_agent_for_which_nobody_is_asked_any_more_is_told(premises: Premises) -> None:
    premises.store.suspend("agent-7\u202e", "it asked 101 times in 10m")
    page = premises.signed_in().get("/").text
    assert "is suspended" in page
    assert "it asked 101 times in 10m" in page
    assert "\u202e" not in page
