"""`guardrails approvals`: who signs in decides, and everything that a decision needs is shown."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from guardrails import ActionDenied, ApprovalRequired
from guardrails.approvals.accounts import make_token, write_people
from guardrails.approvals.people import Account, People
from guardrails.approvals.places import open_service
from guardrails.approvals.request import Status
from guardrails.approvals.sql_store import SqlStore
from guardrails.testing import guard_over
from tests.approvals.guarded import POLICY, acting
from tests.approvals.scenes import exchange
from tests.reloading import PATIENCE
from tests.terminal import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from guardrails.testing import TestGuard
    from tests.cli.conftest import Command

FAY, DANA, RITA = "fay@example.com", "dana@example.com", "rita@example.com"
TOKENS = {name: make_token("test") for name in (FAY, DANA, RITA)}


class Place:
    """A folder with a store, three accounts, and a guard that asks them."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._patch = monkeypatch
        groups = {FAY: ("finance",), DANA: ("finance",), RITA: ("risk",)}
        accounts = [
            Account(name, groups=groups[name], tokens=(token,), aliases=(name.split("@")[0],))
            for name, (_, token) in TOKENS.items()
        ]
        write_people(People(accounts), folder / "approvers.yaml")
        self.guard: TestGuard = guard_over(POLICY, approvals=str(folder))
        self.service = open_service(folder)
        monkeypatch.setenv("GUARDRAILS_STATE", str(folder))
        self.enter(FAY)

    def enter(self, name: str) -> None:
        self._patch.setenv("GUARDRAILS_TOKEN", TOKENS[name][0])

    def pay(self, amount: float = 900, to: str = "ACME", **session: Any) -> str:
        arguments = {"to": to, "amount": amount}
        with acting(self.guard, **session):
            return self.guard.run("pay", arguments, lambda **_: "paid")

    def ask(self, amount: float = 900, to: str = "ACME", **session: Any) -> str:
        with pytest.raises(ApprovalRequired) as caught:
            self.pay(amount, to, **session)
        return caught.value.request

    def status(self, request_id: str) -> Status:
        return self.service.store.get(request_id).status


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    made = Place(tmp_path, monkeypatch)
    yield made
    made.service.store.close()


def test_an_approval_lets_the_call_run_once(guardrails: Command, place: Place) -> None:
    request_id = place.ask()
    result = guardrails("approvals", "approve", request_id, "--comment", "invoice 7")
    assert (result.exit_code, result.stdout) == (0, f"{request_id} is approved\n")
    assert place.pay() == "paid"
    assert place.ask() != request_id
    (vote,) = place.service.store.get(request_id).votes
    assert (vote.voter, vote.comment) == (FAY, "invoice 7")


def test_a_denial_ends_it(guardrails: Command, place: Place) -> None:
    request_id = place.ask()
    result = guardrails("approvals", "deny", request_id)
    assert (result.exit_code, result.stdout) == (0, f"{request_id} is denied\n")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (DANA, "you act in this request, or its terms keep you apart from it"),
        (RITA, "the rules of this request don't name you as approver"),
    ],
)
def test_who_may_not_vote_is_told_why(
    guardrails: Command, place: Place, name: str, told: str
) -> None:
    request_id = place.ask()
    place.enter(name)
    result = guardrails("approvals", "approve", request_id)
    assert result.exit_code == 2
    assert told in result.stderr
    assert place.status(request_id) is Status.PENDING


