"""What the process of the embedded engine answers, asked here without a process."""

from __future__ import annotations

import json
from typing import Any

import pytest
import regorus  # type: ignore[import-untyped]

from guardrails.language.rego.worker import Service

NO_LIMIT = (0).to_bytes(4, "big")
DIGEST = "d" * 32


@pytest.fixture
def service() -> Service:
    return Service(regorus.Engine)


def ask(service: Service, kind: bytes, request: Any) -> bytes:
    data = request if isinstance(request, bytes) else json.dumps(request).encode()
    return service.answer(kind + NO_LIMIT + data)


def prepare(service: Service, text: str, data: str = "{}") -> bytes:
    unit = {
        "digest": DIGEST,
        "base": "b",
        "data": data,
        "modules": [["p.rego", text]],
        "rules": ["data.p.deny", "data.p.allow"],
    }
    return ask(service, b"U", unit)


def test_a_module_is_answered_with_its_tree(service: Service) -> None:
    answer = ask(service, b"P", {"path": "p.rego", "text": "package p\ndeny if true"})
    assert answer[:6] == b"=\0\0\0\1+"
    assert json.loads(answer[6:])[0]["source"]["file"] == "p.rego"
    old = ask(service, b"P", {"path": "p.rego", "text": "package p\ndeny[m] { m := 1 }"})
    assert old[:1] == b"="


def test_what_is_no_module_is_told_without_a_trace_of_the_engine(service: Service) -> None:
    answer = ask(service, b"P", {"path": "p.rego", "text": "package p\ndeny if {"})
    assert answer.startswith(b"-")
    assert b"p.rego:2:10" in answer
    assert b"backtrace" not in answer


def test_a_variable_that_the_engine_only_mutters_about_is_told(service: Service) -> None:
    text = "package p\ndeny if { some x; x > 1 }"
    assert ask(service, b"P", {"path": "p.rego", "text": text})[:6] == b"=\0\0\0\1!"


def test_a_unit_answers_for_each_rule(service: Service) -> None:
    text = "package p\ndeny contains 1 / input.a\nallow if input.a == data.one"
    assert prepare(service, text, '{"one": 1}') == b"+"
    assert prepare(service, text, '{"one": 1}') == b"+"
    for given, expected in (
        (b'{"a": 1}', [b"[\n  [\n    1\n  ]\n]", b"[\n  true\n]"]),
        (b'{"a": 2}', [b"[\n  [\n    0.5\n  ]\n]", b'"<undefined>"']),
    ):
        assert parts(ask(service, b"E", DIGEST.encode() + given)) == expected
    failed, allowed = parts(ask(service, b"E", DIGEST.encode() + b'{"a": 0}'))
    assert failed.startswith(b"-")
    assert b"divide by zero" in failed
    assert allowed == b'"<undefined>"'


def test_a_text_that_looks_undefined_is_a_value(service: Service) -> None:
    prepare(service, "package p\ndeny := input.a\nallow if false")
    found = parts(ask(service, b"E", DIGEST.encode() + b'{"a": "<undefined>"}'))
    assert found == [b'[\n  "<undefined>"\n]', b'"<undefined>"']


def test_what_is_no_input_or_no_unit_is_an_error(service: Service) -> None:
    prepare(service, "package p\ndeny if true\nallow if false")
    assert ask(service, b"E", DIGEST.encode() + b'{"a": NaN}').startswith(b"-")
    assert ask(service, b"E", b"x" * 32 + b"{}").startswith(b"-")
    assert prepare(service, "package p\ndeny if x").startswith(b"-")


def parts(answer: bytes) -> list[bytes]:
    assert answer[:1] == b"+"
    found = []
    at = 1
    while at < len(answer):
        end = at + 4 + int.from_bytes(answer[at : at + 4], "big")
        found.append(answer[at + 4 : end])
        at = end
    return found


@pytest.mark.parametrize(
    ("rules", "answer"),
    [
        ("deny if limit > 1", b"+"),
        ("deny if { some x; x > limit }", b"!"),
        ("deny if lost > limit", b"-"),
    ],
)
def test_the_modules_of_a_package_are_analysed_together(
    rules: str, answer: bytes, service: Service
) -> None:
    modules = [["a.rego", f"package p\n{rules}"], ["b.rego", "package p\nlimit := 2"]]
    assert ask(service, b"A", modules)[:1] == answer


def test_an_entry_is_watched_with_its_lines_and_what_it_prints(service: Service) -> None:
    text = 'package p\ndeny if {\n  print("a", input.a)\n  input.a > 1\n}\nallow if input.b'
    prepare(service, text)
    entry = b"".join(number.to_bytes(4, "big") for number in (0, 1))
    for given, value in ((2, b"[\n  true\n]"), (1, b'"<undefined>"')):
        action = json.dumps({"a": given}).encode()
        answer = ask(service, b"V", DIGEST.encode() + entry + action)
        length = int.from_bytes(answer[1:5], "big")
        assert answer[5 : 5 + length] == value
        seen = json.loads(answer[9 + length :])
        assert seen["lines"]["p.rego"] == [[3, 4], [6]]
        assert seen["prints"] == [f"p.rego:3: a {given}"]
    assert ask(service, b"V", DIGEST.encode() + entry + b"{")[:1] == b"-"
