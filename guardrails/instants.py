"""Timestamps and durations read from text and printed.

All arithmetic is on whole nanoseconds. Texts are those of JSON and CEL: RFC 3339 for a timestamp,
`1h30m` or `3.5s` for a duration.
"""

from __future__ import annotations

import re
from datetime import date

from guardrails.errors import EvaluationError
from guardrails.values import NANOSECONDS, Duration, Timestamp

DAY = 86_400
"""Seconds in a day; the calendar of CEL has no leap seconds."""

EPOCH_DAY = date(1970, 1, 1).toordinal()

TIMESTAMP_MIN = (1 - EPOCH_DAY) * DAY * NANOSECONDS
TIMESTAMP_MAX = (date.max.toordinal() + 1 - EPOCH_DAY) * DAY * NANOSECONDS - 1
"""The years 0001 to 9999 (CEL specification, "Timestamps"), in nanoseconds since 1970."""

DURATION_MAX = 315_537_897_599 * NANOSECONDS - 1
"""The longest span either way, in nanoseconds: shorter than the range of timestamps, as CEL's
conformance case `sub_time_duration_over` wants it and Google's C++ runtime has it."""

DURATION_LENGTH_MAX = 128
"""Characters that a duration may take: far more than one of every unit needs."""

UNITS = {
    "h": 3600 * NANOSECONDS,
    "m": 60 * NANOSECONDS,
    "s": NANOSECONDS,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}
"""Nanoseconds in each unit of a duration's text (CEL specification, "Durations")."""

_TIMESTAMP = re.compile(
    r"([0-9]{4,9})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?"
    r"(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
)
_DURATION = re.compile(r"([+-]?)((?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:h|ms|m|s|us|ns))+|0)")
_DURATION_PART = re.compile(r"([0-9]*)\.?([0-9]*)(h|ms|m|s|us|ns)")


def checked_timestamp(ns: int) -> Timestamp:
    """The timestamp `ns` nanoseconds after 1970; raises `EvaluationError` out of its range."""
    if TIMESTAMP_MIN <= ns <= TIMESTAMP_MAX:
        return Timestamp(ns)
    raise EvaluationError("timestamp out of range: the years 0001 to 9999")


def checked_duration(ns: int) -> Duration:
    """The duration of `ns` nanoseconds; raises `EvaluationError` out of its range."""
    if -DURATION_MAX <= ns <= DURATION_MAX:
        return Duration(ns)
    raise EvaluationError("duration out of range: about 10,000 years either way")


def parse_timestamp(text: str) -> Timestamp:
    """The timestamp that RFC 3339 `text` stands for, say `2027-01-08T09:30:00.5+01:00`.

    Raises `EvaluationError` for another form (a lower-case `t` or `z`, no offset, a leap second,
    more than nine digits of a second, which would be lost) and out of range.
    """
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise EvaluationError("a timestamp must be RFC 3339, such as 2027-01-08T09:30:00Z")
    year, month, day, hour, minute, second = map(int, match.group(1, 2, 3, 4, 5, 6))
    fraction, sign, offset_hours, offset_minutes = match.group(7, 8, 9, 10)
    seconds = _seconds_of_day(hour, minute, second)
    if sign:
        offset = _seconds_of_day(int(offset_hours), int(offset_minutes), 0)
        seconds += offset if sign == "-" else -offset
    seconds += (_ordinal(year, month, day) - EPOCH_DAY) * DAY
    return checked_timestamp(seconds * NANOSECONDS + int((fraction or "").ljust(9, "0")))


def _ordinal(year: int, month: int, day: int) -> int:
    if not 1 <= year <= 9999:
        raise EvaluationError("timestamp out of range: the years 0001 to 9999")
    try:
        return date(year, month, day).toordinal()
    except ValueError:
        raise EvaluationError("a timestamp names a day that the calendar lacks") from None


def _seconds_of_day(hour: int, minute: int, second: int) -> int:
    if hour > 23 or minute > 59 or second > 59:
        raise EvaluationError("a timestamp names a time of day that the clock lacks")
    return hour * 3600 + minute * 60 + second


def parse_duration(text: str) -> Duration:
    """The duration that `text` stands for: `1h30m`, `-1.5s`, `250ms`, `0`.

    What is finer than a nanosecond is cut off. Raises `EvaluationError` for another form and out
    of range.
    """
    match = _DURATION.fullmatch(text) if len(text) <= DURATION_LENGTH_MAX else None
    if match is None:
        raise EvaluationError("a duration must be numbers with units, such as 1h30m or 3.5s")
    sign, body = match.groups()
    ns = sum(_part_ns(*part) for part in _DURATION_PART.findall(body))
    return checked_duration(-ns if sign == "-" else ns)


def _part_ns(whole: str, fraction: str, unit: str) -> int:
    scale = UNITS[unit]
    finer: int = 10 ** len(fraction)
    return int(whole or "0") * scale + int(fraction or "0") * scale // finer


def print_timestamp(timestamp: Timestamp) -> str:
    """RFC 3339 in UTC, with as many digits of a second as are needed: `2027-01-08T09:30:00.5Z`."""
    day, seconds, ns = civil(timestamp.ns)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{day.isoformat()}T{hour:02}:{minute:02}:{second:02}{_fraction(ns)}Z"


def print_duration(duration: Duration) -> str:
    """Decimal seconds with as many digits as are needed: `5400s`, `-0.25s`."""
    sign = "-" if duration.ns < 0 else ""
    seconds, ns = divmod(abs(duration.ns), NANOSECONDS)
    return f"{sign}{seconds}{_fraction(ns)}s"


def _fraction(ns: int) -> str:
    return f".{ns:09}".rstrip("0") if ns else ""


def civil(ns: int) -> tuple[date, int, int]:
    """The day, the second of the day and the nanosecond of the second, `ns` after 1970.

    Raises `EvaluationError` outside the years 0001 to 9999.
    """
    seconds, fraction = divmod(ns, NANOSECONDS)
    days, second = divmod(seconds, DAY)
    if not TIMESTAMP_MIN <= ns <= TIMESTAMP_MAX:
        raise EvaluationError("timestamp out of range: the years 0001 to 9999")
    return date.fromordinal(EPOCH_DAY + days), second, fraction
