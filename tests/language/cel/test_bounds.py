"""Conditions built to be slow: each ends within the work of one condition, in time and memory."""

from __future__ import annotations

import sys
import time
import tracemalloc
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from guardrails.engine.facts import CONDITION_STEPS
from guardrails.errors import EvaluationError
from guardrails.language.cel.checker import check
from guardrails.language.cel.compiler import compile_condition
from guardrails.language.cel.environment import Environment
from guardrails.language.cel.errors import CelError, CelErrors
from guardrails.language.cel.parser import parse
from guardrails.language.cel.types import DYN, STRING, map_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECONDS = 5.0
"""What no condition may take, however slow the machine: most take some milliseconds."""

MEMORY = 32 * 2**20
"""Bytes that no condition may take beside its arguments."""

ENVIRONMENT = Environment({"arguments": map_of(STRING, DYN)})


class Frame:
    steps = CONDITION_STEPS


def nested(depth: int) -> list[Any]:
    inner: list[Any] = []
    for _ in range(depth):
        inner = [inner]
    return inner


@cache
def arguments() -> dict[str, Any]:
    return {
        "text": "a" * 1_000_000,
        "other": "".join(["a"] * 1_000_000),
        "wide": "é" * 500_000,
        "many": list(range(100_000)),
        "thousand": list(range(1000)),
        "hundred": list(range(100)),
        "fifty": list(range(50)),
        "m": {f"k{number}": number for number in range(50_000)},
        "n": {f"k{number}": number for number in range(50_000)},
        "words": [f"w{number % 7}" for number in range(90_000)],
        "longs": [f"{'x' * 1000}{number}" for number in range(1000)],
        "deep": nested(60),
        "deeper": nested(60),
        "mixed": [1, "a", None, 1.5] * 25_000,
        "patterns": [f"(a|b)*c{{{number}}}" for number in range(1, 400)],
        "zones": [f"+{hour:02}:{minute:02}" for hour in range(20) for minute in range(25)],
    }


def compiled(condition: str) -> Callable[[dict[str, Any], Any], object]:
    return compile_condition(check(parse(condition), ENVIRONMENT))


def ending(condition: Callable[[dict[str, Any], Any], object], words: object) -> object:
    """How it ends: its value, or the text of its error, or of that the `words` expected in it."""
    try:
        return condition(arguments(), Frame())
    except EvaluationError as error:
        said = str(error)
    return words if type(words) is str and words in said else said


def read_cases() -> Iterator[Any]:
    text = Path(__file__).with_name("bounds.yaml").read_text(encoding="utf-8")
    for section, cases in yaml.safe_load(text).items():
        for case in cases:
            yield pytest.param(case, id=f"{section}: {case['name']}")


CASES = list(read_cases())


@pytest.mark.parametrize("case", CASES)
def test_a_condition_built_to_be_slow_ends(case: dict[str, Any]) -> None:
    condition = compiled(case["when"])
    arguments()
    started = time.perf_counter()
    assert ending(condition, case["ends"]) == case["ends"]
    assert time.perf_counter() - started < SECONDS


@pytest.mark.parametrize("case", CASES)
def test_a_condition_built_to_fill_memory_ends(case: dict[str, Any]) -> None:
    condition = compiled(case["when"])
    arguments()
    tracemalloc.start()
    try:
        ending(condition, case["ends"])
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()


def test_the_work_of_a_condition_is_the_same_each_time() -> None:
    condition = compiled("arguments.thousand.exists(a, arguments.words[a].contains('z'))")
    left = []
    for _ in range(2):
        frame = Frame()
        assert condition(arguments(), frame) is False
        left.append(frame.steps)
    assert left[0] == left[1] < CONDITION_STEPS


def test_a_comparison_with_a_literal_costs_no_step() -> None:
    condition = compiled("arguments.text == 'x' || arguments.n == 1 || arguments.m != 'y'")
    frame = Frame()
    assert condition({"text": "a", "n": 2, "m": "b"}, frame) is True
    assert frame.steps == CONDITION_STEPS


