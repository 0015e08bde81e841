"""The inbox asked over HTTP as an attacker would: forged forms, guesses, sieges, other hosts."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from guardrails.approvals.people import Account, People
from guardrails.errors import SignInRefused
from guardrails.server.inbox import ADDRESS_ATTEMPTS
from guardrails.server.security import network_of
from guardrails.server.sign_ins import Throttle
from tests.server.premises import (
    FAY,
    FINN,
    PASSWORD,
    STAFF,
    Premises,
    sign_in,
    token_of,
    vote,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_a_form_of_another_site_is_refused(premises: Premises, headers: dict[str, str]) -> None:
    asked = premises.ask()
    client = premises.signed_in()
    page = client.get(f"/requests/{asked.id}").text
    token = token_of(page) if headers else "0" * 64
    form = {"token": token, "outcome": "approve", "shown": asked.content}
    answer = client.post(f"/requests/{asked.id}", data=form, headers=headers)
    assert answer.status_code == 403
    assert "Nothing was recorded" in answer.text
    assert premises.store.get(asked.id).votes == ()


def test_the_token_of_one_visitor_is_none_of_another(premises: Premises) -> None:
    asked = premises.ask()
    fay, finn = premises.signed_in(FAY), premises.signed_in(FINN)
    stolen = token_of(fay.get(f"/requests/{asked.id}").text)
    form = {"token": stolen, "outcome": "approve", "shown": asked.content}
    assert finn.post(f"/requests/{asked.id}", data=form).status_code == 403


def test_signing_in_without_the_form_of_this_visitor_is_refused(premises: Premises) -> None:
    form = {"token": "0" * 64, "login": FAY, "password": PASSWORD}
    assert premises.client().post("/sign-in", data=form).status_code == 403


@pytest.mark.slow
def test_an_unknown_name_is_answered_as_a_wrong_password_is(premises: Premises) -> None:
    client = premises.client()
    wrong = sign_in(client, FAY, "not the password")
    unknown = sign_in(client, "mallory@example.com", "not the password")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text.replace(FAY, "X") == unknown.text.replace("mallory@example.com", "X")
    assert "guardrails" not in client.cookies


def test_one_address_can_not_try_names_for_long(premises: Premises) -> None:
    client = premises.client()
    token = token_of(client.get("/sign-in").text)
    form = {"token": token, "login": "x" * 400, "password": "y"}  # refused without being hashed
    codes = [client.post("/sign-in", data=form).status_code for _ in range(ADDRESS_ATTEMPTS + 1)]
    assert codes == [401] * ADDRESS_ATTEMPTS + [429]
    refused = sign_in(client, FAY)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0


def test_a_sign_in_is_a_new_one_and_ends_with_signing_out(premises: Premises) -> None:
    client = premises.signed_in()
    first = client.cookies["guardrails"]
    page = client.get("/").text
    answer = client.post("/sign-out", data={"token": token_of(page)})
    assert answer.headers["location"] == "/sign-in"
    client.cookies.set("guardrails", first, domain="127.0.0.1")
    assert client.get("/").status_code == 303
    other = premises.signed_in()
    assert other.cookies["guardrails"] != first


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(premises: Premises) -> None:
    cookie = sign_in(premises.client()).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie  # plain HTTP, on loopback alone


@pytest.mark.parametrize(
    "people",
    [
        People([a for a in STAFF.accounts.values() if a.id != FAY]),
        People(
            [
                Account(
                    FAY, "Fay", ("finance",), password=STAFF.accounts[FAY].password, disabled=True
                )
            ]
        ),
        People([Account(FAY, "Fay", ("finance",), password="another hash")]),
    ],
    ids=["removed", "disabled", "another password"],
)
def test_a_sign_in_ends_with_its_account(premises: Premises, people: People) -> None:
    client = premises.signed_in()
    assert client.get("/").status_code == 200
    premises.people = people
    assert client.get("/").status_code == 303


def test_signing_in_leads_to_no_other_site(premises: Premises) -> None:
    for wanted in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:x"):
        assert sign_in(premises.client(), wanted=wanted).headers["location"] == "/"
    asked = premises.ask()
    answer = sign_in(premises.client(), wanted=f"/requests/{asked.id}")
    assert answer.headers["location"] == f"/requests/{asked.id}"


def test_every_answer_carries_the_headers(premises: Premises) -> None:
    client = premises.signed_in()
    for path in ("/", "/sign-in", "/static/inbox.css", "/nowhere", "/healthy"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
    assert client.get("/").headers["cache-control"] == "no-store"


def test_a_fault_of_the_inbox_itself_is_told_under_the_same_headers(
    premises: Premises, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = premises.signed_in()
    monkeypatch.setattr(premises.store, "suspensions", lambda: 1 / 0)
    answer = client.get("/")
    assert answer.status_code == 500
    assert "That went wrong" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


def test_a_method_that_is_none_of_the_page_is_told_which_are(premises: Premises) -> None:
    answer = premises.client().put("/")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]


def test_signing_out_when_the_sign_in_has_ended_leads_to_signing_in(premises: Premises) -> None:
    client = premises.signed_in()
    token = token_of(client.get("/").text)
    premises.people = People(replace(each, password="x") for each in STAFF.accounts.values())
    answer = client.post("/sign-out", data={"token": token, "next": "/"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


def test_a_form_that_comes_too_slowly_is_refused(
    premises: Premises, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("guardrails.server.security.ARRIVES_S", 0.2)

    def slowly() -> Iterator[bytes]:
        yield b"login="
        time.sleep(1)

    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert premises.client().post("/sign-in", content=slowly(), headers=kind).status_code == 408


def test_guesses_at_passwords_keep_nobody_who_is_signed_in_from_deciding(
    premises: Premises, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, asked = premises.signed_in(), premises.ask()
    held, called = threading.Event(), threading.Semaphore(0)

    def hang(*_: Any) -> Account:
        called.release()
        held.wait(20)
        raise SignInRefused("the name or the password is wrong")

    monkeypatch.setattr("guardrails.server.signing_in.sign_in", hang)
    monkeypatch.setattr(premises.app.state.inbox, "addresses", Throttle(1000, 60))
    strangers = [premises.client() for _ in range(50)]  # more than the threads that answer
    threads = [threading.Thread(target=sign_in, args=(each,)) for each in strangers]
    try:
        for thread in threads:
            thread.start()
        assert called.acquire(timeout=20)
        assert vote(client, asked.id, "approve").status_code == 303
    finally:
        held.set()
        for thread in threads:
            thread.join()


def test_a_visitor_by_ipv6_is_one_under_all_the_addresses_she_can_take() -> None:
    assert network_of("2001:db8:1:2:3:4:5:6") == network_of("2001:db8:1:2::9") == "2001:db8:1:2::"
    assert network_of("::ffff:192.0.2.7") == network_of("192.0.2.7") == "192.0.2.7"
    assert network_of("unix") == "unix"


def test_another_host_name_is_not_answered(premises: Premises) -> None:
    client = premises.client()
    for host in ("evil.example", "127.0.0.1.evil.example", "evil.example:80", ""):
        answer = client.get("/sign-in", headers={"Host": host})
        assert answer.status_code in (400, 421)
        assert "password" not in answer.text
    assert client.get("/sign-in", headers={"Host": "localhost:9"}).status_code == 200
