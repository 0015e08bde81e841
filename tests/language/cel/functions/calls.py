"""Calls of library functions as the compiler makes them, and cases of them as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from guardrails.errors import EvaluationError
from guardrails.language.cel.functions import OVERLOADS
from guardrails.language.cel.types import DURATION, TIMESTAMP
from guardrails.session import SessionState
from guardrails.values import Duration, Timestamp, UInt

if TYPE_CHECKING:
    from guardrails.language.cel.functions.signature import Overload

KINDS = {
    str: "string",
    int: "int",
    UInt: "uint",
    float: "double",
    bool: "bool",
    bytes: "bytes",
    list: "list",
    dict: "map",
    Timestamp: TIMESTAMP.name,
    Duration: DURATION.name,
}


@dataclass(slots=True)
class Meter:
    """What work is left; `spent` says how much was charged."""

    steps: int = 1_000_000_000
    start: int = 1_000_000_000
    now_ns: int = 0
    fields: frozenset[str] = frozenset()
    past: Any = field(default_factory=lambda: SessionState("s-1", None))

    @property
    def spent(self) -> int:
        return self.start - self.steps


def overload_of(name: str, *arguments: object) -> Overload:
    kinds = [KINDS[type(argument)] for argument in arguments]
    fitting = [
        overload
        for overload in OVERLOADS[name]
        if len(kinds) == len(overload.parameters)
        and all(
            parameter.name in (kind, "dyn")
            for parameter, kind in zip(overload.parameters, kinds, strict=True)
        )
    ]
    return fitting[0]


def call(name: str, *arguments: object, meter: Meter | None = None) -> Any:
    """What the function answers, called as the compiler calls it where nothing is literal."""
    overload = overload_of(name, *arguments)
    budget = (meter or Meter(),) if overload.charged else ()
    return overload.implementation(*budget, *arguments)


def call_specialised(name: str, *arguments: object, literal: int) -> Any:
    """The same where argument number `literal` is a literal."""
    overload = overload_of(name, *arguments)
    literals = tuple(argument if at == literal else None for at, argument in enumerate(arguments))
    assert overload.check_literals is not None
    assert overload.specialise is not None
    assert overload.check_literals(literals) is None
    specialised = overload.specialise(literals)
    assert specialised is not None
    return specialised(Meter(), *arguments)


def complaint(name: str, *arguments: object, literal: int) -> str | None:
    """What is said at load about a call whose argument number `literal` is a literal."""
    overload = overload_of(name, *arguments)
    assert overload.check_literals is not None
    return overload.check_literals(
        tuple(argument if at == literal else None for at, argument in enumerate(arguments))
    )


def cases(file: str, section: str) -> Any:
    """The cases of a section of a YAML file beside this one, as parameters named by them."""
    sections = yaml.safe_load(Path(__file__).with_name(file).read_text(encoding="utf-8"))
    return [pytest.param(case, id=case["name"]) for case in sections[section]]


def outcome(case: dict[str, Any], *arguments: object) -> object:
    """What the case's function does, to be compared with what the case says: `answer`, `refused`.

    An error counts as the words that the case expects in it, if they are there.
    """
    try:
        return call(case["call"], *arguments)
    except EvaluationError as error:
        said = str(error)
    expected = case.get("refused")
    return expected if expected and expected in said else said
