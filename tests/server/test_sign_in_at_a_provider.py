"""Signing in by OpenID Connect, against a provider over real HTTP, and against its abuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import OctKey, RSAKey
from playwright.sync_api import expect

from guardrails.errors import ConfigurationError
from guardrails.server.oidc_pages import BACK
from guardrails.server.settings import OidcSettings
from tests.server.premises import FAY, Premises
from tests.server.provider import CLIENT, SECRET, Provider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx
    from playwright.sync_api import Browser


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider().serving() as serving:
        yield serving


@pytest.fixture
def premises(tmp_path: Path, provider: Provider) -> Iterator[Premises]:
    oidc = OidcSettings(provider.issuer, CLIENT, SECRET, name="Example ID")
    with Premises(tmp_path, oidc=oidc).serving() as made:
        yield made


def go(premises: Premises, wanted: str = "/") -> tuple[httpx.Client, httpx.Response]:
    """A browser that has gone to the provider and come back, and what it is shown then."""
    client = premises.client()
    return client, come_back(client, ask(client, wanted))


def ask(client: httpx.Client, wanted: str = "/") -> str:
    """Where the provider sends the browser."""
    there = client.get("/sign-in/provider", params={"next": wanted}).headers["location"]
    import httpx

    answer = httpx.get(there)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def come_back(client: httpx.Client, location: str) -> httpx.Response:
    return client.get(location)


def is_in(client: httpx.Client) -> bool:
    return client.get("/").status_code == 200


def test_a_person_known_there_and_here_is_signed_in(premises: Premises) -> None:
    asked = premises.ask()
    client, answer = go(premises, f"/requests/{asked.id}")
    assert answer.status_code == 200
    assert f'content="0;url=/requests/{asked.id}"' in answer.text
    assert is_in(client)
    assert "Fay" in client.get("/").text


@pytest.mark.slow
def test_a_browser_signs_in_at_the_provider_and_goes_on_to_the_request(
    premises: Premises, browser: Browser
) -> None:
    asked = premises.ask()
    context = browser.new_context(base_url=premises.url)
    page = context.new_page()
    page.goto(f"/requests/{asked.id}")
    page.get_by_role("link", name="Sign in with Example ID").click()
    expect(page.get_by_role("heading", name="Your decision")).to_be_visible()
    page.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_role("heading", name="Approved, not yet run")).to_be_visible()
    assert premises.store.get(asked.id).votes[0].voter == FAY
    context.close()


CLAIMS = [
    ("another issuer", {"iss": "https://evil.example"}),
    ("another client", {"aud": "other"}),
    ("several clients and none named", {"aud": [CLIENT, "other"]}),
    ("for another party", {"azp": "other"}),
    ("over", {"exp": 1}),
    ("without an end", {"exp": None}),
    ("without a beginning", {"iat": None}),
    ("from the future", {"iat": 99_999_999_999}),
    ("another sign-in's", {"nonce": "x"}),
    ("no sign-in's", {"nonce": None}),
    ("nobody's", {"sub": None}),
    ("an unverified address", {"email_verified": False}),
    ("an address of which nobody says that it is verified", {"email_verified": None}),
    ("an address verified in words", {"email_verified": "true"}),
    ("no address", {"email": None}),
    ("an address that is none", {"email": ["fay@example.com"]}),
    ("unknown here", {"email": "mallory@example.com"}),
]


@pytest.mark.parametrize("claims", [each for _, each in CLAIMS], ids=[name for name, _ in CLAIMS])
def test_a_token_that_does_not_hold_signs_nobody_in(
    premises: Premises, provider: Provider, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    client, answer = go(premises)
    assert answer.status_code == 401
    assert "guardrails" not in client.cookies
    assert not is_in(client)


def test_a_token_signed_by_another_key_signs_nobody_in(
    premises: Premises, provider: Provider
) -> None:
    provider.signs_with = RSAKey.generate_key(2048, {"kid": "one"})
    client, answer = go(premises)
    assert answer.status_code == 401
    assert not is_in(client)


def test_a_token_signed_by_the_secret_both_share_signs_nobody_in(
    premises: Premises, provider: Provider
) -> None:
    provider.signs_with = OctKey.import_key(SECRET.encode() * 2)
    provider.header = {"alg": "HS256"}
    client, answer = go(premises)
    assert answer.status_code == 401
    assert not is_in(client)


def test_keys_that_have_changed_are_asked_for_again(premises: Premises, provider: Provider) -> None:
    assert is_in(go(premises)[0])
    provider.key = RSAKey.generate_key(2048, {"kid": "two"})
    provider.header = {"kid": "two"}
    assert is_in(go(premises)[0])


def test_an_answer_to_another_browser_signs_nobody_in(premises: Premises) -> None:
    attacker, victim = premises.client(), premises.client()
    location = ask(attacker)
    assert come_back(victim, location).status_code == 401
    ask(victim)
    assert come_back(victim, location).status_code == 401
    assert not is_in(victim)


@pytest.mark.parametrize(
    "answer",
    [
        {"state": "x"},
        {"state": "\u00e9"},
        {"state": None},
        {"code": None},
        {"code": "x"},
        {"iss": "https://evil.example"},
    ],
    ids=str,
)
def test_an_answer_that_was_tampered_with_signs_nobody_in(
    premises: Premises, provider: Provider, answer: dict[str, str | None]
) -> None:
    provider.answer = answer
    client, shown = go(premises)
    assert shown.status_code == 401
    assert not is_in(client)


def test_a_code_serves_once(premises: Premises) -> None:
    client = premises.client()
    location = ask(client)
    cookies = dict(client.cookies)
    assert come_back(client, location).status_code == 200
    again = premises.client()
    again.cookies.update(cookies)
    assert come_back(again, location).status_code == 401


def test_a_cookie_that_was_altered_is_no_question_of_ours(premises: Premises) -> None:
    client = premises.client()
    location = ask(client)
    name = next(each for each in client.cookies if each.endswith("-provider"))
    text, _, stamp = client.cookies[name].partition(".")
    client.cookies.set(name, f"{text}A.{stamp}", domain="127.0.0.1")
    assert come_back(client, location).status_code == 401
    client.cookies.set(name, "nonsense", domain="127.0.0.1")
    assert client.get(f"{BACK}?code=x&state=y").status_code == 401


SAYS: list[tuple[str, Callable[[Provider], dict[str, Any]]]] = [
    ("another issuer", lambda _: {"issuer": "https://evil.example"}),
    ("an address without TLS", lambda _: {"token_endpoint": "http://evil.example/token"}),
    ("no address", lambda _: {"jwks_uri": None}),
]


@pytest.mark.parametrize("says", [each for _, each in SAYS], ids=[name for name, _ in SAYS])
def test_a_provider_that_describes_itself_wrongly_is_not_asked(
    premises: Premises, provider: Provider, says: Callable[[Provider], dict[str, Any]]
) -> None:
    provider.says = says(provider)
    answer = premises.client().get("/sign-in/provider")
    assert answer.status_code == 401
    assert "refused" in answer.text


def test_a_disabled_account_does_not_come_in_by_the_provider(premises: Premises) -> None:
    from dataclasses import replace

    from guardrails.approvals.people import People

    accounts = dict(premises.people.accounts)
    accounts[FAY] = replace(accounts[FAY], disabled=True)
    premises.people = People(accounts.values())
    client, answer = go(premises)
    assert answer.status_code == 401
    assert not is_in(client)


def test_an_issuer_without_tls_is_refused_at_once() -> None:
    with pytest.raises(ConfigurationError, match="must be an `https` address"):
        OidcSettings("http://id.example.com", CLIENT, SECRET)


def test_without_a_provider_there_is_no_such_page(tmp_path: Path) -> None:
    with Premises(tmp_path).serving() as premises:
        client = premises.client()
        assert client.get("/sign-in/provider").status_code == 404
        assert "Sign in with" not in client.get("/sign-in").text