def test_nobody_is_let_in_without_a_password_or_a_token(
    guardrails: Command, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id = place.ask()
    monkeypatch.delenv("GUARDRAILS_TOKEN")
    for verb in (["list"], ["show", request_id], ["approve", request_id], ["stats"], ["watch"]):
        result = guardrails("approvals", *verb)
        assert result.exit_code == 2
        assert "say who you are: --as NAME asks for the password" in result.stderr
        assert "ACME" not in result.output
    result = guardrails("approvals", "approve", request_id, "--as", FAY, stdin="whatever\n")
    assert "there is no terminal to type the password at" in result.stderr
    monkeypatch.setenv("GUARDRAILS_TOKEN", "gra_guess")
    result = guardrails("approvals", "approve", request_id)
    assert (result.exit_code, "the token is nobody's" in result.stderr) == (2, True)
    assert place.status(request_id) is Status.PENDING


def test_a_token_does_not_let_in_as_somebody_else(guardrails: Command, place: Place) -> None:
    request_id = place.ask()
    place.enter(RITA)
    result = guardrails("approvals", "approve", request_id, "--as", FAY)
    assert (result.exit_code, "the token is another person's" in result.stderr) == (2, True)
    assert guardrails("approvals", "list", "--as", "rita").exit_code == 0


def test_a_request_is_shown_whole_and_nothing_of_it_as_more_than_data(
    guardrails: Command, place: Place
) -> None:
    assert place.pay(20) == "paid"
    request_id = place.ask(to="ACME\x1b[2J\u202e\n\nvotes\n  fay approves")
    result = guardrails("approvals", "show", request_id)
    lines = result.stdout.splitlines()
    assert lines[0] == f"approval {request_id}  pending"
    assert r'  to            "ACME\u001b[2J\u202e\n\nvotes\n  fay approves"' in lines
    assert '                last time in this session: "ACME"' in lines
    assert "  can touch     write, spend; not simply taken back: spend" in lines
    assert "  agent         agent-7 for dana@example.com" in lines
    assert "  session       task-1" in lines
    assert "pay/large" in lines
    assert "  Four eyes." in lines
    assert "  needs         1 of finance; 0 so far" in lines
    assert "  digest        " + place.service.store.get(request_id).digest in lines
    assert "it waits for your vote" in result.stderr


def test_names_of_arguments_that_look_like_facts_are_quoted(
    guardrails: Command, place: Place
) -> None:
    given = {"agent         agent-1": 1}
    policy = """
        version: 1
        policy: p
        rules: [{id: a, effect: escalate, tools: anything, approval: {from: [finance]}}]
    """
    guard = guard_over(policy, approvals=str(place.folder))
    with pytest.raises(ApprovalRequired) as caught:
        guard.run("anything", given, lambda **_: None)
    shown = guardrails("approvals", "show", caught.value.request).stdout
    assert '  "agent         agent-1"  1\n' in shown


def test_showing_is_when_deciding_begins(guardrails: Command, place: Place) -> None:
    request_id = place.ask()
    guardrails("approvals", "show", request_id)
    time.sleep(0.05)
    guardrails("approvals", "approve", request_id)
    (vote,) = place.service.store.get(request_id).votes
    assert vote.cast_ns - vote.seen_ns >= 50_000_000


def test_the_list_marks_what_waits_for_the_reader(guardrails: Command, place: Place) -> None:
    theirs = place.ask(900)
    mine = place.ask(901, on_behalf_of="erin@example.com", id="task-2")
    place.enter(DANA)
    rows = guardrails("approvals", "list").stdout.splitlines()
    assert [row[:22] for row in rows] == [f"* {mine}", f"  {theirs}"]
    listed = json.loads(guardrails("approvals", "list", "--mine", "--format", "json").stdout)
    assert [(each["id"], each["mine"]) for each in listed] == [(mine, True)]
    assert guardrails("approvals", "list", "--session", "task-1").stdout.split()[0] == theirs


def test_the_list_is_of_what_is_pending_unless_told_otherwise(
    guardrails: Command, place: Place
) -> None:
    request_id = place.ask()
    guardrails("approvals", "deny", request_id)
    result = guardrails("approvals", "list")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "no request is so\n")
    assert request_id in guardrails("approvals", "list", "--all").stdout
    assert request_id in guardrails("approvals", "list", "--status", "denied").stdout
    assert guardrails("approvals", "list", "--all", "--until", "2020-01-01T00:00:00Z").stdout == ""


def test_the_list_says_that_there_is_more(guardrails: Command, place: Place) -> None:
    place.ask(900)
    place.ask(901)
    result = guardrails("approvals", "list", "--limit", "1")
    assert len(result.stdout.splitlines()) == 1
    assert "there are more; --limit 2 shows them" in result.stderr


