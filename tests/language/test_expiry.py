from __future__ import annotations

import pytest

from guardrails.instants import TIMESTAMP_MAX, parse_timestamp
from guardrails.language.expiry import parse_expiry, parse_timeout

SECOND = 10**9


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("2027-01-08", "2027-01-09T00:00:00Z"),
        ("2028-02-29", "2028-03-01T00:00:00Z"),
        ("2027-12-31", "2028-01-01T00:00:00Z"),
        ("2027-01-08T09:30:00Z", "2027-01-08T09:30:00Z"),
        ("2027-01-08T09:30:00.25+02:00", "2027-01-08T07:30:00.25Z"),
    ],
)
def test_a_date_lasts_through_its_end_in_utc_and_a_timestamp_to_itself(
    text: str, ends: str
) -> None:
    expiry = parse_expiry(text)
    assert expiry.text == text
    assert expiry.ends_ns == parse_timestamp(ends).ns
    assert not expiry.passed(expiry.ends_ns - 1)
    assert expiry.passed(expiry.ends_ns)


def test_the_last_day_of_the_calendar_ends_with_it() -> None:
    assert parse_expiry("9999-12-31").ends_ns == TIMESTAMP_MAX


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2027-02-29", "no point in time: the calendar lacks that day"),
        ("0000-01-01", "no point in time: the calendar lacks that day"),
        (
            "2027-13-01T00:00:00Z",
            "no point in time: a timestamp names a day that the calendar lacks",
        ),
        (
            "8/1/2027",
            "no point in time; write a date (2027-06-30) or a timestamp (2027-06-30T18:00:00Z)",
        ),
    ],
)
def test_what_is_no_point_in_time_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match="no point in time") as caught:
        parse_expiry(text)
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    "text", ["2027-1-8", "２０２７-01-08", " 2027-01-08", "2027-01-08\n", "today"]
)
def test_other_forms_of_dates_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write a date"):
        parse_expiry(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("45s", 45),
        ("30m", 1800),
        ("24h", 86_400),
        ("7d", 604_800),
        ("1h30m", 5400),
        ("1d2h3m4s", 93_784),
        ("0h5m", 300),
    ],
)
def test_a_timeout_is_a_sum_of_units(text: str, seconds: int) -> None:
    assert parse_timeout(text) == seconds * SECOND


@pytest.mark.parametrize(
    "text",
    ["", "0s", "0d0h", "30", "m", "-5m", "1.5h", "5m1h", "1w", "5 m", "٣m", "5m\n", "9" * 30 + "s"],
)
def test_what_is_no_timeout_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no duration; write such as `30m`, `24h` or `7d`"):
        parse_timeout(text)
