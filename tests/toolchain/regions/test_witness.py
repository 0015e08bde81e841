"""Calls that are found for rules, and the bounds of the search for them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from guardrails.language.loader import load_texts
from guardrails.toolchain.regions import Reach
from guardrails.toolchain.regions.formula import Every, Some, Within, canonical
from guardrails.toolchain.regions.region import Region, exactly
from guardrails.toolchain.regions.search import Undecided, find_values, judge
from guardrails.toolchain.regions.witness import find_witness

NOW = 1_780_000_000 * 10**9  # 2026-05-28
TOOL = {
    "traits": ["spend"],
    "arguments": {
        "amount": {"type": "number", "minimum": 0},
        "to": {"type": "string", "pattern": "^x"},
        "note": {"type": "object", "properties": {"kind": {"enum": ["a", "b"]}}},
        "kind": {"type": "string"},
    },
    "required": ["amount"],
}


def reach_of(*rules: dict[str, Any]) -> Reach:
    document = {
        "version": 1,
        "policy": "p",
        "tools": {"pay": TOOL},
        "rules": [{"id": f"r{n}", "tools": "pay", **rule} for n, rule in enumerate(rules)],
    }
    return Reach(load_texts({"p.yaml": json.dumps(document)}), NOW)


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        (
            [
                {"effect": "allow", "when": "arguments.amount <= 500"},
                {"effect": "deny", "when": "arguments.amount >= 500"},
            ],
            "`arguments.amount` is `500`",
        ),
        (
            [
                {
                    "effect": "allow",
                    "subjects": {"ids": ["agent-*"], "roles": ["clerk"]},
                    "when": 'has(arguments.note) && arguments.note.kind == "b"',
                },
                {"effect": "deny", "when": '"clerk" in subject.roles && context.stage == "prod"'},
            ],
            (
                '`arguments.note.kind` is `"b"` and `context.stage` is `"prod"` and '
                '`subject.id` is `"agent-"`'
            ),
        ),
        (
            [
                {"effect": "allow", "when": "!has(arguments.kind)"},
                {"effect": "deny", "when": 'arguments.kind == "x"'},
            ],
            "`arguments.kind` is missing",
        ),
        (
            [
                {"effect": "allow", "when": 'now > timestamp("2027-01-01T00:00:00Z")'},
                {"effect": "deny", "when": "arguments.amount > 2.5"},
            ],
            "`arguments.amount` is `3`",
        ),
    ],
)
def test_a_call_that_both_rules_match_is_found(rules: list[dict[str, Any]], told: str) -> None:
    reach = reach_of(*rules)
    witness = find_witness(reach, "pay", reach.policies.bundle.rules)
    assert witness is not None
    assert witness.told == told


@pytest.mark.parametrize(
    "condition",
    [
        'arguments.kind.matches("^a")',  # a text for which it is true can't be made up
        'has(arguments.to) && arguments.to == "y"',  # the pattern refuses it
        "arguments.amount < 0",
    ],
)
def test_a_call_that_the_engine_does_not_confirm_is_none(condition: str) -> None:
    reach = reach_of({"effect": "allow", "when": condition})
    assert find_witness(reach, "pay", reach.policies.bundle.rules) is None


NUMBERS = Region({"int": (0, 100)})


def low(term: str) -> Within:
    return Within(term, Region({"int": (0, 50)}))


def high(term: str) -> Within:
    return Within(term, Region({"int": (50, 100)}))


def test_choices_are_tried_until_one_satisfies() -> None:
    choices = [Some((Every((low(f"x{n}"), high(f"x{n + 1}"))), high(f"x{n}"))) for n in range(9)]
    found = find_values([*choices, low("x0")], lambda _: NUMBERS)
    assert found is not None
    assert all(judge(each, found, lambda _: NUMBERS) for each in choices)


def test_past_the_bound_nothing_is_claimed() -> None:
    terms = [f"x{n}" for n in range(12)]
    pairs = [Some((Every((low(a), high(b))), Every((high(a), low(b)))))
             for a in terms for b in terms if a < b]  # fmt: skip
    with pytest.raises(Undecided):
        find_values(pairs, lambda _: NUMBERS, steps=50)
    assert find_values(pairs, lambda _: NUMBERS, steps=50_000) is None


def test_a_reach_claims_neither_where_the_search_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def give_up(*_: object) -> None:
        raise Undecided

    reach = reach_of({"effect": "allow", "when": "arguments.amount < 0"})
    (rule,) = reach.policies.bundle.rules
    monkeypatch.setattr("guardrails.toolchain.regions.reach.find_values", give_up)
    assert not reach.impossible("pay", reach.match(rule, "pay"))
    assert not reach.possible("pay", reach.match(rule, "pay"))
    assert reach.example(rule, "pay") is None


def test_two_ways_to_say_the_same_have_one_form() -> None:
    one = Every((low("x"), Some((exact("y", 1), exact("y", 2))), high("z")))
    other = Every((Every((high("z"), high("z"))), Within("y", exactly(2, 1)), low("x")))
    assert canonical(one, lambda _: NUMBERS) == canonical(other, lambda _: NUMBERS)


def exact(term: str, value: int) -> Within:
    return Within(term, exactly(value))