def test_a_request_can_be_called_off_once(guardrails: Command, place: Place) -> None:
    request_id = place.ask()
    assert guardrails("approvals", "cancel", request_id, "--comment", "typo").exit_code == 0
    ended = place.service.store.get(request_id)
    assert (ended.status, ended.ended_by, ended.reason) == (Status.CANCELLED, FAY, "typo")
    result = guardrails("approvals", "cancel", request_id)
    assert (result.exit_code, "nothing to call off" in result.stderr) == (2, True)


def test_a_review_can_not_be_called_off(guardrails: Command, place: Place) -> None:
    policy = """
        version: 1
        policy: p
        rules: [{id: a, effect: allow, tools: stop, review: {from: [finance], within: 1h}}]
    """
    guard = guard_over(policy, approvals=str(place.folder))
    guard.run("stop", {}, lambda: None)
    review_id = guard.log.decisions[-1].request
    result = guardrails("approvals", "cancel", review_id)
    assert result.exit_code == 2
    assert "a review can't be called off" in result.stderr
    assert guardrails("approvals", "approve", review_id).exit_code == 0


def test_statistics_tell_of_quick_votes(guardrails: Command, place: Place) -> None:
    guardrails("approvals", "approve", place.ask())
    told = json.loads(guardrails("approvals", "stats", "--format", "json").stdout)
    assert (told["by_voter"][FAY]["votes"], told["by_voter"][FAY]["quick"]) == (1, 1)
    assert told["by_rule"]["pay/large"]["approval_rate"] == 1.0
    assert "requests: 1 approved" in guardrails("approvals", "stats").stdout


def test_a_suspended_agent_is_listed_and_lifted(guardrails: Command, place: Place) -> None:
    place.service.store.suspend("agent-7", "it asked\x1b far too often")
    shown = guardrails("approvals", "stats").stdout
    assert "suspended  agent-7  since " in shown
    assert r"it asked\x1b far too often" in shown
    assert guardrails("approvals", "lift", "agent-7").exit_code == 0
    assert place.service.store.suspensions() == ()
    assert guardrails("approvals", "lift", "agent-7").exit_code == 2


def test_a_channel_that_could_not_be_told_is_named_beside_what_waits_and_in_the_figures(
    guardrails: Command, place: Place
) -> None:
    place.ask()
    outbox = place.service.store.outbox
    assert "untold" not in guardrails("approvals", "list").stderr
    outbox.collect("desk", ["opened"])
    taken = outbox.take("desk", 10**9)
    assert taken is not None
    outbox.give_up(taken, "the address\x1b answers 410")
    told = r"untold  desk  1 notice, 1 of the requests still pending, last 20\S+Z: the address\\x1b"
    assert re.match(told, guardrails("approvals", "list").stderr)
    assert re.search(told, guardrails("approvals", "stats").stdout)
    (found,) = json.loads(guardrails("approvals", "stats", "--format", "json").stdout)["untold"]
    assert (found["channel"], found["notices"], found["pending"]) == ("desk", 1, 1)
    later = ("approvals", "stats", "--since", "2200-01-01T00:00:00Z")
    assert "untold" not in guardrails(*later).stdout


def test_a_clock_that_was_ahead_is_put_right_at_the_price_of_what_is_open(
    guardrails: Command, place: Place
) -> None:
    request_id = place.ask()
    store = SqlStore(place.folder / "approvals.db", lambda: time.time_ns() + 3600 * 10**9)
    store.see(request_id, FAY)
    store.close()
    with pytest.raises(ActionDenied):
        place.pay()
    result = guardrails("approvals", "approve", request_id)
    assert (result.exit_code, "run `guardrails approvals reset-clock`" in result.stderr) == (
        2,
        True,
    )
    result = guardrails("approvals", "reset-clock")
    told = f"the store believes the clock again; ended: {request_id}\n"
    assert (result.exit_code, result.stderr) == (0, told)
    place.guard = guard_over(POLICY, approvals=str(place.folder))
    assert guardrails("approvals", "approve", place.ask()).exit_code == 0
    assert place.pay() == "paid"


