"""Modules that are refused when they are loaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from guardrails.errors import PolicyError

if TYPE_CHECKING:
    from tests.language.rego.conftest import LoadRego

CASES = yaml.safe_load((Path(__file__).parent / "refused.yaml").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_module_is_refused_with_its_place_and_the_reason(
    case: dict[str, Any], load_rego: LoadRego
) -> None:
    text = case["whole"] if "whole" in case else "package guardrails.p\n" + case["rego"]
    with pytest.raises(PolicyError) as caught:
        load_rego(text, **case.get("files", {}))
    assert case["problem"] in str(caught.value)


def test_every_problem_of_every_module_is_told(load_rego: LoadRego) -> None:
    bad = "package guardrails.q\ndeny if http.send({})\ndeny if opa.runtime()"
    with pytest.raises(PolicyError) as caught:
        load_rego("package guardrails.p\ndeny if rand.intn(1, 2)", q_dot_rego=bad)
    assert [problem.place for problem in caught.value.problems] == [
        "p.rego:2:9",
        "q.rego:2:9",
        "q.rego:3:9",
    ]
