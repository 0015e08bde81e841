"""What stands between rules and an engine, with engines and systems that fail."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from guardrails.action import Action, SessionView, Subject
from guardrails.decision import Decision, Effect, RuleMatch, Told
from guardrails.engine import Facts, PolicySet
from guardrails.engine.combine import combine_chain
from guardrails.errors import ConfigurationError, EvaluationError, PolicyError
from guardrails.language.document import Approval, Voters
from guardrails.language.loader import load, load_texts
from guardrails.language.rego import embedded
from guardrails.language.rego.action_text import write_action
from guardrails.language.rego.embedded import EmbeddedEngine
from guardrails.language.rego.faults import parse_failure, tell_fault
from guardrails.language.rego.graph import Reads
from guardrails.language.rego.opa_server import OpaServer
from guardrails.language.rego.process import WorkerProcess
from guardrails.language.rego.seam import Answer, EngineFailure, ParseFailure, Text, Unit
from guardrails.language.rego.settings import RegoSettings, find_rego_settings
from guardrails.testing import policies_over
from guardrails.values import Timestamp, UInt
from tests.language.rego.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.language.rego.conftest import LoadRego

MODULE = (
    "# METADATA\n# custom: {tools: [pay]}\npackage guardrails.p\nallow if true\ndeny if false\n"
)
FACTS = Facts.at(NOW)


class Said:
    """An engine that says what it is told to."""

    def __init__(self, answers: Sequence[Answer] | Exception) -> None:
        self.answers = answers
        self.asked: list[bytes] = []

    def evaluate(self, unit: Unit, action: bytes) -> Sequence[Answer]:
        self.asked.append(action)
        if isinstance(self.answers, Exception):
            raise self.answers
        return self.answers

    def close(self) -> None:
        """Nothing to end."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "p.rego").write_text(MODULE)
    return tmp_path


@pytest.fixture
def engine() -> Iterator[EmbeddedEngine]:
    engine = EmbeddedEngine()
    yield engine
    engine.close()


def unit(rego: str, digest: str = "d") -> Unit:
    modules = (Text("p.rego", f"package p\n{rego}"),)
    return Unit(digest * 32, ("p",), ("deny",), modules, Text("b", "{}"))


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        (EngineFailure("it is away"), "it is away"),
        (ZeroDivisionError("secret"), "the engine for Rego failed"),
        ([], "the engine for Rego gave another number of answers than were asked for"),
    ],
)
def test_an_engine_that_fails_is_closed(folder: Path, answers: Any, error: str) -> None:
    decision = PolicySet(load(folder, rego=Said(answers))).decide(Action("pay"), FACTS)
    assert decision.effect is Effect.DENY
    assert decision.matches == (
        RuleMatch("p/deny", Effect.DENY, error),
        RuleMatch("p/module", Effect.DENY, error),
    )


def test_an_engine_is_asked_once_for_all_rules_and_members(folder: Path) -> None:
    said = Said([Answer(value=True, defined=True), Answer()])
    (folder / "q.yaml").write_text(
        "version: 1\npolicy: q\nrules:\n"
        "  - {id: a, effect: deny, tools: pay, when: subject.id == 'x'}\n"
    )
    policies = PolicySet(load(folder, rego=said))
    assert policies.decide(Action("pay", {}, Subject("a")), FACTS).allowed
    assert len(said.asked) == 1


def test_what_json_has_no_kind_for_is_written_as_text(folder: Path) -> None:
    said = Said([Answer(value=True, defined=True), Answer()])
    policies = PolicySet(load(folder, rego=said))
    arguments = {"at": NOW, "for": timedelta(seconds=3.5), "raw": b"\xff", "list": [None, 1.5]}
    assert policies.decide(Action("pay", arguments), FACTS).allowed
    (action,) = said.asked
    assert b'"at":"2026-11-24T12:00:00Z","for":"3.5s","raw":"/w==","list":[null,1.5]' in action


def test_a_part_that_nobody_reads_may_be_anything(load_rego: LoadRego) -> None:
    policies = load_rego("package guardrails.p\nallow if true")
    context = {"odd": 2**80}
    assert policies.decide(Action("pay", {}, None, context), FACTS).allowed
    reading = load_rego("package guardrails.p\nallow if true\ndeny if input.context.odd == 1")
    assert not reading.decide(Action("pay", {}, None, context), FACTS).allowed
    odd = Subject("a", (), "", {"odd": 2**80})
    assert policies.decide(Action("pay", {}, odd), FACTS).allowed
    whole = load_rego("package guardrails.p\nallow if count(input) > 0")
    session = SessionView("s")
    assert not whole.decide(Action("pay", {}, odd, None, session), FACTS).allowed


