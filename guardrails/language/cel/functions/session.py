"""What happened in the session before: how often, how recently, and with what outcome.

Tools are named by a literal name or pattern, traits by a literal trait, so that what a policy asks
about is known when it is loaded.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.errors import EvaluationError
from guardrails.language.cel.errors import did_you_mean
from guardrails.language.cel.functions.signature import Overload, charge
from guardrails.language.cel.types import DURATION, INT, STRING, TIMESTAMP
from guardrails.language.document import TRAITS
from guardrails.past import Calls, Outcome
from guardrails.values import Duration, Timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from guardrails.past import HasPast

    Literals = tuple[object | None, ...]

HISTORY_STEPS = 16
"""The charge for a look into the session's memory: about 2 µs."""

_COUNTED: Mapping[str, Outcome] = {
    "calls": Outcome.CALLED,
    "successes": Outcome.SUCCEEDED,
    "failures": Outcome.FAILED,
    "denials": Outcome.DENIED,
}
"""The functions that count, and the outcome of the calls that each counts."""

NAMING_TOOLS = frozenset({*_COUNTED, "last_call"})
"""The functions whose first argument names tools, by a name or a pattern."""

_is_pattern = re.compile(r"[A-Za-z0-9_.:/*-]{1,256}").fullmatch


def _count(frame: HasPast, calls: Calls, window: Duration | None) -> int:
    charge(frame, HISTORY_STEPS)
    since = None if window is None else frame.now_ns - window.ns
    return frame.past.count(calls, since)


def _last(frame: HasPast, calls: Calls) -> Timestamp:
    charge(frame, HISTORY_STEPS)
    last = frame.past.last(calls)
    if last is None:
        raise EvaluationError("there was no such call in the session")
    return Timestamp(last)


def _of_tools(outcome: Outcome, name: str) -> Calls:
    return Calls((name,), None, outcome)


def _of_trait(outcome: Outcome, name: str) -> Calls:
    return Calls(None, (name,), outcome)


def _check_tool(literals: Literals) -> str | None:
    name = literals[0]
    if not isinstance(name, str):
        return "the tool is to be written out, as a name or a pattern in quotes"
    if not _is_pattern(name):
        return (
            f"`{name}` can't be a tool or pattern: only `A-Z a-z 0-9 _ . : / - *` can stand in it"
        )
    return None


def _check_trait(literals: Literals) -> str | None:
    name = literals[0]
    if not isinstance(name, str):
        return "the trait is to be written out, in quotes"
    return None if name in TRAITS else f"unknown trait `{name}`{did_you_mean(name, TRAITS)}"


def _counting(name: str, outcome: Outcome, *, by_trait: bool) -> tuple[Overload, Overload]:
    select: Callable[[Outcome, str], Calls] = _of_trait if by_trait else _of_tools

    def ever(frame: HasPast, named: str) -> int:
        return _count(frame, select(outcome, named), None)

    def lately(frame: HasPast, named: str, window: Duration) -> int:
        return _count(frame, select(outcome, named), window)

    check = _check_trait if by_trait else _check_tool
    shared = {"receiver": False, "reads": "session", "check_literals": check}
    return (
        Overload(name, (STRING,), INT, implementation=ever, **shared),  # type: ignore[arg-type]
        Overload(name, (STRING, DURATION), INT, implementation=lately, **shared),  # type: ignore[arg-type]
    )


OVERLOADS = (
    *(
        each
        for name, outcome in _COUNTED.items()
        for each in _counting(name, outcome, by_trait=False)
    ),
    *(
        each
        for name, outcome in _COUNTED.items()
        for each in _counting(f"{name}_with", outcome, by_trait=True)
    ),
    Overload(
        "last_call",
        (STRING,),
        TIMESTAMP,
        receiver=False,
        implementation=lambda frame, name: _last(frame, _of_tools(Outcome.CALLED, name)),
        reads="session",
        check_literals=_check_tool,
    ),
)
