"""The texts that a value consists of: of a tool's result, and of what a condition asks about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from guardrails.errors import EvaluationError
from guardrails.session.origins.numerals import shorten, write_number
from guardrails.snapshot.structures import read_fields
from guardrails.values import Duration, MapKey, Opaque, Timestamp, UInt

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_NODES = 500_000
"""How many values a result may have, keys included; a larger one counts as unreadable."""

MAX_DEPTH = 200
"""How deep a result may nest, likewise."""

_NO_TEXT = frozenset("\0\N{REPLACEMENT CHARACTER}")
"""What only bytes that are no UTF-8 text come out as: a picture, say, or text in UTF-16."""

_NUMBERS = (int, float, Decimal)
_PLAIN = frozenset({int, float, list, tuple, dict})
_SHOWN = (datetime, date, time, timedelta, UUID, PurePath)
_LISTS = (list, tuple, set, frozenset)


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of a result, and whether they are all that it says (`whole`)."""

    found: list[str]
    whole: bool


def read_result(value: object) -> Texts:
    """Return the texts of whatever a tool returned or raised; nothing is raised.

    Objects that are no plain data may say more than can be seen: then the texts are not `whole`.
    """
    found: list[str] = []
    try:
        whole = _gather(value, found)
    except Exception:  # noqa: BLE001 - a class of the tool's own, and its caller must not notice
        whole = False
    return Texts(found, whole)


def _gather(value: object, found: list[str]) -> bool:
    pending: list[tuple[object, int]] = [(value, 0)]
    nodes, whole = 0, True
    while pending:
        item, depth = pending.pop()
        nodes += 1
        if nodes > MAX_NODES or depth > MAX_DEPTH:
            return False
        kind = type(item)
        if kind is str:
            found.append(item)  # type: ignore[arg-type]
            continue
        if item is None or kind is bool:
            continue
        if kind not in _PLAIN and not issubclass(
            kind, Enum
        ):  # of a class of its own, which may carry more than its base does
            pending.append((getattr(item, "__dict__", None), depth + 1))
        if issubclass(kind, dict):
            items: Any = dict.items(cast("dict[Any, Any]", item))
            pending += [(part, depth + 1) for pair in items for part in pair]
        elif issubclass(kind, _LISTS):
            base: Any = next(base for base in _LISTS if issubclass(kind, base))
            pending += [(part, depth + 1) for part in base.__iter__(item)]
        elif issubclass(kind, BaseException):
            error: Any = item
            pending += [
                (part, depth + 1) for part in (error.args, error.__cause__, error.__context__)
            ]
            found.append(str(item))
        else:
            whole &= _gather_other(item, kind, depth, found, pending)
    return whole


def _gather_other(
    item: Any, kind: type, depth: int, found: list[str], pending: list[tuple[object, int]]
) -> bool:
    """Take in what is neither text nor a collection; return whether it could be read."""
    if issubclass(kind, Enum):
        pending.append((item.value, depth + 1))
    elif issubclass(kind, str):
        found.append(str.__str__(item))
    elif issubclass(kind, (bytes, bytearray, memoryview)):
        text = bytes(item).decode("utf-8", "replace")
        found.append(text)
        return _NO_TEXT.isdisjoint(text)
    elif issubclass(kind, _NUMBERS) or issubclass(kind, _SHOWN):
        found.append(str(item))
    else:
        fields = read_fields(item)
        if fields is None:
            return False
        pending.append((fields, depth + 1))
    return True


def texts_of(value: Any) -> Iterator[str]:
    """Yield the texts of a value that conditions see, part by part, the keys of maps too.

    Raises EvaluationError for what can't be judged.
    """
    kind = type(value)
    if kind is str:
        yield value
    elif value is None or kind is bool or kind is MapKey:
        return
    elif kind is list:
        for part in value:
            yield from texts_of(part)
    elif kind is dict:
        for key, part in value.items():
            yield from texts_of(key)
            yield from texts_of(part)
    else:
        yield text_of(value)


def text_of(value: Any) -> str:
    """Return a single value as text; raises EvaluationError for what can't be judged."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is int or kind is UInt:
        return str(int(value))
    if kind is float:
        if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 - NaN
            return str(value)
        shown = repr(value)
        return write_number(Decimal(shown)) if "e" in shown else shorten(shown)
    if kind is bytes:
        return value.decode("utf-8", "backslashreplace")  # type: ignore[no-any-return]
    if kind is Timestamp:
        return str(datetime.fromtimestamp(0, UTC) + timedelta(microseconds=value.ns // 1000))[:19]
    if kind is Duration:
        return write_number(Decimal(value.ns).scaleb(-9))
    reason = value.reason if kind is Opaque else "it has no text"
    raise EvaluationError(f"where it came from can't be told: {reason}")
