from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.errors import EvaluationError
from guardrails.language.cel.functions.format import print_double
from guardrails.language.cel.types import STRING, TIMESTAMP, RecordType, list_of
from guardrails.values import Duration, MapKey, Opaque, Timestamp, UInt
from tests.language.cel.functions.calls import Meter, call, cases, complaint, outcome


@pytest.mark.parametrize("case", cases("strings.yaml", "format"))
def test_a_text_is_formatted_as_specified(case: dict[str, Any]) -> None:
    assert outcome(case, *case["of"]) == case.get("answer", case.get("refused"))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (UInt(18_446_744_073_709_551_615), "18446744073709551615"),
        (b"abc", "abc"),
        (b"\xff\xfea\xff\xef\xbf\xbdb", "\ufffda\ufffd\ufffdb"),
        (b"\xed\xa0\x80", "\ufffd"),
        (Timestamp(1_500_000_000), "1970-01-01T00:00:01.5Z"),
        (Duration(-1_500_000_000), "-1.5s"),
        (STRING, "string"),
        (list_of(STRING), "list"),
        (TIMESTAMP, "google.protobuf.Timestamp"),
        (RecordType("map"), "map"),
        ({MapKey.TRUE: 1, UInt(2): None}, "{2: null, true: 1}"),
    ],
)
def test_every_type_of_value_can_be_written(value: object, written: str) -> None:
    assert call("format", "%s", [value]) == written


@pytest.mark.parametrize(
    "value", [Opaque("a socket"), [Opaque("a socket")], {"a": Opaque("a socket")}, object()]
)
def test_a_value_that_can_t_be_judged_can_t_be_written(value: object) -> None:
    with pytest.raises(EvaluationError, match="can't write this type with %s"):
        call("format", "%s", [value])


@pytest.mark.parametrize("clause", ["%d", "%f", "%e", "%b", "%o", "%x", "%X"])
def test_a_value_that_can_t_be_judged_is_no_number(clause: str) -> None:
    with pytest.raises(EvaluationError, match="can't write this type with"):
        call("format", clause, [Opaque("a socket")])


def test_unsigned_integers_are_numbers() -> None:
    assert call("format", "%d %x %o %b %.1f", [UInt(8)] * 5) == "8 8 10 1000 8.0"


def test_bytes_are_written_in_hexadecimal() -> None:
    assert call("format", "%x%X", [b"\x00\xff", b"\xab"]) == "00ffAB"


def test_a_lone_surrogate_has_no_bytes() -> None:
    with pytest.raises(EvaluationError, match="half a character"):
        call("format", "%x", ["\ud800"])


def test_a_value_deeper_than_an_action_can_be_is_refused() -> None:
    value: list[object] = []
    for _ in range(500):
        value = [value]
    with pytest.raises(EvaluationError, match="nests too deep"):
        call("format", "%s", [value])


def test_values_that_share_parts_are_charged_as_often_as_they_are_written() -> None:
    value: list[object] = ["x" * 1000]
    for _ in range(60):
        value = [value, value]
    with pytest.raises(EvaluationError, match="too much work"):
        call("format", "%s", [value], meter=Meter(steps=1_000_000))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("%d of %s %%", None),
        ("%.2f%e", None),
        ("100%", "`format` knows %s, %d, %f, %e, %b, %o, %x, %X and %%; "),
        ("%s %q", "`format` knows %s, %d, %f, %e, %b, %o, %x, %X and %%; "),
        ("%.2d", "a precision goes with %f or %e, not with %d"),
        ("%.1001f", "a precision is at most 1000"),
    ],
)
def test_a_literal_text_is_checked_at_load(text: str, said: str | None) -> None:
    complained = complaint("format", text, [], literal=0)
    assert complained == said or (said and complained and complained.startswith(said))


def test_a_text_that_is_no_literal_is_not_checked_at_load() -> None:
    assert complaint("format", "%q", [], literal=1) is None


@given(st.floats())
def test_a_double_reads_back_as_itself(number: float) -> None:
    printed = print_double(number)
    assert "e" not in printed.lower().replace("infinity", "")
    if math.isnan(number):
        assert printed == "NaN"
    else:
        assert float(printed) == number
        assert math.copysign(1, float(printed)) == math.copysign(1, number)
    assert not ("." in printed and printed.endswith(("0", ".")))
