"""Which tools the conditions of a rule are checked against."""

from __future__ import annotations

import pytest

from guardrails.errors import PolicyError
from guardrails.language.document import Condition
from guardrails.language.loader import load_texts

TOOLS = """\
version: 1
policy: manifest
tools:
  pay.card: {traits: [write, spend], arguments: {amount: {type: number}, card: {type: string}}}
  pay.bank: {traits: [spend], arguments: {amount: {type: integer}, iban: {type: string}}}
  read: {traits: [read], arguments: {path: {type: string}}}
  open: {traits: [exec]}
  plain: {arguments: {x: {type: string}}}
"""


def unknown(selectors: str, condition: str, effect: str = "deny") -> list[str]:
    """What is wrong with a condition under these selectors."""
    rule = f"- {{id: a, effect: {effect}, {selectors}, when: '{condition}'}}"
    text = f"version: 1\npolicy: p\nrules:\n{rule}\n"
    try:
        load_texts({"manifest.yaml": TOOLS, "p.yaml": text})
    except PolicyError as error:
        return [problem.message for problem in error.problems]
    return []


ANY = "of any tool that the rule can match"


@pytest.mark.parametrize(
    ("selectors", "effect", "known", "told"),
    [
        ("tools: read", "allow", ["path"], "unknown argument `iban` of `read`"),
        ("tools: read", "deny", ["path"], "unknown argument `iban` of `read`"),
        ("tools: [read, pay.card]", "allow", ["path", "card"], f"unknown argument `iban` {ANY}"),
        ("tools: [read, undeclared]", "allow", ["path", "iban"], None),
        ("tools: undeclared", "deny", ["iban"], None),
        ("tools: open", "allow", ["iban"], None),
        ("tools: [read, open]", "deny", ["iban"], None),
        ("tools: pay.*", "allow", ["card", "iban"], f"unknown argument `path` {ANY}"),
        ("tools: pay.*", "deny", ["card", "iban"], f"unknown argument `path` {ANY}"),
        ("tools: nothing.*", "deny", ["path"], None),
        ('tools: "*"', "deny", ["path", "zzz"], None),
        ("traits: [read]", "allow", ["path"], "unknown argument `iban` of `read`"),
        ("traits: [spend]", "allow", ["iban"], "unknown argument `card` of `pay.bank`"),
        ("traits: [spend, write]", "allow", ["iban", "card"], f"unknown argument `path` {ANY}"),
        ("traits: [write]", "deny", ["card", "x"], f"unknown argument `iban` {ANY}"),
        ("traits: [spawn]", "allow", ["zzz"], None),
        ("traits: [spawn]", "deny", ["x"], "unknown argument `card` of `plain`"),
        ("traits: [exec]", "deny", ["zzz"], None),
        (
            "tools: pay.*, traits: [write]",
            "deny",
            ["card"],
            "unknown argument `iban` of `pay.card`",
        ),
        ("tools: undeclared, traits: [write]", "allow", ["zzz"], None),
        (
            "tools: [undeclared, read], traits: [read]",
            "allow",
            ["path"],
            "unknown argument `iban` of `read`",
        ),
        ("tools: [undeclared, read], traits: [read]", "deny", ["iban"], None),
    ],
)
def test_an_argument_is_unknown_if_no_tool_that_the_rule_can_match_has_it(
    selectors: str, effect: str, known: list[str], told: str | None
) -> None:
    condition = " || ".join(f"arguments.{name} == 1.5 || true" for name in known)
    condition = condition.replace("== 1.5", "!= dyn(1)")
    assert unknown(selectors, condition, effect) == []
    if told is not None:
        name = told.split("`")[1]
        (message,) = unknown(selectors, f"arguments.{name} != dyn(1)", effect)
        assert message.startswith(told)


def test_types_are_those_that_all_tools_of_the_rule_agree_on() -> None:
    assert unknown("tools: pay.*", 'arguments.iban == "x" && arguments.amount > 5') == []
    assert unknown("tools: pay.card", "arguments.amount.startsWith(tool)") != []
    assert unknown("tools: [pay.card, pay.bank]", "arguments.amount.startsWith(tool)") == []


def test_a_wildcard_that_restricts_relies_on_no_type() -> None:
    texts = {
        "manifest.yaml": TOOLS,
        "p.yaml": "version: 1\npolicy: p\nrules:\n"
        "- {id: wild, effect: deny, tools: 'pay.c*', when: 'arguments.amount > 5'}\n"
        "- {id: trait, effect: escalate, traits: [write], when: 'arguments.card == tool'}\n"
        "- {id: named, effect: deny, tools: pay.card, when: 'arguments.amount > 5'}\n"
        "- {id: allow, effect: allow, tools: 'pay.c*', when: 'arguments.amount > 5'}\n",
    }
    types = {}
    for rule in load_texts(texts).rules:
        assert isinstance(rule.when, Condition)
        first = next(iter(rule.when.checked.root.operands))  # type: ignore[attr-defined]
        types[rule.id] = str(first.type)
    assert types == {"wild": "dyn", "trait": "dyn", "named": "double", "allow": "double"}


def test_every_variable_is_known() -> None:
    condition = (
        'tool == "x" && "read" in traits && size(kinds.amount) > 0 && size(kinds.url) == 0 && '
        'subject.id == "a" && "b" in subject.roles && subject.on_behalf_of == "" && '
        'size(subject.chain) > 1 && subject.chain[0] == "a" && subject.attributes.x == 1 && '
        'session.id == "s" && "l" in session.labels && context.anything == 1 && '
        'now > timestamp("2027-01-01T00:00:00Z")'
    )
    assert unknown("tools: x", condition) == []


def test_constants_are_one_namespace_over_all_documents() -> None:
    rule = "{id: a, effect: deny, tools: x, when: 'tool in constants.l'}"
    user = f"version: 1\npolicy: p\nrules: [{rule}]\n"
    more = {"q.yaml": "version: 1\npolicy: q\nconstants: {l: [x]}\n"}
    assert load_texts({"p.yaml": user, **more}).constants == {"l": ["x"]}
    with pytest.raises(PolicyError, match="unknown constant `l`"):
        load_texts({"p.yaml": user, "q.yaml": "version: 1\npolicy: q\nconstants: {m: [x]}\n"})


def test_a_condition_may_be_shared_by_an_alias() -> None:
    text = (
        "version: 1\npolicy: p\nrules:\n"
        "- {id: a, effect: deny, tools: x, when: &c 'subject.id == \"a\"'}\n"
        "- {id: b, effect: deny, tools: y, when: *c}\n"
    )
    first, second = load_texts({"p.yaml": text}).rules
    assert first.when is not None
    assert second.when is not None
    assert first.when.source == second.when.source
    assert first.when.place(8) == second.when.place(8)
    with pytest.raises(PolicyError) as caught:
        load_texts({"p.yaml": text.replace("subject.id ", "subject.idd ")})
    assert len(caught.value.problems) == 1
