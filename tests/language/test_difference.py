"""What differs between two loads, by name."""

from __future__ import annotations

import pytest

from guardrails.language.difference import Difference, find_difference
from guardrails.language.loader import load_texts

BASE = """\
version: 1
policy: p
owner: a@example.com
constants:
  limit: 10
  hosts: [a.example, b.example]
context:
  stage: {enum: [dev, prod]}
tools:
  pay:
    traits: [spend]
    arguments:
      amount: {type: number, minimum: 0, description: What is paid.}
    required: [amount]
    mask: [amount]
rules:
  - id: small
    effect: allow
    tools: pay
    subjects: {roles: [clerk]}
    when: arguments.amount < 5
  - id: large
    effect: escalate
    tools: pay
    when: arguments.amount > 500
    approval: {from: [finance], quorum: 2, timeout: 30m}
    budget: {limit: 7, per: 24h}
  - id: night
    effect: deny
    traits: [spend]
    unless:
      - {reason: FIN-1, expires: 2099-01-07, when: arguments.amount < 1}
    expires: 2099-06-30
"""


def differ(old: str, new: str) -> Difference:
    return find_difference(load_texts({"p.yaml": old}), load_texts({"p.yaml": new}))


def changed(before: str, after: str) -> dict[str, list[str]]:
    """The names of what a replacement in the document changes, by kind."""
    difference = differ(BASE, BASE.replace(before, after))
    assert bool(difference) is bool(difference.as_json())
    found = difference.as_json()
    assert all(part["added"] == part["removed"] == [] for part in found.values())
    return {kind: part["changed"] for kind, part in found.items()}


def test_nothing_differs_from_itself_wherever_it_stands() -> None:
    moved = "# a comment\n\n" + BASE.replace("rules:\n", "rules:\n\n  # first\n")
    assert not differ(BASE, moved)
    assert differ(BASE, moved).as_json() == {}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("amount < 5", "amount < 6", {"rules": ["p/small"]}),
        ("[clerk]", "[intern]", {"rules": ["p/small"]}),
        ("quorum: 2", "quorum: 1", {"rules": ["p/large"]}),
        ("timeout: 30m", "timeout: 31m", {"rules": ["p/large"]}),
        ("FIN-1", "FIN-2", {"rules": ["p/night"]}),
        ("2099-01-07", "2099-01-08", {"rules": ["p/night"]}),
        ("2099-06-30", "2099-06-29", {"rules": ["p/night"]}),
        ("amount < 1}", "amount < 2}", {"rules": ["p/night"]}),
        ("effect: deny", "effect: deny\n    mode: observe", {"rules": ["p/night"]}),
        ("traits: [spend]\n    arg", "traits: [spend, write]\n    arg", {"tools": ["pay"]}),
        ("minimum: 0", "minimum: 1", {"tools": ["pay"]}),
        ("minimum: 0", "minimum: 0.0", {"tools": ["pay"]}),
        ("    mask: [amount]\n", "", {"tools": ["pay"]}),
        ("    required: [amount]\n", "    required: []\n", {"tools": ["pay"]}),
        ("limit: 10", "limit: 11", {"constants": ["limit"]}),
        ("limit: 10", "limit: 10.0", {"constants": ["limit"]}),
        ("limit: 10", "limit: true", {"constants": ["limit"]}),
        ("[a.example, b.example]", "[b.example, a.example]", {"constants": ["hosts"]}),
        ("[dev, prod]", "[dev, staging, prod]", {"context": ["stage"]}),
        ("a@example", "b@example", {"documents": ["p.yaml"]}),
        ("owner:", "description: Money.\nowner:", {"documents": ["p.yaml"]}),
    ],
)
def test_a_change_is_named(old: str, new: str, expected: dict[str, list[str]]) -> None:
    assert old in BASE
    assert changed(old, new) == expected


def test_a_budget_is_a_part_of_its_rule() -> None:
    assert changed("limit: 7, per", "limit: 8, per")["rules"] == ["p/large"]
    assert changed("per: 24h", "per: {day: UTC}")["rules"] == ["p/large"]
    assert not differ(BASE, BASE.replace("budget: {limit: 7,", "budget: {  limit: 7,"))


def test_controls_of_a_document_change_its_rules_too() -> None:
    assert changed("owner:", "controls: [FIN-12]\nowner:") == {
        "documents": ["p.yaml"],
        "rules": ["p/large", "p/night", "p/small"],
    }


def test_what_comes_and_goes_is_told_by_kind() -> None:
    other = (
        "version: 1\npolicy: q\nconstants: {top: 1}\ncontext: {user: {type: string}}\n"
        "tools: {mail: {traits: [external]}}\nrules: [{id: a, effect: allow, tools: mail}]\n"
    )
    old, new = load_texts({"p.yaml": BASE}), load_texts({"p.yaml": BASE, "q.yaml": other})
    names = {
        "documents": ["q.yaml"],
        "rules": ["q/a"],
        "tools": ["mail"],
        "constants": ["top"],
        "context": ["user"],
    }
    assert find_difference(old, new).as_json() == {
        kind: {"added": found, "removed": [], "changed": []} for kind, found in names.items()
    }
    assert find_difference(new, old).as_json() == {
        kind: {"added": [], "removed": found, "changed": []} for kind, found in names.items()
    }


def test_policies_without_declared_facts_have_none_to_compare() -> None:
    bare = "version: 1\npolicy: p\nrules: [{id: a, effect: allow, tools: t}]\n"
    assert not differ(bare, bare)


def test_a_key_that_moves_within_a_constant_changes_nothing() -> None:
    one = BASE.replace("limit: 10", "limit: {a: 1, b: 2}")
    two = BASE.replace("limit: 10", "limit: {b: 2, a: 1}")
    assert not differ(one, two)
