"""The prompt at a program's own terminal, in real terminals."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from guardrails import ConfigurationError
from guardrails.approvals.accounts import hash_password, write_people
from guardrails.approvals.people import Account, People
from guardrails.approvals.places import open_service
from guardrails.approvals.request import Status
from guardrails.approvals.store import Filter
from guardrails.prompt import TerminalPrompt
from guardrails.testing import guard_over
from tests.approvals.guarded import POLICY
from tests.approvals.scenes import exchange
from tests.terminal import Shell

if TYPE_CHECKING:
    from pathlib import Path

    from guardrails.approvals.request import ApprovalRequest

FAY, DANA = "fay@example.com", "dana@example.com"
PASSWORD = "correct horse battery"

PROGRAM = """
import asyncio, sys, guardrails
from guardrails.prompt import TerminalPrompt
prompt = TerminalPrompt(sys.argv[1], "state")
guard = guardrails.Guard.load("policies", approvals=prompt, on_escalate="wait", log="log")
@guard.tool
def pay(to: str, amount: float) -> None:
    print("PAID", amount, flush=True)
@guard.tool("pay")
async def apay(to: str, amount: float) -> None:
    print("PAID", amount, flush=True)
async def main():
    await apay("ACME", 900.0)
    try:
        pay("ACME", 901.0)
    except guardrails.ApprovalRequired as error:
        print("NOT ASKED", flush=True)
with guard.session(subject="agent-7", on_behalf_of="dana@example.com"):
    if sys.argv[2] == "async":
        asyncio.run(main())
    for amount in map(float, sys.argv[2:] if sys.argv[2] != "async" else []):
        try:
            pay("ACME", amount)
        except guardrails.ActionDenied as error:
            print(type(error).__name__, flush=True)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "pay.yaml").write_text(POLICY)
    hashed = hash_password(PASSWORD)
    people = People(
        Account(name, groups=("finance",), password=hashed, aliases=(name[0] + "x",))
        for name in (FAY, DANA)
    )
    write_people(people, tmp_path / "state" / "approvers.yaml")
    (tmp_path / "program.py").write_text(PROGRAM)
    return tmp_path


def start(place: Path, who: str, *amounts: str) -> Shell:
    return Shell("program.py", who, *amounts, cwd=place)


def requests(place: Path) -> tuple[ApprovalRequest, ...]:
    service = open_service(place / "state")
    try:
        return service.store.list(Filter()).requests
    finally:
        service.store.close()


def test_a_person_signs_in_and_types_her_decision_in_full(place: Path) -> None:
    shell = start(place, FAY, "900", "901")
    shell.expect("password of fay@example.com: ")
    assert "  Four eyes." in shell.text
    assert '"ACME"' in shell.text
    shell.type(PASSWORD)
    shell.expect("type `approve` or `deny`: ")
    shell.type("y")
    shell.expect("y\r\ntype `approve` or `deny`: ")
    shell.type("approve")
    shell.expect("PAID 900.0")
    shell.expect("type `approve` or `deny`: ")  # the password still counts
    shell.type("deny")
    shell.expect("ApprovalRejected")
    assert shell.close() == 0
    assert PASSWORD not in shell.all
    denied, used = requests(place)
    assert (denied.status, used.status) == (Status.DENIED, Status.USED)
    assert [vote.voter for vote in used.votes] == [FAY]
    assert used.votes[0].cast_ns > used.votes[0].seen_ns


def test_what_was_typed_before_the_question_decides_nothing(place: Path) -> None:
    shell = start(place, FAY, "900")
    shell.type("approve")
    shell.expect("password of fay@example.com: ")
    shell.type(PASSWORD + "\napprove")
    shell.expect("type `approve` or `deny`: ")
    assert shell.silent_for(0.7)
    shell.type("deny")
    shell.expect("ApprovalRejected")
    assert shell.close() == 0


