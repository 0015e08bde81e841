"""Laws that hold for any call whatever, tried on generated ones."""

from __future__ import annotations

import asyncio
import enum
import json
from collections import Counter, OrderedDict, UserDict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import pydantic
from hypothesis import example, given, settings
from hypothesis import strategies as st

from guardrails import Action, Effect, Facts, GuardrailsError, SessionView, Subject
from guardrails.action_json import parse_action
from guardrails.errors import InvalidActionError
from guardrails.snapshot import take_snapshot
from guardrails.testing import guard_over, policies_over
from guardrails.values import Opaque

POLICY = """
    version: 1
    policy: p
    context: {env: {enum: [dev, prod]}}
    tools:
      t: {traits: [write]}
      n:
        traits: [spend]
        arguments:
          x: {type: number, kind: amount}
          y: {type: [string, "null"], format: date-time}
          z: {type: array, items: {type: integer}}
          o: {type: object, additionalProperties: {type: string}}
          any: {}
    rules:
      - {id: all, effect: allow, tools: [t, n]}
      - {id: ten, effect: deny, tools: t, when: arguments.x == 10 || arguments.x == "ten"}
      - {id: deep, effect: escalate, tools: t, when: 'arguments.y.exists(e, e.a > 1)'}
      - {id: dear, effect: deny, tools: n, when: arguments.x > 5.0, unless: arguments.any == 1}
      - {id: kind, effect: escalate, tools: n, when: 'kinds.amount.exists(a, a > 3.0)'}
      - {id: prod, effect: deny, tools: n, when: 'context.env == "prod"'}
      - {id: staff, effect: allow, tools: s, subjects: {roles: ["staff*"]}}
      - {id: label, effect: deny, tools: s, when: '"secret" in session.labels'}
      - {id: evil, effect: deny, tools: s, when: subject.id == "evil"}
"""


class Text(str):
    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return False

    def __hash__(self) -> int:
        return 0


class Number(int):
    def __lt__(self, other: object) -> bool:
        return True

    def __str__(self) -> str:
        return "0"


class Real(float):
    def __float__(self) -> float:
        return 0.0


class Items(list[Any]):
    def __iter__(self) -> Any:
        return iter(())


class Keys(dict[Any, Any]):
    def items(self) -> Any:
        return ()


class Pair(NamedTuple):
    a: Any
    b: Any


class Colour(enum.Enum):
    RED = "red"
    TEN = 10
    MANY = (1, 2)


class Level(enum.IntEnum):
    HIGH = 10


class Name(enum.StrEnum):
    TEN = "ten"


class Bits(enum.Flag):
    A = 1
    B = 2


@dataclass
class Box:
    a: Any


@dataclass(frozen=True, slots=True)
class Frozen:
    a: Any


class Model(pydantic.BaseModel):
    model_config = {"extra": "allow", "arbitrary_types_allowed": True}
    a: Any

    @pydantic.computed_field  # type: ignore[prop-decorator]
    @property
    def twice(self) -> str:
        return f"{self.a}{self.a}"


class Plain:
    def __eq__(self, other: object) -> bool:
        raise RuntimeError("compared")

    __hash__ = None  # type: ignore[assignment]


TEXTS = st.text(st.characters(), max_size=5)
WHOLE = st.integers() | st.sampled_from([2**63, -(2**63) - 1, 10**30, 10**4_000, 10])
SCALARS = (
    st.none()
    | st.booleans()
    | WHOLE
    | st.floats()
    | TEXTS
    | st.binary(max_size=5)
    | st.decimals()
    | st.dates()
    | st.datetimes(timezones=st.none() | st.timezones())
    | st.times()
    | st.timedeltas()
    | st.uuids()
    | st.complex_numbers()
    | st.builds(Text, TEXTS)
    | st.builds(Number, WHOLE)
    | st.builds(Real, st.floats())
    | st.builds(PurePosixPath, st.text("a/.\0", max_size=4))
    | st.sampled_from([*Colour, *Level, *Name, *Bits, Bits.A | Bits.B, Plain, len, ...])
    | st.builds(Plain)
    | st.just(range(3))
    | st.builds(bytearray)
)
HASHABLE = st.none() | st.booleans() | WHOLE | TEXTS | st.floats() | st.builds(Text, TEXTS)


