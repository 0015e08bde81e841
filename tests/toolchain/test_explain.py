from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.action import Action, SessionView, Subject
from guardrails.decision import Effect
from guardrails.engine import Facts, PolicySet
from guardrails.guard import load_policies
from guardrails.instants import parse_timestamp
from guardrails.toolchain.explain import explain, explain_text

if TYPE_CHECKING:
    from guardrails.toolchain.explanation import Explanation, RuleTold

DATA = yaml.load((Path(__file__).parent / "explained.yaml").read_text("utf-8"), yaml.BaseLoader)
TYPED = yaml.safe_load((Path(__file__).parent / "explained.yaml").read_text("utf-8"))
NOW = "2026-06-01T00:00:00Z"


@cache
def load(text: str) -> PolicySet:
    with TemporaryDirectory() as folder:
        Path(folder, "p.yaml").write_text(text)
        return load_policies(folder)


def told_of(rule: RuleTold) -> list[str]:
    marks = {True: "+", False: "-", None: "!"}
    return [rule.outcome, *(f"{part.key} {marks[part.holds]} {part.why}" for part in rule.parts)]


@pytest.mark.parametrize("case", TYPED["cases"], ids=[str(c["action"]) for c in TYPED["cases"]])
def test_every_rule_that_could_concern_the_tool_is_told_part_by_part(case: dict[str, Any]) -> None:
    now = case.get("now", NOW)
    now_ns = parse_timestamp(now if type(now) is str else now.strftime("%Y-%m-%dT%H:%M:%SZ")).ns
    told = explain_text(load(DATA["policies"]), json.dumps(case["action"]).encode(), now_ns)
    assert str(told.decision.effect) == case["effect"]
    assert {rule.rule.id: told_of(rule) for rule in told.rules} == case["rules"]
    assert list(told.needed) == case["needed"]
    assert told.others == len(load(DATA["policies"]).bundle.rules) - len(told.rules)


NEEDED = """
version: 1
policy: p
tools:
  pay: {traits: [spend], arguments: {n: {type: integer}, to: {type: array, items: {type: string}}}}
rules:
  - {id: a, effect: allow, tools: pay, when: 'arguments.n < 5 && arguments.to.all(t, t == "x")'}
  - {id: b, effect: allow, tools: pay, when: "!(arguments.n > 5) && arguments.q.x"}
  - {id: c, effect: allow, tools: pay, when: arguments.n == 9, unless: arguments.n == 9}
  - {id: d, effect: allow, tools: pay, mode: observe, expires: 2030-01-01}
  - {id: e, effect: escalate, tools: pay}
"""


def test_what_an_allow_would_need_names_the_failing_conditions() -> None:
    policies = load(NEEDED.replace(" && arguments.q.x", ""))
    action = Action("pay", {"n": 9, "to": ["x", "z"]})
    assert explain(policies, action, Facts(parse_timestamp(NOW).ns)).needed == (
        "`p/e` must not match: it would escalate",
        "`p/d` allows it only if it does more than watch (`mode: observe`)",
        "`p/c` allows it only if its exception does not hold (`arguments.n == 9`)",
        (
            "`p/a` allows it only if `arguments.n < 5` is true (now `arguments.n` is 9), and "
            '`arguments.to.all(t, t == "x")` is true (now `arguments.to` is ["x", "z"])'
        ),
        "`p/b` allows it only if `(arguments.n > 5)` is false (now `arguments.n` is 9)",
    )


def test_where_no_rule_could_allow_it_that_is_said() -> None:
    policies = load("version: 1\npolicy: p\nrules: [{id: a, effect: deny, tools: pay}]\n")
    told = explain(policies, Action("read"), Facts(0))
    assert told.needed == (
        "`read` must be declared, or a rule must allow it by its exact name",
        "no rule that allows could concern `read`: one would have to",
    )


def test_each_member_of_a_delegation_is_told_of_rules_that_look_at_who_acts() -> None:
    policies = load(
        "version: 1\npolicy: p\nrules:\n"
        "  - {id: a, effect: allow, tools: pay, subjects: {ids: [boss]}}\n"
        "  - {id: b, effect: deny, tools: pay, when: 1 == 2}\n"
    )
    session = SessionView("s", chain=(Subject("boss"), Subject("agent")))
    told = explain(policies, Action("pay"), Facts(0, session=session))
    assert [(each.rule.id, each.member, each.outcome) for each in told.rules] == [
        ("a", "boss", "matched"),
        ("b", None, "not_matched"),
        ("a", "agent", "not_matched"),
    ]
    assert told.decision.effect is Effect.DENY
    assert told.needed == (
        "`p/a` allows it for `agent` only if `subjects` fits (no id of `agent` fits `boss`)",
    )
    assert told.others == 0


def test_an_explanation_as_json_is_plain_and_complete() -> None:
    policies = load(DATA["policies"])
    told = explain(policies, Action("pay", {"n": 8}), Facts(parse_timestamp(NOW).ns))
    printed = json.loads(json.dumps(told.as_json()))
    assert printed.keys() == {"tool", "decision", "rules", "others", "needed"}
    (rule,) = [each for each in printed["rules"] if each["rule"] == "p/a-pay"]
    when = rule["parts"][2]
    assert rule["outcome"] == "not_matched"
    assert rule["place"]["line"] > 1
    assert when["condition"] == "arguments.n < constants.limit"
    assert when["deciding"] == [
        {
            "source": "arguments.n < constants.limit",
            "start": 0,
            "end": 29,
            "value": "false",
            "error": None,
            "operands": [
                {"source": "arguments.n", "value": "8", "error": None},
                {"source": "constants.limit", "value": "5", "error": None},
            ],
        }
    ]


def outcomes(told: Explanation, *states: str) -> dict[str, tuple[str | None, bool]]:
    return {
        rule.rule.name: (rule.error, rule.observed) for rule in told.rules if rule.outcome in states
    }


@settings(max_examples=200, deadline=None)
@given(
    tool=st.sampled_from(["pay", "peek", "plain", "phone", "PAY", "other"]),
    n=st.none() | st.integers(0, 100),
    to=st.none() | st.sampled_from(["x", "y", 1]),
    subject=st.none()
    | st.builds(
        Subject, st.sampled_from(["root", "agent"]), st.lists(st.sampled_from(["billing", "ops-1"]))
    ),
    now=st.sampled_from(["2019-01-01T00:00:00Z", NOW, "2031-01-01T00:00:00Z"]),
)
def test_what_is_told_is_what_was_decided(
    tool: str, n: Any, to: Any, subject: Subject | None, now: str
) -> None:
    arguments = {key: value for key, value in {"n": n, "to": to}.items() if value is not None}
    facts = Facts(parse_timestamp(now).ns)
    policies = load(DATA["policies"])
    action = Action(tool, arguments, subject)
    told = explain(policies, action, facts)
    decision = policies.decide(action, facts)
    assert told.decision == decision
    matches = {match.rule: (match.error, match.observed) for match in decision.matches}
    errors = {match.rule: (match.error, match.observed) for match in decision.errors}
    assert outcomes(told, "matched") == matches
    assert outcomes(told, "failed") == errors
    assert set(outcomes(told, "excepted")) == {used.rule for used in decision.exceptions}
    assert bool(told.needed) is (decision.effect is not Effect.ALLOW)
