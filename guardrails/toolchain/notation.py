"""Values told to people, in the notation of conditions."""

from __future__ import annotations

import json
from base64 import b64encode
from itertools import islice
from typing import TYPE_CHECKING, Any

from guardrails.instants import print_duration, print_timestamp
from guardrails.values import Duration, MapKey, Opaque, Timestamp, UInt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LENGTH = 120
"""Characters that a value may take; of a longer one the beginning is told."""

_ITEMS = 20  # parts of a list or map that are looked at


def notate(value: object) -> str:
    """`value` as a condition would write it, `"text"` or `[1, 2u, 3.0]`, cut at `LENGTH`."""
    text = _notate(value, 4)
    return text if len(text) <= LENGTH else text[: LENGTH - 1] + "…"


def _notate(value: Any, depth: int) -> str:
    if type(value) is list:
        return f"[{_join((_notate(item, depth - 1) for item in value), depth)}]"
    if type(value) is dict:
        pairs = (f"{_notate(k, 1)}: {_notate(v, depth - 1)}" for k, v in value.items())
        return f"{{{_join(pairs, depth)}}}"
    return _SCALARS.get(type(value), str)(value)


_SCALARS: dict[type, Callable[[Any], str]] = {
    type(None): json.dumps,
    bool: json.dumps,
    int: repr,
    float: repr,
    UInt: lambda value: f"{int(value)}u",
    str: lambda value: json.dumps(value[:LENGTH], ensure_ascii=False),
    bytes: lambda value: f"base64 {b64encode(value[:LENGTH]).decode()}",
    Timestamp: lambda value: f'timestamp("{print_timestamp(value)}")',
    Duration: lambda value: f'duration("{print_duration(value)}")',
    MapKey: lambda value: json.dumps(value.value),
    Opaque: lambda value: f"not judged: {value.reason}",
}


def _join(parts: Iterator[str], depth: int) -> str:
    if depth <= 0:
        return "…" if next(parts, None) is not None else ""
    shown = list(islice(parts, _ITEMS + 1))
    return ", ".join([*shown[:_ITEMS], "…"] if len(shown) > _ITEMS else shown)