@pytest.mark.parametrize(
    "condition",
    [
        "arguments.deep == arguments.deeper",
        "'%s'.format([arguments.deep]) == ''",
        "arguments.deep in [arguments.deeper]",
        "arguments.deep.exists(a, a == arguments.deeper) || arguments.deep != arguments.deeper",
    ],
)
def test_a_stack_that_is_nearly_full_is_an_error_of_the_condition(condition: str) -> None:
    function = compiled(condition)
    frame = Frame()

    def at(depth: int) -> object:
        if depth:
            return at(depth - 1)
        frame.steps = CONDITION_STEPS
        return function(arguments(), frame)

    used = 0
    caller: Any = sys._getframe()
    while caller is not None:
        used, caller = used + 1, caller.f_back
    ends = set()
    for depth in range(sys.getrecursionlimit() - used - 300, sys.getrecursionlimit() - used - 20):
        try:
            ends.add(str(at(depth)))
        except EvaluationError as error:
            ends.add(str(error).rpartition(": ")[2])
    assert "too deep or too large to evaluate" in ends
    assert len(ends) == 2


SHAPES: dict[str, Callable[[int], str]] = {
    "parentheses": lambda n: "(" * n + "true" + ")" * n,
    "lists": lambda n: "[" * n + "]" * n + " == []",
    "signs": lambda n: "!" * n + "arguments.x",
    "minus signs": lambda n: "-" * n + "arguments.x == 1",
    "selections": lambda n: "arguments" + ".x" * n,
    "look-ups": lambda n: "arguments[" * n + "'x'" + "]" * n,
    "sums": lambda n: "+".join(["arguments.x"] * n) + " == 1",
    "choices": lambda n: "arguments.x ? true : " * n + "false",
    "choices in conditions": lambda n: "(arguments.x ? " * n + "true" + " : false)" * n,
    "calls": lambda n: "string(" * n + "'a'" + ")" * n + " == 'a'",
    "methods": lambda n: "arguments.x" + ".trim()" * n + " == 'a'",
    "macros": lambda n: "arguments.x.all(v, " * n + "true" + ")" * n,
    "macros with logic": lambda n: "arguments.x.exists(v, v || " * n + "true" + ")" * n,
    "macros in macros": lambda n: "arguments.x.map(v, " * n + "1" + ")" * n + " == []",
    "macros behind macros": lambda n: "arguments.x" + ".map(v, v)" * n + " == []",
    "logic": lambda n: "(arguments.x && (arguments.y || " * n + "true" + "))" * n,
    "maps": lambda n: "{'a': " * n + "1" + "}" * n + " == {}",
    "alternatives": lambda n: " || ".join(["arguments.x"] * n),
    "elements": lambda n: f"arguments.x in [{', '.join(['arguments.y'] * n)}]",
    "concatenations": lambda n: " + ".join(["'a'"] * n) + " == ''",
    "unknown names": lambda n: " || ".join(f"x{number}" for number in range(n)),
    "long patterns": lambda n: f"arguments.x.matches('{'(a|b)' * n}')",
    "half comments": lambda n: "/" * n,
    "quotes": lambda n: "'" * n,
    "digits": lambda n: "9" * n,
}


@pytest.mark.parametrize("size", [10, 45, 95, 3000])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_condition_of_any_shape_is_compiled_or_refused_in_time(shape: str, size: int) -> None:
    condition = SHAPES[shape](size)
    started = time.perf_counter()
    try:
        function = compiled(condition)
    except (CelError, CelErrors):
        function = None
    assert time.perf_counter() - started < SECONDS
    if function is not None:
        try:
            value = function({"x": [True], "y": False}, Frame())
        except EvaluationError:
            return
        assert type(value) is bool
