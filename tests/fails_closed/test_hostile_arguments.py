"""Arguments that lie, change, explode or never end: what runs is what was judged, or nothing."""

from __future__ import annotations

import enum
import threading
from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple, NoReturn, Self

import pydantic
import pytest

from guardrails import ActionDenied, Code
from guardrails.snapshot import MAX_BYTES, MAX_DEPTH, MAX_NODES
from guardrails.testing import TestGuard, guard_over

POLICY = """
    version: 1
    policy: p
    tools:
      t: {traits: [write]}
      n: {traits: [write], arguments: {x: {type: integer, maximum: 10}}}
      s: {traits: [write], arguments: {x: {type: string}}}
      m: {traits: [write], arguments: {x: {type: object, additionalProperties: {maximum: 10}}}}
    rules:
      - {id: all, effect: allow, tools: [t, n, s, m]}
      - {id: ten, effect: deny, tools: [t, n], when: arguments.x == 10}
      - {id: evil, effect: deny, tools: [s], when: 'arguments.x == "evil"'}
"""


@pytest.fixture
def guard() -> TestGuard:
    return guard_over(POLICY)


def call(guard: TestGuard, tool: str, value: object) -> object:
    """What the tool received; raises ActionDenied where it did not run."""

    def run(x: object) -> object:
        return x

    return guard.tool(tool)(run)(x=value)


def refusal(guard: TestGuard, tool: str, value: object) -> tuple[Code, list[str]]:
    ran: list[object] = []
    with pytest.raises(ActionDenied) as caught:
        guard.run(tool, {"x": value}, lambda x: ran.append(x))  # noqa: PLW0108 - by name
    assert ran == []
    assert guard.log.outcomes == []
    matches = caught.value.decision.matches
    return caught.value.decision.code, [f"{m.rule}{'!' if m.error else ''}" for m in matches]


TOUCHED = (Code.RULE, ["p/all", "p/ten!"])
MATCHED = (Code.RULE, ["p/all", "p/ten"])
INVALID: tuple[Code, list[str]] = (Code.INVALID_ACTION, [])


def explode(*_: object, **__: object) -> NoReturn:
    raise RuntimeError("looked at")


class Hostile:
    __eq__ = __hash__ = __str__ = __repr__ = __getattribute__ = explode
    __lt__ = __bool__ = __len__ = __iter__ = __int__ = __index__ = explode


class SaysTenIsOne(int):
    def __eq__(self, other: object) -> bool:
        return other == 1

    __hash__ = int.__hash__

    def __int__(self) -> int:
        return 1

    __index__ = __int__

    def __str__(self) -> str:
        return "1"

    __repr__ = __str__


class SaysSafe(str):
    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return other == "safe"

    def __hash__(self) -> int:
        return hash("safe")

    def __str__(self) -> str:
        return "safe"


class SaysEmpty(dict[str, Any]):
    def __iter__(self) -> Any:
        return iter(())

    def items(self) -> Any:
        return ()

    def keys(self) -> Any:
        return ()

    def __len__(self) -> int:
        return 0


class SaysInt:
    __class__ = int  # type: ignore[assignment]


class HashesLikeDecimal(type):
    def __eq__(cls, other: object) -> bool:
        return True

    def __hash__(cls) -> int:
        return hash(Decimal)


class Unhashable(type):
    def __eq__(cls, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]


class Blind(type):
    def __getattribute__(cls, name: str) -> Any:
        raise RuntimeError(name)


class LikeDecimal(metaclass=HashesLikeDecimal):
    def __float__(self) -> float:
        return 1.0


class OfUnhashable(metaclass=Unhashable): ...


class OfBlind(metaclass=Blind): ...


class Amount(Decimal, enum.Enum):
    TEN = "10"

    def __new__(cls, text: str) -> Self:
        member = Decimal.__new__(cls, text)
        member._value_ = 1
        return member


class Shown(enum.Enum):
    TEN = 1

    @property
    def value(self) -> int:
        return 10


class Computed(enum.Enum):
    TEN = 1

    def __getattribute__(self, name: str) -> Any:
        return 10 if name == "value" else super().__getattribute__(name)


@dataclass
class Box:
    x: Any
    more: list[Any] = field(default_factory=list)


@dataclass
class Property:
    x: int

    @property  # type: ignore[no-redef]
    def x(self) -> int:
        return 10

    @x.setter
    def x(self, value: int) -> None: ...


class Model(pydantic.BaseModel):
    model_config = {"arbitrary_types_allowed": True}
    x: Any


class Pair(NamedTuple):
    x: int
    y: int


class Broken(tzinfo):
    utcoffset = dst = tzname = explode


class Far(tzinfo):
    def utcoffset(self, moment: datetime | None) -> timedelta:
        return timedelta(hours=23)

    dst = tzname = explode


class Explodes:
    __reduce_ex__ = __deepcopy__ = explode


