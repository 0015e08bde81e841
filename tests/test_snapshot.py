"""What is judged of an argument, and what the tool then receives."""

from __future__ import annotations

import enum
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, Self
from uuid import UUID

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.errors import InvalidActionError
from guardrails.snapshot import MAX_BYTES, MAX_DEPTH, MAX_NODES, take_snapshot
from guardrails.values import Duration, MapKey, Opaque, Timestamp


def judged(value: object) -> Any:
    return take_snapshot({"x": value}).values["x"]


def received(value: object) -> Any:
    return take_snapshot({"x": value}).received["x"]


class LyingInt(int):
    def __int__(self) -> int:
        return 1

    def __index__(self) -> int:
        return 1

    def __gt__(self, other: object) -> bool:
        return False


class LyingStr(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "safe"

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


class LyingFloat(float):
    def __float__(self) -> float:
        return 0.0


class LyingDict(dict[str, Any]):
    def __iter__(self) -> Any:
        return iter(["safe"])

    def keys(self) -> Any:
        return ["safe"]

    def items(self) -> Any:
        return [("safe", 1)]

    def __getitem__(self, key: str) -> Any:
        return 1

    def copy(self) -> Any:
        return {"safe": 1}

    def __len__(self) -> int:
        return 1


class LyingList(list[Any]):
    def __iter__(self) -> Any:
        return iter([])

    def __len__(self) -> int:
        return 0

    def copy(self) -> Any:
        return []


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class TwoFaced(str, enum.Enum):  # noqa: UP042 - not one that `StrEnum` allows
    __slots__ = ()
    A = "a"

    def __new__(cls, value: str) -> Self:
        member = str.__new__(cls, "something else")
        member._value_ = value
        return member


class Pair(NamedTuple):
    a: int
    b: int


class Hostile:
    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("looked at")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("compared")

    def __hash__(self) -> int:
        raise RuntimeError("hashed")

    def __str__(self) -> str:
        raise RuntimeError("printed")

    __repr__ = __str__


class PretendsToBeDict:
    __class__ = dict  # type: ignore[assignment]


class BrokenZone(tzinfo):
    def utcoffset(self, moment: datetime | None) -> timedelta:
        raise RuntimeError("no offset")

    def dst(self, moment: datetime | None) -> timedelta:
        raise RuntimeError("no summer")

    def tzname(self, moment: datetime | None) -> str:
        raise RuntimeError("no name")


@dataclass
class Payment:
    to: str
    lines: list[int] = field(default_factory=list)


@dataclass
class Computed:
    amount: int

    def __getattribute__(self, name: str) -> Any:
        return 1 if name == "amount" else object.__getattribute__(self, name)


@dataclass
class Uncopyable:
    amount: int

    def __deepcopy__(self, memo: Any) -> Any:
        raise RuntimeError("not to be copied")


@dataclass
class Shared:
    amount: int

    def __deepcopy__(self, memo: Any) -> Any:
        return self


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    to: str
    tags: list[str] = []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (1.5, 1.5),
        ("é", "é"),
        (b"\x00", b"\x00"),
        (LyingInt(900), 900),
        (LyingStr("rm -rf"), "rm -rf"),
        (LyingFloat(9.5), 9.5),
        ([1, [2]], [1, [2]]),
        ((1, 2), [1, 2]),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset({"b", "a"}), ["a", "b"]),
        ({2, "a", b"z", (1,)}, [2, "a", b"z", [1]]),
        ({"a": {"b": 1}}, {"a": {"b": 1}}),
        (LyingDict(amount=900), {"amount": 900}),
        (LyingList([900]), [900]),
        (OrderedDict(a=1), {"a": 1}),
        ({1: "a"}, {1: "a"}),
        ({True: "a"}, {MapKey.TRUE: "a"}),
        (Pair(1, 2), [1, 2]),
        (Colour.RED, "red"),
        (Level.HIGH, 3),
        (PurePosixPath("/a/b"), "/a/b"),
        (Path("/a"), "/a"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (date(2026, 1, 2), "2026-01-02"),
        (time(8, 30), "08:30:00"),
        (datetime(2026, 1, 2, 3, 4), "2026-01-02T03:04:00"),  # noqa: DTZ001
        (datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), Timestamp(1_000_000_000)),
        (
            datetime(1970, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))),
            Timestamp(0),
        ),
        (timedelta(seconds=1.5), Duration(1_500_000_000)),
        (Decimal("0.1"), 0.1),
        (Decimal("1E+3"), 1000.0),
        (Payment("ACME", [1]), {"to": "ACME", "lines": [1]}),
        (Model(to="ACME", note="x"), {"to": "ACME", "tags": [], "note": "x"}),  # type: ignore[call-arg]
    ],
)
def test_a_value_is_judged_as_the_table_says(value: object, expected: object) -> None:
    result = judged(value)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (2**63, "an integer beyond 64 bits"),
        (-(2**63) - 1, "an integer beyond 64 bits"),
        (Decimal("0.1000000000000000000001"), "a decimal that no double equals"),
        (Decimal(2**53 + 1), "a decimal that no double equals"),
        (object(), "an object that is no plain data"),
        (PretendsToBeDict(), "an object that is no plain data"),
        (Computed(900), "an object that is no plain data"),
        (Uncopyable(900), "an object that can't be copied"),
        (Shared(900), "an object that can't be copied"),
        (TwoFaced.A, "an enum member that is not its value"),
        ({None: 1}, "a map with keys that are neither text nor integers"),
        ({1.5: 1}, "a map with keys that are neither text nor integers"),
        ({(1, 2): 1}, "a map with keys that are neither text nor integers"),
        (datetime(2026, 1, 1, tzinfo=BrokenZone()), "a date or time that can't be read"),
        (lambda: None, "an object that is no plain data"),
        (1j, "an object that is no plain data"),
        (bytearray(b"x"), "an object that is no plain data"),
    ],
)
def test_what_cannot_be_judged_is_opaque(value: object, reason: str) -> None:
    result = judged(value)
    assert type(result) is Opaque
    assert result.reason == reason
    assert take_snapshot({"x": value}).plain is False


