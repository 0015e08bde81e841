"""The values of plain YAML scalars, by the core schema of YAML 1.2 (section 10.3.2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.values import INT_MAX, INT_MIN

if TYPE_CHECKING:
    from collections.abc import Mapping

_WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER_STARTS = frozenset("+-.0123456789")
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_DIGITS_MAX = 32
"""Digits that an integer can have, leading zeros included: a 64-bit one has 19 at most."""


def resolve_plain(text: str) -> str | int | float | bool | None:
    """What an unquoted scalar stands for; `no`, `12:30` and `2027-01-08` stand for themselves.

    Raises ValueError, worded for people, for an integer beyond 64 bits and for a number that is
    infinite or none: policies have no use for either.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    if _INTEGER.fullmatch(text):
        return _read_integer(text)
    if _FLOAT.fullmatch(text):
        return _read_float(text)
    return text


def _read_integer(text: str) -> int:
    if len(text) <= _DIGITS_MAX:
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        number = int(text, base)
        if INT_MIN <= number <= INT_MAX:
            return number
    raise ValueError("beyond 64 bits; put it in quotes if it is text")


def _read_float(text: str) -> float:
    number = float(text.replace(".", "", 1) if text[-1] in "fFnN" else text)
    if number - number != 0.0:
        raise ValueError("not a finite number; put it in quotes if it is text")
    return number