def inside(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(values, max_size=4)
    maps = st.dictionaries(HASHABLE, values, max_size=4)
    return (
        lists
        | lists.map(tuple)
        | lists.map(Items)
        | st.builds(Pair, values, values)
        | st.sets(HASHABLE, max_size=3)
        | st.frozensets(HASHABLE, max_size=3)
        | maps
        | maps.map(Keys)
        | maps.map(OrderedDict)
        | maps.map(UserDict)
        | st.builds(Counter, TEXTS)
        | st.builds(Box, values)
        | st.builds(Frozen, values)
        | st.builds(Model, a=values)
    )


VALUES = st.recursive(SCALARS, inside, max_leaves=12)
NAMES = st.sampled_from(["x", "y", "z", "o", "any"]) | TEXTS
ARGUMENTS = st.dictionaries(NAMES, VALUES, max_size=4)
TOOLS = st.sampled_from(["t", "n", "s", "unknown"])
ANYTHING = VALUES | TOOLS

settings.register_profile("laws", parent=settings.get_profile("default"), max_examples=100)
LAWS = settings(settings.get_profile("laws"))


class RanError(Exception):
    """What a tool raises, so that it is known to have run."""


async def drained(items: Any) -> list[Any]:
    return [item async for item in items]


def outcome_of(run: Any) -> Any:
    try:
        return run()
    except GuardrailsError as error:
        return getattr(error, "decision", None)


@LAWS
@given(ANYTHING, ANYTHING | ARGUMENTS)
@example("t", {"x": {(10**4_000,)}})
@example("n", {"x": 2**63})
def test_no_call_raises_anything_of_its_own(tool: Any, arguments: Any) -> None:
    guard = guard_over(POLICY)
    ran = []

    def function(**received: Any) -> None:
        ran.append(received)

    outcome_of(lambda: guard.run(tool, arguments, function))
    decisions = guard.log.decisions
    assert len(decisions) == 1
    assert bool(ran) is (decisions[0].decision.effect is Effect.ALLOW)
    assert len(guard.log.outcomes) == len(ran)


@LAWS
@given(ANYTHING, ANYTHING | ARGUMENTS, ANYTHING, ANYTHING, ANYTHING, ANYTHING)
def test_no_action_raises_anything(
    tool: Any, arguments: Any, subject: Any, context: Any, session: Any, part: Any
) -> None:
    guard = guard_over(POLICY)
    sessions = [
        session,
        SessionView(session, part, ()),
        SessionView("s", [part], ()),  # type: ignore[arg-type]
        SessionView("s", frozenset(), part),
        SessionView("s", frozenset(), (part,)),
    ]
    for each in sessions:
        action = Action(tool, arguments, subject, context, each)
        pure, asked = guard.policies.decide(action, Facts(0)), guard.decide(action)
        assert (pure.effect, pure.code) == (asked.effect, asked.code)
        known = guard.policies.decide(Action(tool, arguments), Facts(0, context, each))
        assert known.effect in Effect
    assert guard.decide(part).effect is Effect.DENY
    assert guard.log.decisions == []


@LAWS
@given(ANYTHING, ANYTHING, ANYTHING, ANYTHING)
def test_no_subject_or_session_raises_anything_of_its_own(
    name: Any, roles: Any, person: Any, attributes: Any
) -> None:
    guard = guard_over(POLICY)

    def run() -> None:
        with guard.session(
            subject=name, roles=roles, on_behalf_of=person, attributes=attributes, context=roles
        ):
            guard.run("s", {}, lambda: None)

    outcome_of(run)
    outcome_of(lambda: Subject(name, roles, person, attributes))


@LAWS
@given(ARGUMENTS)
def test_the_tool_receives_exactly_what_was_judged(arguments: dict[str, Any]) -> None:
    guard = guard_over(POLICY)
    received: list[dict[str, Any]] = []
    outcome_of(lambda: guard.run("t", arguments, lambda **given: received.append(given)))
    judged = guard.log.decisions[0].arguments
    for each in received:
        assert take_snapshot(each).values == judged
        assert not any(is_subclassed(each[name]) for name in each if not is_opaque(judged[name]))


def is_opaque(judged: object) -> bool:
    """Whether a condition that touches a part of it fails: that part is received as it is."""
    if isinstance(judged, list | dict):
        return any(map(is_opaque, judged.values() if isinstance(judged, dict) else judged))
    return isinstance(judged, Opaque)


def is_subclassed(value: object) -> bool:
    """Whether a part of what the tool received is of a class that could show something else."""
    if isinstance(value, enum.Enum | UserDict):
        return False
    if isinstance(value, list | tuple | set | frozenset):
        inner = any(map(is_subclassed, value))
    elif isinstance(value, dict):
        inner = any(map(is_subclassed, (*value, *value.values())))
    else:
        inner = False
    bases = (str, int, float, bytes, list, tuple, set, frozenset, dict)
    return inner or (
        type(value) is not bool and type(value) not in bases and isinstance(value, bases)
    )


@LAWS
@given(TOOLS, ARGUMENTS)
def test_every_way_to_call_is_one_decision(tool: str, arguments: dict[str, Any]) -> None:
    guard = guard_over(POLICY)

    async def coroutine(**received: Any) -> Any:
        raise RanError

    def function(**received: Any) -> Any:
        raise RanError

    def generator(**received: Any) -> Any:
        yield received
        raise RanError

    async def async_generator(**received: Any) -> Any:
        yield received
        raise RanError

    ways = [
        lambda: guard.run(tool, arguments, function),
        lambda: asyncio.run(guard.arun(tool, arguments, coroutine)),
        lambda: guard.tool(tool)(function)(**arguments),
        lambda: asyncio.run(guard.tool(tool)(coroutine)(**arguments)),
        lambda: list(guard.tool(tool)(generator)(**arguments)),
        lambda: asyncio.run(drained(guard.tool(tool)(async_generator)(**arguments))),
    ]
    effects = []
    for way in ways:
        try:
            outcome_of(way)
            effects.append("refused")
        except RanError:
            effects.append("ran")
    decisions = [entry.decision for entry in guard.log.decisions]
    assert len(decisions) == len(ways)
    assert all(decision == decisions[0] for decision in decisions)
    assert set(effects) == {"ran" if decisions[0].allowed else "refused"}
    assert guard.decide(Action(tool, arguments)) == decisions[0]


DENIES = [
    "{id: d, effect: deny, tools: t, when: arguments.x == 1}",
    "{id: d, effect: deny, tools: '*'}",
    "{id: d, effect: deny, traits: [spend], when: size(arguments.z) > 1}",
    "{id: d, effect: deny, tools: [n], unless: arguments.any == 1}",
    "{id: d, effect: escalate, tools: [t, n], when: has(arguments.x)}",
    "{id: d, effect: deny, tools: [s], subjects: {ids: [evil]}}",
    "{id: d, effect: deny, tools: [t], mode: observe, expires: 2999-01-01}",
]
BASE = policies_over(POLICY)
STRICTER = [
    policies_over({"p.yaml": POLICY, "q.yaml": f"version: 1\npolicy: q\nrules:\n  - {rule}\n"})
    for rule in DENIES
]


@LAWS
@given(TOOLS, ARGUMENTS, st.sampled_from(STRICTER), st.none() | st.builds(Subject, st.just("evil")))
def test_a_rule_that_restricts_never_loosens(
    tool: str, arguments: dict[str, Any], stricter: Any, subject: Subject | None
) -> None:
    action = Action(tool, arguments, subject)
    assert stricter.decide(action, Facts(0)).effect >= BASE.decide(action, Facts(0)).effect


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
KEYS = (
    st.sampled_from(["tool", "arguments", "subject", "context", "session", "id", "roles"]) | TEXTS
)
TEXT_OF_JSON = st.dictionaries(KEYS, JSON | st.dictionaries(KEYS, JSON, max_size=3), max_size=5)


@LAWS
@given(TEXT_OF_JSON.map(json.dumps) | st.text(max_size=30) | st.binary(max_size=30))
@example('{"tool": "t", "arguments": {"x": ' + "9" * 5_000 + "}}")
@example('{"tool": "t", "arguments": {"x": 1e999}}')
@example('{"tool": "t", "arguments": {"x": ' + "[" * 100_000)
@example('{"tool": "t", "tool": "n"}')
def test_no_text_is_read_with_another_error(text: str | bytes) -> None:
    try:
        action = parse_action(text)
    except InvalidActionError:
        return
    assert BASE.decide(action, Facts(0)).effect in Effect


@given(st.dates(), st.times(), st.timedeltas())
def test_other_kinds_of_the_standard_library_are_received_as_they_are(
    day: date, hour: time, span: timedelta
) -> None:
    arguments = {"x": day, "y": hour, "z": span, "t": datetime.combine(day, hour)}
    assert take_snapshot(arguments).received == arguments
