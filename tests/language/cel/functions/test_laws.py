"""What holds for every library function and any arguments of its types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guardrails.errors import EvaluationError
from guardrails.instants import DURATION_MAX, TIMESTAMP_MAX, TIMESTAMP_MIN
from guardrails.language.cel.functions import OVERLOADS
from guardrails.values import INT_MAX, INT_MIN, UINT_MAX, Duration, MapKey, Opaque, Timestamp, UInt
from tests.language.cel.functions.calls import Meter

if TYPE_CHECKING:
    from guardrails.language.cel.functions.signature import Overload

PIECES = ["a@b.com", "http://", "/data", "%s", "%.9f", "(", "[", "xn--", "é", "😀", "\0", "\ud800"]
TEXTS = st.one_of(
    st.text(st.characters(), max_size=20),
    st.lists(st.sampled_from(PIECES), max_size=6).map("".join),
    st.sampled_from([*PIECES, "\ufffd", "．", "ß", "+01:00", "Europe/Berlin", ""]),
    st.sampled_from(PIECES).map(lambda piece: piece * 20_000),
)
INTS = st.integers(INT_MIN, INT_MAX) | st.integers(-3, 25)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    INTS,
    st.integers(0, UINT_MAX).map(UInt),
    st.floats(),
    TEXTS,
    st.binary(max_size=20),
    st.integers(TIMESTAMP_MIN, TIMESTAMP_MAX).map(Timestamp),
    st.integers(-DURATION_MAX, DURATION_MAX).map(Duration),
    st.just(Opaque("a socket")),
)
KEYS = TEXTS | INTS | st.sampled_from([MapKey.TRUE, MapKey.FALSE])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)
BY_TYPE = {
    "string": TEXTS,
    "int": INTS,
    "dyn": VALUES,
    "list": st.lists(VALUES, max_size=6),
    "google.protobuf.Timestamp": st.integers(TIMESTAMP_MIN, TIMESTAMP_MAX).map(Timestamp),
    "google.protobuf.Duration": st.integers(-DURATION_MAX, DURATION_MAX).map(Duration),
}


def named(overload: Overload) -> Any:
    return pytest.param(overload, id=f"{overload.name}({', '.join(map(str, overload.parameters))})")


LIBRARY = [
    overload
    for overloads in OVERLOADS.values()
    for overload in overloads
    if overload.receiver or overload.name != "matches"
]
EVERY = [named(overload) for overload in LIBRARY]
PREPARED = [
    named(overload)
    for overload in LIBRARY
    if overload.specialise is not None and overload.check_literals is not None
]
KINDS_OF_RESULT = {
    "string": str,
    "int": int,
    "bool": bool,
    "list": list,
    "map": dict,
}


@pytest.mark.parametrize("overload", EVERY)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_function_answers_its_type_or_an_evaluation_error(
    overload: Overload, data: st.DataObject
) -> None:
    arguments = [data.draw(BY_TYPE[parameter.name]) for parameter in overload.parameters]
    meter = Meter(steps=200_000)
    budget = (meter,) if overload.charged else ()
    try:
        answer = overload.implementation(*budget, *arguments)
    except EvaluationError:
        return
    assert type(answer) is KINDS_OF_RESULT[overload.result.name]
    assert not overload.charged or meter.steps < 200_000


@pytest.mark.parametrize("overload", PREPARED)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_a_literal_prepares_answers_the_same(overload: Overload, data: st.DataObject) -> None:
    arguments = [data.draw(BY_TYPE[parameter.name]) for parameter in overload.parameters]
    assert overload.check_literals is not None
    assert overload.specialise is not None
    literals = (None, *arguments[1:])
    said = overload.check_literals(literals)
    if said is not None:
        assert overload.specialise(literals) is None
        with pytest.raises(EvaluationError):
            overload.implementation(Meter(), *arguments)
        return
    specialised = overload.specialise(literals)
    assert specialised is not None
    try:
        expected = overload.implementation(Meter(), *arguments)
    except EvaluationError:
        return
    assert specialised(Meter(), *arguments) == expected
