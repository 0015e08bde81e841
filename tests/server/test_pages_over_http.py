"""What the inbox's pages show, asked over HTTP as a browser without scripts would."""

from __future__ import annotations

from dataclasses import replace

import pytest

from guardrails.approvals.request import Actor, Kind, make_request
from guardrails.approvals.store import Filter
from guardrails.approvals.terms import Terms
from tests.approvals.scenes import case, rule
from tests.server.premises import Premises, vote

PAGES = ["/", "/history", "/figures", "/requests/0123"]


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_shown_to_whoever_is_not_signed_in(premises: Premises, path: str) -> None:
    asked = premises.ask()
    answer = premises.client().get(path.replace("0123", asked.id))
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")
    assert "ACME" not in answer.text


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


def test_a_row_shows_first_what_the_manifest_marks(premises: Premises) -> None:
    given = {"a": 1, "b": 2, "c": 3, "to": "ACME"}
    premises.ask(arguments=given, evidence={"kinds": {"to": "recipient"}})
    page = premises.signed_in().get("/").text
    assert page.index("ACME") < page.index(">a<") < page.index(">b<")
    assert ">c<" not in page


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


def test_whoever_is_named_is_shown_with_nothing_that_would_not_show(premises: Premises) -> None:
    agent = Actor("agent", ("r\u202e",), "b\u202eob")
    asked = premises.ask(subjects=(agent,), session="s\u202e")
    client = premises.signed_in()
    for path in ("/", f"/requests/{asked.id}"):
        page = client.get(path).text
        assert "\u202e" not in page
        assert "\\u202e" in page


def test_in_a_long_text_the_changed_part_is_underlined(premises: Premises) -> None:
    body = "please pay {} to the account below by the end of this month, as agreed"
    call = {"at_ns": 1, "effect": "allow", "tool": "mail.send"}
    earlier = [{**call, "arguments": {"body": body.format("20 EUR")}}]
    given = {"body": body.format("95 USD")}
    asked = premises.ask(tool="mail.send", arguments=given, evidence={"earlier": earlier})
    page = premises.signed_in().get(f"/requests/{asked.id}").text
    assert '<ins><bdi class="text">95 USD</bdi></ins>' in page
    assert page.count("<ins>") == 1


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


def test_reviews_are_told_as_what_has_run(premises: Premises) -> None:
    made = make_request(case(), premises.store.now_ns(), kind=Kind.REVIEW)
    asked = premises.store.open(replace(made, evidence={"traits": ["read"]}))
    client = premises.signed_in()
    page = client.get(f"/requests/{asked.id}").text
    assert "has run already" in page
    assert "It was right" in page
    vote(client, asked.id, "approve")
    assert "accepted" in client.get(f"/requests/{asked.id}").text


@pytest.mark.parametrize("id_", ["0123456789", "%00", "a%ff", "%ED%A0%80"])
def test_a_request_that_is_not_there_is_told_so(premises: Premises, id_: str) -> None:
    answer = premises.signed_in().get(f"/requests/{id_}")
    assert answer.status_code == 404
    assert "no such request" in answer.text


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


def test_an_agent_for_which_nobody_is_asked_any_more_is_told(premises: Premises) -> None:
    premises.store.suspend("agent-7\u202e", "it asked 101 times in 10m")
    page = premises.signed_in().get("/").text
    assert "is suspended" in page
    assert "it asked 101 times in 10m" in page
    assert "\u202e" not in page


def test_a_channel_that_could_not_be_told_is_named(premises: Premises) -> None:
    client, outbox = premises.signed_in(), premises.store.outbox
    premises.ask()
    assert "could not be told" not in client.get("/").text
    outbox.collect("desk", ["opened"])
    taken = outbox.take("desk", 10**9)
    assert taken is not None
    outbox.give_up(taken, "the address answers <410>")
    page = client.get("/").text
    assert "<strong>Channel desk could not be told</strong> once in the last seven days" in page
    assert "the address answers &lt;410&gt;. A request waits for people who may not know" in page


def test_what_could_not_be_told_more_than_a_week_ago_is_named_no_more(
    premises: Premises, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = premises.store.outbox
    premises.ask()
    outbox.collect("desk", ["opened"])
    taken = outbox.take("desk", 10**9)
    assert taken is not None
    outbox.give_up(taken, "the address answers 410")
    monkeypatch.setattr("guardrails.server.pages.RECENT_NS", -1)
    assert "could not be told" not in premises.signed_in().get("/").text
