from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.language.pattern import Pattern

short = st.text(st.sampled_from("ab*"), max_size=8)
names = st.text(st.sampled_from("ab"), max_size=10)


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("pay", ["pay"], ["Pay", "pay ", "pays", ""]),
        ("pay.*", ["pay.", "pay.card"], ["pay", "payxcard", "xpay.card"]),
        ("*.out", [".out", "pay.out"], ["out", "pay.outs"]),
        ("*", ["", "anything"], []),
        ("a*a", ["aa", "aba"], ["a", "ab"]),
        ("a*b*c", ["abc", "axbxc"], ["acb", "ab"]),
        ("a.c", ["a.c"], ["abc"]),
    ],
)
def test_a_star_stands_for_any_run_and_all_else_for_itself(
    pattern: str, matching: list[str], others: list[str]
) -> None:
    assert all(map(Pattern(pattern).matches, matching))
    assert not any(map(Pattern(pattern).matches, others))


@given(short, names)
def test_matching_is_that_of_the_regular_expression(pattern: str, name: str) -> None:
    expected = re.fullmatch(pattern.replace("*", ".*"), name) is not None
    assert Pattern(pattern).matches(name) is expected
    assert Pattern(pattern).exact is ("*" not in pattern)


def test_a_hostile_pattern_takes_linear_time() -> None:
    assert not Pattern("a*" * 100 + "b").matches("a" * 100_000)
