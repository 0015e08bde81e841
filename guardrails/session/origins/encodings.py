"""Texts that stand encoded in a text, in base64 or hexadecimal."""

from __future__ import annotations

import binascii
import re
from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

DECODED_MAX = 20_000
"""Characters of a text that are tried; a longer one is read as it stands."""

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
_HEXADECIMAL = re.compile(r"(?:0x)?((?:[0-9A-Fa-f]{2}[ :]?){6,})")
_SHORTEST = 12


def decoded(text: str) -> Iterator[str]:
    """Yield what `text` may hold in another encoding, where that is text again."""
    if not _SHORTEST <= len(text) <= DECODED_MAX:
        return
    for found in _BASE64.finditer(text):
        if found[0].isupper() or found[0].islower():
            continue  # a word or an account
        yield from _printable(_decode_base64(found[0]))
    for found in _HEXADECIMAL.finditer(text):
        yield from _printable(bytes.fromhex(found[1].replace(":", "")))


def _decode_base64(text: str) -> bytes:
    body = text.rstrip("=").replace("+", "-").replace("/", "_")
    try:
        return urlsafe_b64decode(body + "=" * (-len(body) % 4))
    except (binascii.Error, ValueError):
        return b""


def _printable(data: bytes) -> Iterator[str]:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return
    if text and text.replace("\n", " ").replace("\t", " ").isprintable():
        yield text
