"""The JSON form of judged values that schemas check; what has no type of JSON becomes text.

Rego is given the same, and an error where schemas go on with a value that JSON has not
(`language/rego/action_text.py`). The decision log writes them otherwise (`audit/encoding.py`):
there a text must tell its kind.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from guardrails.instants import print_duration, print_timestamp
from guardrails.values import Duration, MapKey, Opaque, Timestamp

_INTEGER_BITS = 1024

_PLAIN = frozenset({str, int, float, bool, type(None)})


def json_form(value: Any) -> Any:
    """Return a judged value as JSON holds it.

    Bytes are base64, timestamps RFC 3339, durations seconds (`3.5s`), as protobuf's JSON has them;
    keys of maps are text; an integer beyond 64 bits is itself, up to 1,024 bits. What is opaque
    stays `Opaque`.
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is dict:
        return {key_text(key): json_form(item) for key, item in value.items()}
    if kind is list:
        return [json_form(item) for item in value]
    if kind is Opaque and value.integer is not None and _is_checkable(value.integer):
        return value.integer
    text = written_as_text(value)
    return value if text is None else text


def _is_checkable(number: int) -> bool:
    """Whether jsonschema-rs takes the integer for what it is.

    Beyond what Python writes in decimal (4,300 digits) it finds any integer less than any maximum.
    """
    return number.bit_length() <= _INTEGER_BITS


def written_as_text(value: Any) -> str | None:
    """Return the text that JSON has for bytes, a timestamp or a duration; None for all else."""
    kind = type(value)
    if kind is bytes:
        return b64encode(value).decode()
    if kind is Timestamp:
        return print_timestamp(value)
    if kind is Duration:
        return print_duration(value)
    return None


def key_text(key: str | int | MapKey) -> str:
    """Return a key of a judged map as JSON has it: text."""
    if type(key) is MapKey:
        return "true" if key is MapKey.TRUE else "false"
    return str(key)
