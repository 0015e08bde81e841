"""`format` of CEL's strings extension: values written into a text by clauses such as `%s`.

The rules are those of the specification's `doc/extensions/strings.md`. Every piece is charged by
its size before it joins the result.
"""

from __future__ import annotations

import re
from math import isfinite, isnan
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from guardrails.errors import EvaluationError
from guardrails.instants import print_duration, print_timestamp
from guardrails.language.cel.functions.signature import Budget, Overload, charge, charge_text
from guardrails.language.cel.types import DYN, STRING, RecordType, Type, list_of
from guardrails.values import Duration, MapKey, Timestamp, UInt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PRECISION_MAX = 1000
"""Digits after the point that a clause may ask for; Google's C++ runtime draws the same line."""

DEPTH_MAX = 200
"""How deep lists and maps may nest in a formatted value: thrice what an action may."""

CLAUSE_STEPS = 8
"""The charge for one clause or one value, beside its characters."""

_CLAUSE = re.compile(r"%(?:\.([0-9]{1,4}))?([%sdfebxXo])|%")
_NOT_UTF8 = re.compile("[\udc80-\udcff]+")


def format_text(budget: Budget, text: str, values: list[object]) -> str:
    """`text` with the values of the list in place of its clauses, `%%` standing for a percent sign.

    `%s` writes any value, `%d` a number, `%b` `%o` `%x` `%X` an integer in base 2, 8 or 16 (`%b`
    also a boolean, `%x` also the bytes of a string), `%f` and `%e` a number with six digits after
    the point, or as many as `%.2f` says. `"%s owes %.2f".format(["ACME", 9.5])`. A clause of
    another form, without its value, or of the wrong type is an error.
    """
    charge_text(budget, len(text))
    pieces: list[str] = []
    end = taken = 0
    for clause in _CLAUSE.finditer(text):
        charge(budget, CLAUSE_STEPS)
        pieces.append(text[end : clause.start()])
        end = clause.end()
        precision, conversion = clause.groups()
        if conversion == "%" and precision is None:
            pieces.append("%")
            continue
        complaint = _clause_complaint(precision, conversion)
        if complaint:
            raise EvaluationError(complaint)
        if taken == len(values):
            raise EvaluationError("`format` has more clauses than values")
        value = values[taken]
        taken += 1
        if conversion == "s":
            _write(budget, value, pieces, DEPTH_MAX)
        else:
            pieces.append(_convert(budget, conversion, precision, value))
    pieces.append(text[end:])
    return "".join(pieces)


def _check_literals(literals: tuple[object | None, ...]) -> str | None:
    text = literals[0]
    if type(text) is not str:
        return None
    clauses = (clause.groups() for clause in _CLAUSE.finditer(text))
    return next(filter(None, (_clause_complaint(*clause) for clause in clauses)), None)


def _clause_complaint(precision: str | None, conversion: str | None) -> str | None:
    if conversion is None:
        return "`format` knows %s, %d, %f, %e, %b, %o, %x, %X and %%; write %% for a percent sign"
    if precision is None:
        return None
    if conversion not in "fe":
        return f"a precision goes with %f or %e, not with %{conversion}"
    if int(precision) > PRECISION_MAX:
        return f"a precision is at most {PRECISION_MAX}"
    return None


def _convert(budget: Budget, conversion: str, precision: str | None, value: object) -> str:
    digits = 6 if precision is None else int(precision)
    if type(value) is str or type(value) is bytes:
        charge_text(budget, 8 * len(value))
    charge_text(budget, 4 * digits)
    return CONVERSIONS[conversion](value, digits)


def _decimal(value: Any, _digits: int) -> str:
    if type(value) is float:
        return print_double(value)
    return str(_integer(value, "d"))


def _fixed(value: Any, digits: int) -> str:
    return _approximate(value, f".{digits}f")


def _scientific(value: Any, digits: int) -> str:
    return _approximate(value, f".{digits}e")


def _approximate(value: Any, specification: str) -> str:
    number = value if type(value) is float else float(_integer(value, specification[-1]))
    return format(number, specification) if isfinite(number) else _special(number)


def _binary(value: Any, _digits: int) -> str:
    return format(int(value) if type(value) is bool else _integer(value, "b"), "b")


def _octal(value: Any, _digits: int) -> str:
    return format(_integer(value, "o"), "o")


