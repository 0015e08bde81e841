"""Votes cast over HTTP, as a browser without scripts would."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

from guardrails.approvals.request import Status
from guardrails.approvals.requester import Requester
from guardrails.approvals.store import Filter
from guardrails.approvals.terms import Terms
from guardrails.approvals.vote import Verifier
from guardrails.testing import guard_over
from tests.approvals.guarded import POLICY
from tests.approvals.scenes import SIGNER, rule
from tests.server.premises import FAY, FINN, RITA, Premises, status_of, token_of, vote

if TYPE_CHECKING:
    from pathlib import Path


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


def test_a_comment_of_several_lines_is_kept_and_shown_as_that(premises: Premises) -> None:
    asked, client = premises.ask(rule(terms=Terms.any_of(["finance"], 2))), premises.signed_in()
    vote(client, asked.id, "approve", comment="as agreed\r\nwith Dana")
    assert premises.store.get(asked.id).votes[0].comment == "as agreed\nwith Dana"
    assert "as agreed\nwith Dana</p>" in client.get(f"/requests/{asked.id}").text


def test_a_comment_that_no_store_can_keep_is_no_vote(premises: Premises) -> None:
    asked = premises.ask()
    answer = vote(premises.signed_in(), asked.id, "approve", comment="a\0b")
    assert answer.status_code == 409
    assert "without the character NUL" in answer.text
    assert status_of(premises, asked.id) is Status.PENDING


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
