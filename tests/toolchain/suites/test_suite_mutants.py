"""Mutants are changes that a test should notice; those that none notices are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from guardrails.engine import PolicySet
from guardrails.language.loader import load_texts
from guardrails.toolchain.lines import plain
from guardrails.toolchain.suites.mutants import mutants_of
from guardrails.toolchain.suites.report_text import tell_report

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.toolchain.suites.mutants import Mutant
    from guardrails.toolchain.suites.report import Report

CASES = yaml.safe_load((Path(__file__).parent / "mutants.yaml").read_text("utf-8"))
ALWAYS = ("the rule was dropped", "the effect `")


def policy(rule: dict[str, Any], **more: Any) -> str:
    return json.dumps(
        {
            "version": 1,
            "policy": "p",
            "constants": {"names": ["x", "y"], "limit": 50},
            "tools": {name: {"traits": ["spend", "write"]} for name in ("pay", "pays.out")},
            "rules": [{"id": "r", "effect": "allow", **rule}],
            **more,
        }
    )


def mutants(text: str) -> list[Mutant]:
    return list(mutants_of(load_texts({"p.yaml": text})))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_mutants_of_a_rule(case: dict[str, Any]) -> None:
    found = [each.change for each in mutants(policy(case["rule"])) if each.name == "p/r"]
    changes = [each for each in found if not each.startswith(ALWAYS)]
    assert len(found) == len(changes) + 2
    if "mutants" in case:
        assert changes == case["mutants"]
    assert [each for each in case.get("contains", ()) if each not in changes] == []
    assert [each for each in changes for part in case.get("lacks", ()) if part in each] == []


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_every_mutant_can_be_judged_by(case: dict[str, Any]) -> None:
    bundle = load_texts({"p.yaml": policy(case["rule"])})
    assert len({repr(each.after) for each in mutants_of(bundle) if each.after}) > 0
    for mutant in mutants_of(bundle):
        if mutant.after is not None:
            PolicySet(bundle, map(_compiled, (mutant.after,)))


def _compiled(rule: Any) -> Any:
    from guardrails.engine.rule import CompiledRule

    return CompiledRule(rule)


@pytest.mark.parametrize(
    ("effect", "other"), [("allow", "escalate"), ("escalate", "allow"), ("deny", "escalate")]
)
def test_effects_are_weakened_or_stopped_short(effect: str, other: str) -> None:
    changes = [each.change for each in mutants(policy({"tools": "*", "effect": effect}))]
    assert changes[:2] == ["the rule was dropped", f"the effect `{effect}` became `{other}`"]


def test_traits_and_labels_of_tools_are_dropped_where_rules_look_at_them() -> None:
    tools = {"pay": {"traits": ["spend", "write", "read"], "returns": ["secret"]}}
    by_trait = mutants(policy({"traits": ["spend"], "effect": "deny"}, tools=tools))
    both = mutants(policy({"traits": ["spend", "write"], "effect": "deny"}, tools=tools))
    covering = mutants(policy({"traits": ["spend", "write"]}, tools=tools))
    allowing = mutants(policy({"traits": ["spend", "write", "read"]}, tools=tools))
    others = mutants(policy({"tools": "other", "traits": ["spend"], "effect": "deny"}, tools=tools))
    after = mutants(policy({"tools": "x", "after": {"traits": ["read"]}}, tools=tools))
    counting = mutants(policy({"tools": "x", "when": 'calls_with("write") > 1'}, tools=tools))
    reading = mutants(policy({"tools": "*", "when": '"spend" in traits'}, tools=tools))
    in_session = mutants(policy({"tools": "*", "when": '"x" in session.labels'}, tools=tools))
    for found, of_tool in (
        (by_trait, ["the trait `spend` was dropped"]),
        (both, []),
        (covering, ["the trait `read` was dropped"]),
        (allowing, []),
        (others, []),
        (after, ["the trait `read` was dropped"]),
        (counting, ["the trait `write` was dropped", "the label `secret` was dropped"]),
        (reading, [f"the trait `{each}` was dropped" for each in ("spend", "write", "read")]),
        (in_session, ["the label `secret` was dropped"]),
    ):
        assert [each.change for each in found if each.name == "pay"] == of_tool


def test_a_mutant_stands_where_the_change_is() -> None:
    text = """\
version: 1
policy: p
rules:
  - id: r
    effect: deny
    tools: pay
    when: >-
      arguments.a == 1
      && arguments.b > 5
