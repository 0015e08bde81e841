"""Conditions mean what Google's C++ runtime of CEL says they mean."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from cel_expr_python import cel
from hypothesis import given, settings

from guardrails.errors import EvaluationError
from guardrails.language.cel.checker import check
from guardrails.language.cel.compiler import compile_condition
from guardrails.language.cel.environment import Environment
from guardrails.language.cel.parser import parse
from guardrails.language.cel.types import DYN
from tests.language.cel.expressions import INPUTS, VARIABLES, booleans

ERROR = "error"

ENVIRONMENT = Environment(dict.fromkeys(VARIABLES, DYN))
GOOGLE = cel.NewEnv(variables=dict.fromkeys(VARIABLES, cel.Type.DYN))


def ours(source: str, values: dict[str, Any]) -> object:
    condition = compile_condition(check(parse(source), ENVIRONMENT))
    try:
        value = condition({}, SimpleNamespace(steps=1_000_000, **values))
    except EvaluationError:
        return ERROR
    return value if isinstance(value, bool) else ERROR


def theirs(source: str, values: dict[str, Any]) -> object:
    value = GOOGLE.compile(source).eval(data=values).plain_value()
    return value if isinstance(value, bool) else ERROR


@settings(max_examples=400)
@given(booleans(3), INPUTS)
def test_a_condition_is_true_false_or_an_error_as_in_googles_runtime(
    source: str, values: dict[str, Any]
) -> None:
    assert ours(source, values) == theirs(source, values)


NAN = "(double(x) * 0.0)"
"""NaN, with an infinite x."""


@pytest.mark.parametrize("operator", ["<", "<=", ">", ">="])
@pytest.mark.parametrize("sides", [f"{NAN} {{}} 1.0", f"1.0 {{}} {NAN}", f"dyn({NAN}) {{}} 1"])
def test_ordering_with_nan_is_the_one_deviation(operator: str, sides: str) -> None:
    values = {"x": float("inf"), "y": 1, "z": 1}
    source = sides.format(operator)
    assert theirs(source, values) is False
    assert ours(source, values) == ERROR


@pytest.mark.parametrize(
    "source",
    [f"{NAN} == {NAN}", f"{NAN} != {NAN}", f"{NAN} == 1.0", f"{NAN} in [1.0, {NAN}]",
     f"[{NAN}] == [{NAN}]", f"[1.0].exists(v, v == {NAN})"],
)  # fmt: skip
def test_equality_with_nan_is_the_same(source: str) -> None:
    values = {"x": float("inf"), "y": 1, "z": 1}
    assert ours(source, values) == theirs(source, values)
