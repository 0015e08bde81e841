"""One pass over any arguments: each part judged by its kind, counted and copied."""

from __future__ import annotations

from enum import Enum
from types import WrapperDescriptorType
from typing import TYPE_CHECKING, Any, NamedTuple

from guardrails.errors import InvalidActionError
from guardrails.json_form import key_text
from guardrails.lookup import find_attribute
from guardrails.snapshot.plain import copy_plain
from guardrails.values import INT_MAX, INT_MIN, MapKey, Opaque

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DEPTH = 64
"""How deep lists and maps may nest inside an argument."""

MAX_NODES = 100_000
"""How many values, keys included, the arguments of one action may have in all."""

MAX_BYTES = 1 << 20
"""How many bytes of text (as UTF-8), bytes and numbers the arguments may have in all."""

_NUMBER_BYTES = 8


class Snapshot(NamedTuple):
    """Arguments as they were at one moment.

    `values` is what conditions see, `received` what the tool gets. `plain` says that `values` is
    JSON as it stands.
    """

    values: dict[str, Any]
    received: dict[str, Any]
    plain: bool


def take_snapshot(arguments: object) -> Snapshot:
    """Return a snapshot of `arguments`, a dict from names to values (None for none).

    Raises InvalidActionError for what can't be judged at all: no dict, a name that is no string,
    a non-finite number, a lone surrogate, a cycle, or more than the bounds of this module.
    """
    values = copy_plain(arguments)
    if values is not None:
        return Snapshot(values, values, plain=True)
    return _Walk().arguments({} if arguments is None else arguments)


def judge_value(value: object) -> Any:
    """Return `value` as conditions see it; for facts, which no tool receives.

    Raises InvalidActionError as `take_snapshot` does.
    """
    return _Walk().visit(value, 0)[0]


