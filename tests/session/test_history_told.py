"""History in the tools of policy authors: explained, tested, mutated and linted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from guardrails.action import Action, SessionView
from guardrails.engine import Facts, PolicySet
from guardrails.language.loader import load_texts
from guardrails.session import SessionState
from guardrails.toolchain.explain import explain
from guardrails.toolchain.regions.reach import Reach
from guardrails.toolchain.suites.mutants import mutants_of
from guardrails.values import NANOSECONDS

if TYPE_CHECKING:
    from pathlib import Path

    from guardrails.toolchain.explanation import Explanation, Part

NOON = int(datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp()) * NANOSECONDS

POLICY = """version: 1
policy: p
owner: a@example.com
tools:
  vault.read: {traits: [read]}
  net.send: {traits: [external]}
  backup.create: {traits: [write]}
  fs.wipe: {traits: [destructive]}
rules:
  - {id: all, effect: allow, tools: "*"}
  - id: no-leak
    effect: deny
    tools: net.send
    after: {tools: vault.*, within: 1h, at_least: 2}
  - id: backup-first
    effect: deny
    tools: fs.wipe
    not_before: [{tools: backup.create, outcome: succeeded}, {traits: [read]}]
    on_match: suspend
"""

TESTS = """version: 1
tests: history
now: 2026-06-01T12:00:00Z
fixtures:
  anyone: {subject: {id: a}, session: {id: s}}
cases:
  - name: two reads are one too many
    given: anyone
    steps:
      - {action: {tool: vault.read}, expect: allow}
      - {action: {tool: net.send}, expect: allow}
      - {action: {tool: vault.read}, expect: allow}
      - {action: {tool: net.send}, expect: deny, rules: [p/all, p/no-leak]}
      - {now: "2026-06-01T13:00:01Z", action: {tool: net.send}, expect: allow}
  - name: a backup that failed is none
    given: anyone
    steps:
      - {action: {tool: backup.create}, expect: allow, fails: true}
      - {action: {tool: vault.read}, expect: allow}
      - {action: {tool: fs.wipe}, expect: deny, rules: [p/all, p/backup-first]}
      - {action: {tool: backup.create}, expect: allow}
      - {action: {tool: vault.read}, expect: allow}
      - {action: {tool: fs.wipe}, expect: allow}
  - name: a single action comes first in its session
    given: anyone
    action: {tool: net.send}
    expect: allow
"""


def _part(explanation: Explanation, key: str) -> Part:
    (part,) = [part for told in explanation.rules for part in told.parts if part.key == key]
    return part


def test_explain_says_how_often_and_when_last() -> None:
    policies = PolicySet(load_texts({"p.yaml": POLICY}))
    state = SessionState("s", None)
    declared = policies.bundle.tools["vault.read"]
    for minutes in (0, 10, 30):
        state.started("vault.read", declared, NOON + minutes * 60 * NANOSECONDS)
    view = SessionView("s", past=state)
    facts = Facts(NOON + 40 * 60 * NANOSECONDS)
    sending, wiping = (Action(tool, session=view) for tool in ("net.send", "fs.wipe"))
    part = _part(explain(policies, sending, facts), "after")
    assert part.holds is True
    assert part.why == (
        "`vault.*` was called 3 times of 2 asked for in the time asked about,"
        ' last timestamp("2026-06-01T12:30:00Z")'
    )
    part = _part(explain(policies, wiping, facts), "not_before")
    assert part.holds is True
    assert part.why == (
        "`backup.create` was never called with success;"
        " then a tool that can `read` was called 3 times,"
        ' last timestamp("2026-06-01T12:30:00Z")'
    )
    part = _part(explain(policies, Action("net.send"), facts), "after")
    assert (part.holds, part.why) == (None, "error: `session` is unknown")


def test_policy_tests_play_a_session_with_its_history(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from guardrails.cli import main

    (tmp_path / "p.yaml").write_text(POLICY)
    (tmp_path / "p_test.yaml").write_text(TESTS)
    result = CliRunner().invoke(main, ["test", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "3 passed" in result.output.replace("cases ", "")


def test_mutation_drops_and_loosens_history() -> None:
    changes = [m.change for m in mutants_of(load_texts({"p.yaml": POLICY})) if "`" in m.change]
    for change in (
        "`after` was dropped",
        "`within` was dropped in `after`",
        "`at_least: 2` became 1 in `after`",
        "`not_before` was dropped",
        "the order of `not_before` was reversed",
        "`outcome: succeeded` was dropped in `not_before`",
        "`on_match: suspend` was dropped",
    ):
        assert change in changes


def test_a_rule_that_looks_back_is_not_taken_for_one_that_always_matches() -> None:
    bundle = load_texts({"p.yaml": POLICY.replace("net.send\n    after", '"*"\n    after')})
    reach = Reach(bundle, NOON)
    rules = {rule.id: rule for rule in bundle.rules}
    assert not reach.implies(rules["all"], rules["no-leak"], "net.send")
    assert reach.implies(rules["no-leak"], rules["all"], "net.send")
