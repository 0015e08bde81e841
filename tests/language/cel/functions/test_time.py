from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.errors import EvaluationError
from guardrails.instants import TIMESTAMP_MAX, TIMESTAMP_MIN, parse_timestamp
from guardrails.language.cel.functions import OVERLOADS
from guardrails.language.cel.functions.time import _zone_names
from guardrails.values import Duration, Timestamp
from tests.language.cel.functions.calls import Meter, call, call_specialised, complaint

NOW = parse_timestamp("2009-02-13T23:31:30.123456789Z")
ZONES = ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe"]
ACCESSORS = {
    "getFullYear": 2009,
    "getMonth": 1,
    "getDate": 13,
    "getDayOfMonth": 12,
    "getDayOfYear": 43,
    "getDayOfWeek": 5,
    "getHours": 23,
    "getMinutes": 31,
    "getSeconds": 30,
    "getMilliseconds": 123,
}


@pytest.mark.parametrize(("name", "answer"), ACCESSORS.items())
def test_an_accessor_reads_utc(name: str, answer: int) -> None:
    assert call(name, NOW) == answer
    assert call(name, NOW, "UTC") == answer
    assert call(name, NOW, "00:00") == answer


@pytest.mark.parametrize(
    ("name", "zone", "answer"),
    [
        ("getDate", "Australia/Sydney", 14),
        ("getHours", "-08:00", 15),
        ("getHours", "02:00", 1),
        ("getDayOfWeek", "+02:00", 6),
        ("getMinutes", "Asia/Kathmandu", 16),
        ("getMinutes", "-00:30", 1),
        ("getFullYear", "US/Central", 2009),
    ],
)
def test_an_accessor_reads_a_zone(name: str, zone: str, answer: int) -> None:
    assert call(name, NOW, zone) == answer
    assert call_specialised(name, NOW, zone, literal=1) == answer


@given(st.datetimes(timezones=st.just(UTC)), st.sampled_from(ZONES))
def test_zones_are_those_of_python(moment: datetime, zone: str) -> None:
    try:
        there = moment.astimezone(ZoneInfo(zone))
    except OverflowError:
        return
    ns = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
    read = call("local", Timestamp(ns), zone)
    assert read == {
        "date": there.date().isoformat(),
        "time": there.strftime("%H:%M"),
        "weekday": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][there.weekday()],
    }
    assert call("getDayOfYear", Timestamp(ns), zone) == there.timetuple().tm_yday - 1
    assert call("getSeconds", Timestamp(ns), zone) == there.second


@pytest.mark.parametrize(
    ("name", "ns", "answer"),
    [
        ("getHours", 10_000_000_000_000, 2),
        ("getMinutes", 3_730_000_000_000, 62),
        ("getSeconds", 3_730_000_000_000, 3730),
        ("getMilliseconds", 123_321_456_789, 321),
        ("getHours", -10_000_000_000_000, -2),
        ("getSeconds", -1_500_000_000, -1),
        ("getMilliseconds", -1_500_000_000, -500),
    ],
)
def test_a_duration_is_counted_in_whole_units_towards_zero(name: str, ns: int, answer: int) -> None:
    assert call(name, Duration(ns)) == answer


def test_local_time_is_written_as_people_write_it() -> None:
    now = parse_timestamp("2027-01-08T07:30:59Z")
    expected = {"date": "2027-01-08", "time": "08:30", "weekday": "Fri"}
    assert call("local", now, "Europe/Berlin") == expected
    assert call_specialised("local", now, "Europe/Berlin", literal=1) == expected
    assert str(OVERLOADS["local"][0].result) == "map"
    assert not OVERLOADS["local"][0].receiver


def test_local_time_follows_summer_time() -> None:
    times = [
        call("local", parse_timestamp(f"2027-03-28T0{hour}:59:59Z"), "Europe/Berlin")["time"]
        for hour in (0, 1)
    ]
    assert times == ["01:59", "03:59"]


@pytest.mark.parametrize("ns", [TIMESTAMP_MIN, TIMESTAMP_MAX])
@pytest.mark.parametrize("zones", [("America/New_York", "Asia/Tokyo"), ("-05:00", "+09:00")])
def test_a_date_beyond_the_calendar_is_an_error(ns: int, zones: tuple[str, str]) -> None:
    before, after = zones
    beyond, within = (before, after) if ns < 0 else (after, before)
    assert call("getFullYear", Timestamp(ns), within) in {1, 9999}
    with pytest.raises(EvaluationError, match="out of range"):
        call("getFullYear", Timestamp(ns), beyond)


@pytest.mark.parametrize(
    "zone",
    [
        "",
        "Europe/Berln",
        "europe/berlin",
        "Europe/Berlin ",
        "Europe/Berlin\0",
        "/etc/passwd",
        "../../../etc/passwd",
        "Europe/../Europe/Berlin",
        "localtime",
        "posixrules",
        "zone.tab",
        "tzdata.zi",
        "Europe",
        "Z",
        "+1:00",
        "+01",
        "+0100",
        "EST5EDT4",
        "x" * 100_000,
        "\ud800",
    ],
)
def test_a_zone_that_there_is_not_is_an_error_that_reads_no_file(
    zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _zone_names()
    monkeypatch.setattr("importlib.resources.files", None)
    with pytest.raises(EvaluationError, match=r"^unknown time zone$"):
        call("getHours", NOW, zone)


@pytest.mark.parametrize("zone", ["+24:00", "-00:60", "99:99"])
def test_an_offset_that_no_clock_has_is_an_error(zone: str) -> None:
    with pytest.raises(EvaluationError, match="less than 24:00"):
        call("local", NOW, zone)


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("Europe/Berlin", None),
        ("-08:00", None),
        ("Europe/Berln", "unknown time zone `Europe/Berln`; did you mean `Europe/Berlin`?"),
        ("???", "unknown time zone `???`; give an IANA name or an offset like -08:00"),
        ("+24:00", "a time zone's offset must be less than 24:00 `+24:00`"),
    ],
)
def test_a_literal_zone_is_checked_at_load(zone: str, said: str | None) -> None:
    for name in ("local", "getHours"):
        complained = complaint(name, NOW, zone, literal=1)
        assert complained == said or (said and complained and complained.startswith(said))


def test_a_zone_that_is_no_literal_is_neither_checked_nor_read_at_load() -> None:
    overload = OVERLOADS["local"][0]
    assert overload.check_literals is not None
    assert overload.specialise is not None
    assert overload.check_literals((None, None)) is None
    assert overload.specialise((None, None)) is None


def test_every_zone_of_the_database_can_be_read() -> None:
    for zone in sorted(_zone_names()):
        assert call("local", NOW, zone)["date"] in {"2009-02-13", "2009-02-14"}


def test_the_machine_s_own_zones_are_not_asked() -> None:
    code = (
        "import zoneinfo; zoneinfo.reset_tzpath(['/nonexistent']);"
        "from guardrails.language.cel.functions import OVERLOADS;"
        "from guardrails.values import Timestamp;"
        "specialised = OVERLOADS['local'][0].specialise((None, 'Europe/Berlin'));"
        "budget = type('Budget', (), {'steps': 100})();"
        "assert specialised(budget, Timestamp(0), '')['time'] == '01:00'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_look_up_in_a_zone_is_charged() -> None:
    meter = Meter()
    call("local", NOW, "Europe/Berlin", meter=meter)
    assert meter.spent == 16
    with pytest.raises(EvaluationError, match="too much work"):
        call("local", NOW, "Europe/Berlin", meter=Meter(steps=15))
