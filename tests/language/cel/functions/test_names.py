from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.errors import EvaluationError
from guardrails.language.cel.functions.names import canonical_domain
from tests.language.cel.functions.calls import (
    Meter,
    call,
    call_specialised,
    cases,
    complaint,
    outcome,
    overload_of,
)

LABELS = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,8}[A-Za-z0-9])?", fullmatch=True)
DOMAINS = st.lists(LABELS, min_size=1, max_size=3).map(lambda labels: ".".join([*labels, "com"]))


def expected(case: dict[str, Any]) -> object:
    return case["answer"] if "answer" in case else case["refused"]


@pytest.mark.parametrize("case", cases("names.yaml", "email_domain"))
def test_the_domain_of_an_address_is_the_same_for_every_reader(case: dict[str, Any]) -> None:
    assert outcome({"call": "email_domain", **case}, case["address"]) == expected(case)


@pytest.mark.parametrize("case", cases("names.yaml", "url_host"))
def test_the_host_of_a_url_is_the_same_for_every_reader(case: dict[str, Any]) -> None:
    assert outcome({"call": "url_host", **case}, case["url"]) == expected(case)


@pytest.mark.parametrize("case", cases("names.yaml", "domain_within"))
def test_a_domain_lies_within_another_label_by_label(case: dict[str, Any]) -> None:
    arguments = case["domain"], case["root"]
    assert outcome({"call": "domain_within", **case}, *arguments) == expected(case)


@pytest.mark.parametrize("case", cases("names.yaml", "roots"))
def test_a_root_that_is_no_domain_is_a_fault_of_the_policy(case: dict[str, Any]) -> None:
    said = complaint("domain_within", "a.example.com", case["root"], literal=1)
    assert said is not None
    assert said.startswith(f"`{case['root']}` is no plain domain such as `example.com`: ")
    assert case["refused"] in said
    with pytest.raises(EvaluationError, match=case["refused"]):
        call("domain_within", "a.example.com", case["root"])


def test_a_literal_root_is_read_once_and_answers_the_same() -> None:
    assert call_specialised("domain_within", "a.bücher.de", "xn--bcher-kva.DE", literal=1)
    assert not call_specialised("domain_within", "evil-example.com", "Example.com", literal=1)
    with pytest.raises(EvaluationError, match="not a number"):
        call_specialised("domain_within", "10.0.0.1", "example.com", literal=1)


def test_a_root_that_is_no_literal_is_neither_checked_nor_read_at_load() -> None:
    assert complaint("domain_within", "example.com", "nonsense!", literal=0) is None
    overload = overload_of("domain_within", "example.com", "example.com")
    assert overload.specialise is not None
    assert overload.specialise(("example.com", None)) is None


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("email_domain", f"{'a' * 65}@example.com", "plain"),
        ("email_domain", f"ann@{'a.' * 130}com", "at most 254"),
        ("url_host", f"http://{'a.' * 130}com/", "1 to 253"),
        ("url_host", f"http://{'a' * 64}.com/", "labels"),
        ("url_host", f"http://{'ü' * 64}.com/", "forbids"),
        ("url_host", f"http://{'.'.join(['üüüüüüüü'] * 25)}.com/", "1 to 253"),
    ],
)
def test_what_is_longer_than_a_domain_can_be_is_refused(name: str, text: str, words: str) -> None:
    with pytest.raises(EvaluationError, match=words):
        call(name, text)


def test_a_lone_surrogate_is_refused() -> None:
    for name, text in [
        ("email_domain", "ann@exa\udc00mple.com"),
        ("url_host", "http://exa\udc00mple.com/"),
        ("url_host", "http://example.com/\ud800"),
    ]:
        with pytest.raises(EvaluationError):
            call(name, text)


@given(DOMAINS)
def test_a_domain_is_the_same_after_another_reading(domain: str) -> None:
    try:
        once = canonical_domain(domain)
    except EvaluationError:
        return
    assert canonical_domain(once) == once
    assert once == once.lower()
    assert once.isascii()


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_a_domain_beyond_ascii_is_the_same_after_another_reading(label: str) -> None:
    try:
        once = canonical_domain(f"{label}.com")
    except EvaluationError:
        return
    assert canonical_domain(once) == once


@given(st.text(st.sampled_from("ab.:/@?#\\%[]0x 1-"), max_size=16))
def test_a_host_that_is_answered_is_the_one_urllib_finds(rest: str) -> None:
    url = f"http://{rest}"
    try:
        host = call("url_host", url)
    except EvaluationError:
        return
    assert urlsplit(url).hostname == host
    with pytest.raises(OSError, match="illegal IP"):
        socket.inet_aton(host)


@given(DOMAINS, DOMAINS)
def test_within_is_what_the_labels_say(domain: str, root: str) -> None:
    labels, roots = domain.lower().split("."), root.lower().split(".")
    try:
        within = call("domain_within", domain, root)
    except EvaluationError:
        return
    assert within == (labels[-len(roots) :] == roots)
    assert call("domain_within", domain, domain)


def test_reading_is_charged_by_size() -> None:
    plain, beyond, long = Meter(), Meter(), Meter()
    call("url_host", "http://example.com/", meter=plain)
    call("url_host", f"http://{'日本' * 9}.com/", meter=beyond)
    call("url_host", f"http://example.com/{'a' * 100_000}", meter=long)
    assert plain.spent < 50
    assert beyond.spent > 10 * plain.spent
    assert long.spent > 6000


def test_work_is_refused_before_it_is_done() -> None:
    with pytest.raises(EvaluationError, match="too much work"):
        call("url_host", f"http://example.com/{'a' * 100_000}", meter=Meter(steps=1000))
    with pytest.raises(EvaluationError, match="too much work"):
        call("domain_within", "ü.com", "ü.com", meter=Meter(steps=100))
