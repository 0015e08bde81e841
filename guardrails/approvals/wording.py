"""What every place where people decide says in the same words: values, spans, lasting traits."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from guardrails.instants import print_duration, print_timestamp
from guardrails.values import NANOSECONDS, Duration, MapKey, Timestamp, UInt

if TYPE_CHECKING:
    from collections.abc import Iterable

LASTING = ("destructive", "spend", "external", "communicate", "privileged", "persist", "spawn")
"""Traits of what can't simply be taken back."""


def lasting_of(traits: Iterable[str]) -> tuple[str, ...]:
    """Those of `traits` that can't simply be taken back."""
    return tuple(trait for trait in traits if trait in LASTING)


def write_value(value: Any) -> str:
    """A judged value in full, its type to be seen: `1` is an integer, `1.0` a double."""
    kind = type(value)
    if kind is list:
        return f"[{', '.join(map(write_value, value))}]"
    if kind is dict:
        pairs = (f"{write_value(key)}: {write_value(each)}" for key, each in value.items())
        return f"{{{', '.join(pairs)}}}"
    if kind is str:
        return json.dumps(value, ensure_ascii=False)
    if kind is bytes:
        return f"base64 {b64encode(value).decode()}"
    if kind is UInt:
        return f"{int(value)}u"
    if kind is Timestamp:
        return f'timestamp("{print_timestamp(value)}")'
    if kind is Duration:
        return f'duration("{print_duration(value)}")'
    return json.dumps(value.value if kind is MapKey else value)


def write_name(name: str) -> str:
    """The name of an argument: bare where it looks like one, and else in quotes, as data.

    Where a tool takes any arguments their names are the agent's, and may read like a fact.
    """
    return name if name.isascii() and name.isidentifier() else json.dumps(name, ensure_ascii=False)


def tell_moment(at_ns: int) -> str:
    """A time, to the second."""
    return print_timestamp(Timestamp(at_ns // NANOSECONDS * NANOSECONDS))


def tell_span(span_ns: int) -> str:
    """A span of time in its two greatest units, `1h 30m`."""
    left = max(span_ns, 0) // NANOSECONDS
    parts = []
    for unit, seconds in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, left = divmod(left, seconds)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"
