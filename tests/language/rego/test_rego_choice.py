"""`Guard.load(..., rego=...)` says how modules are evaluated."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from guardrails import Action, Guard
from guardrails.errors import ConfigurationError
from guardrails.language.rego import Answer, RegoSettings
from guardrails.language.rego.embedded import EmbeddedEngine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from guardrails.language.rego import Unit

RULES = "package guardrails.pay\n\nallow if input.arguments.amount < 5\n\ndeny if false\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "pay.rego").write_text(RULES)
    tools = "version: 1\npolicy: t\ntools: {pay: {traits: [spend]}}"
    (tmp_path / "policies" / "t.yaml").write_text(tools)
    return tmp_path / "policies"


@pytest.fixture
def opened(folder: Path, tmp_path: Path) -> Iterator[Any]:
    guards: list[Guard] = []

    def load(**given: Any) -> Guard:
        guards.append(Guard.load(folder, log=tmp_path / "log", **given))
        return guards[-1]

    yield load
    for guard in guards:
        guard.close()


def matched(guard: Guard, amount: object = 3) -> list[tuple[str, str | None]]:
    decision = guard.decide(Action("pay", {"amount": amount}))
    return [(match.rule, match.error) for match in decision.matches]


class Never:
    """Says no to whatever it is asked."""

    closed = False

    def evaluate(self, unit: Unit, action: bytes) -> Sequence[Answer]:
        return [Answer(value=entry == "deny", defined=True) for entry in unit.entries]

    def close(self) -> None:
        self.closed = True


def test_by_default_modules_are_evaluated_inside(opened: Any) -> None:
    guard = opened()
    assert matched(guard) == [("pay/allow", None)]
    assert matched(opened(rego="embedded")) == [("pay/allow", None)]


def test_a_server_is_named_by_its_url(opened: Any) -> None:
    guard = opened(rego="http://127.0.0.1:9")
    errors = {error for _, error in matched(guard)}
    assert errors == {"the OPA server can't be asked: the connection was refused"}


def test_settings_say_all_there_is_to_say(opened: Any, folder: Path) -> None:
    (folder / "guardrails.toml").write_text("[rego]\nmemory_mb = -1\n")
    assert matched(opened(rego=RegoSettings(timeout_ms=2000))) == [("pay/allow", None)]


def test_the_rest_of_the_settings_holds_beside_a_url(opened: Any, folder: Path) -> None:
    (folder / "guardrails.toml").write_text('[rego]\npackages = ["main"]\nengine = "http://no.one"')
    (folder / "main.rego").write_text("package main\n\ndeny if input.arguments.amount > 1\n")
    assert matched(opened(rego="embedded")) == [("main/deny", None), ("pay/allow", None)]


def test_an_engine_of_ones_own_is_asked_and_left_open(opened: Any) -> None:
    engine = Never()
    guard = opened(rego=engine)
    assert matched(guard) == [("pay/deny", None)]
    guard.close()
    assert not engine.closed


def test_closing_the_guard_ends_the_processes(opened: Any) -> None:
    guard = opened()
    matched(guard)
    engine = guard.policies.bundle.rules[0].module.engine
    assert isinstance(engine, EmbeddedEngine)
    processes = engine.processes
    assert processes
    guard.close()
    assert engine.processes == ()
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("opa.example.com", "the engine for Rego is `embedded` or the URL of an OPA server"),
        ("", "the engine for Rego is `embedded` or the URL of an OPA server, not `` \\(empty\\)"),
        (8181, "an engine with `evaluate` and `close`, not `8181`"),
        (print, "or an engine with `evaluate` and `close`"),
    ],
)
def test_what_is_no_engine_is_refused(given: object, told: str, opened: Any) -> None:
    with pytest.raises(ConfigurationError, match=told):
        opened(rego=given)
