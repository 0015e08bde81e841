"""What compiled conditions give, how they fail, and what they charge."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from guardrails.errors import EvaluationError
from guardrails.language.cel import compiler
from guardrails.language.cel.checker import check
from guardrails.language.cel.compiler import compile_condition
from guardrails.language.cel.environment import Environment
from guardrails.language.cel.errors import CelError, CelErrors
from guardrails.language.cel.parser import parse
from guardrails.language.cel.types import DYN, TIMESTAMP, RecordType, list_of, map_of
from guardrails.language.cel.types import STRING as TEXT
from guardrails.values import INT_MAX, INT_MIN, NANOSECONDS, Opaque, Timestamp, UInt

if TYPE_CHECKING:
    from collections.abc import Callable

CASES = yaml.safe_load(Path(__file__).with_name("evaluations.yaml").read_text("utf-8"))

ARGUMENTS: dict[str, Any] = {
    "amount": 900.5,
    "big": 2**53 + 1,
    "count": 7,
    "deep": {"a": {"b": 1}},
    "max": INT_MAX,
    "min": INT_MIN,
    "name": "acme",
    "names": ["a", "b"],
    "nan": float("nan"),
    "nothing": None,
    "numbers": [1, 2, 3],
    "one": 1,
    "opaque": Opaque("a file"),
    "spoilt": ["a", Opaque("a file"), 7],
    "unit": UInt(1),
    "yes": True,
    "zero": 0.0,
}

ENVIRONMENT = Environment(
    {
        "arguments": RecordType("map"),
        "now": TIMESTAMP,
        "nobody": DYN,
        "constants": map_of(TEXT, list_of(TEXT)),
        "items": DYN,
    },
    {"banks": ["acme"]},
)


class Frame(SimpleNamespace):
    steps = 100_000
    now = Timestamp(1_800_000_000 * NANOSECONDS)

    @property
    def nobody(self) -> object:
        raise EvaluationError("nobody knows who acts")


def outcome(source: str, *, unchecked: bool = False) -> object:
    condition = compile_condition(check(parse(source), ENVIRONMENT, unchecked=unchecked))
    try:
        return condition(ARGUMENTS, Frame())
    except EvaluationError as error:
        return str(error)


@pytest.mark.parametrize(
    "case", [case for group in CASES.values() for case in group], ids=lambda case: case["when"]
)
def test_a_condition_gives_what_it_should(case: dict[str, Any]) -> None:
    assert outcome(case["when"], unchecked=case.get("unchecked", False)) == case["gives"]


def work(source: str, **items: object) -> int:
    frame = Frame(**items)
    compile_condition(check(parse(source), ENVIRONMENT))(ARGUMENTS, frame)
    return Frame.steps - frame.steps


def test_comparing_with_a_literal_costs_nothing() -> None:
    assert work("arguments.amount > 5 && arguments.name == 'a' || arguments.one in [1, 2]") == 0
    assert work("has(arguments.name) && arguments.name in ['a', 'b'] && !arguments.yes") == 0


@pytest.mark.parametrize(
    ("source", "steps"),
    [
        ("items.all(x, x == 'a')", 1_001),
        ("items.exists(x, y, false)", 1_000),
        ("items.all(x, x == 'a' && x + x == 'aa' && x.size() == 1)", 5_000),
        ("items == items", 1_000),
        ("'b' in items", 1_000),
        ("5 in items", 1_000),
        ("items + items == []", 2_000),
        ("items.map(x, x) == []", 1_000),
    ],
)
def test_work_is_charged_by_size(source: str, steps: int) -> None:
    assert work(source, items=["a"] * 1_000) in range(steps - 1, steps * 2)


@pytest.mark.parametrize("kind", [str, bytes])
def test_long_texts_are_charged_by_length(kind: type) -> None:
    text = "a" * 64_000 if kind is str else b"a" * 64_000
    other = type(text)(bytearray(text)) if isinstance(text, bytes) else text[:1] + text[1:]
    assert work("items.a == items.b", items={"a": text, "b": other}) == 1_000
    assert work("items.a == items.b", items={"a": text, "b": text[:-1]}) == 0
    assert work("items.a < items.b", items={"a": text, "b": other}) == 1_000
    assert work("items.a + items.b != items.a", items={"a": text, "b": other}) == 2_001


def test_more_work_than_is_left_is_an_error_before_it_is_done() -> None:
    condition = compile_condition(check(parse("items.all(x, true)"), ENVIRONMENT))
    frame = Frame(items=["a"] * 200_000)
    with pytest.raises(EvaluationError, match=r"^`items\.all\(x, true\)`: too much work"):
        condition({}, frame)
    assert frame.steps < 0


def test_conditions_of_one_shape_share_their_code() -> None:
    one, other, third = (
        compile_condition(check(parse(source), ENVIRONMENT))
        for source in ("arguments.one > 5", "arguments.amount > 700", "arguments.one > 0.5")
    )
    assert one.__code__ is other.__code__ is third.__code__
    assert [each(ARGUMENTS, Frame()) for each in (one, other, third)] == [False, True, True]
    with pytest.raises(EvaluationError, match=r"^`arguments\.amount` is missing$"):
        other({}, Frame())


def test_an_error_names_the_place_and_never_a_value() -> None:
    long = " && ".join(f"arguments.name != 'number {number}'" for number in range(20))
    source = f"[arguments.secret].exists(s, s + 1 == 2) || {long} && false"
    condition = compile_condition(check(parse(source), ENVIRONMENT))
    with pytest.raises(EvaluationError) as caught:
        condition({"secret": "hunter2", "name": "x"}, Frame())
    assert str(caught.value) == "`s + 1`: not possible with a string and an int"


def test_a_long_place_is_cut() -> None:
    source = "size(" + "arguments.one + " * 20 + "'x') == 1"
    message = outcome(source)
    assert isinstance(message, str)
    assert message.startswith("`arguments.one + arguments.one")
    assert "...`: not possible" in message


def test_a_place_of_several_lines_is_told_on_one() -> None:
    assert (
        outcome("arguments\n  // why\n  .missing > 5") == "`arguments // why .missing` is missing"
    )


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "`items`: too deep or too large to evaluate"),
        (RecursionError(), "`items`: too deep or too large to evaluate"),
        (ZeroDivisionError(), "`items`: could not be evaluated"),
        (KeyError("x"), "`items`: could not be evaluated"),
        (TypeError("x"), "`items`: could not be evaluated"),
        (UnicodeError("x"), "`items`: could not be evaluated"),
        (EvaluationError("no such fact"), "`items`: no such fact"),
    ],
)
def test_nothing_but_evaluation_errors_comes_out(error: Exception, words: str) -> None:
    class Broken:
        steps = 1_000

        @property
        def items(self) -> object:
            raise error

    for source in ("items == 1", "items == 1 || items == 2", "[1].all(x, items == x)"):
        condition = compile_condition(check(parse(source), ENVIRONMENT))
        with pytest.raises(EvaluationError) as caught:
            condition({}, Broken())
        assert str(caught.value) == words


def test_values_of_other_types_than_declared_change_nothing() -> None:
    environment = Environment({"arguments": RecordType("map", fields={"amount": TIMESTAMP})})
    condition = compile_condition(check(parse("arguments.amount > timestamp(0)"), environment))
    with pytest.raises(EvaluationError, match="not possible with an int and a timestamp"):
        condition({"amount": 5}, Frame())


class Sly(int):
    def __gt__(self, other: object) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = int.__hash__


@pytest.mark.parametrize(
    "source", ["arguments.a > 5", "arguments.a == 9", "arguments.a in [9]", "arguments.a + 1 > 5"]
)
def test_a_number_that_lies_takes_part_in_nothing(source: str) -> None:
    condition = compile_condition(check(parse(source), ENVIRONMENT))
    with pytest.raises(EvaluationError, match="can't be judged"):
        condition({"a": Sly(9)}, Frame())


NESTED = [
    ("(arguments.one == 1 && (arguments.one == 2 || ", "arguments.yes", "))", 11),
    ("[1].exists(v, v == 2 || ", "arguments.yes", ")", 22),
    ("[1].map(v, ", "arguments.one", ")", 20),
    ("(arguments.yes ? ", "arguments.yes", " : false)", 40),
    ("arguments.yes ? arguments.yes && ", "arguments.yes", " : false", 1),
    ("!", "arguments.yes", "", 40),
    ("{'a': ", "arguments.one", "}.all(k, v, v == 1 || true)", 1),
]


@pytest.mark.parametrize(("before", "middle", "after", "times"), NESTED)
def test_deep_nesting_compiles_and_runs(before: str, middle: str, after: str, times: int) -> None:
    source = before * times + middle + after * times
    if "map" in source:
        source = f"size({source}) == 1"
    assert outcome(source) is True


DEEPEST = "(arguments.yes && " * 48 + "arguments.yes" + ")" * 48


def test_nesting_as_deep_as_allowed_compiles_and_runs() -> None:
    assert outcome(DEEPEST) is True


FULL = "nested too deep for what is left of Python's stack; split it into several rules"


def at_depth(levels: int, work: Callable[[], object]) -> object:
    """What `work` gives, or the fault it meets, so many calls deeper than here."""
    if levels:
        return at_depth(levels - 1, work)
    try:
        work()
    except (CelError, CelErrors) as error:
        return str(error)
    return "done"


def test_checking_on_a_stack_that_is_nearly_full_is_a_fault_of_the_condition() -> None:
    read = parse(DEEPEST)
    told = {at_depth(levels, lambda: check(read, ENVIRONMENT)) for levels in range(300, 900, 20)}
    assert told == {"done", FULL}


def test_compiling_on_a_stack_that_is_nearly_full_is_a_fault_of_the_condition() -> None:
    checked = check(parse(DEEPEST), ENVIRONMENT)

    def compile_anew() -> None:
        compiler._code_of.cache_clear()
        compile_condition(checked)

    assert {at_depth(levels, compile_anew) for levels in range(100, 900, 20)} == {"done", FULL}
