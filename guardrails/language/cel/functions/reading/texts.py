"""The ways in which a program may read a text: as it is, out of HTML, out of percent-encoding."""

from __future__ import annotations

import re
from html import unescape

from guardrails.errors import EvaluationError

DECODINGS_MAX = 3
"""How often a text may be encoded; more is an error."""

_ENCODED = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_ENTITY = re.compile(r"&(?:#[0-9]+|#[xX][0-9A-Fa-f]+|[A-Za-z][A-Za-z0-9]*);?")


def decoded(text: str) -> str:
    """`text` out of percent-encoding; bytes that are no UTF-8 become the replacement character."""
    return _ENCODED.sub(_decode_run, text)


def _decode_run(run: re.Match[str]) -> str:
    return bytes.fromhex(run[0].replace("%", "")).decode("utf-8", "replace")


def readings(text: str) -> list[str]:
    """`text` and, where they differ, what is left of it when encodings are taken off one by one.

    Raises `EvaluationError` for one that is encoded more than three times.
    """
    found = [text]
    while True:
        plain = unescape(found[-1]) if _ENTITY.search(found[-1]) else found[-1]
        plain = decoded(plain)
        if plain in found:
            return found
        if len(found) > DECODINGS_MAX:
            raise EvaluationError(f"a text is encoded more than {DECODINGS_MAX} times")
        found.append(plain)