def cycle() -> list[Any]:
    made: list[Any] = []
    made.append(made)
    return made


def cycle_of_maps() -> dict[str, Any]:
    made: dict[str, Any] = {}
    made["x"] = made
    return made


def generator() -> Any:
    yield 10


OPAQUE = {
    "hostile in every method": Hostile(),
    "the class of a hostile object": Hostile,
    "an object that says it is an int": SaysInt(),
    "a metaclass that says it is Decimal": LikeDecimal(),
    "a metaclass that can't be hashed": OfUnhashable(),
    "a metaclass that can't be asked": OfBlind(),
    "an enum member that computes like another number": Amount.TEN,
    "an enum that shows another value": Shown.TEN,
    "an enum that answers for its value": Computed.TEN,
    "a dataclass with a property over its field": Property(1),
    "a generator": generator(),
    "an iterator": iter([10]),
    "a range": range(10),
    "a view of bytes": memoryview(b"10"),
    "bytes that can change": bytearray(b"10"),
    "a proxy of a map": MappingProxyType({"x": 10}),
    "a complex number": complex(10),
    "a function": len,
    "an exception": ValueError(10),
    "an integer beyond 64 bits": 10**30,
    "an integer beyond what Python prints": 10**5_000,
    "an integer of a million digits": 1 << 4_000_000,
    "a decimal that no double is": Decimal("10.00000000000000000001"),
    "a decimal beyond all doubles": Decimal("1e999999"),
    "a map with a float for a key": {10.0: 1},
    "a map with a tuple for a key": {(1, 2): 1},
    "a map with None for a key": {None: 1},
    "a zone that fails": datetime(2026, 1, 1, tzinfo=Broken()),
    "a time before the first year": datetime.min.replace(tzinfo=Far()),
    "a time past the last year": datetime.max.replace(tzinfo=timezone(timedelta(hours=-23))),
    "a span beyond all years": timedelta.max,
    "a dataclass that can't be copied": Box(Explodes()),
}


@pytest.mark.parametrize("what", OPAQUE)
def test_what_touches_an_object_that_is_no_data_is_an_error(guard: TestGuard, what: str) -> None:
    assert refusal(guard, "t", OPAQUE[what]) == TOUCHED


@pytest.mark.parametrize("what", OPAQUE)
@pytest.mark.parametrize("tool", ["n", "s", "m"])
def test_no_declared_type_takes_an_object_that_is_no_data(
    guard: TestGuard, tool: str, what: str
) -> None:
    code, _ = refusal(guard, tool, OPAQUE[what])
    assert code in (Code.INVALID_ARGUMENTS, Code.RULE)


@pytest.mark.parametrize(
    "value",
    [10**30, 10**4_299, 10**4_400, 1 << 4_000_000],
    ids=["30 digits", "as long as Python prints", "longer", "very long"],
)
def test_no_integer_is_too_long_for_a_maximum(guard: TestGuard, value: int) -> None:
    assert refusal(guard, "n", value) == (Code.INVALID_ARGUMENTS, [])


def nested(depth: int) -> list[Any]:
    made: list[Any] = []
    for _ in range(depth - 1):
        made = [made]
    return made


def boxes(depth: int) -> Any:
    made: Any = 10
    for _ in range(depth):
        made = Box(made)
    return made


