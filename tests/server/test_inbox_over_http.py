"""The inbox at work over HTTP: its events, its faults, and what stands around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.approvals.request import Status
from guardrails.errors import ApprovalsUnavailable
from tests.server.premises import Premises, status_of, token_of

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from guardrails.approvals.people import People


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
