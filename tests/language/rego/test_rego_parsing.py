"""The files of one package are analysed together, and what is wrong stands where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from guardrails.action import Action
from guardrails.engine import Facts, PolicySet
from guardrails.errors import PolicyError
from guardrails.language.folder import File
from guardrails.language.loader import load_texts
from guardrails.language.rego.embedded import EmbeddedEngine
from guardrails.language.rego.parsing import parse_modules
from guardrails.language.rego.seam import Unscheduled

if TYPE_CHECKING:
    from guardrails.errors import Problem
    from guardrails.language.rego.seam import ParseFailure


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


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        ("deny if { some x, y; [x] = input.list; x > y }", "3:19 `y`"),
        ("deny if { some x; some y in [1]; x > y }", "3:16 `x`"),
        ("deny if { some x; z := x }", "3:16 `x`"),
        ("deny if { some x, y; input.map[x] > y }", "3:19 `y`"),
        ("deny if { some x; f(1, x) }\n\nf(a, b) if a > b", "3:16 `x`"),
    ],
)
def test_a_variable_that_nothing_gives_a_value_is_found(rule: str, place: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load_texts({"p.rego": f"package guardrails.p\n\n{rule}\n"})
    (found,) = caught.value.problems
    name = place.partition(" ")[2]
    assert f"{found.line}:{found.column} {name}" == place
    assert found.message == f"{name} is unsafe: nothing gives it a value"


class Mutters:
    """An engine that finds fault with a variable that nobody declares."""

    def parse(self, path: str, text: str) -> tuple[Any, ParseFailure]:
        tree, _ = self.real.parse(path, text)
        return tree, Unscheduled("a variable is unsafe")

    def __init__(self, real: EmbeddedEngine) -> None:
        self.real = real


def test_where_no_variable_is_declared_the_file_is_told() -> None:
    real = EmbeddedEngine()
    problems: list[Problem] = []
    file = File("p.rego", "p.rego", b"package p\n\nx if true\n")
    parse_modules(Mutters(real), [file], problems)  # type: ignore[arg-type]
    real.close()
    assert [str(each) for each in problems] == ["p.rego: a variable is unsafe"]