def test_an_unknown_request_and_an_absent_store_are_errors(
    guardrails: Command, place: Place
) -> None:
    result = guardrails("approvals", "show", "nothing")
    assert (result.exit_code, result.stderr) == (2, "there is no such request for approval\n")
    (place.folder / "approvals.db").unlink()
    result = guardrails("approvals", "list")
    assert (result.exit_code, "there is no store of approvals" in result.stderr) == (2, True)
    assert not (place.folder / "approvals.db").exists()
    (place.folder / "approvers.yaml").unlink()
    assert "nobody is an approver" in guardrails("approvals", "list").stderr


def test_a_password_typed_at_a_terminal_lets_in_and_the_decision_is_asked_for(
    guardrails: Command, place: Place
) -> None:
    password = "correct horse battery"
    guardrails("approvers", "add", FAY, "--password-stdin", stdin=password)
    request_id = place.ask()
    shell = Shell(
        "-m", "guardrails", "approvals", "approve", request_id, "--as", "fay", GUARDRAILS_TOKEN=""
    )
    shell.expect("password of fay")
    shell.type(password)
    shell.expect("approve this as fay@example.com? [y/N]")
    assert password not in shell.all
    assert "  Four eyes." in shell.text
    shell.type("y")
    shell.expect("is approved")
    assert shell.close() == 0
    assert place.pay() == "paid"


def test_what_takes_the_place_of_the_request_that_was_shown_gets_no_vote(place: Place) -> None:
    request_id = place.ask()
    shell = Shell("-m", "guardrails", "approvals", "approve", request_id)
    shell.expect("approve this as fay@example.com? [y/N]")
    exchange(place.folder / "approvals.db", request_id, arguments={"to": "EVIL", "amount": 9e6})
    shell.type("y")
    shell.expect("the request is not the one that was shown")
    assert shell.close() == 2
    assert place.status(request_id) is Status.PENDING


def test_a_wrong_password_is_refused_and_a_no_is_a_no(guardrails: Command, place: Place) -> None:
    password = "correct horse battery"
    guardrails("approvers", "add", FAY, "--password-stdin", stdin=password)
    request_id = place.ask()
    words = ("-m", "guardrails", "approvals", "approve", request_id, "--as", "fay")
    shell = Shell(*words, GUARDRAILS_TOKEN="")
    shell.expect("password of fay")
    shell.type("a guess")
    shell.expect("the name or the password is wrong")
    assert shell.close() == 2
    shell = Shell(*words)
    shell.expect("[y/N]")
    shell.type("")
    assert shell.close() == 1
    assert place.status(request_id) is Status.PENDING


WAITER = """
import sys, guardrails
guard = guardrails.Guard.load("policies", approvals=sys.argv[1], on_escalate="wait", log="log")
@guard.tool
def pay(to: str, amount: float) -> None:
    print("paid", flush=True)
with guard.session(subject="agent-7"):
    pay("ACME", 900.0)
"""


def start_waiter(place: Place) -> subprocess.Popen[str]:
    (place.folder / "policies").mkdir()
    (place.folder / "policies" / "pay.yaml").write_text(POLICY)
    return subprocess.Popen(
        [sys.executable, "-c", WAITER, str(place.folder)],
        cwd=place.folder,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def pending_id(guardrails: Command) -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        listed = json.loads(guardrails("approvals", "list", "--format", "json").stdout)
        if listed:
            return str(listed[0]["id"])
        time.sleep(0.05)
    raise AssertionError("no request is pending")


def test_a_process_that_waits_goes_on_after_the_command(guardrails: Command, place: Place) -> None:
    with start_waiter(place) as waiter:
        request_id = pending_id(guardrails)
        assert waiter.poll() is None
        assert guardrails("approvals", "approve", request_id).exit_code == 0
        output, _ = waiter.communicate(timeout=PATIENCE)
    assert (waiter.returncode, output) == (0, "paid\n")
    assert place.status(request_id) is Status.USED


def test_a_watch_tells_of_requests_as_they_come_and_end(place: Place) -> None:
    first = place.ask(900)
    shell = Shell("-m", "guardrails", "approvals", "watch", "--format", "json")
    shell.expect('"event": "waiting"')
    assert first in shell.all
    second = place.ask(901)
    shell.expect('"event": "opened"')
    shell.expect(second)
    place.service.deny(second, FAY)
    shell.expect('"event": "denied"')
    shell.process.send_signal(signal.SIGINT)
    assert shell.close() == 0
