"""The values that conditions compute with, beyond Python's own.

A condition sees ``None``, ``bool``, ``int``, ``float``, ``str``, ``bytes``, ``list`` and ``dict``
of exactly those types, and the types of this module. Every dispatch is by exact type, so a value
of any other type can take part in nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

NANOSECONDS = 1_000_000_000
"""Nanoseconds in a second: the unit of `Timestamp` and `Duration`."""

INT_MIN, INT_MAX = -(2**63), 2**63 - 1
"""The range of CEL's `int` (specification, "Values")."""

UINT_MAX = 2**64 - 1
"""The greatest of CEL's `uint`; the least is 0."""


class UInt(int):
    """An unsigned 64-bit integer of CEL (`1u`); whoever makes one has checked its range."""

    __slots__ = ()


class MapKey(Enum):
    """A boolean as the key of a map: CEL tells `true` from `1`, a Python dict doesn't."""

    TRUE = True
    FALSE = False


@dataclass(frozen=True, slots=True, order=True)
class Timestamp:
    """A point in time, in nanoseconds since 1970-01-01T00:00:00Z; may be negative."""

    ns: int


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A span of time in nanoseconds; may be negative."""

    ns: int


@dataclass(frozen=True, slots=True, repr=False)
class Opaque:
    """A value that was given but can't be judged: whatever touches it is an error.

    `reason` says why, for people who read the log, and never holds the value. An integer beyond
    64 bits is kept in `integer`: a condition can't compute with it, JSON Schema and the log can.
    """

    reason: str
    integer: int | None = None

    def __repr__(self) -> str:
        # In hexadecimal: Python refuses to write a long integer in decimal.
        number = "" if self.integer is None else f", {self.integer:#x}"
        return f"Opaque({self.reason!r}{number})"
