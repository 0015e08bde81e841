"""Judged values as JSON: the one place where the decision log turns them."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar

import orjson

from guardrails.errors import EvaluationError
from guardrails.instants import print_duration, print_timestamp
from guardrails.values import Duration, MapKey, Opaque, Timestamp, UInt

T = TypeVar("T")


MASK = "***"
"""What a masked argument shows: nothing of its value, not even its length."""

STRICT = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_PASSTHROUGH_SUBCLASS
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
)
"""What orjson writes by itself: the canonical JSON of JSON's own kinds, and of nothing else."""

_DEPTH = 100
"""Levels that are written; actions have at most 64 (DESIGN 2), records add a few of their own."""

_DECIMAL_BITS = 1024
"""Integers up to this size are written in decimal, longer ones (slow to convert) in hexadecimal."""

Kinds = Mapping[str, str]
"""JSON pointer of a part that JSON has no type for, to the name of its kind."""

_NONE: Kinds = MappingProxyType({})


def encode(value: Any, at: str = "") -> tuple[bytes, Kinds]:
    """The canonical JSON of a judged value (keys sorted, no spaces) and the kinds it lost.

    `at` is the JSON pointer of the value in its record. Never raises: what can't be written
    stands as text, its kind `opaque`.
    """
    try:
        text = orjson.dumps(value, option=STRICT)
    except TypeError:
        return _encode_exactly(value, at)
    # orjson writes NaN and infinity as `null`; only then is the slow walk needed.
    if b"null" in text and not _is_finite(value):
        return _encode_exactly(value, at)
    return text, _NONE


def _encode_exactly(value: Any, at: str) -> tuple[bytes, Kinds]:
    kinds: dict[str, str] = {}
    return orjson.dumps(_plain(value, at, kinds, _DEPTH), option=STRICT), kinds


def _is_finite(value: Any) -> bool:
    kind = type(value)
    if kind is float:
        return math.isfinite(value)
    if kind is dict:
        return all(map(_is_finite, value.values()))
    if kind is list or kind is tuple:
        return all(map(_is_finite, value))
    return True


def _plain(value: Any, at: str, kinds: dict[str, str], depth: int) -> Any:
    """The value in JSON's own types; each part that changed its type is put into `kinds`."""
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind in (list, tuple, dict) and depth == 0:
        return _noted("opaque", "nested too deep", at, kinds)
    if kind is list or kind is tuple:
        return [_plain(v, f"{at}/{i}", kinds, depth - 1) for i, v in enumerate(value)]
    if kind is dict:
        return _plain_map(value, at, kinds, depth - 1)
    return _plain_scalar(value, at, kinds)


def _plain_map(value: dict[Any, Any], at: str, kinds: dict[str, str], depth: int) -> Any:
    if all(type(key) is str and _is_text(key) for key in value):
        return {k: _plain(v, f"{at}/{pointer_part(k)}", kinds, depth) for k, v in value.items()}
    # A JSON object can't tell the key 1 from "1", so such a map is a list of pairs.
    pairs = [list(pair) for pair in value.items()]
    return _noted("map", _plain(pairs, at, kinds, depth), at, kinds)


def _plain_scalar(value: Any, at: str, kinds: dict[str, str]) -> Any:
    kind = type(value)
    if kind is str:
        return value if _is_text(value) else _noted("escaped", _escape(value), at, kinds)
    if kind is int:
        fits = -(2**63) <= value < 2**64
        return value if fits else _noted("int", _digits(value), at, kinds)
    if kind is float:
        return value if math.isfinite(value) else _noted("float", repr(value), at, kinds)
    if kind is bytes:
        return _noted("bytes", b64encode(value).decode("ascii"), at, kinds)
    return _plain_own(value, at, kinds)


def _plain_own(value: Any, at: str, kinds: dict[str, str]) -> Any:
    """The values of this library's own kinds; any other is a value that nothing can judge."""
    match value:
        case UInt():
            return _noted("uint", int(value), at, kinds)
        case Timestamp():
            return _plain_time(value, at, kinds)
        case Duration():
            return _noted("duration", print_duration(value), at, kinds)
        case MapKey():
            return _noted("key", value.value, at, kinds)
        case Opaque(integer=int(number)):
            return _noted("int", _digits(number), at, kinds)
        case Opaque(reason):
            return _noted("opaque", _escape(reason), at, kinds)
    return _noted("opaque", "a value of a kind that can't be judged", at, kinds)


def _plain_time(value: Timestamp, at: str, kinds: dict[str, str]) -> str:
    try:
        return _noted("timestamp", print_timestamp(value), at, kinds)
    except EvaluationError:
        return _noted("opaque", "a time outside the years 1 to 9999", at, kinds)


def _digits(number: int) -> str:
    return str(number) if number.bit_length() <= _DECIMAL_BITS else hex(number)


def _noted(kind: str, value: T, at: str, kinds: dict[str, str]) -> T:
    kinds[at] = kind
    return value


def pointer_part(name: str) -> str:
    """A name as part of a JSON pointer (RFC 6901, section 3)."""
    return name.replace("~", "~0").replace("/", "~1")


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _escape(value: str) -> str:
    return value.encode("utf-8", "backslashreplace").decode("utf-8")
