"""`size`, `type`, `dyn` and the conversions between types, as library functions.

After the CEL specification's "Standard definitions". Where it leaves the text of numbers open:
what is read is decimal without spaces, what is printed is the shortest text that reads back as
the same double, as Google's C++ and Go runtimes have it.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from guardrails.errors import EvaluationError
from guardrails.instants import (
    checked_timestamp,
    parse_duration,
    parse_timestamp,
    print_duration,
    print_timestamp,
)
from guardrails.language.cel.functions.signature import Budget, Overload, charge_text
from guardrails.language.cel.relations import DENOTED, RUNTIME_TYPES
from guardrails.language.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    Type,
)
from guardrails.values import INT_MAX, INT_MIN, NANOSECONDS, UINT_MAX, Timestamp, UInt

if TYPE_CHECKING:
    from collections.abc import Callable, Sized

_INT = re.compile(r"[+-]?[0-9]{1,40}", re.ASCII)
_DOUBLE = re.compile(
    r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf(?:inity)?|nan)",
    re.ASCII | re.IGNORECASE,
)

_BOOLS = {
    **dict.fromkeys(("1", "t", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "false", "FALSE", "False"), False),
}

_DOUBLE_LENGTH_MAX = 512
"""Characters of a double as text: no double needs more than about 340 to be written in full."""


def checked_int(value: int) -> int:
    """`value` as an int; raises `EvaluationError` where it does not fit."""
    if INT_MIN <= value <= INT_MAX:
        return value
    raise EvaluationError("a number out of the range of int")


def checked_uint(value: int) -> UInt:
    """`value` as a uint; raises `EvaluationError` where it does not fit."""
    if 0 <= value <= UINT_MAX:
        return UInt(value)
    raise EvaluationError("a number out of the range of uint")


def type_of_value(value: object) -> Type:
    """The type of `value`, of lists and maps without their parameters.

    Raises `EvaluationError` for what can't be judged.
    """
    type_ = RUNTIME_TYPES.get(type(value))
    if type_ is None:
        raise EvaluationError("a value that can't be judged")
    return type_


def same(value: object) -> object:
    """`value`; raises `EvaluationError` for what can't be judged."""
    type_of_value(value)
    return value


def size(value: Sized) -> int:
    """How many characters, bytes, elements or entries `value` has."""
    return len(value)


def double_to_int(value: float) -> int:
    """`value` without its fraction; the ends of int64 are out of range, being rounded ones."""
    if INT_MIN < value < INT_MAX + 1:
        return int(value)
    raise EvaluationError("a double out of the range of int")


def double_to_uint(value: float) -> UInt:
    """`value` without its fraction."""
    if 0 <= value < UINT_MAX + 1:
        return UInt(value)
    raise EvaluationError("a double out of the range of uint")


def text_to_int(text: str) -> int:
    """The int that `text` writes in decimal digits."""
    if _INT.fullmatch(text) is None:
        raise EvaluationError("a text that is no int")
    return checked_int(int(text))


def text_to_uint(text: str) -> UInt:
    """The uint that `text` writes in decimal digits."""
    if _INT.fullmatch(text) is None or text[0] == "-":
        raise EvaluationError("a text that is no uint")
    return checked_uint(int(text))


def text_to_double(text: str) -> float:
    """The double that `text` writes; one beyond all doubles is refused."""
    if len(text) > _DOUBLE_LENGTH_MAX or _DOUBLE.fullmatch(text) is None:
        raise EvaluationError("a text that is no double")
    value = float(text)
    if math.isinf(value) and text[-1].isdigit():
        raise EvaluationError("a number out of the range of double")
    return value


def text_to_bool(text: str) -> bool:
    """The bool that `text` names, in one of the specification's ten ways."""
    if text not in _BOOLS:
        raise EvaluationError("a text that is no bool")
    return _BOOLS[text]


def text_to_bytes(budget: Budget, text: str) -> bytes:
    """`text` in UTF-8."""
    charge_text(budget, len(text))
    return text.encode()


def bytes_to_text(budget: Budget, data: bytes) -> str:
    """`data` read as UTF-8."""
    charge_text(budget, len(data))
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise EvaluationError("bytes that are no UTF-8") from None


def double_to_text(value: float) -> str:
    """The shortest text of `value`, with an exponent below 1e-4 and from 1e6 on."""
    if not math.isfinite(value):
        return str(value)
    mantissa = repr(value).lstrip("-").partition("e")[0]
    digits = len(mantissa.replace(".", "").strip("0")) or 1
    scientific = f"{value:.{digits - 1}e}"
    exponent = int(scientific.partition("e")[2])
    if -4 <= exponent < 6:
        return f"{value:.{max(digits - 1 - exponent, 0)}f}"
    return scientific


def bool_to_text(value: bool) -> str:  # noqa: FBT001 - the library calls by position
    """`true` or `false`."""
    return "true" if value else "false"


def int_to_timestamp(seconds: int) -> Timestamp:
    """The timestamp `seconds` after 1970-01-01T00:00:00Z."""
    return checked_timestamp(seconds * NANOSECONDS)


def timestamp_to_int(timestamp: Timestamp) -> int:
    """Whole seconds since 1970-01-01T00:00:00Z, downwards."""
    return timestamp.ns // NANOSECONDS


def _function(
    name: str,
    operand: Type,
    result: Type,
    implementation: Callable[..., object],
    *,
    charged: bool = False,
) -> Overload:
    return Overload(
        name, (operand,), result, receiver=False, implementation=implementation, charged=charged
    )


_CONVERSIONS = (
    *(_function(type_.name, type_, type_, same) for type_ in (BOOL, INT, UINT, DOUBLE)),
    *(_function(type_.name, type_, type_, same) for type_ in (STRING, BYTES)),
    _function("bool", STRING, BOOL, text_to_bool),
    _function("int", UINT, INT, lambda value: checked_int(int(value))),
    _function("int", DOUBLE, INT, double_to_int),
    _function("int", STRING, INT, text_to_int),
    _function("int", TIMESTAMP, INT, timestamp_to_int),
    _function("uint", INT, UINT, checked_uint),
    _function("uint", DOUBLE, UINT, double_to_uint),
    _function("uint", STRING, UINT, text_to_uint),
    _function("double", INT, DOUBLE, float),
    _function("double", UINT, DOUBLE, float),
    _function("double", STRING, DOUBLE, text_to_double),
    _function("string", BOOL, STRING, bool_to_text),
    _function("string", INT, STRING, str),
    _function("string", UINT, STRING, str),
    _function("string", DOUBLE, STRING, double_to_text),
    _function("string", BYTES, STRING, bytes_to_text, charged=True),
    _function("string", TIMESTAMP, STRING, print_timestamp),
    _function("string", DURATION, STRING, print_duration),
    _function("bytes", STRING, BYTES, text_to_bytes, charged=True),
    _function("timestamp", TIMESTAMP, TIMESTAMP, same),
    _function("timestamp", STRING, TIMESTAMP, parse_timestamp),
    _function("timestamp", INT, TIMESTAMP, int_to_timestamp),
    _function("duration", DURATION, DURATION, same),
    _function("duration", STRING, DURATION, parse_duration),
)

_SIZED = (STRING, BYTES, DENOTED["list"], DENOTED["map"])

OVERLOADS = (
    *_CONVERSIONS,
    *(_function("size", type_, INT, size) for type_ in _SIZED),
    *(Overload("size", (type_,), INT, True, size, charged=False) for type_ in _SIZED),  # noqa: FBT003
    _function("type", DYN, TYPE, type_of_value),
    _function("dyn", DYN, DYN, same),
)