def test_an_object_that_fights_back_is_never_touched() -> None:
    hostile = Hostile()
    snapshot = take_snapshot({"x": hostile})
    assert snapshot.values["x"] == Opaque("an object that is no plain data")
    assert snapshot.received["x"] is hostile
    with pytest.raises(InvalidActionError, match="not a map"):
        take_snapshot(hostile)


def test_an_integer_beyond_64_bits_is_kept_for_the_schema_and_the_log() -> None:
    assert judged(2**70).integer == 2**70


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), "a number in the arguments is not finite"),
        (float("inf"), "a number in the arguments is not finite"),
        (LyingFloat("-inf"), "a number in the arguments is not finite"),
        ([1, [float("nan")]], "a number in the arguments is not finite"),
        (Decimal("NaN"), "a number in the arguments is not finite"),
        ("\ud800", "a text in the arguments has a lone surrogate"),
        ({"\udfff": 1}, "a text in the arguments has a lone surrogate"),
        ({"1": "a", 1: "b"}, "a map in the arguments has keys that JSON writes alike"),
        ({LyingStr("a"): 1, LyingStr("b"): 2, "a": 3}, None),
        ("x" * (MAX_BYTES + 1), "the arguments have more than 1,048,576 bytes"),
        ("é" * (MAX_BYTES // 2 + 1), "the arguments have more than 1,048,576 bytes"),
        ([b"x" * 600_000] * 2, "the arguments have more than 1,048,576 bytes"),
        ([0] * MAX_NODES, "the arguments have more than 100,000 parts"),
        (dict.fromkeys(range(MAX_NODES)), "the arguments have more than 100,000 parts"),
        ([[0] * 1000] * 1000, "the arguments have more than 100,000 parts"),
    ],
)
def test_what_cannot_be_an_action_is_refused(value: object, message: str | None) -> None:
    if message is None:
        with pytest.raises(InvalidActionError, match="the same key twice"):
            judged(value)
        return
    with pytest.raises(InvalidActionError) as caught:
        judged(value)
    assert str(caught.value) == message


def test_an_integer_of_many_digits_is_weighed() -> None:
    with pytest.raises(InvalidActionError, match="more than 1,048,576 bytes"):
        judged(1 << (9 * MAX_BYTES))


def test_nesting_and_cycles_are_bounded() -> None:
    deep: list[Any] = []
    for _ in range(MAX_DEPTH - 1):
        deep = [deep]
    assert judged(deep) == deep
    with pytest.raises(InvalidActionError, match="nest deeper than 64 levels, or in a cycle"):
        judged([deep])
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(InvalidActionError, match="in a cycle"):
        judged(loop)
    ring: dict[str, Any] = {}
    ring["x"] = ring
    with pytest.raises(InvalidActionError, match="in a cycle"):
        judged(ring)


