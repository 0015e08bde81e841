"""What a guard is told besides its policies, sessions resumed, and what its log shows of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from guardrails import (
    Action,
    ActionDenied,
    ApprovalRequired,
    ConfigurationError,
    Guard,
    SessionError,
    Subject,
)
from guardrails.audit.verify import verify
from guardrails.testing import MemoryLog, TestGuard, guard_over, policies_over

if TYPE_CHECKING:
    from pathlib import Path

FORKS = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
"""Python 3.12 warns of a fork beside threads."""

POLICY = """\
version: 1
policy: p
context: {freeze: {type: boolean}}
tools:
  read: {traits: [read], returns: [secret]}
  send: {traits: [communicate], arguments: {to: {type: string}, text: {type: string}}, mask: [text]}
rules:
  - {id: read, effect: allow, tools: read}
  - {id: send, effect: allow, tools: send, when: "session.labels == []"}
  - {id: own, effect: allow, tools: own, when: 'subject.on_behalf_of == "dana@example.com"'}
  - id: chain
    effect: allow
    tools: chain
    when: subject.chain == ["lead", "helper"] && subject.on_behalf_of == ""
  - {id: ask, effect: escalate, tools: ask}
  - {id: freeze, effect: deny, tools: read, when: context.freeze, unless: "!has(context.freeze)"}
  - {id: ends, effect: deny, tools: read, mode: observe, expires: 2030-01-01}
  - id: excepted
    effect: deny
    tools: read
    unless: [{when: arguments.x == 1, expires: 2030-01-01, reason: FIN-131}]