"""
    places = {each.change: each.span[1:] for each in mutants(text)}
    assert places["the rule was dropped"] == (4, 5)
    assert places["the effect `deny` became `escalate`"] == (5, 13)
    assert places["`5` became `6` in `when`"] == (9, 24)


TOOLS = {
    "pay": {"traits": ["spend"], "returns": ["paid"]},
    "read": {"traits": ["read", "spend"], "returns": ["secret"]},
}
RULES = [
    {"id": "pay", "effect": "allow", "tools": "pay", "when": "arguments.a < 10"},
    {"id": "read", "effect": "allow", "tools": "read"},
    {"id": "secrets", "effect": "deny", "tools": "pay", "when": '"secret" in session.labels'},
    {"id": "spending", "effect": "deny", "traits": ["spend"], "when": "arguments.a == 7"},
]
PAY = {"tool": "pay", "arguments": {"a": 1}, "session": {"id": "s"}}


def suite(*cases: dict[str, Any]) -> dict[str, str]:
    document = {"version": 1, "policy": "p", "tools": TOOLS, "rules": RULES}
    test = {"version": 1, "tests": "t", "cases": list(cases)}
    return {"p.yaml": json.dumps(document), "p_test.yaml": json.dumps(test)}


def survivors(report: Report) -> set[tuple[str, str]]:
    assert report.mutation is not None
    return {(each.name, each.change) for each in report.mutation.survivors}


def test_what_no_test_notices_survives(run: Callable[..., Report]) -> None:
    first = run(suite({"name": "a", "action": PAY, "expect": "allow"}), mutate=True)
    assert first.exit_code == 1
    left = survivors(first)
    assert ("p/pay", "the rule was dropped") not in left
    assert ("p/pay", "`10` became `11` in `when`") in left
    assert ("p/read", "the rule was dropped") in left
    limit = {**PAY, "arguments": {"a": 10}}
    second = run(
        suite(
            {"name": "a", "action": PAY, "expect": "allow"},
            {"name": "b", "action": limit},
        ),
        mutate=True,
    )
    assert ("p/pay", "`10` became `11` in `when`") not in survivors(second)
    assert survivors(second) < left


def test_labels_and_traits_are_noticed_in_sessions(run: Callable[..., Report]) -> None:
    inside = {"tool": "pay", "arguments": {"a": 1}}
    steps = [
        {"action": inside, "expect": "allow"},
        {"action": {"tool": "read", "arguments": {"a": 7}}, "rules": ["p/read", "p/spending"]},
        {"action": {"tool": "read", "arguments": {"a": 1}}, "expect": "allow"},
        {"action": inside, "rules": ["p/pay", "p/secrets"]},
    ]
    report = run(suite({"name": "a", "steps": steps}), mutate=True)
    assert ("read", "the label `secret` was dropped") not in survivors(report)
    assert ("read", "the trait `spend` was dropped") not in survivors(report)
    assert ("pay", "the label `paid` was dropped") in survivors(report)
    assert ("p/secrets", "the rule was dropped") not in survivors(report)
    assert {change for name, change in survivors(report) if name == "p/secrets"} == {
        "`pay` became `*` in `tools`"
    }


def test_a_wider_selector_is_noticed_by_cases_of_other_tools(run: Callable[..., Report]) -> None:
    document = {
        "version": 1,
        "policy": "p",
        "tools": {"mail.read": {"traits": ["read"]}, "mail.send": {"traits": ["external"]}},
        "rules": [{"id": "read", "effect": "allow", "tools": "mail.read"}],
    }
    reading = {"name": "read", "action": {"tool": "mail.read"}, "expect": "allow"}
    sending = {"name": "send", "action": {"tool": "mail.send"}}
    wider = ("p/read", "`mail.read` became `mail.*` in `tools`")
    for cases, survives in (([reading], True), ([reading, sending], False)):
        test = {"version": 1, "tests": "t", "cases": cases}
        files = {"p.yaml": json.dumps(document), "p_test.yaml": json.dumps(test)}
        assert (wider in survivors(run(files, mutate=True))) is survives


def test_what_makes_an_undeclared_tool_one_that_can_be_allowed_is_noticed(
    run: Callable[..., Report],
) -> None:
    rules = [
        {"id": "named", "effect": "allow", "tools": "legacy", "when": "arguments.a < 1"},
        {"id": "wild", "effect": "escalate", "tools": "leg*"},
    ]
    document = {"version": 1, "policy": "p", "rules": rules}
    case = {"name": "a", "action": {"tool": "legacy", "arguments": {"a": 5}}, "expect": "escalate"}
    test = {"version": 1, "tests": "t", "cases": [case]}
    report = run({"p.yaml": json.dumps(document), "p_test.yaml": json.dumps(test)}, mutate=True)
    assert ("p/named", "the rule was dropped") not in survivors(report)


def test_cases_refused_before_any_rule_notice_nothing(run: Callable[..., Report]) -> None:
    case = {"name": "a", "action": {"tool": "no tool"}, "code": "invalid_action"}
    report = run(suite(case), mutate=True)
    assert report.mutation is not None
    assert report.mutation.killed == 0


def test_where_cases_fail_no_mutant_is_tried(run: Callable[..., Report]) -> None:
    report = run("failing", mutate=True)
    assert report.mutation is None
    assert report.exit_code == 1


def test_mutants_for_which_there_was_no_time_are_counted(run: Callable[..., Report]) -> None:
    report = run(suite({"name": "a", "action": PAY, "expect": "allow"}), mutate=True, seconds=0.0)
    assert report.mutation is not None
    assert (report.mutation.tried, report.mutation.untried > 10) == (0, True)
    assert report.exit_code == 4
    assert "not tried for lack of time" in plain(tell_report(report))


def test_the_same_mutants_survive_whether_cases_are_read_before_or_decided_anew(
    run: Callable[..., Report],
) -> None:
    """A case of one step in a session goes the long way; its outcome is that of the short one."""
    cases = [
        {"name": str(amount), "action": {**PAY, "arguments": {"a": amount}}, "expect": effect}
        for amount, effect in ((1, "allow"), (9, "allow"), (10, "deny"), (7, "deny"))
    ]
    as_steps = [
        {
            "name": case["name"],
            "steps": [
                {
                    "action": {"tool": "pay", "arguments": case["action"]["arguments"]},  # type: ignore[index]
                    "expect": case["expect"],
                }
            ],
        }
        for case in cases
    ]
    one, other = (survivors(run(suite(*each), mutate=True)) for each in (cases, as_steps))
    assert one == other
    assert len(one) > 3