def test_an_enum_that_is_its_own_value_ends() -> None:
    member = object.__new__(Colour)
    member._value_ = member  # type: ignore[assignment]
    with pytest.raises(InvalidActionError, match="in a cycle"):
        judged(member)


@pytest.mark.parametrize("arguments", [[], "x", 5, PretendsToBeDict()])
def test_arguments_that_are_no_map_are_refused(arguments: object) -> None:
    with pytest.raises(InvalidActionError, match="not a map"):
        take_snapshot(arguments)


def test_names_of_arguments_are_texts_and_differ() -> None:
    with pytest.raises(InvalidActionError, match="not a string"):
        take_snapshot({1: "a"})
    with pytest.raises(InvalidActionError, match="same name"):
        take_snapshot({LyingStr("a"): 1, "a": 2})
    assert take_snapshot({LyingStr("amount"): 1}).values == {"amount": 1}
    with pytest.raises(InvalidActionError, match="lone surrogate"):
        take_snapshot({"\ud800": 1})


def test_no_arguments_are_an_empty_map() -> None:
    assert take_snapshot(None).values == {}


def test_the_tool_receives_fresh_built_ins() -> None:
    given = LyingDict(items=LyingList([LyingStr("a"), {1}, (2,)]))
    got = received(given)
    assert type(got) is dict
    assert [type(each) for each in got["items"]] == [str, set, tuple]
    plain: list[int] = [1]
    assert received(plain) == plain
    assert received(plain) is not plain


@pytest.mark.parametrize(
    "value",
    [Colour.RED, Level.HIGH, Path("/a"), UUID(int=1), Decimal("0.1"), timedelta(1)],
)
def test_the_tool_receives_the_thing_itself(value: object) -> None:
    assert received(value) is value


def test_the_tool_receives_a_copy_of_a_structure() -> None:
    payment = Payment("ACME", [1])
    got = received(payment)
    assert got == payment
    assert got is not payment
    assert got.lines is not payment.lines


def test_a_set_that_cannot_be_copied_is_opaque() -> None:
    class Moody:
        calls = 0

        def __hash__(self) -> int:
            self.calls += 1
            if self.calls > 1:
                raise RuntimeError
            return 1

    assert judged({Moody()}) == Opaque("a set that can't be copied")


def test_a_slotted_dataclass_and_one_with_defaults_are_read() -> None:
    @dataclass(slots=True)
    class Slotted:
        a: int
        b: None = None

    assert judged(Slotted(1)) == {"a": 1, "b": None}


def test_a_structure_with_a_property_in_place_of_a_field_is_opaque() -> None:
    @dataclass
    class Base:
        amount: int

    class Sub(Base):
        @property
        def amount(self) -> int:
            return 1

        @amount.setter
        def amount(self, value: int) -> None:
            self.__dict__["amount"] = value

    assert judged(Sub(900)) == Opaque("an object that is no plain data")


def test_a_structure_that_is_too_large_is_refused_before_it_is_copied() -> None:
    @dataclass
    class Large:
        items: list[int]

        def __deepcopy__(self, memo: Any) -> Any:
            raise AssertionError("copied")

    with pytest.raises(InvalidActionError, match="more than 100,000 parts"):
        judged(Large([0] * MAX_NODES))


def test_a_value_mutated_while_it_is_judged_is_judged_once() -> None:
    shared: dict[str, Any] = {str(number): [number] for number in range(200)}
    stop = threading.Event()

    def mutate() -> None:
        while not stop.is_set():
            for number in range(200):
                shared[str(number)] = [number, number]
                shared.pop(str(number + 200), None)
                shared[str(number + 200)] = [number]

    thread = threading.Thread(target=mutate)
    thread.start()
    try:
        for _ in range(200):
            snapshot = take_snapshot({"x": shared})
            assert snapshot.values == snapshot.received
    finally:
        stop.set()
        thread.join()


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab", max_size=3), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text("abc", max_size=3), json_values))
def test_a_snapshot_of_json_is_that_json(arguments: dict[str, Any]) -> None:
    snapshot = take_snapshot(arguments)
    assert snapshot.received == arguments
    if snapshot.plain:
        assert snapshot.values == arguments
