"""Stops that come while a call waits for people or hands out its items, and from the terminal."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

import guardrails
from guardrails.cli import main
from guardrails.decision import Code
from guardrails.errors import ActionDenied

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Iterator
    from pathlib import Path

POLICY = """version: 1
policy: p
tools:
  stream: {traits: [read]}
  pay: {traits: [spend]}
rules:
  - {id: stream, effect: allow, tools: stream}
  - {id: pay, effect: escalate, tools: pay, approval: {from: [finance]}}
"""


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "p.yaml").write_text(POLICY)
    return tmp_path / "policies"


@pytest.fixture
def guard(policies: Path, tmp_path: Path) -> Iterator[guardrails.Guard]:
    made = guardrails.Guard.load(policies, log=tmp_path / "log", state=tmp_path / "state")
    yield made
    made.close()


def test_a_running_generator_ends_at_its_next_item(guard: guardrails.Guard) -> None:
    closed = []

    @guard.tool
    def stream() -> Iterator[int]:
        try:
            yield from range(10)
        finally:
            closed.append(True)

    with guard.session(subject="agent-7"):
        items = stream()
        assert next(items) == 0
        guard.stop("agent-7", reason="it runs wild")
        with pytest.raises(ActionDenied) as refused:
            next(items)
    assert refused.value.decision.code is Code.STOPPED
    assert closed == [True]


def test_a_running_async_generator_ends_at_its_next_item(guard: guardrails.Guard) -> None:
    @guard.tool
    async def stream() -> AsyncIterator[int]:
        for item in range(10):
            yield item

    async def scene() -> Code:
        async with guard.session(subject="agent-7"):
            items = stream()
            assert await anext(items) == 0
            guard.stop("agent-7", reason="it runs wild")
            with pytest.raises(ActionDenied) as refused:
                await anext(items)
            return refused.value.decision.code

    assert asyncio.run(scene()) is Code.STOPPED


def test_a_generator_that_nobody_stops_is_passed_on_whole(guard: guardrails.Guard) -> None:
    @guard.tool
    def stream() -> Generator[object, object, str]:
        got = yield 1
        try:
            yield got
        except KeyError:
            yield "caught"
        return "end"

    items = stream()
    assert next(items) == 1
    assert items.send("sent") == "sent"
    assert items.throw(KeyError()) == "caught"
    with pytest.raises(StopIteration) as end:
        next(items)
    assert end.value.value == "end"


@pytest.fixture
def waiting(policies: Path, tmp_path: Path) -> Iterator[guardrails.Guard]:
    from guardrails.approvals.keys import open_keys
    from guardrails.approvals.people import Account, People
    from guardrails.approvals.places import locate
    from guardrails.approvals.requester import Requester
    from guardrails.approvals.sql_store import SqlStore
    from guardrails.approvals.vote import Verifier

    files = locate(tmp_path / "state")
    verifier = Verifier([open_keys(files.key, files.public).public])
    people = People([Account("dana", groups=("finance",))])
    requester = Requester(SqlStore(files.store), lambda: people, verifier)
    made = guardrails.Guard.load(
        policies, log=tmp_path / "log", approvals=requester, on_escalate="wait"
    )
    yield made
    made.close()


def test_a_call_that_waits_for_people_is_refused_when_it_is_stopped(
    waiting: guardrails.Guard,
) -> None:
    ended: list[tuple[Code, float]] = []

    def pay() -> None:
        with waiting.session(subject="agent-7"), pytest.raises(ActionDenied) as refused:
            waiting.run("pay", {}, lambda: None)
        ended.append((refused.value.decision.code, time.monotonic()))

    thread = threading.Thread(target=pay)
    thread.start()
    time.sleep(0.4)
    assert not ended
    stopped = time.monotonic()
    waiting.stop("agent-7", reason="it runs wild")
    thread.join(5)
    ((code, at),) = ended
    assert code is Code.STOPPED
    assert at - stopped < 1


def test_a_task_that_waits_for_people_is_refused_when_it_is_stopped(
    waiting: guardrails.Guard,
) -> None:
    async def pay() -> None:
        raise AssertionError("it must not run")

    async def scene() -> tuple[Code, float]:
        async with waiting.session(subject="agent-7"):
            task = asyncio.create_task(waiting.arun("pay", {}, pay))
            await asyncio.sleep(0.4)
            assert not task.done()
            stopped = time.monotonic()
            waiting.stop("agent-7", reason="it runs wild")
            with pytest.raises(ActionDenied) as refused:
                await task
            return refused.value.decision.code, time.monotonic() - stopped

    code, took = asyncio.run(scene())
    assert code is Code.STOPPED
    assert took < 1


def test_the_terminal_stops_shows_and_resumes(guard: guardrails.Guard, tmp_path: Path) -> None:
    def call(*arguments: str) -> tuple[int, str]:
        environment = {"GUARDRAILS_STATE": str(tmp_path / "state")}
        result = CliRunner().invoke(main, [*arguments], env=environment)
        return result.exit_code, result.output

    assert call("stop") == (0, "nobody is stopped\n")
    code, text = call("stop", "agent-7", "--reason", "it runs wild")
    assert code == 0
    assert text.startswith("agent-7  since 20")
    assert text.endswith(": it runs wild\n")
    code, text = call("stop", "--format", "json")
    assert [each["name"] for each in json.loads(text)["stopped"]] == ["agent-7"]
    with guard.session(subject="agent-7"):
        time.sleep(0.6)
        with pytest.raises(ActionDenied, match="the agent has been stopped"):
            guard.run("stream", {}, lambda: None)
    assert call("resume", "agent-7") == (0, "`agent-7` may go on\n")
    assert call("resume", "agent-7") == (
        2,
        "`agent-7` is not stopped; `guardrails stop` shows who is\n",
    )


@pytest.mark.parametrize(
    "arguments", [["agent-7"], ["agent-7", "--reason", " "], [" ", "--reason", "x"]]
)
def test_a_stop_without_name_or_reason_is_refused(arguments: list[str], tmp_path: Path) -> None:
    state = ["--state", str(tmp_path / "state")]
    result = CliRunner().invoke(main, ["stop", *arguments, *state])
    assert result.exit_code == 2
    assert result.output == "say whom to stop, and why, with --reason TEXT\n"
