from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from guardrails.errors import PolicyError
from guardrails.language.budgets import _is_whole
from guardrails.language.document import Calendar, Condition
from guardrails.language.loader import load_texts
from guardrails.language.schema import json_schema
from guardrails.spending import UNITS

REFUSED = yaml.safe_load(Path(__file__).with_name("budgets.yaml").read_text())
TOOLS = {
    "pay": {
        "traits": ["spend"],
        "arguments": {
            "to": {"type": "string", "pattern": "^[A-Z]+$"},
            "kind": {"enum": ["rent", "goods"]},
            "note": {"type": "string"},
            "amount": {"type": "number"},
            "count": {"type": "integer"},
            "iban": {"$ref": "#/$defs/iban"},
        },
        "$defs": {"iban": {"type": "string", "pattern": "^[A-Z0-9]{15,34}$"}},
    }
}


def document(budget: Any, effect: str = "deny", **rule: Any) -> str:
    rules = [{"id": "cap", "effect": effect, "tools": "pay", "budget": budget, **rule}]
    return json.dumps({"version": 1, "policy": "p", "tools": TOOLS, "rules": rules})


def read(budget: Any, **rule: Any) -> Any:
    return load_texts({"p.yaml": document(budget, **rule)}).rules[0].budget


def faults(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        load_texts({"p.yaml": text})
    return [problem.message for problem in caught.value.problems]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: str(case["budget"]))
def test_a_budget_that_cannot_be_is_refused_in_words(case: dict[str, Any]) -> None:
    text = yaml.safe_dump(json.loads(document(case["budget"])), allow_unicode=True)
    assert any(fault.startswith(case["says"]) for fault in faults(text)), faults(text)


def test_a_budget_of_an_allow_rule_is_refused_with_what_to_write_instead() -> None:
    (fault,) = faults(document({"limit": 5}, effect="allow"))
    assert fault == (
        "a budget goes with `escalate` and `deny`: such a rule matches once the budget is used up;"
        " allow without it, and add a rule with `effect: deny` and this budget"
    )


def test_a_budget_is_read_with_its_parts() -> None:
    budget = read(
        {
            "limit": 0.5,
            "cost": "arguments.amount",
            "per": {"month": "Europe/Berlin"},
            "scope": ["subject", "arguments.to"],
            "give_back": "on_failure",
        }
    )
    assert (budget.limit, budget.per) == (UNITS // 2, Calendar("month", "Europe/Berlin"))
    assert budget.cost.source == "arguments.amount"
    word, expression = budget.scope
    assert word == "subject"
    assert isinstance(expression, Condition)
    assert expression.source == "arguments.to"
    assert budget.refunds


def test_left_out_a_call_costs_one_for_ever_of_what_all_share() -> None:
    budget = read({"limit": 3})
    assert (budget.limit, budget.cost, budget.per) == (3 * UNITS, None, None)
    assert (budget.scope, budget.refunds) == ((), False)


def test_a_window_is_a_duration() -> None:
    assert read({"limit": 3, "per": "1d"}).per == 86_400 * 10**9


@pytest.mark.parametrize("name", ["to", "kind", "count", "iban"])
def test_an_argument_with_one_spelling_may_share_out_a_budget(name: str) -> None:
    assert read({"limit": 3, "scope": f"arguments.{name}"}).scope[0].source == f"arguments.{name}"


@pytest.mark.parametrize(
    ("pattern", "whole"),
    [
        ("^[A-Z]+$", True),
        ("^(?:A|B)[|$)]$", True),
        ("[A-Z]+", False),
        ("^[A-Z]+", False),
        ("[A-Z]+$", False),
        ("^A|B$", False),
        ("^A\\$", False),
        ("^A[$]", False),
        ("(?m)^A$", False),
    ],
)
def test_a_pattern_of_a_part_of_an_argument_leaves_more_spellings(
    pattern: str, *, whole: bool
) -> None:
    assert _is_whole(pattern) is whole


def test_an_argument_of_a_tool_that_nobody_declared_may_not() -> None:
    text = document({"limit": 3, "scope": "arguments.to"}, tools="other")
    (fault,) = faults(text)
    assert fault == (
        "the schema of the argument `to` has neither `enum` nor a `pattern` from `^` to"
        ' `$`, so "ACME" and "ACME " would be two budgets; declare one'
    )


def test_an_argument_must_have_one_spelling_in_every_tool_of_the_rule() -> None:
    written = json.loads(document({"limit": 3, "scope": "arguments.to"}, tools=["pay", "send"]))
    written["tools"]["send"] = {"traits": ["spend"], "arguments": {"to": {"type": "string"}}}
    (fault,) = faults(json.dumps(written))
    assert fault.startswith("the schema of the argument `to` of `send` has neither")


def test_a_tool_that_has_no_such_argument_is_no_obstacle() -> None:
    written = json.loads(document({"limit": 3, "scope": "arguments.to"}, tools=["pay", "send"]))
    written["tools"]["send"] = {"traits": ["spend"], "arguments": {"free": True}}
    (rule,) = load_texts({"p.yaml": json.dumps(written)}).rules
    assert rule.budget is not None
    written["rules"][0]["budget"]["scope"] = ["arguments.free"]
    (fault,) = faults(json.dumps(written))
    assert fault.startswith("the schema of the argument `free` of `send` has neither")


def test_a_fault_in_a_cost_has_its_place_and_a_caret() -> None:
    text = """\
version: 1
policy: p
tools: {pay: {traits: [spend], arguments: {amount: {type: number}}}}
rules:
  - id: cap
    effect: deny
    tools: pay
    budget: {limit: 5, cost: arguments.ammount}
"""
    with pytest.raises(PolicyError) as caught:
        load_texts({"p.yaml": text})
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (8, 40)
    assert problem.excerpt.endswith("^^^^^^^")


def test_editors_are_told_of_budgets() -> None:
    schema = json_schema()["properties"]["rules"]["items"]
    budget = schema["properties"]["budget"]
    assert budget["required"] == ["limit"]
    assert budget["properties"]["limit"]["type"] == "number"
    assert budget["properties"]["per"]["maxProperties"] == 1
    assert budget["properties"]["scope"]["items"]["type"] == "string"
    assert schema["allOf"][2]["if"] == {"required": ["budget"]}
