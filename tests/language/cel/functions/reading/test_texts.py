from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.errors import EvaluationError
from guardrails.values import Opaque
from tests.language.cel.functions.calls import Meter, call
from tests.language.cel.functions.reading.readings import ask, expected, found, section

PIECES = r"""http https: // a.b @ % %2e .. / \ ~ < > " ' ( ) [ ] é ＠ &#x40; xn-- 1 :"""
READERS = ["shell_commands", "sql_statements", "urls", "paths", "emails", "secrets"]


def column(function: str, key: str, *arguments: object) -> Any:
    answer = found(function, *arguments)
    return answer if isinstance(answer, str) else [each[key] for each in answer]


@pytest.mark.parametrize("case", section("texts", "urls"))
def test_every_url_is_found_with_its_host(case: dict[str, Any]) -> None:
    assert expected(case, "hosts", column("urls", "host", case["text"]))


@pytest.mark.parametrize("case", section("texts", "emails"))
def test_every_mail_address_is_found(case: dict[str, Any]) -> None:
    assert expected(case, "addresses", column("emails", "address", case["text"]))


@pytest.mark.parametrize("case", section("texts", "paths"))
def test_every_path_is_found_and_normalised(case: dict[str, Any]) -> None:
    assert expected(case, "paths", found("paths", case["text"]))


@pytest.mark.parametrize("case", section("texts", "within"))
def test_a_relative_path_is_taken_from_the_folder(case: dict[str, Any]) -> None:
    assert expected(case, "paths", found("paths", case["text"], "/srv/app"))


@pytest.mark.parametrize("case", section("texts", "secrets"))
def test_every_secret_is_found_and_nothing_else(case: dict[str, Any]) -> None:
    answer = call("secrets", case["text"])
    assert sorted({each["kind"] for each in answer}) == case["kinds"]


def secret_kinds(value: object) -> list[str]:
    from guardrails.language.cel.functions import OVERLOADS

    (overload,) = OVERLOADS["secrets"]
    answer: Any = overload.implementation(Meter(), value)
    return [each["kind"] for each in answer]


def test_secrets_are_found_anywhere_in_a_value() -> None:
    key = "sk_live_0123456789abcdef"
    assert secret_kinds({"a": [1, None, {"b": f"x {key}"}]}) == ["stripe"]
    assert secret_kinds({key: 1}) == ["stripe"]
    assert secret_kinds(key.encode()) == ["stripe"]
    assert secret_kinds({"password": "hunter2hunter2"}) == ["password"]
    with pytest.raises(EvaluationError, match="can't be judged"):
        secret_kinds([Opaque("a socket")])


def test_a_secret_is_not_repeated() -> None:
    (secret,) = call("secrets", "sk_live_0123456789abcdef")
    assert secret == {"kind": "stripe", "masked": "sk_l.."}


@pytest.mark.parametrize(
    ("condition", "text", "answer"),
    [
        (
            'urls(arguments.x).all(u, domain_within(u.host, "a.example"))',
            "https://b.a.example",
            True,
        ),
        (
            'urls(arguments.x).all(u, domain_within(u.host, "a.example"))',
            "https://b.example",
            False,
        ),
        ('emails(arguments.x).all(e, e.domain == "a.example")', "ann@a.example", True),
        ('paths(arguments.x).all(p, path_within(p, "/srv"))', "/srv/a/../b", True),
        ('paths(arguments.x).all(p, path_within(p, "/srv"))', "~/x", "must be absolute"),
        ("secrets(arguments).size() > 0", "xoxb-0123456789-abcdef", True),
        ("secrets(arguments).size() > 0", "hello", False),
        ('paths(arguments.x, "/srv") == ["/srv/x"]', "x", True),
        ("paths(arguments.x, arguments.x) == ['/a']", "/a", True),
        ('paths(arguments.x, "work") == []', "x", "no plain folder"),
        ('urls(arguments.x).exists(u, u.hots == "x")', "x", "unknown"),
    ],
)
def test_a_condition_asks_about_a_text(condition: str, text: str, answer: object) -> None:
    said = ask(condition, text)
    assert said is answer or (isinstance(answer, str) and answer in str(said))


LONG = r"""a a. :// // www. @ a@b.c_ /a a/b_ ../ aB3 password= %25 &amp; https://a.b/c_ x_ ' " `
$( (( -----BEGIN_ select_ ( 1, eyJ xn-- а { <<A_ [[_ [ {, x[ &# \ _"""


@pytest.mark.parametrize("function", READERS)
@pytest.mark.parametrize("piece", [piece.replace("_", " ") for piece in LONG.split()])
def test_a_megabyte_ends_within_the_work_of_one_condition(function: str, piece: str) -> None:
    for size in (1_000_000, 20_000, 3_000):
        start = time.perf_counter()
        with contextlib.suppress(EvaluationError):
            call(function, piece * (size // len(piece)), meter=Meter(steps=100_000))
        assert time.perf_counter() - start < 1


@pytest.mark.parametrize("function", READERS)
@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from([*PIECES.split(), " ", "\u200b", "\ud800"]), max_size=14).map("".join)
)
def test_any_text_is_answered_or_refused(function: str, text: str) -> None:
    assert isinstance(found(function, text), str | list)
