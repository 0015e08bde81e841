from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.toolchain.notation import LENGTH, notate
from guardrails.values import Duration, MapKey, Opaque, Timestamp, UInt


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (20, "20"),
        (20.0, "20.0"),
        (1e300, "1e+300"),
        (UInt(5), "5u"),
        ('a "b"\n', r'"a \"b\"\n"'),
        ("Zürich", '"Zürich"'),
        (b"\x00\xff", "base64 AP8="),
        ([1, "x", [None]], '[1, "x", [null]]'),
        ({"a": 1, MapKey.TRUE: False}, '{"a": 1, true: false}'),
        (Timestamp(0), 'timestamp("1970-01-01T00:00:00Z")'),
        (Duration(90 * 10**9), 'duration("90s")'),
        (Opaque("an object that is no plain data"), "not judged: an object that is no plain data"),
        ([], "[]"),
        ([[[[[]]]]], "[[[[[]]]]]"),
        ([[[[[1]]]]], "[[[[[…]]]]]"),
        (list(range(25)), "[" + ", ".join(map(str, range(20))) + ", …]"),
    ],
)
def test_a_value_is_told_as_a_condition_would_write_it(value: object, text: str) -> None:
    assert notate(value) == text


def test_of_a_long_value_the_beginning_is_told() -> None:
    assert notate("x" * 10**6) == '"' + "x" * (LENGTH - 2) + "…"


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_no_value_is_told_at_length(value: object) -> None:
    assert 0 < len(notate(value)) <= LENGTH
