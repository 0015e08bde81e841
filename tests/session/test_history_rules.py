"""Rules that ask what happened in the session before: `after`, `not_before` and functions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from guardrails.action import Action, SessionView
from guardrails.decision import Code, Decision, Effect
from guardrails.engine import Facts, PolicySet
from guardrails.errors import PolicyError
from guardrails.language.loader import load_texts
from guardrails.session import SessionState
from guardrails.values import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

MINUTE = 60 * NANOSECONDS
NOON = int(datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp()) * NANOSECONDS

TOOLS = """
version: 1
policy: p
tools:
  vault.read: {traits: [read, privileged]}
  net.send: {traits: [external]}
  backup.create: {traits: [write]}
  backup.check: {traits: [read]}
  fs.wipe: {traits: [destructive]}
rules:
  - {id: all, effect: allow, tools: "*"}
"""


class World:
    """A session under one policy, with a clock of its own."""

    def __init__(self, rules: str) -> None:
        self.policies = PolicySet(load_texts({"p.yaml": TOOLS + rules}))
        self.state = SessionState("s", None)
        self.now = NOON

    def ask(self, tool: str) -> Decision:
        view = SessionView("s", frozenset(), (), self.state)
        return self.policies.decide(Action(tool, session=view), Facts(self.now))

    def do(self, tool: str, *, fails: bool = False) -> Decision:
        decision = self.ask(tool)
        declared = self.policies.bundle.tools.get(tool)
        if decision.effect is Effect.ALLOW:
            self.state.started(tool, declared, self.now)
            self.state.ended(tool, declared, OSError() if fails else None, None, self.now)
        else:
            self.state.refused(tool, declared, decision, self.now)
        return decision

    def matched(self, tool: str) -> list[str]:
        return [match.rule for match in self.ask(tool).matches if match.rule != "p/all"]


@pytest.fixture
def world() -> Callable[[str], World]:
    return World


def test_after_matches_only_once_such_a_call_has_been(world: Callable[[str], World]) -> None:
    scene = world("  - {id: no-leak, effect: deny, tools: net.send, after: {tools: vault.*}}\n")
    assert scene.do("net.send").effect is Effect.ALLOW
    scene.do("vault.read")
    assert scene.matched("net.send") == ["p/no-leak"]


def test_after_within_forgets_what_is_longer_ago(world: Callable[[str], World]) -> None:
    rule = "  - {id: r, effect: deny, tools: net.send, after: {tools: vault.read, within: 1h}}\n"
    scene = world(rule)
    scene.do("vault.read")
    scene.now += 60 * MINUTE
    assert scene.matched("net.send") == ["p/r"]
    scene.now += 1
    assert scene.matched("net.send") == []


def test_after_by_trait_sees_every_tool_that_has_it(world: Callable[[str], World]) -> None:
    scene = world("  - {id: r, effect: deny, tools: net.send, after: {traits: [privileged]}}\n")
    scene.do("backup.check")
    assert scene.matched("net.send") == []
    scene.do("vault.read")
    assert scene.matched("net.send") == ["p/r"]


def test_a_backup_must_have_succeeded_before_a_deletion(world: Callable[[str], World]) -> None:
    scene = world(
        "  - id: backup-first\n    effect: deny\n    tools: fs.wipe\n"
        "    not_before: {tools: backup.create, outcome: succeeded, within: 24h}\n"
    )
    assert scene.matched("fs.wipe") == ["p/backup-first"]
    scene.do("backup.create", fails=True)
    assert scene.matched("fs.wipe") == ["p/backup-first"]
    scene.do("backup.create")
    assert scene.do("fs.wipe").effect is Effect.ALLOW
    scene.now += 25 * 60 * MINUTE
    assert scene.matched("fs.wipe") == ["p/backup-first"]


def test_a_list_of_steps_asks_for_their_order(world: Callable[[str], World]) -> None:
    scene = world(
        "  - id: order\n    effect: deny\n    tools: fs.wipe\n"
        "    not_before: [{tools: backup.create}, {tools: backup.check}]\n"
    )
    scene.do("backup.check")
    scene.do("backup.create")
    assert scene.matched("fs.wipe") == ["p/order"]
    scene.do("backup.check")
    assert scene.matched("fs.wipe") == []


def test_denials_are_counted_and_escalations_are_not(world: Callable[[str], World]) -> None:
    scene = world(
        "  - {id: never, effect: deny, tools: fs.wipe}\n"
        "  - {id: ask, effect: escalate, tools: net.send}\n"
        "  - id: probing\n    effect: deny\n    tools: '*'\n"
        "    after: {outcome: denied, at_least: 3, within: 10m}\n"
    )
    for _ in range(3):
        scene.do("net.send")
        assert scene.matched("vault.read") == []
        scene.do("fs.wipe")
    assert scene.matched("vault.read") == ["p/probing"]
    scene.now += 11 * MINUTE
    assert scene.matched("vault.read") == []


def test_an_allow_rule_after_a_step_needs_it(world: Callable[[str], World]) -> None:
    policies = load_texts(
        {
            "p.yaml": TOOLS.replace(
                '{id: all, effect: allow, tools: "*"}',
                "{id: checked, effect: allow, tools: net.send, after: {tools: backup.check}}",
            )
        }
    )
    state = SessionState("s", None)
    view = SessionView("s", frozenset(), (), state)
    decide = PolicySet(policies).decide
    assert decide(Action("net.send", session=view), Facts(NOON)).code is Code.NO_MATCH
    state.started("backup.check", policies.tools["backup.check"], NOON)
    assert decide(Action("net.send", session=view), Facts(NOON)).effect is Effect.ALLOW


@pytest.mark.parametrize("session", [None, SessionView("s")])
def test_an_unknown_past_is_closed(session: SessionView | None) -> None:
    scene = World(
        "  - {id: d, effect: deny, tools: net.send, after: {tools: vault.read}}\n"
        "  - {id: e, effect: escalate, tools: net.send, not_before: {tools: vault.read}}\n"
        "  - {id: a, effect: allow, tools: net.send, after: {tools: vault.read}}\n"
    )
    decision = scene.policies.decide(Action("net.send", session=session), Facts(NOON))
    told = "`session` is unknown" if session is None else "what happened in the session is unknown"
    assert [(match.rule, match.error) for match in decision.matches] == [
        ("p/all", None),
        ("p/d", told),
        ("p/e", told),
    ]
    assert [(match.rule, match.error) for match in decision.errors] == [("p/a", told)]


def test_a_tool_of_unknown_traits_counts_for_whatever_is_stricter() -> None:
    scene = World(
        "  - {id: d, effect: deny, tools: net.send, after: {traits: [privileged]}}\n"
        "  - {id: n, effect: deny, tools: net.send, not_before: {traits: [write]}}\n"
        "  - {id: c, effect: deny, tools: net.send, when: 'calls_with(\"spend\") > 0'}\n"
    )
    scene.state.started("legacy.tool", None, NOON)
    decision = scene.ask("net.send")
    assert [(match.rule, match.error) for match in decision.matches if match.rule != "p/all"] == [
        ("p/c", '`calls_with("spend")`: a tool that was called is not declared with traits'),
        ("p/d", None),
        ("p/n", None),
    ]


@pytest.mark.parametrize(
    ("condition", "matches"),
    [
        ('calls("vault.*") == 2', True),
        ('successes("vault.read") == 1 && failures("vault.read") == 1', True),
        ('calls("vault.read", duration("30m")) == 1', True),
        ('denials("*") == 1 && denials("fs.wipe", duration("5m")) == 0', True),
        ('calls_with("privileged") == 2 && denials_with("destructive") == 1', True),
        ('now - last_call("vault.read") == duration("30m")', True),
        ('last_call("backup.create") < now', None),
        ('calls("net.send") == 0', True),
    ],
)
def test_functions_count_calls_by_outcome_and_time(condition: str, matches: bool | None) -> None:
    scene = World(
        f"  - {{id: c, effect: deny, tools: net.send, when: '{condition}'}}\n"
        "  - {id: never, effect: deny, tools: fs.wipe}\n"
    )
    scene.do("vault.read", fails=True)
    scene.now += 30 * MINUTE
    scene.do("fs.wipe")
    scene.do("vault.read")
    scene.now += 30 * MINUTE
    decision = scene.ask("net.send")
    found = [match.error for match in decision.matches if match.rule == "p/c"]
    expected = {
        True: [None],
        False: [],
        None: ['`last_call("backup.create")`: there was no such call in the session'],
    }
    assert found == expected[matches]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("calls(tool) > 1", "the tool is to be written out, as a name or a pattern in quotes"),
        ('calls("fs rm") > 1', "`fs rm` can't be a tool or pattern"),
        ('calls_with("writes") > 1', "unknown trait `writes`; did you mean `write`?"),
        ("calls_with(traits[0]) > 1", "the trait is to be written out, in quotes"),
    ],
)
def test_what_a_function_asks_about_is_known_at_load(condition: str, message: str) -> None:
    with pytest.raises(PolicyError, match=r"p\.yaml:12:") as error:
        World(f"  - {{id: c, effect: deny, tools: net.send, when: '{condition}'}}\n")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("rule", "column", "message"),
    [
        (
            "{id: a, effect: allow, tools: fs.wipe, not_before: {tools: backup.create}}",
            44,
            "`not_before` goes with `escalate` and `deny`; in an `allow`, write `after`",
        ),
        (
            "{id: a, effect: escalate, tools: fs.wipe, on_match: suspend}",
            47,
            "`on_match` goes with `effect: deny` only, not with `escalate`",
        ),
        (
            "{id: a, effect: deny, tools: fs.wipe, after: {tools: [vault.reed]}}",
            59,
            "unknown tool `vault.reed`; did you mean `vault.read`?",
        ),
        (
            "{id: a, effect: deny, tools: fs.wipe, after: {tool: vault.read}}",
            51,
            "unknown key `tool`; did you mean `tools`?",
        ),
        (
            "{id: a, effect: deny, tools: fs.wipe, after: [{tools: x, within: soon}]}",
            70,
            "`soon` is no duration; write such as `30m`, `24h` or `7d`",
        ),
        (
            "{id: a, effect: deny, tools: fs.wipe, after: {tools: x, outcome: run}}",
            70,
            "unknown outcome `run`; there are `called`, `succeeded`, `failed`, `denied`",
        ),
        (
            "{id: a, effect: deny, tools: fs.wipe, after: {at_least: 1001}}",
            61,
            "`at_least` must be 1000 or less",
        ),
        (
            "{id: a, effect: deny, tools: fs.wipe, after: [{}]}",
            51,
            "an item of `after` is empty; leave it out, or say what it is to hold",
        ),
    ],
)
def test_a_fault_is_told_with_its_place(rule: str, column: int, message: str) -> None:
    with pytest.raises(PolicyError) as error:
        World(f"  - {rule}\n")
    (problem,) = error.value.problems
    assert (problem.line, problem.column, problem.message) == (12, column, message)


def test_history_outlives_a_reload_that_changes_what_is_asked() -> None:
    scene = World("")
    scene.do("vault.read")
    rule = "  - {id: new, effect: deny, tools: net.send, after: {tools: vault.read}}\n"
    scene.policies = PolicySet(load_texts({"p.yaml": TOOLS + rule}))
    assert scene.matched("net.send") == ["p/new"]
