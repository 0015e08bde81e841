"""How conditions see the values of other standard modules: dates, decimals, paths, UUIDs.

Only the exact types are known: a subclass could say one thing here and another to the tool.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
from typing import TYPE_CHECKING, Any
from uuid import UUID

from guardrails.errors import InvalidActionError
from guardrails.instants import checked_duration, checked_timestamp
from guardrails.values import Duration, Opaque, Timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def timestamp_of(moment: datetime) -> Timestamp:
    """Return the timestamp of an aware `moment`, exact to the microsecond."""
    return Timestamp(duration_of(moment - _EPOCH).ns)


def duration_of(span: timedelta) -> Duration:
    """Return the duration of `span`, exact to the microsecond."""
    return Duration(((span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds) * 1000)


def _judge_datetime(moment: datetime) -> Timestamp | str:
    if moment.tzinfo is None or moment.utcoffset() is None:
        return moment.isoformat()
    return checked_timestamp(timestamp_of(moment).ns)


def _judge_timedelta(span: timedelta) -> Duration:
    return checked_duration(duration_of(span).ns)


def _judge_decimal(number: Decimal) -> float | Opaque:
    if not number.is_finite():
        raise InvalidActionError("a number in the arguments is not finite")
    nearest = float(number)
    if nearest - nearest == 0.0 and Decimal(repr(nearest)) == number:
        return nearest
    return Opaque("a decimal that no double equals")


CONVERSIONS: Mapping[type, Callable[[Any], Any]] = {
    PosixPath: str,
    WindowsPath: str,
    PurePosixPath: str,
    PureWindowsPath: str,
    UUID: str,
    date: date.isoformat,
    time: time.isoformat,
    datetime: _judge_datetime,
    timedelta: _judge_timedelta,
    Decimal: _judge_decimal,
}
"""From an exact type to what a condition sees of its values."""
