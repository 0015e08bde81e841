from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from guardrails.errors import EvaluationError
from guardrails.instants import (
    DURATION_MAX,
    TIMESTAMP_MAX,
    TIMESTAMP_MIN,
    checked_duration,
    checked_timestamp,
    civil,
    parse_duration,
    parse_timestamp,
    print_duration,
    print_timestamp,
)
from guardrails.values import Duration, Timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

CASES = yaml.safe_load(Path(__file__).with_name("instants.yaml").read_text(encoding="utf-8"))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def outcome(read: Callable[[str], str], case: dict[str, Any]) -> str:
    try:
        return read(str(case["text"]))
    except EvaluationError as error:
        said = str(error)
    return case["refused"] if case.get("refused", "\0") in said else said


@pytest.mark.parametrize("case", CASES["timestamps"], ids=lambda case: case["name"])
def test_a_timestamp_is_read_and_printed(case: dict[str, Any]) -> None:
    read = outcome(lambda text: print_timestamp(parse_timestamp(text)), case)
    assert read == case.get("printed", case.get("refused"))


@pytest.mark.parametrize("case", CASES["durations"], ids=lambda case: case["name"])
def test_a_duration_is_read_and_printed(case: dict[str, Any]) -> None:
    read = outcome(lambda text: print_duration(parse_duration(text)), case)
    assert read == case.get("printed", case.get("refused"))


@given(st.integers(TIMESTAMP_MIN, TIMESTAMP_MAX))
def test_every_timestamp_reads_back(ns: int) -> None:
    assert parse_timestamp(print_timestamp(Timestamp(ns))) == Timestamp(ns)


@given(st.integers(-DURATION_MAX, DURATION_MAX))
def test_every_duration_reads_back(ns: int) -> None:
    assert parse_duration(print_duration(Duration(ns))) == Duration(ns)


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_timestamp_is_read_as_python_reads_it(moment: datetime) -> None:
    since = moment - EPOCH
    assert parse_timestamp(moment.isoformat()).ns == since // timedelta(microseconds=1) * 1000


def test_what_is_out_of_range_is_an_error() -> None:
    assert checked_timestamp(TIMESTAMP_MIN) == Timestamp(TIMESTAMP_MIN)
    assert checked_duration(-DURATION_MAX) == Duration(-DURATION_MAX)
    for check, ns in [
        (checked_timestamp, TIMESTAMP_MIN - 1),
        (checked_timestamp, TIMESTAMP_MAX + 1),
        (checked_duration, -DURATION_MAX - 1),
        (checked_duration, DURATION_MAX + 1),
        (civil, TIMESTAMP_MIN - 1),
        (civil, TIMESTAMP_MAX + 1),
    ]:
        with pytest.raises(EvaluationError, match="out of range"):
            check(ns)


def test_a_huge_text_is_refused_at_once() -> None:
    with pytest.raises(EvaluationError, match="numbers with units"):
        parse_duration("9" * 100_000 + "s")
    with pytest.raises(EvaluationError, match="numbers with units"):
        parse_duration("1s" * 100_000)
    with pytest.raises(EvaluationError, match="RFC 3339"):
        parse_timestamp("2" * 100_000)


@given(st.text(st.sampled_from("0123456789-+:.TZhmsun \n"), max_size=30))
def test_nothing_but_an_evaluation_error_escapes(text: str) -> None:
    for read in (parse_timestamp, parse_duration):
        try:
            read(text)
        except EvaluationError:
            continue