class _Walk:
    """One pass over the arguments, counting what it meets."""

    __slots__ = ("nodes", "plain", "size", "whole")

    def __init__(self) -> None:
        self.whole = False  # whether what is visited is handed over in an object, as it is
        self.nodes = 0
        self.size = 0
        self.plain = True

    def arguments(self, given: object) -> Snapshot:
        if not issubclass(type(given), dict):
            msg = "the arguments are not a map from names to values"
            raise InvalidActionError(msg)
        values: dict[str, Any] = {}
        received: dict[str, Any] = {}
        for key, value in self._items(given):
            self._count(1)
            if not issubclass(type(key), str):
                raise InvalidActionError("the name of an argument is not a string")
            name = self._text(key)
            if name in values:
                raise InvalidActionError("two arguments have the same name")
            values[name], received[name] = self.visit(value, 1)
        return Snapshot(values, received, self.plain)

    def visit(self, value: object, depth: int) -> tuple[Any, Any]:
        """Return what is judged of `value` and what the tool receives of it."""
        self._count(1)
        kind = type(value)
        if kind is bool or value is None:
            return value, value
        if kind is str or kind is int or kind is float or kind is bytes:
            exact = self._scalar(value, kind)
            return (self._judged(exact), exact)
        if depth > MAX_DEPTH:
            msg = f"the arguments nest deeper than {MAX_DEPTH} levels, or in a cycle"
            raise InvalidActionError(msg)
        base = next((base for base in _BASES if issubclass(kind, base)), None)
        if issubclass(kind, Enum):
            return self._enum(value, base, depth)
        if base is None:
            return self._other(value, depth)
        if self.whole and kind is not base:
            return self._opaque("a subclass of a built-in, inside an object", value)
        if base in _SCALARS:
            exact = self._scalar(value, base)
            return (self._judged(exact), exact)
        if base is dict:
            return self._map(value, depth)
        return self._sequence(value, base, depth)

    def _items(self, given: Any) -> list[tuple[Any, Any]]:
        """The pairs that a dict holds, whatever its class says that it holds."""
        if self.nodes + dict.__len__(given) > MAX_NODES:
            self._count(dict.__len__(given))
        return list(dict.items(given))

    def _count(self, nodes: int) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            msg = f"the arguments have more than {MAX_NODES:,} parts"
            raise InvalidActionError(msg)

    def _weigh(self, size: int) -> None:
        self.size += size
        if self.size > MAX_BYTES:
            msg = f"the arguments have more than {MAX_BYTES:,} bytes"
            raise InvalidActionError(msg)

    def _text(self, value: object) -> str:
        text: str = str.__str__(value)
        if text.isascii():
            self._weigh(len(text))
            return text
        self._weigh(len(text))
        try:
            self._weigh(len(text.encode()) - len(text))
        except UnicodeEncodeError:
            raise InvalidActionError("a text in the arguments has a lone surrogate") from None
        return text

    def _scalar(self, value: Any, base: type) -> Any:
        """The exact built-in under `value`, which is of `base` or a subclass of it."""
        if base is str:
            return self._text(value)
        if base is bytes:
            self._weigh(bytes.__len__(value))
            return bytes.__getitem__(value, slice(None))
        if base is int:
            number = int.__int__(value)
            self._weigh(_NUMBER_BYTES + number.bit_length() // 8)
            return number
        self._weigh(_NUMBER_BYTES)
        real = float.__float__(value)
        if real - real != 0.0:
            raise InvalidActionError("a number in the arguments is not finite")
        return real

    def _judged(self, exact: Any) -> Any:
        if type(exact) is bytes:
            self.plain = False
        elif type(exact) is int and not INT_MIN <= exact <= INT_MAX:
            self.plain = False
            return Opaque("an integer beyond 64 bits", exact)
        return exact

    def _opaque(self, reason: str, value: object) -> tuple[Opaque, object]:
        self.plain = False
        return Opaque(reason), value

    def _enum(self, member: Any, base: type | None, depth: int) -> tuple[Any, Any]:
        if not _shows_its_value(type(member)):
            return self._opaque("an enum that computes what it shows", member)
        try:
            inner = object.__getattribute__(member, "_value_")
        except AttributeError:
            return self._opaque("an enum member without a value", member)
        judged = self._visit_whole(inner, depth + 1)
        if base is None:
            differs = find_attribute(type(member), "_member_type_") is not object
        else:
            differs = base not in _SCALARS or self._judged(self._scalar(member, base)) != judged
        if differs:
            return self._opaque("an enum member that is not its value", member)
        return judged, member

    def _visit_whole(self, value: object, depth: int) -> Any:
        """What is judged of a part of an object that the tool receives as it is."""
        before, self.whole = self.whole, True
        try:
            return self.visit(value, depth)[0]
        finally:
            self.whole = before

    def _sequence(self, value: Any, base: type, depth: int) -> tuple[Any, Any]:
        size = base.__len__(value)  # type: ignore[attr-defined]
        if self.nodes + size > MAX_NODES:
            self._count(size)
        items = list(base.__iter__(value))  # type: ignore[attr-defined]
        pairs = [self.visit(item, depth + 1) for item in items]
        judged = [pair[0] for pair in pairs]
        received: list[Any] = [pair[1] for pair in pairs]
        if base is list:
            return judged, received
        if base is tuple:
            return judged, tuple(received)
        judged.sort(key=_set_order)
        try:
            copied = set(received)
        except Exception:  # noqa: BLE001 - `__hash__` and `__eq__` of a class that isn't ours
            return self._opaque("a set that can't be copied", value)
        if len(copied) != len(received):
            return self._opaque("a set whose parts are equal after all", value)
        return judged, copied

    def _map(self, value: Any, depth: int) -> tuple[Any, Any]:
        judged: dict[Any, Any] = {}
        received: dict[Any, Any] = {}
        for key, item in self._items(value):
            judged_key, received_key = self._key(key)
            if judged_key is None:
                return self._opaque("a map with keys that are neither text nor integers", value)
            if judged_key in judged:
                raise InvalidActionError("a map in the arguments has the same key twice")
            judged[judged_key], received[received_key] = self.visit(item, depth + 1)
        if any(type(key) is not str and key_text(key) in judged for key in judged):
            raise InvalidActionError("a map in the arguments has keys that JSON writes alike")
        return judged, received

    def _key(self, key: object) -> tuple[Any, Any]:
        """The key as judged (None if it can't be) and as received."""
        self._count(1)
        if type(key) is bool:
            self.plain = False
            return MapKey(key), key
        if self.whole and type(key) is not str and type(key) is not int:
            return None, key
        if issubclass(type(key), str):
            text = self._text(key)
            return text, text
        if issubclass(type(key), int):
            self.plain = False
            number = self._scalar(key, int)
            return (number, number) if INT_MIN <= number <= INT_MAX else (None, number)
        return None, key

    def _other(self, value: object, depth: int) -> tuple[Any, Any]:
        """What is judged of an object that is no built-in: a known value, a record, or opaque."""
        self.plain = False
        convert = _conversion(type(value))
        if convert is not None:
            try:
                judged = convert(value)
            except InvalidActionError:
                raise
            except Exception:  # noqa: BLE001 - a `tzinfo` of a class that isn't ours
                return self._opaque("a date or time that can't be read", value)
            if type(judged) is str:
                judged = self._text(judged)
            return judged, value
        return self._record(value, depth)

    def _record(self, value: object, depth: int) -> tuple[Any, Any]:
        from guardrails.snapshot.structures import (  # noqa: PLC0415 - rarely needed
            copy_structure,
            read_fields,
        )

        fields = read_fields(value)
        if fields is None:
            return self._opaque("an object that is no plain data", value)
        judged = self._visit_whole(fields, depth)  # within the bounds, before it is copied
        if self.whole:
            return judged, value  # the object around it is copied
        copied = copy_structure(value)
        fields = None if copied is None else read_fields(copied)
        if fields is None:
            return self._opaque("an object that can't be copied", value)
        return self._visit_whole(fields, depth), copied


_SCALARS: tuple[type, ...] = (str, int, float, bytes)
_BASES: tuple[type, ...] = (*_SCALARS, dict, list, tuple, set, frozenset)


def _set_order(judged: Any) -> tuple[int, Any]:
    """A key by which any judged values sort, so that equal sets are equal lists."""
    kind = type(judged)
    if kind is int or kind is float:
        return 1, judged
    if kind is str:
        return 2, judged
    if kind is bytes:
        return 3, judged
    return 4, repr(judged)


def _shows_its_value(kind: type) -> bool:
    """Whether the members of an enum show what `_value_` holds, as `Enum` has it."""
    return find_attribute(kind, "value") is Enum.__dict__["value"] and (
        type(find_attribute(kind, "__getattribute__")) is WrapperDescriptorType
    )


def _conversion(kind: type) -> Callable[[Any], Any] | None:
    """What judges values that other standard modules make, by identity of their type.

    A look-up by equality would ask the type's own class, which may say anything.
    """
    from guardrails.snapshot.standard_types import (  # noqa: PLC0415 - rarely needed, slow to import
        CONVERSIONS,
    )

    return next((convert for known, convert in CONVERSIONS.items() if known is kind), None)
