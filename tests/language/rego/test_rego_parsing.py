"""The files of one package are analysed together, and what is wrong stands where it is."""

from __future__ import annotations

import pytest

from guardrails.action import Action
from guardrails.engine import Facts, PolicySet
from guardrails.errors import PolicyError
from guardrails.language.loader import load_texts


def test_rules_of_another_file_of_the_package_may_be_used(facts: Facts) -> None:
    policies = PolicySet(
        load_texts(
            {
                "a.rego": "package guardrails.pay\n\nallow if input.arguments.amount <= limit",
                "b.rego": "package guardrails.pay\n\nlimit := 5",
                "tools.yaml": "version: 1\npolicy: tools\ntools: {pay: {traits: [spend]}}",
            }
        )
    )
    found = [
        [match.rule for match in policies.decide(Action("pay", {"amount": amount}), facts).matches]
        for amount in (5, 6)
    ]
    policies.bundle.rules[0].module.engine.close()  # type: ignore[union-attr]
    assert found == [["pay/allow"], []]


@pytest.mark.parametrize(
    ("rego", "problem"),
    [
        ("allow if missing", "b.rego:3:10: use of undefined variable `missing` is unsafe"),
        ("allow if { some x; x > limit }", "b.rego:3:17: `x` is unsafe: nothing gives it a value"),
    ],
)
def test_a_fault_of_one_file_of_a_package_is_told_there(rego: str, problem: str) -> None:
    texts = {
        "a.rego": "package guardrails.pay\n\nlimit := 5\n",
        "b.rego": f"package guardrails.pay\n\n{rego}\n",
    }
    with pytest.raises(PolicyError) as caught:
        load_texts(texts)
    (found,) = caught.value.problems
    assert f"{found.place}: {found.message}" == problem
