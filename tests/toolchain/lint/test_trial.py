"""Conditions tried with a part of what they read: the answer holds whatever the rest may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.action import Action
from guardrails.decision import Effect
from guardrails.engine import Facts
from guardrails.language.document import Condition
from guardrails.testing import policies_over
from guardrails.toolchain.lint.trial import FAILED, outcome_of, put

if TYPE_CHECKING:
    from guardrails.engine import PolicySet

CASES = [
    ('arguments.to == "a"', True),
    ('arguments.to == "b"', False),
    ('arguments.to == "a" && arguments.x > 3', None),
    ('arguments.to == "b" && arguments.x > 3', False),
    ('arguments.to == "a" || arguments.x > 3', True),
    ("!(arguments.x > 3)", None),
    ("!has(arguments.to)", False),
    ("has(arguments.x)", None),
    ("arguments.to > 3", FAILED),
    ("arguments.to > 3 || true", True),
    ("arguments.to > 3 || arguments.x > 3", None),
    ("arguments.to", FAILED),
    ('arguments.x ? arguments.to == "a" : arguments.to != "b"', None),
    ("arguments.x ? arguments.to > 3 : arguments.to", FAILED),
    ('arguments.x ? arguments.to == "a" : arguments.to == "b"', None),
    ('arguments.to == "a" ? arguments.to == "b" : arguments.x > 3', False),
    ('["a", "b"].exists(one, one == arguments.to)', True),
    ('["a", "b"].exists(one, one == arguments.to || one == context.home)', True),
    ('["a", "b"].all(one, one == arguments.to || one == context.home)', None),
    ('["a", "b"].all(one, one != arguments.to && one != context.home)', False),
    ("arguments.list.all(one, one.startsWith(arguments.to))", None),
    ('email_domain(arguments.to) == "b"', FAILED),
    ('arguments["to"] == "a"', True),
]


def policies(condition: str) -> PolicySet:
    return policies_over(
        f"version: 1\npolicy: p\nrules:\n"
        f"  - id: a\n    effect: allow\n    tools: t\n    when: >-\n      {condition}\n"
    )


def condition_of(policies: PolicySet) -> Condition:
    condition = policies.bundle.rules[0].when
    assert isinstance(condition, Condition)
    return condition


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_a_condition_comes_to_what_is_certain_of_it(text: str, expected: object) -> None:
    condition = condition_of(policies(text))
    root = put(condition.checked.root, {("arguments", "to"): "a"})
    assert outcome_of(root, condition.source) is expected


ATOMS = ['arguments.to == "a"', "arguments.x > 3", "arguments.to > 3", "has(arguments.x)",
         'arguments.to.startsWith("b")', "arguments.x", "true"]  # fmt: skip
CONDITIONS = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["&&", "||"]), inner).map(" ".join).map("({})".format),
        inner.map("!({})".format),
        st.tuples(inner, inner, inner).map(lambda parts: "({} ? {} : {})".format(*parts)),
    ),
    max_leaves=6,
)


@given(CONDITIONS, st.sampled_from([None, 1, 5, True, False, "a"]))
def test_the_engine_comes_to_the_same_whatever_the_unknown_is(text: str, unknown: Any) -> None:
    policy_set = policies(text)
    condition = condition_of(policy_set)
    root = put(condition.checked.root, {("arguments", "to"): "a"})
    arguments = {"to": "a"} if unknown is None else {"to": "a", "x": unknown}
    decision = policy_set.decide(Action("t", arguments), Facts(0))
    outcome = outcome_of(root, condition.source)
    if outcome is not None:
        assert (decision.effect is Effect.ALLOW) is (outcome is True)
        assert bool(decision.errors) is (outcome is FAILED)
