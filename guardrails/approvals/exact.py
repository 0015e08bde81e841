"""Judged values as text that tells every two of them apart, and back.

JSON alone takes `1` for `1.0`, `0.0` for `-0.0`, and bytes for text. What an approver is shown and
what a digest binds must not, so whatever JSON has no type for stands in a list behind its tag:
`["float","0x1.0p+0"]`, `["list",1,2]`, `["map",["key",1]]`.
"""

from __future__ import annotations

import json
import math
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from guardrails.errors import NotEscalatable
from guardrails.values import Duration, MapKey, Timestamp, UInt

if TYPE_CHECKING:
    from collections.abc import Callable

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def is_storable(text: str) -> bool:
    """Whether every store can keep it: UTF-8 has no halves of pairs, PostgreSQL's texts no NUL."""
    return "\0" not in text and not any("\ud800" <= each <= "\udfff" for each in text)


def write_exact(value: Any) -> str:
    """The canonical text of a judged value: keys sorted, no spaces, one text for one value.

    Raises NotEscalatable for what can't be judged, and so can't be shown to a person either.
    """
    text = _ENCODER.encode(_tagged(value))
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NotEscalatable("a text of the action is no Unicode text") from None
    return text


def read_exact(text: str) -> Any:
    """The value that `write_exact` wrote as `text`; raises ValueError for any other text."""
    try:
        value = _untagged(json.loads(text))
        canonical = write_exact(value) == text
    except (
        TypeError,
        KeyError,
        IndexError,
        OverflowError,
        RecursionError,
        NotEscalatable,
    ) as error:
        raise ValueError("not the exact form of a value") from error
    if not canonical:
        raise ValueError("not the canonical form of a value")
    return value


def _tagged(value: Any) -> Any:
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if kind in (list, tuple):
        return ["list", *map(_tagged, value)]
    if kind is dict or isinstance(value, Mapping):
        pairs = [[_tagged(key), _tagged(part)] for key, part in value.items()]
        return ["map", *sorted(pairs, key=lambda pair: _ENCODER.encode(pair[0]))]
    return _tagged_scalar(value)


def _tagged_scalar(value: Any) -> list[Any]:
    kind = type(value)
    if kind is float and math.isfinite(value):
        return ["float", value.hex()]
    if kind is bytes:
        return ["bytes", b64encode(value).decode("ascii")]
    if kind is UInt:
        return ["uint", int(value)]
    if kind is Timestamp or kind is Duration:
        return [kind.__name__.lower(), value.ns]
    if kind is MapKey:
        return ["key", value.value]
    raise NotEscalatable("an argument is of a kind that can't be judged, so nobody can approve it")


def _untagged(form: Any) -> Any:
    if type(form) is not list:
        if form is None or type(form) in (bool, int, str):
            return form
        raise ValueError("a number or map without its tag")
    tag, *parts = form
    if tag == "list":
        return [_untagged(part) for part in parts]
    if tag == "map":
        return {_untagged(key): _untagged(part) for key, part in parts}
    (part,) = parts
    return _SCALARS[tag](part)


def _integer(form: Any) -> int:
    if type(form) is not int:
        raise ValueError("a time that is no integer")
    return form


_SCALARS: Mapping[str, Callable[[Any], Any]] = {
    "float": float.fromhex,
    "bytes": lambda text: b64decode(text, validate=True),
    "uint": UInt,
    "timestamp": lambda ns: Timestamp(_integer(ns)),
    "duration": lambda ns: Duration(_integer(ns)),
    "key": MapKey,
}