def test_a_wrong_password_decides_nothing_and_others_still_can(place: Path) -> None:
    shell = start(place, FAY, "900")
    shell.expect("password of fay@example.com: ")
    shell.type("a guess")
    shell.expect("the name or the password is wrong")
    shell.expect("the action waits for others")
    (request,) = requests(place)
    assert request.status is Status.PENDING
    service = open_service(place / "state")
    service.approve(request.id, FAY)
    service.store.close()
    shell.expect("PAID 900.0")
    assert shell.close() == 0


def test_whoever_the_agent_acts_for_may_not_decide_at_her_terminal_either(place: Path) -> None:
    shell = start(place, DANA, "900")
    shell.expect("you act in this request")
    shell.expect("the action waits for others")
    (request,) = requests(place)
    service = open_service(place / "state")
    service.deny(request.id, FAY)
    service.store.close()
    shell.expect("ApprovalRejected")
    assert shell.close() == 0
    assert "password" not in shell.all


def test_what_is_decided_elsewhere_ends_the_question(place: Path) -> None:
    shell = start(place, FAY, "900")
    shell.expect("password of fay@example.com: ")
    shell.type(PASSWORD)
    shell.expect("type `approve` or `deny`: ")
    (request,) = requests(place)
    service = open_service(place / "state")
    service.deny(request.id, FAY)
    service.store.close()
    shell.expect("it was decided elsewhere")
    shell.expect("ApprovalRejected")
    assert shell.close() == 0


def test_leaving_the_question_calls_the_request_off(place: Path) -> None:
    shell = start(place, FAY, "900")
    shell.expect("password of fay@example.com: ")
    shell.type(PASSWORD)
    shell.expect("type `approve` or `deny`: ")
    shell.send("\x04")
    shell.expect("ApprovalRejected")
    assert shell.close() == 0
    assert [request.status for request in requests(place)] == [Status.CANCELLED]


def test_what_takes_the_place_of_the_request_that_was_shown_gets_no_vote(place: Path) -> None:
    shell = start(place, FAY, "900")
    shell.expect("password of")
    shell.type(PASSWORD)
    shell.expect("type `approve` or `deny`: ")
    (shown,) = requests(place)
    other = {"to": "EVIL", "amount": 9e6}
    exchange(place / "state" / "approvals.db", shown.id, arguments=other)
    shell.type("approve")
    shell.expect("the request is not the one that was shown")
    (request,) = requests(place)
    assert (request.status, request.votes) == (Status.PENDING, ())
    shell.process.kill()
    shell.close()


def test_in_an_event_loop_nobody_is_asked_here(place: Path) -> None:
    shell = start(place, FAY, "async")
    shell.expect("an action waits: guardrails approvals show ")
    (request,) = requests(place)
    service = open_service(place / "state")
    service.approve(request.id, FAY)
    service.store.close()
    shell.expect("PAID 900.0")
    shell.expect("NOT ASKED")
    assert shell.close() == 0
    assert "password" not in shell.all


def test_without_a_terminal_it_is_refused(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull) as nothing:  # noqa: PTH123 - a stream is wanted
        monkeypatch.setattr(sys, "stdin", nothing)
        with pytest.raises(ConfigurationError, match="there is no terminal to ask at"):
            TerminalPrompt(FAY, place / "state")


def test_an_input_that_is_no_terminal_is_refused_though_the_output_is_one(place: Path) -> None:
    shell = Shell("program.py", FAY, "900", cwd=place, stdin=os.devnull)
    shell.expect("there is no terminal to ask at")
    assert shell.close() == 1


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guardrails.prompt._is_terminal", lambda: True)


@pytest.mark.usefixtures("terminal")
def test_it_is_for_calls_that_wait(place: Path) -> None:
    prompt = TerminalPrompt(FAY, place / "state")
    with pytest.raises(ConfigurationError, match="a prompt is for calls that wait"):
        guard_over(POLICY, approvals=prompt)
    prompt.store.close()


@pytest.mark.usefixtures("terminal")
def test_it_asks_only_somebody_who_is_known(place: Path) -> None:
    with pytest.raises(ConfigurationError, match="nobody is called `eve`"):
        TerminalPrompt("eve", place / "state")
