"""An action read from JSON text, strictly: whatever two readers could take differently is refused.

Python's own `json` does the parsing, because it keeps integers exact and shows every key; orjson
would turn 10**30 into a float and let the last of two equal keys win.
"""

from __future__ import annotations

import json
import re
from difflib import get_close_matches
from math import isinf
from typing import TYPE_CHECKING, Any, NoReturn

from guardrails.action import Action, SessionView, Subject
from guardrails.display import quote
from guardrails.errors import InvalidActionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_BYTES = 4 * 1024 * 1024
"""The longest text that is read: an action's 1 MiB of arguments, escaped, and its context."""

MAX_DEPTH = 128
"""The deepest nesting that is parsed; arguments may nest 64 deep (design, section 2)."""

MAX_DIGITS = 640
"""The longest integer that is read: below it no setting of Python refuses the conversion."""

_COMPARED = 64  # characters of an unknown key that are compared with the known ones

_TOKENS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|([\[{])|[\]}]', re.DOTALL)
_ESCAPES = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair: one character
    r"|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def parse_action(text: str | bytes) -> Action:
    """The action that JSON text describes, in the form of the design's section 6.

    Only `tool` is required. Raises `InvalidActionError`, with the reason, on anything else than
    one JSON object with the known keys, each of its type.
    """
    return read_action(parse_json(text))


def parse_json(text: str | bytes) -> Any:
    """The value of strict JSON text: UTF-8, no key twice, finite numbers, integers exact.

    Raises `InvalidActionError` with the reason. Bounded by `MAX_BYTES`, `MAX_DEPTH` and
    `MAX_DIGITS`, which are checked before the text is parsed or the number converted.
    """
    decoded = _decode(text)
    if _nests_too_deep(decoded):
        raise InvalidActionError(f"nested deeper than {MAX_DEPTH} levels")
    try:
        value = json.loads(
            decoded,
            object_pairs_hook=_make_object,
            parse_int=_make_integer,
            parse_float=_make_float,
            parse_constant=_refuse_constant,
        )
    except json.JSONDecodeError as error:
        reason = error.msg[:1].lower() + error.msg[1:].removesuffix(" at")
        place = f"line {error.lineno}, column {error.colno}"
        raise InvalidActionError(f"malformed JSON at {place}: {reason}") from None
    except RecursionError:  # the caller's own stack is almost used up
        raise InvalidActionError("nested too deep to be parsed here") from None
    _refuse_lone_surrogates(decoded)
    return value


def _decode(text: str | bytes) -> str:
    if len(text) > MAX_BYTES:
        raise InvalidActionError(f"longer than {MAX_BYTES:,} bytes")
    try:
        if isinstance(text, str):
            if len(text.encode()) > MAX_BYTES:
                raise InvalidActionError(f"longer than {MAX_BYTES:,} bytes")
            decoded = text
        else:
            decoded = text.decode()
    except UnicodeDecodeError as error:
        raise InvalidActionError(f"not UTF-8: byte {error.start + 1} is invalid") from None
    except UnicodeEncodeError as error:
        place = f"character {error.start + 1}"
        raise InvalidActionError(f"not Unicode text: {place} is a lone surrogate") from None
    if decoded.startswith("\ufeff"):
        raise InvalidActionError("starts with a byte order mark; save it as UTF-8 without one")
    if not decoded.strip(" \t\r\n"):
        raise InvalidActionError("empty where an action is expected")
    return decoded


def _nests_too_deep(text: str) -> bool:
    """Whether brackets outside strings nest deeper than `MAX_DEPTH`; usually two counts do."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    depth = 0
    for token in _TOKENS.finditer(text):
        if token[1]:
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif token[0] in "]}":
            depth -= 1
    return False


def _make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise InvalidActionError(f"duplicate key {quote(key)}")
            seen.add(key)
    return made


def _make_integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise InvalidActionError(f"an integer of more than {MAX_DIGITS} digits")
    return int(digits)


def _make_float(digits: str) -> float:
    number = float(digits)
    if isinf(number):
        raise InvalidActionError(f"{quote(digits)} is out of the range of numbers")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidActionError(f"`{name}` is not a number of JSON")


def _refuse_lone_surrogates(text: str) -> None:
    if "\\u" not in text:
        return
    for escape in _ESCAPES.finditer(text):
        if escape[1]:
            raise InvalidActionError(f"`\\{escape[1]}` is a lone surrogate, not a character")


def read_action(value: Any) -> Action:
    """The action that a value of JSON describes; raises `InvalidActionError` as `parse_action`."""
    if type(value) is not dict:
        raise InvalidActionError(f"an action must be an object, not {_kind(value)}")
    known = ("tool", "arguments", "subject", "context", "session")
    _refuse_unknown_keys(value, known, "")
    if "tool" not in value:
        raise InvalidActionError("no `tool`: an action names the tool it calls")
    return Action(
        _text(value["tool"], "tool"),
        _object(value.get("arguments", {}), "arguments"),
        _read_subject(value["subject"]) if "subject" in value else None,
        _object(value["context"], "context") if "context" in value else None,
        _read_session(value["session"]) if "session" in value else None,
    )


def _read_subject(value: Any) -> Subject:
    fields = _object(value, "subject")
    _refuse_unknown_keys(fields, ("id", "roles", "on_behalf_of", "attributes"), "subject.")
    return Subject(
        id=_identity(fields, "subject"),
        roles=_texts(fields.get("roles", []), "subject.roles"),
        on_behalf_of=_text(fields.get("on_behalf_of", ""), "subject.on_behalf_of"),
        attributes=_object(fields.get("attributes", {}), "subject.attributes"),
    )


def _read_session(value: Any) -> SessionView:
    fields = _object(value, "session")
    _refuse_unknown_keys(fields, ("id", "labels"), "session.")
    labels = _texts(fields.get("labels", []), "session.labels")
    return SessionView(_identity(fields, "session"), frozenset(labels))


def _identity(fields: Mapping[str, Any], place: str) -> str:
    identity = _text(fields.get("id", ""), f"{place}.id")
    if not identity:
        state = f"`{place}.id` is empty" if "id" in fields else f"`{place}` has no `id`"
        raise InvalidActionError(f"{state}; leave `{place}` out if it is not known")
    return identity


def _refuse_unknown_keys(given: Mapping[str, Any], known: Iterable[str], place: str) -> None:
    for key in given:
        if key not in known:
            near = get_close_matches(key[:_COMPARED], known, n=1)
            hint = f"; did you mean `{place}{near[0]}`?" if near else ""
            raise InvalidActionError(f"unknown key {quote(place + key)}{hint}")


def _object(value: Any, place: str) -> dict[str, Any]:
    if type(value) is not dict:
        raise InvalidActionError(f"`{place}` must be an object, not {_kind(value)}")
    return value


def _text(value: Any, place: str) -> str:
    if type(value) is not str:
        raise InvalidActionError(f"`{place}` must be a string, not {_kind(value)}")
    return value


def _name(value: Any, place: str) -> str:
    if not _text(value, place):
        raise InvalidActionError(f"`{place}` is empty")
    return _text(value, place)


def _texts(value: Any, place: str) -> tuple[str, ...]:
    if type(value) is not list:
        raise InvalidActionError(f"`{place}` must be a list of strings, not {_kind(value)}")
    return tuple(_name(item, f"{place}[{index}]") for index, item in enumerate(value))


def _kind(value: Any) -> str:
    return {
        dict: "an object",
        list: "a list",
        str: "a string",
        bool: "a boolean",
        int: "a number",
        float: "a number",
        type(None): "null",
    }[type(value)]