def test_members_of_whom_a_rule_asks_other_terms_find_nobody_who_may_approve() -> None:
    def decision(name: str, error: str | None = None) -> Decision:
        told = None if error else Told("m", approval=Approval((Voters((name,), 1),), None))
        match = RuleMatch("p/a", Effect.ESCALATE, error, False, told)
        return Decision(Effect.ESCALATE, "rule", (match,))  # type: ignore[arg-type]

    (same,) = combine_chain([decision("a"), decision("a")]).matches
    assert same.told is not None
    assert same.told.approval is not None
    (merged,) = combine_chain([decision("a"), decision("b")]).matches
    assert merged.told == Told("m", approval=None)
    (failed,) = combine_chain([decision("a"), decision("b", "bad")]).matches
    assert failed.error == "bad"
    observed = Decision(
        Effect.ESCALATE,
        "rule",  # type: ignore[arg-type]
        (RuleMatch("p/a", Effect.ESCALATE, None, observed=True),),
    )
    (enforced,) = combine_chain([observed, decision("a")]).matches
    assert not enforced.observed


def test_another_number_of_levels_than_the_parser_bears_is_told(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "LOAD_LIMIT", 0.1)
    with pytest.raises(ParseFailure, match="it can't be parsed: Rego took longer than 100 ms"):
        engine.parse("p.rego", f"package p\ndeny if {'[' * 25}1{']' * 25}")


def test_a_unit_that_the_engine_refuses_is_a_failure(engine: EmbeddedEngine) -> None:
    with pytest.raises(EngineFailure, match=r"^the evaluation failed at p.rego:2:9"):
        engine.evaluate(unit("deny if x"), b"{}")
    with pytest.raises(EngineFailure, match=r"^the evaluation failed$"):
        engine.evaluate(unit("deny if true", "e"), b"NaN")


def test_a_closed_engine_evaluates_nothing(engine: EmbeddedEngine) -> None:
    engine.close()
    with pytest.raises(EngineFailure, match="the engine for Rego has been closed"):
        engine.evaluate(unit("deny if true"), b"{}")


def test_where_every_process_is_busy_too_long_nothing_is_evaluated(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "LOAD_LIMIT", 0.01)
    engine._most = 1
    with engine._worker(1), pytest.raises(EngineFailure, match="was busy too long"):
        engine.evaluate(unit("deny if true"), b"{}")


def test_a_process_that_cannot_be_started_is_a_failure(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(EngineFailure, match="no process for Rego can be started: Resource"):
        engine.evaluate(unit("deny if true"), b"{}")


def test_a_process_given_back_to_a_closed_engine_is_left(engine: EmbeddedEngine) -> None:
    with engine._worker(1) as worker:
        engine.close()
    assert not worker.alive
    assert engine.processes == ()


def test_a_failed_process_of_a_closed_engine_is_not_replaced(engine: EmbeddedEngine) -> None:
    with engine._worker(1) as worker:
        worker.end()
        engine._closed = True
    assert worker.id not in engine.processes


def test_a_forked_child_forgets_its_parents_processes(engine: EmbeddedEngine) -> None:
    worker = WorkerProcess(".", 1 << 29)
    process = worker.id
    worker.abandon()
    assert worker.alive is False
    os.kill(process, 9)
    os.waitpid(process, 0)
    engine._begin_in_child()
    assert engine.processes == ()
    engine.evaluate(unit("deny if true"), b"{}")
    engine._workers.append(WorkerProcess(".", 1 << 29))
    last = engine._workers[-1]
    kept = [each for each in engine._workers if each is not last]
    engine._workers[:] = [last]
    engine._begin_in_child()
    os.kill(last.id, 9)
    os.waitpid(last.id, 0)
    engine._workers[:] = kept


def test_a_process_that_has_ended_answers_nothing() -> None:
    worker = WorkerProcess(".", 1 << 29)
    os.kill(worker.id, 9)
    while worker.alive:
        pass
    worker._started = True
    with pytest.raises(EngineFailure, match="it crashed or needed too much memory"):
        worker.ask(b"E", b"x", 1)


def test_a_result_that_is_no_json_is_an_error() -> None:
    assert embedded._read_answer(b"[NaN]").error == "the result can't be read"
    assert embedded._read_answer(b"[1, 2]").error == "the result can't be read"


def test_without_the_library_the_extra_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "find_spec", lambda _: None)
    with pytest.raises(PolicyError) as caught:
        load(folder)
    assert str(caught.value) == (
        f"{folder}/p.rego: Rego modules need an extra: `pip install 'policy-guardrails[rego]'`"
    )
    assert importlib.util.find_spec("regorus") is not None