def _hexadecimal(value: Any, _digits: int) -> str:
    if type(value) is bytes:
        return value.hex()
    if type(value) is str:
        return _encoded(value).hex()
    return format(_integer(value, "x"), "x")


def _upper_hexadecimal(value: Any, digits: int) -> str:
    return _hexadecimal(value, digits).upper()


def _integer(value: Any, conversion: str) -> int:
    if type(value) is int or type(value) is UInt:
        return value
    raise EvaluationError(f"`format` can't write this type with %{conversion}")


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise EvaluationError("a string holds half a character") from None


CONVERSIONS: Mapping[str, Callable[[Any, int], str]] = {
    "d": _decimal,
    "f": _fixed,
    "e": _scientific,
    "b": _binary,
    "o": _octal,
    "x": _hexadecimal,
    "X": _upper_hexadecimal,
}
"""From a clause's letter to what it makes of a value and the digits after the point."""


def _write(budget: Budget, value: Any, pieces: list[str], depth: int) -> None:
    """Append what `%s` makes of a value."""
    charge(budget, CLAUSE_STEPS)
    if depth == 0:
        raise EvaluationError("a value nests too deep to be formatted")
    kind = type(value)
    if kind is list:
        _write_list(budget, value, pieces, depth)
    elif kind is dict:
        _write_map(budget, value, pieces, depth)
    elif kind in SCALARS:
        if kind is str or kind is bytes:
            charge_text(budget, len(value))
        pieces.append(SCALARS[kind](value))
    else:
        raise EvaluationError("`format` can't write this type with %s")


def _write_list(budget: Budget, values: list[object], pieces: list[str], depth: int) -> None:
    pieces.append("[")
    for position, value in enumerate(values):
        if position:
            pieces.append(", ")
        _write(budget, value, pieces, depth - 1)
    pieces.append("]")


def _write_map(
    budget: Budget, entries: dict[object, object], pieces: list[str], depth: int
) -> None:
    by_key = sorted(_printed_keys(budget, entries), key=itemgetter(0))
    pieces.append("{")
    for position, (printed, key) in enumerate(by_key):
        pieces.append(f", {printed}: " if position else f"{printed}: ")
        _write(budget, entries[key], pieces, depth - 1)
    pieces.append("}")


def _printed_keys(budget: Budget, entries: dict[object, object]) -> Iterator[tuple[str, object]]:
    for key in entries:
        printed: list[str] = []
        _write(budget, key, printed, 1)
        yield printed[0], key


def print_double(number: float) -> str:
    """The shortest decimal that reads back as `number`, without an exponent: `0.000001`, `3`."""
    if not isfinite(number):
        return _special(number)
    mantissa, _, exponent = repr(number).partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    digits, point = whole + fraction, len(whole) + int(exponent or "0")
    digits = digits.rjust(len(digits) - point + 1, "0") if point < 1 else digits.ljust(point, "0")
    point = max(point, 1)
    return f"{sign}{digits[:point]}.{digits[point:]}".rstrip("0").rstrip(".")


def _special(number: float) -> str:
    if isnan(number):
        return "NaN"
    return "Infinity" if number > 0 else "-Infinity"


def _print_bytes(value: bytes) -> str:
    """The text of UTF-8 bytes, one replacement character for each run of what is none."""
    return _NOT_UTF8.sub("\ufffd", value.decode("utf-8", "surrogateescape"))


def _print_bool(value: bool) -> str:  # noqa: FBT001 - one of many printers of one value
    return "true" if value else "false"


def _print_null(_: None) -> str:
    return "null"


def _print_key(key: MapKey) -> str:
    return _print_bool(key.value)


def _print_type(value: Type) -> str:
    return value.name


SCALARS: Mapping[type, Callable[[Any], str]] = {
    str: str,
    bool: _print_bool,
    int: str,
    UInt: str,
    float: print_double,
    bytes: _print_bytes,
    type(None): _print_null,
    MapKey: _print_key,
    Timestamp: print_timestamp,
    Duration: print_duration,
    Type: _print_type,
    RecordType: _print_type,
}
"""From the exact type of a value to what `%s` makes of it, but for lists and maps."""

OVERLOADS = (
    Overload(
        "format",
        (STRING, list_of(DYN)),
        STRING,
        receiver=True,
        implementation=format_text,
        check_literals=_check_literals,
    ),
)