"""


@pytest.fixture
def guard() -> TestGuard:
    return guard_over(POLICY)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "p.yaml").write_text(POLICY, encoding="utf-8")
    return tmp_path / "policies"


def records(log: Path) -> list[dict[str, Any]]:
    texts = (file.read_text("utf-8") for file in sorted(log.glob("*.jsonl")))
    return [json.loads(line) for text in texts for line in text.splitlines()]


# Facts


def test_a_provider_of_a_fact_that_no_policy_declares_is_refused_at_load(folder: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Guard.load(folder, facts={"frezze": lambda action: True})
    assert str(caught.value) == "no policy declares the fact `frezze`; did you mean `freeze`?"


def test_where_no_policy_declares_facts_any_may_be_provided() -> None:
    policy = """
        version: 1
        policy: p
        rules: [{id: a, effect: allow, tools: t, when: context.any == 1}]
    """
    guard = guard_over(policy, facts={"any": lambda action: 1})
    assert guard.run("t", {}, lambda: "ran") == "ran"


def test_a_provider_is_a_function() -> None:
    with pytest.raises(ConfigurationError, match="`freeze` needs a function that takes the action"):
        guard_over(POLICY, facts={"freeze": True})


# Sessions


def test_a_session_resumed_by_its_id_has_its_labels(guard: TestGuard) -> None:
    with guard.session(subject="a", id="ticket-7") as first:
        guard.run("read", {"x": 1}, lambda x: x)
        assert first.labels == {"secret"}
    with guard.session(subject="a") as other:
        assert other.id != "ticket-7"
        guard.run("send", {"to": "b", "text": "hi"}, lambda to, text: None)
    with guard.session(subject="a", id="ticket-7") as again:
        assert again.id == "ticket-7"
        assert again.labels == {"secret"}
        with pytest.raises(ActionDenied):
            guard.run("send", {"to": "b", "text": "hi"}, lambda to, text: None)
    with pytest.raises(SessionError, match="`ticket-7` was opened by another subject"):
        guard.session(subject="b", id="ticket-7")


async def test_a_session_may_be_entered_asynchronously_and_resumed(guard: TestGuard) -> None:
    async with guard.session(subject="a", on_behalf_of="dana@example.com", id="s") as session:
        assert guard.run("own", {}, lambda: "ran") == "ran"
        assert session.subject == Subject("a", on_behalf_of="dana@example.com")
    async with guard.session(subject="a", id="s"):
        with pytest.raises(ActionDenied):
            guard.run("own", {}, lambda: "ran")


def test_on_behalf_of_is_each_subjects_own(guard: TestGuard) -> None:
    with (
        guard.session(subject="lead", on_behalf_of="dana@example.com"),
        guard.session(subject="helper"),
        pytest.raises(ActionDenied),
    ):
        guard.run("own", {}, lambda: None)
    assert [each["on_behalf_of"] for each in guard.log.decisions[-1].subjects] == [
        "dana@example.com",
        "",
    ]


def test_a_condition_reads_the_chain(guard: TestGuard) -> None:
    with guard.session(subject="lead"), guard.session(subject="helper"):
        assert guard.run("chain", {}, lambda: "ran") == "ran"
    with guard.session(subject="helper"), pytest.raises(ActionDenied):
        guard.run("chain", {}, lambda: "ran")


# What is decided, and what the log shows


def test_a_decision_tells_what_observed_rules_would_have_done(guard: TestGuard) -> None:
    decision = guard.decide(Action("read", {"x": 1}))
    assert (str(decision.effect), str(decision.would)) == ("allow", "deny")
    assert {match.rule: match.observed for match in decision.matches} == {
        "p/ends": True,
        "p/read": False,
    }


def test_the_exception_that_was_used_is_in_the_decision_and_in_the_log(
    folder: Path, tmp_path: Path
) -> None:
    guard = Guard.load(folder, log=tmp_path / "log")
    decision = guard.decide(Action("read", {"x": 1}))
    used = [{"rule": "p/excepted", "reason": "FIN-131"}, {"rule": "p/freeze", "reason": ""}]
    assert [each.as_json() for each in decision.exceptions] == used
    assert decision.as_json()["exceptions"] == used
    guard.run("read", {"x": 1}, lambda x: x)
    record = next(each for each in records(tmp_path / "log") if each["kind"] == "decision")
    assert record["result"]["exceptions"] == used


def test_masked_arguments_are_hidden_in_the_log_and_given_to_the_tool(
    folder: Path, tmp_path: Path
) -> None:
    guard = Guard.load(folder, log=tmp_path / "log")
    with guard.session(subject="a"):
        sent = guard.run("send", {"to": "b", "text": "s3cret"}, lambda to, text: text)
    assert sent == "s3cret"
    text = "".join(file.read_text("utf-8") for file in (tmp_path / "log").glob("*.jsonl"))
    assert "s3cret" not in text
    assert '"to":"b"' in text


def test_a_refusal_names_its_record_and_says_no_more(folder: Path, tmp_path: Path) -> None:
    guard = Guard.load(folder, log=tmp_path / "log")
    with pytest.raises(ApprovalRequired) as asked:
        guard.run("ask", {"secret": 1}, lambda secret: None)
    with pytest.raises(ActionDenied) as denied:
        guard.run("own", {}, lambda: None)
    ids = [each["id"] for each in records(tmp_path / "log") if each["kind"] == "decision"]
    assert [asked.value.id, denied.value.id] == ids
    assert str(asked.value) == f"This action needs a person's approval (decision {ids[0]})."
    assert str(denied.value) == f"This action is not permitted (decision {ids[1]})."


# The log's place


@pytest.mark.parametrize("told", ["argument", "variable"])
def test_the_log_may_go_to_standard_output(folder: Path, told: str) -> None:
    code = (
        "import guardrails, sys\n"
        "log = sys.argv[2] or None\n"
        "guard = guardrails.Guard.load(sys.argv[1], log=log)\n"
        "guard.run('read', {'x': 1}, lambda x: x)\n"
    )
    environment = os.environ | ({"GUARDRAILS_LOG": "-"} if told == "variable" else {})
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder), "-" if told == "argument" else ""],
        env=environment,
        cwd=folder.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    kinds = [json.loads(line)["kind"] for line in done.stdout.splitlines()]
    assert kinds == ["start", "load", "decision", "outcome"]
    assert not (folder.parent / ".guardrails").exists()


def test_the_variable_names_the_folder_of_the_log(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUARDRAILS_LOG", str(tmp_path / "elsewhere"))
    Guard.load(folder).run("read", {"x": 1}, lambda x: x)
    assert [each["kind"] for each in records(tmp_path / "elsewhere")][1:] == [
        "load",
        "decision",
        "outcome",
    ]
    Guard.load(folder, log=tmp_path / "told").run("read", {"x": 1}, lambda x: x)
    assert len(records(tmp_path / "told")) == 4


@FORKS
def test_the_chain_of_a_forked_child_tells_which_policies_are_in_force(
    folder: Path, tmp_path: Path
) -> None:
    guard = Guard.load(folder, log=tmp_path / "log")
    guard.run("read", {"x": 1}, lambda x: x)
    child = os.fork()
    if child == 0:
        try:
            guard.run("read", {"x": 1}, lambda x: x)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    guard.run("read", {"x": 1}, lambda x: x)
    assert verify(tmp_path / "log").intact
    chains: dict[str, list[str]] = {}
    for record in records(tmp_path / "log"):
        chains.setdefault(record["id"].partition("-")[0], []).append(record["kind"])
        if record["kind"] == "load":
            assert record["revision"] == guard.policies.revision
    assert sorted(chains.values()) == [
        ["start", "load", "decision", "outcome"],
        ["start", "load", "decision", "outcome", "decision", "outcome"],
    ]


# For the tests of those who use the library


def test_policies_and_guards_over_texts_serve_tests() -> None:
    files = {"a.yaml": POLICY, "b.yaml": "version: 1\npolicy: b\n"}
    assert policies_over(files).bundle.tools.keys() == {"read", "send"}
    guard = guard_over(files)
    assert type(guard.log) is MemoryLog
    guard.log.broken = True
    with pytest.raises(ActionDenied):
        guard.run("read", {"x": 1}, lambda x: x)
    guard.log.broken = False
    assert guard.run("read", {"x": 1}, lambda x: x) == 1
    assert guard.log.events[0][0] == "load"
    assert [outcome.outcome for outcome in guard.log.outcomes] == ["returned"]
