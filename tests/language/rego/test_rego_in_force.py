"""Modules in a guard: people are asked on a module's terms, and what changes takes effect."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from guardrails import Action, ActionDenied, ApprovalRequired, Guard
from guardrails.approvals.terms import Group, Terms
from guardrails.values import NANOSECONDS
from tests.approvals.guarded import Office, requests
from tests.reloading import allows, records, wait_for

if TYPE_CHECKING:
    from pathlib import Path

ESCALATES = """# METADATA
# custom: {owner: fred@example.com, tools: [pay], approval: {from: [risk]}}
package guardrails.pay
escalate contains object.union(base, {"approval": {"from": ["finance"], "timeout": "10m"}}) if {
	input.arguments.amount > 500
	base := {"id": "large", "message": "Ask finance.", "description": "Four eyes."}
}
escalate contains "Ask them." if input.arguments.to == "far"
allow if true
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    folder.mkdir()
    return folder


def test_people_are_asked_on_the_terms_of_the_result(folder: Path, tmp_path: Path) -> None:
    (folder / "pay.rego").write_text(ESCALATES)
    office = Office(str(tmp_path / "approvals.db"))
    guard = Guard.load(folder, log=tmp_path / "log", approvals=office.requester())
    assert office.pay(guard, 100, "near") == "paid"
    with pytest.raises(ApprovalRequired, match=r"^Ask them\.$"):
        office.pay(guard, 900, "far")
    (request,) = requests(office)
    large, other = request.rules[1], request.rules[0]
    assert (large.rule, large.description, large.owner) == (
        "pay/large",
        "Four eyes.",
        "fred@example.com",
    )
    assert large.terms == Terms((Group(("finance",)),), timeout_ns=600 * NANOSECONDS)
    assert (other.rule, other.message, other.terms) == (
        "pay/escalate",
        "Ask them.",
        Terms((Group(("risk",)),)),
    )
    assert office.ran == [("near", 100)]
    guard.close()


def test_a_rule_that_fails_asks_on_the_terms_of_its_annotation(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "pay.rego").write_text(ESCALATES + "escalate contains 1 if true\n")
    office = Office(str(tmp_path / "approvals.db"))
    guard = Guard.load(folder, log=tmp_path / "log", approvals=office.requester())
    with pytest.raises(ApprovalRequired):
        office.pay(guard, 1)
    (request,) = requests(office)
    assert [(rule.rule, rule.terms) for rule in request.rules] == [
        ("pay/escalate", Terms((Group(("risk",)),)))
    ]
    guard.close()


def test_what_decided_is_recorded(folder: Path, tmp_path: Path) -> None:
    (folder / "pay.rego").write_text(
        'package guardrails.pay\ndeny contains {"id": "no", "message": "No."} if true'
    )
    guard = Guard.load(folder, log=tmp_path / "log")
    with pytest.raises(ActionDenied, match=r"^No\.$"):
        guard.run("pay", {}, lambda: None)
    guard.close()
    (record,) = records(tmp_path / "log", "decision")
    assert [match["rule"] for match in record["result"]["matches"]] == ["pay/no"]
    (load,) = records(tmp_path / "log", "load")
    assert load["documents"] == [f"{folder}/pay.rego"]


@pytest.mark.parametrize("watch", [True, "poll"])
def test_modules_and_data_follow_their_files(folder: Path, tmp_path: Path, watch: bool) -> None:
    (folder / "tools.yaml").write_text("version: 1\npolicy: t\ntools: {pay: {traits: [spend]}}")
    module = "package guardrails.p\nallow if input.arguments.amount < data.limit"
    (folder / "p.rego").write_text(module)
    (folder / "data.json").write_text('{"limit": 10}')
    guard = Guard.load(folder, log=tmp_path / "log", watch=watch)
    assert allows(guard, 5)
    assert not allows(guard, 50)
    (folder / "data.json").write_text('{"limit": 100}')
    wait_for(lambda: allows(guard, 50))
    (folder / "p.rego").write_text(module + " + 100")
    wait_for(lambda: allows(guard, 150))
    (folder / "p.rego").write_text("package guardrails.p\nallow if {")
    wait_for(lambda: "expecting expression" in guard.health().last_error)
    assert allows(guard, 150)
    guard.close()


