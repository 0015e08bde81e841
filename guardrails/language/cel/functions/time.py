"""Reading calendar and clock from timestamps and durations, in UTC or in a named time zone.

Zones come from the `tzdata` distribution alone, never from the machine, so that policies mean the
same everywhere and a zone that an agent chose opens no file but those.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from guardrails.errors import EvaluationError
from guardrails.instants import civil
from guardrails.language.cel.functions.signature import Budget, Overload, charge
from guardrails.language.cel.types import DURATION, INT, STRING, TIMESTAMP, RecordType, Type
from guardrails.values import NANOSECONDS, Duration, Timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    Reader = Callable[[date, int, int], int]
    Offset = Callable[[int], int]

ZONE_STEPS = 16
"""The charge for a look-up in a zone: about 2 µs, and a file's reading the first time."""

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

LOCAL = RecordType(
    "map",
    (STRING, STRING),
    fields={"date": STRING, "time": STRING, "weekday": STRING},
    closed=True,
    of="`local(..)`",
)

_FIXED = re.compile(r"([+-]?)([0-9]{2}):([0-9]{2})")


def offset_of(zone: str) -> Offset:
    """How far `zone` is ahead of UTC, in seconds, as a function of the seconds since 1970.

    `zone` is an IANA name, exactly as in the time zone database, or an offset such as `-08:00`.
    Raises `EvaluationError` for any other.
    """
    fixed = _FIXED.fullmatch(zone)
    if fixed is not None:
        return _fixed_offset(*fixed.groups())
    if zone in _zone_names():
        return _named_offset(zone)
    raise EvaluationError("unknown time zone")


def _fixed_offset(sign: str, hours: str, minutes: str) -> Offset:
    seconds = int(hours) * 3600 + int(minutes) * 60
    if int(hours) > 23 or int(minutes) > 59:
        raise EvaluationError("a time zone's offset must be less than 24:00")
    return lambda _: -seconds if sign == "-" else seconds


@cache
def _zone_names() -> frozenset[str]:
    from importlib.resources import files  # noqa: PLC0415 - slow, and few policies name zones

    names = files("tzdata").joinpath("zones").read_text(encoding="ascii")
    return frozenset(names.split())


@cache  # holds no more than the names that `_zone_names` has let through
def _named_offset(zone: str) -> Offset:
    from datetime import datetime, timedelta  # noqa: PLC0415 - with the zones, seldom needed
    from importlib.resources import files  # noqa: PLC0415
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    with files("tzdata").joinpath("zoneinfo", *zone.split("/")).open("rb") as file:
        rules = ZoneInfo.from_file(file, zone)
    epoch = datetime(1970, 1, 1, tzinfo=rules)

    def offset(seconds: int) -> int:
        try:
            moment = rules.fromutc(epoch + timedelta(seconds=seconds))
        except OverflowError:
            raise EvaluationError("timestamp out of range in that time zone") from None
        ahead = moment.utcoffset() or timedelta()
        return ahead.days * 86_400 + ahead.seconds

    return offset


def local(timestamp: Timestamp, offset: Offset) -> dict[str, str]:
    """Date, time and weekday where clocks are `offset` ahead of UTC, as people write them.

    `{"date": "2027-01-08", "time": "08:30", "weekday": "Fri"}`. Raises `EvaluationError` where
    that falls outside the years 0001 to 9999.
    """
    day, seconds, _ = _civil_at(timestamp, offset)
    hours, rest = divmod(seconds, 3600)
    return {
        "date": day.isoformat(),
        "time": f"{hours:02}:{rest // 60:02}",
        "weekday": WEEKDAYS[day.weekday()],
    }


