"""When something ends, and how long something lasts, as policies write it."""

from __future__ import annotations

import re
from datetime import date

from guardrails.errors import EvaluationError
from guardrails.instants import DAY, EPOCH_DAY, TIMESTAMP_MAX, parse_timestamp
from guardrails.language.document import Expiry
from guardrails.values import NANOSECONDS

_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_DURATION = re.compile(r"(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?")
_UNITS = (DAY, 3600, 60, 1)  # seconds

_DURATION_LENGTH = 20  # characters; far more than a century needs


def parse_expiry(text: str) -> Expiry:
    """When what ends at `text` has passed: a date through its end in UTC, or a timestamp.

    Raises ValueError, worded for people, for another form and for a day that doesn't exist.
    """
    if found := _DATE.fullmatch(text):
        year, month, day = map(int, found.groups())
        try:
            ordinal = date(year, month, day).toordinal()
        except ValueError:
            raise ValueError("no point in time: the calendar lacks that day") from None
        ends = (ordinal + 1 - EPOCH_DAY) * DAY * NANOSECONDS
        return Expiry(text, min(ends, TIMESTAMP_MAX))
    try:
        return Expiry(text, parse_timestamp(text).ns)
    except EvaluationError as error:
        if "must be" in str(error):
            shape = "write a date (2027-06-30) or a timestamp (2027-06-30T18:00:00Z)"
            raise ValueError(f"no point in time; {shape}") from None
        raise ValueError(f"no point in time: {error}") from None


def parse_timeout(text: str) -> int:
    """The nanoseconds that `30m`, `24h`, `7d` or `1h30m` stand for, more than 0.

    Raises ValueError, worded for people, for another form.
    """
    found = _DURATION.fullmatch(text) if len(text) <= _DURATION_LENGTH else None
    counts = [int(part or "0") for part in found.groups()] if found else []
    seconds = sum(count * unit for count, unit in zip(counts, _UNITS, strict=False))
    if not seconds:
        raise ValueError("no duration; write such as `30m`, `24h` or `7d`")
    return seconds * NANOSECONDS
