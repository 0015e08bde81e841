"""Labels, targets, delegations and shared sessions, under a guard."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

import guardrails
from guardrails.decision import Code
from guardrails.errors import (
    ActionDenied,
    ConfigurationError,
    LogUnavailable,
    SessionError,
    StateUnavailable,
)
from guardrails.session.shared import SharedState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

POLICY = """version: 1
policy: p
tools:
  mail.read: {traits: [read], returns: [untrusted]}
  net.send: {traits: [external]}
  vm.delete:
    traits: [destructive]
    arguments: {id: {type: string, kind: target}, reason: {type: string}}
  vm.list: {traits: [read]}
  wipe: {traits: [destructive]}
rules:
  - {id: all, effect: allow, tools: "*"}
  - {id: no-leak, effect: deny, tools: net.send, when: '"untrusted" in session.labels'}
  - id: targets-alone
    effect: deny
    tools: vm.delete
    when: "!kinds.target.all(each, each in session.targets)"
  - {id: never, effect: deny, tools: wipe}
  - {id: probing, effect: deny, tools: vm.list, after: {outcome: denied, at_least: 3}}
"""


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Callable[..., guardrails.Guard]]:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "p.yaml").write_text(POLICY)
    made: list[guardrails.Guard] = []

    def load_one(**more: Any) -> guardrails.Guard:
        settings = {"log": tmp_path / f"log{len(made)}", **more}
        guard = guardrails.Guard.load(tmp_path / "policies", **settings)
        made.append(guard)
        return guard

    yield load_one
    for guard in made:
        guard.close()


def call(guard: guardrails.Guard, tool: str) -> None:
    guard.run(tool, {}, lambda: None)


def denied(guard: guardrails.Guard, tool: str, **arguments: Any) -> list[str]:
    """The deny rules that a call of `tool` meets, empty where it runs."""
    try:
        guard.run(tool, arguments, lambda **_: None)
    except ActionDenied as error:
        return [match.rule for match in error.decision.matches if match.rule != "p/all"]
    return []


# -- labels


def test_a_label_is_in_before_the_tool_returns(load: Callable[..., guardrails.Guard]) -> None:
    guard = load()
    seen = []
    with guard.session(subject="a"):
        guard.run("mail.read", {}, lambda: seen.append(denied(guard, "net.send")))
    assert seen == [["p/no-leak"]]


def test_a_label_stays_after_an_error_and_a_timeout(load: Callable[..., guardrails.Guard]) -> None:
    guard = load()

    async def scene() -> list[str]:
        async def read() -> None:
            await asyncio.sleep(10)

        async with guard.session(subject="a"):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(guard.arun("mail.read", {}, read), 0.05)
            return denied(guard, "net.send")

    def fail() -> None:
        raise OSError

    with guard.session(subject="a"), pytest.raises(OSError):  # noqa: PT011 - the one above
        guard.run("mail.read", {}, fail)
    assert asyncio.run(scene()) == ["p/no-leak"]


def test_a_label_of_a_stream_is_in_with_its_first_item(
    load: Callable[..., guardrails.Guard],
) -> None:
    guard = load()

    @guard.tool("mail.read")
    def read() -> Iterator[str]:
        yield "first"
        yield "second"

    with guard.session(subject="a"):
        assert next(read()) == "first"
        assert denied(guard, "net.send") == ["p/no-leak"]


def test_labels_of_calls_at_once_all_come_in(load: Callable[..., guardrails.Guard]) -> None:
    guard = load()
    with guard.session(subject="a") as session:
        threads = [
            threading.Thread(target=session.bind(session.add_labels), args=([f"l{n}"],))
            for n in range(50)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert session.labels == {f"l{n}" for n in range(50)}


def test_removing_labels_needs_a_reason_and_is_recorded(
    load: Callable[..., guardrails.Guard], tmp_path: Path
) -> None:
    guard = load()
    with guard.session(subject="a") as session:
        call(guard, "mail.read")
        with pytest.raises(SessionError, match="a reason is needed"):
            session.remove_labels(["untrusted"], reason=" ")
        assert denied(guard, "net.send") == ["p/no-leak"]
        session.remove_labels(["untrusted"], reason="dana read it")
        assert denied(guard, "net.send") == []
    text = "".join(path.read_text() for path in (tmp_path / "log0").rglob("*.jsonl"))
    (record,) = [line for line in map(json.loads, text.splitlines()) if line["kind"] == "labels"]
    assert (record["removed"], record["reason"], record["session"]["id"]) == (
        ["untrusted"],
        "dana read it",
        session.id,
    )


def test_labels_that_can_not_be_recorded_as_gone_stay(
    load: Callable[..., guardrails.Guard],
) -> None:
    guard = load()
    session = guard.session(subject="a")
    session.add_labels(["untrusted"])
    guard.close()
    with pytest.raises(LogUnavailable):
        session.remove_labels(["untrusted"], reason="dana read it")
    assert session.labels == {"untrusted"}


def test_a_label_removed_while_its_tool_runs_comes_back(
    load: Callable[..., guardrails.Guard],
) -> None:
    guard = load()
    with guard.session(subject="a") as session:
        guard.run("mail.read", {}, lambda: session.remove_labels(["untrusted"], reason="too soon"))
        assert session.labels == {"untrusted"}


@pytest.mark.parametrize("labels", ["untrusted", b"x", [""], [1], [" "], None, 5])
def test_what_is_no_list_of_labels_is_refused(
    load: Callable[..., guardrails.Guard], labels: Any
) -> None:
    session = load().session(subject="a")
    with pytest.raises(SessionError, match="labels are a list of texts"):
        session.add_labels(labels)


# -- targets of a task


def test_targets_are_what_a_policy_may_hold_calls_to(load: Callable[..., guardrails.Guard]) -> None:
    guard = load()
    with guard.session(subject="a") as session:
        assert denied(guard, "vm.delete", id="1") == ["p/targets-alone"]  # no task: an error
        session.task(targets=["1", "2"])
        assert denied(guard, "vm.delete", id="1") == []
        assert denied(guard, "vm.delete", id="7") == ["p/targets-alone"]
        assert denied(guard, "vm.delete", reason="none") == []  # none of that kind is none


def test_a_task_can_only_become_narrower(load: Callable[..., guardrails.Guard]) -> None:
    guard = load()
    with guard.session(subject="a") as session:
        session.task(targets=["1", "2"])
        with pytest.raises(SessionError, match="only be narrowed"):
            session.task(targets=["1", "3"])
        with guard.session(subject="b") as child:
            assert list(child.targets or ()) == ["1", "2"]
            child.task(targets=["2"])
            assert denied(guard, "vm.delete", id="1") == ["p/targets-alone"]
            session.task(targets=["1"])
            assert list(child.targets or ()) == []
        assert tuple(session.targets or ()) == ("1",)


def test_a_kind_that_a_tool_does_not_declare_is_an_error(
    load: Callable[..., guardrails.Guard], tmp_path: Path
) -> None:
    rule = "  - {id: k, effect: deny, tools: vm.list, when: size(kinds.recipient) > 0}\n"
    (tmp_path / "policies" / "p.yaml").write_text(POLICY + rule)
    with load().session(subject="a"):
        assert denied(load(), "vm.list") == ["p/k"]


# -- delegation


def test_what_a_child_gathers_flows_back(load: Callable[..., guardrails.Guard]) -> None:
    guard = load()
    with guard.session(subject="a") as session:
        with guard.session(subject="b"):
            call(guard, "mail.read")
            for _ in range(3):
                denied(guard, "wipe")
        assert session.labels == {"untrusted"}
        assert denied(guard, "vm.list") == ["p/probing"]


def test_delegations_go_so_deep_and_no_deeper(load: Callable[..., guardrails.Guard]) -> None:
    guard = load(max_depth=2)
    deep = pytest.raises(SessionError, match="no deeper than 2")
    with guard.session(subject="a"), guard.session(subject="b"), deep:
        guard.session(subject="c")
    with pytest.raises(ConfigurationError, match="`max_depth` is a whole number"):
        load(max_depth=0)


KEY = bytes(range(32))


def test_a_token_carries_the_session_to_another_guard(
    load: Callable[..., guardrails.Guard],
) -> None:
    here, there = load(token_key=KEY), load(token_key=KEY)
    with here.session(subject="a", roles=["boss"], context={"env": "prod"}) as session:
        session.add_labels(["untrusted"])
        session.task(targets=["1"])
        token = session.token(subject="b", roles=["helper"], context={"more": 1})
    with there.session(token=token) as child:
        assert [member.id for member in child.chain] == ["a", "b"]
        assert child.chain[0].roles == ("boss",)
        assert (child.id, child.context, child.depth) == (session.id, {"env": "prod", "more": 1}, 2)
        assert denied(there, "net.send") == ["p/no-leak"]
        assert denied(there, "vm.delete", id="2") == ["p/targets-alone"]
        with pytest.raises(SessionError, match="only be narrowed"):
            child.task(targets=["2"])


def test_a_token_is_good_for_once(load: Callable[..., guardrails.Guard]) -> None:
    guard = load(token_key=KEY)
    token = guard.session(subject="a").token(subject="b")
    guard.session(token=token)
    with pytest.raises(SessionError, match="the token has been used"):
        guard.session(token=token)


def test_what_happened_before_a_token_is_unknown_where_nothing_is_shared(
    load: Callable[..., guardrails.Guard],
) -> None:
    here, there = load(token_key=KEY), load(token_key=KEY)
    with here.session(subject="a") as session:
        for _ in range(3):
            assert denied(here, "wipe") == ["p/never"]
        first, second = (session.token(subject="b") for _ in range(2))
    with there.session(token=first), pytest.raises(ActionDenied) as caught:
        there.run("vm.list", {}, lambda: None)
    errors = [match.error for match in caught.value.decision.matches if match.rule == "p/probing"]
    assert errors == ["what happened in the session before is known to another process alone"]
    with here.session(token=second):
        assert denied(here, "vm.list") == ["p/probing"]


def test_a_token_that_was_altered_is_refused(load: Callable[..., guardrails.Guard]) -> None:
    guard = load(token_key=KEY)
    token = guard.session(subject="a").token(subject="b")
    for at in range(len(token)):
        other = "A" if token[at] != "A" else "B"
        with pytest.raises(SessionError, match=r"no token|was altered"):
            guard.session(token=token[:at] + other + token[at + 1 :])
    wrong: list[Any] = ["", "x", token + ".x", token[:-1], f"{token}é", 5]
    for whole in wrong:
        with pytest.raises(SessionError, match=r"no token|was altered"):
            guard.session(token=whole)


def test_a_token_of_another_key_or_too_old_is_refused(
    load: Callable[..., guardrails.Guard],
) -> None:
    guard, other = load(token_key=KEY), load(token_key=KEY[::-1])
    with pytest.raises(SessionError, match="another key"):
        other.session(token=guard.session(subject="a").token(subject="b"))
    with pytest.raises(SessionError, match="expired"):
        guard.session(token=guard.session(subject="a").token(subject="b", ttl=1e-9))
    with pytest.raises(SessionError, match="at most 86,400 seconds"):
        guard.session(subject="a").token(subject="b", ttl=1e6)


def test_a_token_stands_alone_and_outside_of_sessions(
    load: Callable[..., guardrails.Guard],
) -> None:
    guard = load(token_key=KEY)
    token = guard.session(subject="a").token(subject="b")
    with pytest.raises(SessionError, match="give nothing else"):
        guard.session(token=token, subject="c")
    with guard.session(subject="c"), pytest.raises(SessionError, match="outside of any other"):
        guard.session(token=token)
    with guard.session(token=token):
        pass


def test_a_token_needs_a_key_and_a_short_one_is_refused(
    load: Callable[..., guardrails.Guard],
) -> None:
    with pytest.raises(SessionError, match="tokens need a key"):
        load().session(subject="a").token(subject="b")
    with pytest.raises(ConfigurationError, match="32 random bytes"):
        load(token_key=b"short")


def test_a_token_counts_towards_the_depth(load: Callable[..., guardrails.Guard]) -> None:
    guard = load(token_key=KEY, max_depth=2)
    with guard.session(subject="a") as session:
        token = session.token(subject="b")
        with guard.session(subject="b") as child, pytest.raises(SessionError, match="no deeper"):
            child.token(subject="c")
    with guard.session(token=token), pytest.raises(SessionError, match="no deeper"):
        guard.session(subject="c")


# -- shared sessions


def test_a_session_by_id_is_one_in_all_guards_that_share_the_state(
    load: Callable[..., guardrails.Guard], tmp_path: Path
) -> None:
    one, other = load(state=tmp_path / "state"), load(state=tmp_path / "state")
    with one.session(subject="a", id="s-1") as session:
        call(one, "mail.read")
        denied(one, "wipe")
        session.task(targets=["1", "2"])
    with other.session(subject="a", id="s-1") as same:
        assert denied(other, "net.send") == ["p/no-leak"]
        denied(other, "wipe")
        same.task(targets=["1"])
    with one.session(subject="a", id="s-1"):
        denied(one, "wipe")
        assert denied(one, "vm.delete", id="2") == ["p/targets-alone"]
    with other.session(subject="a", id="s-1"):
        assert denied(other, "vm.list") == ["p/probing"]
    with pytest.raises(SessionError, match="opened by another subject"):
        load(state=tmp_path / "state").session(subject="b", id="s-1")


def test_what_a_token_s_holder_does_flows_back(
    load: Callable[..., guardrails.Guard], tmp_path: Path
) -> None:
    here, there = load(state=tmp_path / "state"), load(state=tmp_path / "state")
    with here.session(subject="a", id="s-1") as session:
        token = session.token(subject="b")
        assert denied(here, "net.send") == []
        thread_seen: list[list[str]] = []

        def work() -> None:
            with there.session(token=token):
                call(there, "mail.read")
                thread_seen.append(denied(there, "net.send"))

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert thread_seen == [["p/no-leak"]]
        assert denied(here, "net.send") == ["p/no-leak"]
    with pytest.raises(SessionError, match="open the session by an `id`"):
        here.session(subject="a").token(subject="b")


class Journal:
    """Events kept in memory, and lost on demand."""

    def __init__(self) -> None:
        self.events: list[tuple[int, str, str, int]] = []
        self.fails = False

    def append(self, session: str, happened: Any, texts: Any) -> None:
        if self.fails:
            raise StateUnavailable("away")
        for event in happened:
            self.events.append((1_000 + len(self.events), *event))

    def read(self, session: str, after: int) -> Any:
        if self.fails:
            raise StateUnavailable("away")
        return [event for event in self.events if event[0] > after]


def test_a_call_that_can_not_be_made_known_does_not_begin(
    load: Callable[..., guardrails.Guard], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = load(state=tmp_path / "state")
    ran: list[int] = []
    with guard.session(subject="a", id="s-1") as session:
        assert isinstance(session.state, SharedState)
        journal = Journal()
        monkeypatch.setattr(session.state, "_journal", journal)
        journal.fails = True
        with pytest.raises(ActionDenied) as refused:
            guard.run("vm.list", {}, lambda: ran.append(1))
        assert refused.value.decision.code is Code.UNAVAILABLE
        journal.fails = False

        def lose() -> None:
            journal.fails = True

        guard.run("vm.list", {}, lose)  # it ran: that it ended is told as soon as it can be
        with pytest.raises(ActionDenied) as refused:
            guard.run("vm.list", {}, lambda: ran.append(1))
        assert refused.value.decision.code is Code.UNAVAILABLE
        journal.fails = False
        guard.run("vm.list", {}, lambda: ran.append(2))
    assert ran == [2]
    bodies = [json.loads(body) for _, kind, body, _ in journal.events if kind == "call"]
    assert [body["outcome"] for body in bodies] == ["called", "succeeded", "called", "succeeded"]


SCRIPT = """
import sys, guardrails
folder, log = sys.argv[1:]
guard = guardrails.Guard.load(folder + "/policies", log=log, state=folder + "/state")
with guard.session(subject="a", id="s-1"):
    for _ in range(10):
        try:
            guard.run("wipe", {}, lambda: None)
        except guardrails.ActionDenied:
            pass
"""


def test_processes_lose_no_denial_of_one_another(
    load: Callable[..., guardrails.Guard], tmp_path: Path
) -> None:
    guard = load(state=tmp_path / "state")
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    running = [
        subprocess.Popen([*command, str(tmp_path / f"log-{n}")], env=os.environ) for n in range(3)
    ]
    assert [each.wait(60) for each in running] == [0, 0, 0]
    with guard.session(subject="a", id="s-1") as session:
        from guardrails.past import Calls, Outcome

        assert session.state.renew()
        assert session.state.count(Calls(("wipe",), None, Outcome.DENIED), None) == 30
