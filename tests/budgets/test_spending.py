from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.errors import EvaluationError
from guardrails.spending import AMOUNT_MAX, UNITS, read_amount, show_amount
from guardrails.values import Duration, UInt


@pytest.mark.parametrize(
    ("value", "units"),
    [
        (0, 0),
        (3, 3 * UNITS),
        (UInt(3), 3 * UNITS),
        (0.1, 100_000),
        (1e-6, 1),
        (1e-7, 1),  # what is finer is rounded up
        (0.1234567, 123_457),
        (5e-324, 1),
        (1_000_000_000.999999, 1_000_000_000_999_999),
        (8_999_999_999.5, 8_999_999_999_500_000),
        (float(AMOUNT_MAX), AMOUNT_MAX * UNITS),
    ],
)
def test_an_amount_is_counted_in_millionths(value: Any, units: int) -> None:
    assert read_amount(value) == units


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (-1, "the cost is negative"),
        (-1e-9, "the cost is negative"),
        (float("nan"), "the cost is not finite"),
        (float("inf"), "the cost is not finite"),
        (AMOUNT_MAX + 1, "the cost is out of range"),
        (1e308, "the cost is out of range"),
        (True, "the cost is not a number"),
        ("5", "the cost is not a number"),
        (None, "the cost is not a number"),
        (Duration(5), "the cost is not a number"),
    ],
)
def test_what_is_no_amount_is_an_error(value: Any, fault: str) -> None:
    with pytest.raises(EvaluationError, match=f"^{fault}$"):
        read_amount(value)


@given(st.floats(0, AMOUNT_MAX))
def test_a_double_counts_as_its_shortest_decimal_form_never_less(value: float) -> None:
    assert read_amount(value) == ceil(Fraction(repr(value)) * UNITS)


@given(st.integers(0, 10**6))
def test_ten_tenths_are_one(cents: int) -> None:
    assert 10 * read_amount(cents / 10) == read_amount(cents)


@pytest.mark.parametrize(
    ("units", "shown"),
    [(0, "0"), (4_800 * UNITS, "4,800"), (250_000, "0.25"), (UNITS + 1, "1.000001")],
)
def test_an_amount_is_shown_as_people_write_it(units: int, shown: str) -> None:
    assert show_amount(units) == shown
