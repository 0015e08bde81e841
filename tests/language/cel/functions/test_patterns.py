from __future__ import annotations

import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.errors import EvaluationError
from guardrails.language.cel.functions import OVERLOADS
from guardrails.language.cel.functions.patterns import DYNAMIC_STEPS
from tests.language.cel.functions.calls import Meter, call, call_specialised, complaint

CASES = [
    ("hubba", "ubb", True),
    ("hubba", "^ubb", False),
    ("hubba", "^hubba$", True),
    ("hubba\n", "^hubba$", False),
    ("", "", True),
    ("😀😀", "^😀{2}$", True),
    ("a\0b", "a\0b", True),
    ("a\0b", "^a$", False),
    ("mañana", "^.{6}$", True),
    ("GRÜN", "(?i)grün", True),
    ("é", r"^\pL$", True),
    ("٣", r"\d", False),
    ("a\nb", "a.b", False),
    ("a\nb", "(?s)a.b", True),
]
REFUSED = [
    ("(", "missing )"),
    ("a{2,1}", "invalid repetition"),
    ("(?=a)", "invalid perl operator"),
    (r"(a)\1", "invalid escape sequence"),
    (r"\pZZ{900}{900}", "repetition"),
    ("a" * 1_000_000, "too large"),
    ("\ud800", "half a character"),
]
SLOW_WHERE_IT_BACKTRACKS = ["(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(.*a){12}$", "(x+x+)+y"]


@pytest.mark.parametrize(("text", "pattern", "found"), CASES)
def test_a_pattern_matches_anywhere(text: str, pattern: str, found: bool) -> None:
    assert call("matches", text, pattern) is found
    assert call_specialised("matches", text, pattern, literal=1) is found


def test_it_is_a_method_and_a_function() -> None:
    assert [overload.receiver for overload in OVERLOADS["matches"]] == [True, False]


@pytest.mark.parametrize(("pattern", "reason"), REFUSED)
def test_a_literal_that_re2_refuses_is_a_fault_of_the_policy(pattern: str, reason: str) -> None:
    said = complaint("matches", "text", pattern, literal=1)
    assert said is not None
    assert said.startswith(f"`{pattern}` is not a regular expression that RE2 takes: ")
    assert reason in said


@pytest.mark.parametrize(("pattern", "_reason"), REFUSED)
def test_a_computed_pattern_that_re2_refuses_is_an_error(pattern: str, _reason: str) -> None:
    with pytest.raises(EvaluationError, match=r"not a regular expression|at most 1024 characters"):
        call("matches", "text", pattern)


def test_a_computed_pattern_is_neither_checked_nor_compiled_at_load() -> None:
    assert complaint("matches", "text", "(", literal=0) is None
    overload = OVERLOADS["matches"][0]
    assert overload.specialise is not None
    assert overload.specialise(("text", None)) is None


def test_a_literal_may_take_more_than_a_computed_pattern() -> None:
    pattern = r"^\pL{1,64}$"
    assert call_specialised("matches", "é" * 64, pattern, literal=1)
    with pytest.raises(EvaluationError, match="not a regular expression"):
        call("matches", "é" * 64, pattern)


@pytest.mark.parametrize("pattern", SLOW_WHERE_IT_BACKTRACKS)
def test_no_pattern_is_catastrophic(pattern: str) -> None:
    started = time.perf_counter()
    assert not call_specialised("matches", "a" * 100_000 + "!", pattern, literal=1)
    assert time.perf_counter() - started < 5


def test_submatches_cost_nothing() -> None:
    # With them RE2 takes ten seconds for this.
    started = time.perf_counter()
    assert call_specialised("matches", "abc" * 3000, "(a|b|c)" * 3000, literal=1)
    assert time.perf_counter() - started < 5


def test_a_lone_surrogate_in_the_text_is_an_error() -> None:
    with pytest.raises(EvaluationError, match="half a character"):
        call("matches", "\ud800", "a")


def test_a_match_is_charged_by_text_and_pattern() -> None:
    overload = OVERLOADS["matches"][0]
    assert overload.specialise is not None
    spent = []
    for text, pattern in [("a", "b"), ("a" * 10_000, "b"), ("a" * 10_000, "b{100}")]:
        meter = Meter()
        specialised = overload.specialise((None, pattern))
        assert specialised is not None
        specialised(meter, text, pattern)
        spent.append(meter.spent)
    assert spent[0] < 5
    assert 200 < spent[1] < 400
    assert spent[2] > 5 * spent[1]


def test_a_computed_pattern_is_charged_for_its_compilation() -> None:
    meter = Meter()
    call("matches", "a", "b", meter=meter)
    assert meter.spent > DYNAMIC_STEPS
    with pytest.raises(EvaluationError, match="too much work"):
        call("matches", "a", "b", meter=Meter(steps=DYNAMIC_STEPS - 1))
    with pytest.raises(EvaluationError, match="too much work"):
        call("matches", "a" * 100_000, "b", meter=Meter(steps=DYNAMIC_STEPS + 1700))


def test_nothing_is_written_to_the_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    for pattern, _ in REFUSED:
        complaint("matches", "text", pattern, literal=1)
    assert capfd.readouterr().err == ""


def test_re2_is_loaded_with_the_first_pattern_only() -> None:
    code = "import sys, guardrails.language.cel.functions; sys.exit('re2' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@given(st.text(max_size=20), st.text(st.sampled_from(r"ab.*+?()[]{}|^$\dpLu1,:-"), max_size=12))
def test_nothing_but_an_evaluation_error_escapes(text: str, pattern: str) -> None:
    try:
        found = call("matches", text, pattern)
    except EvaluationError:
        return
    assert type(found) is bool