def test_facts_are_looked_up_only_where_a_module_reads_them(folder: Path, tmp_path: Path) -> None:
    (folder / "tools.yaml").write_text(
        "version: 1\npolicy: t\ntools: {pay: {traits: [spend]}, look: {traits: [read]}}"
    )
    (folder / "p.rego").write_text(
        "# METADATA\n# custom: {tools: [pay]}\npackage guardrails.p\n"
        'import input.context as known\nallow if known.change == "open"'
    )
    asked: list[str] = []

    def change(action: Action) -> str:
        asked.append(action.tool)
        return "open"

    guard = Guard.load(folder, log=tmp_path / "log", facts={"change": change})
    assert guard.decide(Action("pay")).allowed
    assert not guard.decide(Action("look")).allowed
    assert asked == ["pay"]
    guard.close()


def test_a_decision_is_explained_by_what_each_rule_produced(folder: Path) -> None:
    (folder / "pay.rego").write_text(ESCALATES)
    action = json.dumps({"tool": "pay", "arguments": {"amount": 900, "to": "x"}})
    done = subprocess.run(
        [sys.executable, "-m", "guardrails", "explain", "-p", str(folder), "--format", "json"],
        input=action,
        capture_output=True,
        text=True,
        check=False,
    )
    told = {rule["rule"]: rule for rule in json.loads(done.stdout)["rules"]}
    assert told["pay/escalate"]["outcome"] == "matched"
    assert told["pay/escalate"]["parts"][-1] == {
        "part": "rego",
        "holds": True,
        "why": "`pay/large`: Ask finance.",
    }


def test_lint_tells_the_place(folder: Path) -> None:
    (folder / "pay.rego").write_text("package guardrails.pay\ndeny if not http.send({})\n")
    done = subprocess.run(
        [sys.executable, "-m", "guardrails", "lint", str(folder), "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, "they do not load"
    assert "`http.send` can't be used here" in done.stdout


def test_policies_in_rego_alone_are_linted(folder: Path) -> None:
    (folder / "pay.rego").write_text(ESCALATES)
    done = subprocess.run(
        [sys.executable, "-m", "guardrails", "lint", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, ""), done.stdout
    place = f"{folder / 'pay.rego'}:2:61"
    assert f"{place}: warning: this approval has no `timeout` [weak-escalation]" in done.stdout


async def test_an_event_loop_goes_on_while_a_module_is_asked(folder: Path, tmp_path: Path) -> None:
    slow = "count([1 | some x in numbers.range(1, 2000); some y in numbers.range(1, 2000); x == y])"
    (folder / "t.yaml").write_text("version: 1\npolicy: t\ntools: {pay: {traits: [spend]}}")
    (folder / "p.rego").write_text(f"package guardrails.p\nallow if true\ndeny if {slow} < 0")
    (tmp_path / "guardrails.toml").write_text("[rego]\ntimeout_ms = 400\n")
    guard = Guard.load(folder, log=tmp_path / "log")
    beats: list[float] = []

    async def beat() -> None:
        while True:
            beats.append(time.monotonic())
            await asyncio.sleep(0.01)

    beating = asyncio.create_task(beat())
    with contextlib.suppress(ActionDenied):
        await guard.arun("pay", {}, asyncio.sleep)
    beating.cancel()
    assert max(later - beat for beat, later in itertools.pairwise(beats)) < 0.2
    guard.close()


def test_modules_cost_nothing_where_there_are_none() -> None:
    code = (
        "import sys; from guardrails.testing import policies_over;"
        "policies_over('version: 1\\npolicy: p\\nrules: [{id: a, effect: allow, tools: a}]');"
        "print([name for name in sys.modules if 'rego' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