REFUSED = {
    "a cycle": cycle(),
    "a cycle through a map": cycle_of_maps(),
    "a list too deep": nested(MAX_DEPTH + 1),
    "a list far too deep": nested(100_000),
    "records too deep": boxes(5_000),
    "too many values": [0] * MAX_NODES,
    "too many values, shared": [[0] * 1_000] * 1_000,
    "too much text": "x" * (MAX_BYTES + 1),
    "too much text of two bytes each": "é" * (MAX_BYTES // 2 + 1),
    "too many bytes": bytes(MAX_BYTES + 1),
    "too many digits": 1 << (MAX_BYTES * 8 + 8),
    "a lone surrogate": "\ud800",
    "a lone surrogate in a key": {"\udfff": 1},
    "a surrogate pair that is none": "\udc00\ud800",
    "NaN": float("nan"),
    "infinity, computed": 1e308 * 10,
    "NaN in a set": {float("nan")},
    "NaN in a record": Box(float("nan")),
    "NaN as a decimal": Decimal("NaN"),
    "a NaN that signals": Decimal("sNaN"),
    "an infinite decimal": Decimal("Infinity"),
    "the keys 1 and '1'": {1: 1, "1": 2},
    "the keys True and 'true'": {True: 1, "true": 2},
    "two keys that are one text": {SaysSafe("a"): 1, "a": 2},
}


@pytest.mark.parametrize("what", REFUSED)
@pytest.mark.parametrize("tool", ["t", "n", "s", "m"])
def test_what_no_rule_could_judge_is_refused(guard: TestGuard, tool: str, what: str) -> None:
    assert refusal(guard, tool, REFUSED[what]) == INVALID


@pytest.mark.parametrize(
    "value",
    [SaysTenIsOne(10), 10.0, Decimal(10), enum.IntEnum("Ten", {"TEN": 10}).TEN],  # type: ignore[attr-defined]
)
def test_a_number_is_what_it_is_stored_as(guard: TestGuard, value: object) -> None:
    assert refusal(guard, "t", value) == MATCHED


def test_a_text_is_what_it_is_stored_as(guard: TestGuard) -> None:
    assert refusal(guard, "s", SaysSafe("evil")) == (Code.RULE, ["p/all", "p/evil"])


def test_a_subclass_arrives_as_the_built_in_that_was_judged(guard: TestGuard) -> None:
    given = [SaysTenIsOne(11), SaysSafe("evil"), SaysEmpty(a=SaysTenIsOne(2)), Pair(1, 2)]
    received: Any = call(guard, "t", given)
    assert received == [11, "evil", {"a": 2}, (1, 2)]
    assert [type(part) for part in received] == [int, str, dict, tuple]
    assert type(received[2]["a"]) is int
    assert guard.log.decisions[0].arguments == {"x": [11, "evil", {"a": 2}, [1, 2]]}


def test_maps_of_other_classes_arrive_as_dict(guard: TestGuard) -> None:
    for given in (OrderedDict(a=1), defaultdict(int, a=1)):
        received = call(guard, "t", given)
        assert received == {"a": 1}
        assert type(received) is dict


@pytest.mark.parametrize("whole", [Box, Model, lambda x: Model(x=x)])
def test_a_lying_subclass_inside_an_object_is_not_judged_by_its_storage(
    guard: TestGuard, whole: Any
) -> None:
    policy = guard_over("""
        version: 1
        policy: p
        tools: {t: {traits: [write]}}
        rules: [{id: a, effect: allow, tools: t, when: arguments.x.x == 11}]
    """)
    if whole is Model:
        whole = lambda x: Model(x=x)  # noqa: E731
    assert call(policy, "t", whole(11)) == whole(11)
    with pytest.raises(ActionDenied) as caught:
        call(policy, "t", whole(SaysTenIsOne(11)))
    assert [error.rule for error in caught.value.decision.errors] == ["p/a"]


def test_an_object_changed_after_it_was_judged_is_not_the_one_received(guard: TestGuard) -> None:
    inner: list[Any] = [1]
    box, model, items = Box([inner]), Model(x=inner), [inner]

    @guard.tool("t")
    def tool(x: Any) -> Any:
        inner.append("rm -rf /")
        box.more.append("rm")
        return x

    for given in (box, model, items, {"a": inner}, (inner,)):
        inner[:] = [1]
        assert "rm" not in repr(tool(given))


def test_a_value_changed_by_another_thread_is_received_as_judged() -> None:
    guard = guard_over("""
        version: 1
        policy: p
        tools: {t: {traits: [write]}}
        rules:
          - {id: a, effect: allow, tools: t, when: 'arguments.x.all(each, each.path == "/safe")'}
    """)
    shared = [{"path": "/safe"} for _ in range(50)]
    done = threading.Event()

    def change() -> None:
        while not done.is_set():
            for each in shared:
                each["path"] = "/etc/shadow"
                each["path"] = "/safe"

    received: list[Any] = []
    refused = []
    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(500):
            try:
                guard.run("t", {"x": shared}, lambda x: received.append(x))  # noqa: PLW0108
            except ActionDenied as error:
                refused.append(error.decision.code)
    finally:
        done.set()
        thread.join()
    assert set(refused) <= {Code.NO_MATCH}
    assert all(each == {"path": "/safe"} for x in received for each in x)


def test_a_default_that_can_change_is_not_the_one_received(guard: TestGuard) -> None:
    @guard.tool("t")
    def tool(x: list[int] = []) -> list[int]:  # noqa: B006
        x.append(1)
        return x

    assert tool() == [1]
    assert tool() == [1]


def test_a_set_that_would_lose_a_part_on_the_way_is_not_judged(guard: TestGuard) -> None:
    assert refusal(guard, "t", {SaysSafe("a"), "a"}) == TOUCHED


def test_an_argument_cannot_stop_the_log(guard: TestGuard, tmp_path: Any) -> None:
    from guardrails import Guard
    from guardrails.audit.log import DecisionLog
    from guardrails.audit.verify import verify

    over = Guard(guard.policies, log=DecisionLog(tmp_path))
    for value in (*OPAQUE.values(), *REFUSED.values()):
        with pytest.raises(ActionDenied) as caught:
            over.run("t", {"x": value}, lambda x: None)
        assert caught.value.decision.code is not Code.UNAVAILABLE
    assert verify(tmp_path).intact
