"""Regions: the algebra of sets, and what is below, equal to or like a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.errors import EvaluationError
from guardrails.language.cel.equality import equal
from guardrails.language.cel.ordering import less, less_equal
from guardrails.toolchain.regions.comparison import beginning_with, below, equal_to, ordered_with
from guardrails.toolchain.regions.region import EVERYTHING, NOTHING, Region, exactly
from guardrails.values import Duration, Timestamp, UInt

NUMBERS = (
    st.integers(-3, 3)
    | st.sampled_from([2**53, 2**53 + 1, 2**53 + 2, 2**63 - 1, -(2**63), -(2**53) - 1])
    | st.sampled_from([UInt(0), UInt(3), UInt(2**53 + 1), UInt(2**64 - 1)])
    | st.sampled_from([0.0, -0.0, 0.5, 3.0, 5e-324, -1.5, 2.0**53, 2.0**63, 2.0**64, -1e300])
)
SCALARS = (
    st.none()
    | st.booleans()
    | NUMBERS
    | st.sampled_from(["", "a", "a\0", "ab", "b", "é", "\U0010ffff"])
    | st.sampled_from([b"", b"a", b"a\0", b"b"])
    | st.sampled_from([Timestamp(0), Timestamp(1), Duration(0), Duration(-5)])
)


@dataclass
class Budget:
    steps: int = 1_000


def said(operation: Any, *operands: object) -> bool | None:
    try:
        return bool(operation(Budget(), *operands))
    except EvaluationError:
        return None


@given(SCALARS, SCALARS)
def test_equality_is_that_of_the_language(value: object, constant: object) -> None:
    assert (value in equal_to(constant)) is said(equal, value, constant)


@given(SCALARS, SCALARS)
def test_order_is_that_of_the_language(value: object, constant: object) -> None:
    ordered = ordered_with(constant)
    expected = said(less, value, constant)
    assert (value in ordered) is (expected is not None)
    if expected is not None:
        assert (value in below(constant, inclusive=False)) is expected
        assert (value in below(constant, inclusive=True)) is said(less_equal, value, constant)


@given(st.text(max_size=3), st.text(max_size=3) | st.just("\U0010ffff"))
def test_a_prefix_is_a_stretch_of_texts(text: str, prefix: str) -> None:
    assert (text in beginning_with(prefix)) is text.startswith(prefix)
    assert prefix + text in beginning_with(prefix)


regions = st.recursive(
    st.builds(equal_to, SCALARS) | st.builds(below, NUMBERS, inclusive=st.booleans()),
    lambda inner: (
        st.builds(Region.__and__, inner, inner)
        | st.builds(Region.__or__, inner, inner)
        | st.builds(Region.__invert__, inner)
    ),
    max_leaves=6,
)


@given(regions, regions, SCALARS)
def test_regions_are_sets(one: Region, other: Region, value: object) -> None:
    assert (value in one & other) is (value in one and value in other)
    assert (value in one | other) is (value in one or value in other)
    assert (value in ~one) is (value not in one)
    assert one & ~one == NOTHING
    assert one | ~one == EVERYTHING
    assert one.disjoint(other) is not bool(one & other)
    assert one.within(other) is (one | other == other)


@given(st.lists(SCALARS, max_size=5))
def test_the_values_of_a_small_region_can_be_told(values: list[object]) -> None:
    region = exactly(*values)
    told = region.values(10)
    assert told is not None
    assert exactly(*told) == region
    assert all(value in region for value in told)


@given(regions)
def test_a_sample_is_one_of_the_values(region: Region) -> None:
    scalar = region & ~Region(dict.fromkeys(("list", "map", "type", "missing", "error"), (0,)))
    if scalar:
        assert scalar.sample() in scalar


@pytest.mark.parametrize(
    ("region", "sample"),
    [
        (~below(500.0, inclusive=True) & below(600.0, inclusive=True), 501.0),
        (equal_to(500.0) & ordered_with(1), 500),
        (below(1.5, inclusive=False) & ~below(1.2, inclusive=True), 1.2000000000000002),
    ],
)
def test_a_sample_reads_well(region: Region, sample: object) -> None:
    doubles = region & Region({"double": EVERYTHING.lines["double"]})
    assert doubles.sample() == sample


def test_a_line_without_end_has_no_values_to_tell() -> None:
    assert beginning_with("a").values(10) is None
    assert below(3, inclusive=False).values(10) is None
