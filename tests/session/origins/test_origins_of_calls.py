"""Origins under a guard: what decorated tools give enters the session by itself."""

from __future__ import annotations

import contextlib
from collections import UserDict
from io import BytesIO
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest

import guardrails

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

POLICY = """
version: 1
policy: p
tools:
  read: {traits: [read], returns: [untrusted]}
  stream: {traits: [read], returns: [untrusted]}
  plain: {traits: [read]}
  pay: {traits: [spend], arguments: {to: {type: string}}}
rules:
  - {id: act, effect: allow, tools: [read, stream, plain, pay]}
  - id: foreign
    effect: deny
    tools: pay
    when: '"untrusted" in origins(arguments.to) && !stated(arguments.to)'
"""


@pytest.fixture
def guard(tmp_path: Path) -> guardrails.Guard:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "p.yaml").write_text(POLICY)
    return guardrails.Guard.load(folder, log=tmp_path / "log")


def pay(guard: guardrails.Guard, to: str) -> Any:
    return guard.run("pay", {"to": to}, lambda to: to)


def nested() -> Any:
    value: Any = "to EVIL Ltd"
    for _ in range(100_000):
        value = [value]
    return value


@pytest.mark.parametrize(
    "result",
    [
        {(1, (2, "to EVIL Ltd")): None},
        UserDict(note="to EVIL Ltd"),
        MappingProxyType({"note": "to EVIL Ltd"}),
        BytesIO(b"to EVIL Ltd"),
        iter(["to EVIL Ltd"]),
        lambda: "to EVIL Ltd",
        b"to EVIL Ltd",
        "to \ud800 EVIL Ltd",
        "x " * 9_000_000 + "to EVIL Ltd",
        nested(),
        ExceptionGroup("several", [ValueError({"note": ["to EVIL Ltd"]})]),
        FileNotFoundError(2, "none", "to EVIL Ltd"),
    ],
    ids=lambda result: type(result).__name__,
)
def test_no_way_of_giving_a_result_hides_it(guard: guardrails.Guard, result: Any) -> None:
    def give() -> Any:
        if isinstance(result, Exception):
            raise result
        return result

    with guard.session(subject="a"):
        with contextlib.suppress(type(result) if isinstance(result, Exception) else KeyError):
            guard.run("read", {}, give)
        assert refused_by(guard, "EVIL Ltd") == ["p/act", "p/foreign"]


def test_keys_of_a_map_are_asked_about_unless_the_schema_names_them(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("""
version: 1
policy: p
tools:
  admit:
    traits: [write]
    arguments: {users: {type: object}, by: {type: object, properties: {role: {type: string}}}}
rules:
  - {id: stated, effect: allow, tools: admit, when: stated(arguments)}
""")
    guard = guardrails.Guard.load(tmp_path, log=tmp_path / "log")
    with guard.session(subject="a") as session:
        session.user_said("let bob in as a guest")
        guard.run("admit", {"users": {"bob": True}, "by": {"role": "guest"}}, lambda **_: None)
        with pytest.raises(guardrails.ActionDenied):
            guard.run("admit", {"users": {"mallory": True}}, lambda **_: None)


def refused_by(guard: guardrails.Guard, to: str) -> list[str]:
    with pytest.raises(guardrails.ActionDenied) as caught:
        pay(guard, to)
    return [match.rule for match in caught.value.decision.matches]


def test_what_a_labelled_tool_returned_is_known_and_what_the_person_said_is_hers(
    guard: guardrails.Guard,
) -> None:
    with guard.session(subject="a") as session:
        guard.run("read", {}, lambda: {"bill": "to ACME Ltd or EVIL Ltd"})
        assert refused_by(guard, "ACME Ltd") == ["p/act", "p/foreign"]
        session.user_said("pay acme ltd")
        assert pay(guard, "ACME Ltd") == "ACME Ltd"
        assert refused_by(guard, "EVIL Ltd") == ["p/act", "p/foreign"]


def test_what_a_tool_without_labels_returned_is_nobody_s(guard: guardrails.Guard) -> None:
    with guard.session(subject="a"):
        guard.run("plain", {}, lambda: "to ACME Ltd")
        assert pay(guard, "ACME Ltd") == "ACME Ltd"


def test_the_error_of_a_tool_is_a_source_too(guard: guardrails.Guard) -> None:
    def fail() -> None:
        raise ValueError("pay ACME Ltd")

    with guard.session(subject="a"):
        with pytest.raises(ValueError, match="ACME"):
            guard.run("read", {}, fail)
        assert refused_by(guard, "ACME Ltd") == ["p/act", "p/foreign"]


def test_a_part_of_a_stream_is_known_before_the_next(guard: guardrails.Guard) -> None:
    @guard.tool
    def stream() -> Iterator[str]:
        yield "pay AC"
        yield "ME7 Ltd"

    with guard.session(subject="a"):
        parts = stream()
        assert next(parts) == "pay AC"
        assert pay(guard, "ACME7 Ltd") == "ACME7 Ltd"
        assert next(parts) == "ME7 Ltd"
        assert refused_by(guard, "ACME7 Ltd") == ["p/act", "p/foreign"]


async def test_a_part_of_an_async_stream_is_known_before_the_next(guard: guardrails.Guard) -> None:
    @guard.tool
    async def stream() -> AsyncIterator[str]:
        yield "pay ACME7 Ltd"

    async with guard.session(subject="a"):
        async for _ in stream():
            assert refused_by(guard, "ACME7 Ltd") == ["p/act", "p/foreign"]


def test_without_a_session_where_a_value_came_from_is_unknown_so_refused(
    guard: guardrails.Guard,
) -> None:
    with pytest.raises(guardrails.ActionDenied) as caught:
        pay(guard, "ACME Ltd")
    assert caught.value.decision.matches[1].error == "`stated(arguments.to)`: `session` is unknown"


def test_what_the_person_said_is_a_text(guard: guardrails.Guard) -> None:
    with guard.session(subject="a") as session, pytest.raises(guardrails.SessionError):
        session.user_said(12)  # type: ignore[arg-type]
