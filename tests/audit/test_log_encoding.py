"""Judged values as the decision log writes them."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.audit.encoding import encode
from guardrails.instants import TIMESTAMP_MAX
from guardrails.values import Duration, MapKey, Opaque, Timestamp, UInt

CASES: list[tuple[Any, Any, dict[str, str]]] = [
    ({"b": 1, "a": [True, None, 1.5, "x"]}, {"a": [True, None, 1.5, "x"], "b": 1}, {}),
    ({"at": Timestamp(1_500_000_000)}, {"at": "1970-01-01T00:00:01.5Z"}, {"/at": "timestamp"}),
    ({"for": Duration(-1_500_000_000)}, {"for": "-1.5s"}, {"/for": "duration"}),
    ({"raw": b"\x00\xff"}, {"raw": "AP8="}, {"/raw": "bytes"}),
    ({"ctx": Opaque("a socket")}, {"ctx": "a socket"}, {"/ctx": "opaque"}),
    ({"n": Opaque("big", 2**70)}, {"n": str(2**70)}, {"/n": "int"}),
    ({"n": 2**64}, {"n": str(2**64)}, {"/n": "int"}),
    ({"n": -(2**63) - 1}, {"n": str(-(2**63) - 1)}, {"/n": "int"}),
    ({"n": 2**2000}, {"n": hex(2**2000)}, {"/n": "int"}),
    ({"n": 2**64 - 1, "m": -(2**63)}, {"n": 2**64 - 1, "m": -(2**63)}, {}),
    ({"u": UInt(7)}, {"u": 7}, {"/u": "uint"}),
    ({"x": math.nan}, {"x": "nan"}, {"/x": "float"}),
    ({"x": [-math.inf, None]}, {"x": ["-inf", None]}, {"/x/0": "float"}),
    ({"m": {1: "a", "1": "b"}}, {"m": [[1, "a"], ["1", "b"]]}, {"/m": "map"}),
    ({"m": {MapKey.TRUE: 1}}, {"m": [[True, 1]]}, {"/m": "map", "/m/0/0": "key"}),
    ({"s": "\ud800x"}, {"s": "\\ud800x"}, {"/s": "escaped"}),
    ({"m": {"\udfff": 1}}, {"m": [["\\udfff", 1]]}, {"/m": "map", "/m/0/0": "escaped"}),
    ({"a/b": {"~": b""}}, {"a/b": {"~": ""}}, {"/a~1b/~0": "bytes"}),
    (
        {"at": Timestamp(TIMESTAMP_MAX + 1)},
        {"at": "a time outside the years 1 to 9999"},
        {"/at": "opaque"},
    ),
    (
        {"o": object()},
        {"o": "a value of a kind that can't be judged"},
        {"/o": "opaque"},
    ),
]


@pytest.mark.parametrize(("value", "expected", "kinds"), CASES)
def test_every_kind_of_value_is_written_and_its_kind_told(
    value: Any, expected: Any, kinds: dict[str, str]
) -> None:
    text, told = encode(value)
    assert json.loads(text) == expected
    assert dict(told) == kinds


def test_kinds_are_told_by_the_place_of_the_value_in_its_record() -> None:
    assert encode({"to": b"x"}, "/input")[1] == {"/input/to": "bytes"}


def test_keys_are_sorted_so_that_equal_arguments_have_one_form() -> None:
    assert encode({"b": 1, "a": {"d": 1, "c": 2}})[0] == b'{"a":{"c":2,"d":1},"b":1}'


def test_an_honest_null_beside_floats_stays_a_null() -> None:
    assert encode({"a": None, "b": 1.5, "c": (1, "x")}) == (b'{"a":null,"b":1.5,"c":[1,"x"]}', {})


def test_what_is_nested_without_end_is_cut_with_a_word() -> None:
    loop: list[Any] = []
    loop.append(loop)
    text, kinds = encode(loop)
    assert b"nested too deep" in text
    assert list(kinds.values()) == ["opaque"]


class Liar(dict[str, Any]):
    """A subclass whose own methods must not be asked."""

    def items(self) -> Any:
        raise AssertionError


def test_a_subclass_is_opaque_and_its_methods_are_not_called() -> None:
    assert encode({"x": Liar(a=1)})[1] == {"/x": "opaque"}


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.integers() | st.just(MapKey.FALSE), inner)
    ),
    max_leaves=20,
)


@pytest.mark.slow
@given(plain)
def test_no_value_makes_the_log_raise_and_the_text_is_json(value: Any) -> None:
    text, kinds = encode(value)
    json.loads(text, parse_constant=pytest.fail)
    assert all(type(at) is str for at in kinds)