def test_where_there_are_no_pipes_to_wait_for_a_server_is_advised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "name", "nt")
    with pytest.raises(ConfigurationError, match="name an OPA server in"):
        embedded._find_library()


def test_a_fault_without_a_place_is_told_without_one() -> None:
    assert parse_failure("Something odd.").message == "something odd"
    assert tell_fault("odd") == "the evaluation failed"
    assert tell_fault("error: to_number refuses `secret`") == (
        "the evaluation failed: a built-in function refused what it was given"
    )


def test_a_module_that_is_no_text_is_refused() -> None:
    with pytest.raises(PolicyError, match="is not UTF-8"):
        load_texts({"p.rego": b"package guardrails.p\n\xff"})


def test_settings_are_those_nearest_to_the_policies(tmp_path: Path) -> None:
    (tmp_path / "guardrails.toml").write_text('[rego]\npackages = ["main"]\nmemory_mb = 99\n')
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert find_rego_settings(inner) == RegoSettings(packages=("main",), memory_mb=99)
    (inner / "guardrails.toml").write_text("[lint]\n")
    assert find_rego_settings(inner) == RegoSettings()
    (inner / "guardrails.toml").write_text("rego = 1\n")
    with pytest.raises(ConfigurationError, match="`rego` must be a table"):
        find_rego_settings(inner)


def test_a_listed_package_is_a_policy(tmp_path: Path) -> None:
    (tmp_path / "guardrails.toml").write_text('[rego]\npackages = ["main"]\ntimeout_ms = 100\n')
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "main.rego").write_text("package main\nallow if true\n")
    (tmp_path / "p" / "t.yaml").write_text("version: 1\npolicy: t\ntools: {pay: {traits: [spend]}}")
    policies = PolicySet(load(tmp_path / "p"))
    assert [match.rule for match in policies.decide(Action("pay"), FACTS).matches] == ["main/allow"]


class Around:
    """What is known besides arguments: as little as can be."""

    tool = "pay"
    context: dict[str, Any] = {}  # noqa: RUF012
    now = Timestamp(0)
    traits: list[str] = []  # noqa: RUF012
    subject: dict[str, Any] = {}  # noqa: RUF012
    session: dict[str, Any] = {}  # noqa: RUF012


@pytest.mark.parametrize(
    "value", ["\ud800", {"1": 1, 1: 2}, {1, 2}, 2**64], ids=["lone", "one", "set", "huge"]
)
def test_no_text_stands_for_what_has_no_json_form(value: Any) -> None:
    nothing = Reads(frozenset(), frozenset())
    with pytest.raises(EvaluationError):
        write_action(nothing, {"value": value}, Around())
    assert b'"value":7' in write_action(nothing, {"value": UInt(7)}, Around())


def test_a_server_without_files_or_time_is_told(tmp_path: Path) -> None:
    settings = RegoSettings(engine="https://opa.example.com", certificate_file="/none")
    with pytest.raises(ConfigurationError, match="a file can't be read"):
        OpaServer.of(settings)
    with pytest.raises(EngineFailure, match="took longer than 0 ms"):
        OpaServer("http://127.0.0.1:9", time_limit=0).evaluate(unit("deny if true"), b"{}")


def test_data_that_is_no_text_is_refused() -> None:
    with pytest.raises(PolicyError, match=r"data.yaml:1:1: byte 0xff is not UTF-8"):
        load_texts({"p.rego": MODULE, "data.yaml": b"\xff"})


def test_data_of_several_files_is_joined(load_rego: LoadRego) -> None:
    files = {"a__data_dot_json": '{"b": {"c": 1}}', "data_dot_json": '{"a": {"b": {"d": 2}}}'}
    policies = load_rego("package guardrails.p\nallow if data.a.b.c + data.a.b.d == 3", **files)
    assert policies.decide(Action("pay"), FACTS).allowed


def test_policies_without_modules_have_none() -> None:
    bundle = policies_over(
        "version: 1\npolicy: p\nrules: [{id: a, effect: allow, tools: a}]"
    ).bundle
    assert [rule.module for rule in bundle.rules] == [None]


def test_what_can_not_be_analysed_or_watched_in_time_is_told(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EngineFailure, match=r"^the evaluation failed$"):
        engine.watch(unit("deny if true", "f"), b"NaN", range(1), 1)
    monkeypatch.setattr(embedded, "LOAD_LIMIT", 0.1)
    deep = Text("p.rego", f"package p\ndeny if {'[' * 25}1{']' * 25}")
    fault = engine.analyse([deep, Text("q.rego", "package p")])
    assert fault is not None
    assert fault.message == "it can't be parsed: Rego took longer than 100 ms"