def _civil_at(timestamp: Timestamp, offset: Offset) -> tuple[date, int, int]:
    return civil(timestamp.ns + offset(timestamp.ns // NANOSECONDS) * NANOSECONDS)


def _day_of_year(day: date, _seconds: int, _ns: int) -> int:
    return day.toordinal() - day.replace(month=1, day=1).toordinal()


READERS: Mapping[str, Reader] = {
    "getFullYear": lambda day, _seconds, _ns: day.year,
    "getMonth": lambda day, _seconds, _ns: day.month - 1,
    "getDate": lambda day, _seconds, _ns: day.day,
    "getDayOfMonth": lambda day, _seconds, _ns: day.day - 1,
    "getDayOfYear": _day_of_year,
    "getDayOfWeek": lambda day, _seconds, _ns: day.isoweekday() % 7,
    "getHours": lambda _day, seconds, _ns: seconds // 3600,
    "getMinutes": lambda _day, seconds, _ns: seconds // 60 % 60,
    "getSeconds": lambda _day, seconds, _ns: seconds % 60,
    "getMilliseconds": lambda _day, _seconds, ns: ns // 1_000_000,
}
"""What each accessor of a timestamp answers (CEL specification, "Standard definitions"): months,
days of the month and of the year count from 0, `getDate` from 1, weekdays from Sunday as 0."""

SPANS: Mapping[str, int] = {
    "getHours": 3600 * NANOSECONDS,
    "getMinutes": 60 * NANOSECONDS,
    "getSeconds": NANOSECONDS,
}
"""Accessors of a duration that count whole units of the whole span, towards zero."""


def _read_utc(read: Reader) -> Callable[[Timestamp], int]:
    return lambda timestamp: read(*civil(timestamp.ns))


def _whole(unit: int) -> Callable[[Duration], int]:
    return lambda duration: _towards_zero(duration.ns, unit)


def _milliseconds(duration: Duration) -> int:
    """The milliseconds left over from whole seconds, as conformance case `get_milliseconds`."""
    milliseconds = _towards_zero(duration.ns, 1_000_000)
    return milliseconds - 1000 * _towards_zero(milliseconds, 1000)


def _towards_zero(ns: int, unit: int) -> int:
    return ns // unit if ns >= 0 else -(-ns // unit)


def _zoned(name: str, answer: Callable[[Timestamp, Offset], object]) -> Overload:
    """The overload of `name` that takes a zone; a literal zone is looked up at load."""

    def implementation(budget: Budget, timestamp: Timestamp, zone: str) -> object:
        charge(budget, ZONE_STEPS)
        return answer(timestamp, offset_of(zone))

    def specialise(literals: tuple[object | None, ...]) -> Callable[..., object] | None:
        zone = literals[1]
        if not isinstance(zone, str) or _check_zone(literals):
            return None
        offset = offset_of(zone)

        def specialised(budget: Budget, timestamp: Timestamp, _zone: str) -> object:
            charge(budget, ZONE_STEPS)
            return answer(timestamp, offset)

        return specialised

    is_local = name == "local"
    return Overload(
        name,
        (TIMESTAMP, STRING),
        LOCAL if is_local else INT,
        receiver=not is_local,
        implementation=implementation,
        check_literals=_check_zone,
        specialise=specialise,
    )


def _check_zone(literals: tuple[object | None, ...]) -> str | None:
    zone = literals[1]
    if not isinstance(zone, str):
        return None
    try:
        offset_of(zone)
    except EvaluationError as error:
        return f"{error} `{zone}`{_meant(zone)}"
    return None


def _meant(zone: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only to word a complaint

    near = get_close_matches(zone, _zone_names(), 1)
    return (
        f"; did you mean `{near[0]}`?" if near else "; give an IANA name or an offset like -08:00"
    )


def _read_at(read: Reader) -> Callable[[Timestamp, Offset], int]:
    return lambda timestamp, offset: read(*_civil_at(timestamp, offset))


def _plain(name: str, operand: Type, implementation: Callable[..., object]) -> Overload:
    return Overload(
        name, (operand,), INT, receiver=True, implementation=implementation, charged=False
    )


OVERLOADS = (
    *(_plain(name, TIMESTAMP, _read_utc(read)) for name, read in READERS.items()),
    *(_zoned(name, _read_at(read)) for name, read in READERS.items()),
    *(_plain(name, DURATION, _whole(unit)) for name, unit in SPANS.items()),
    _plain("getMilliseconds", DURATION, _milliseconds),
    _zoned("local", local),
)
