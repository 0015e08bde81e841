"""The values of literals, by the CEL specification's sections "Numeric" and "String Literals"."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from guardrails.language.cel.errors import CelError
from guardrails.values import INT_MAX, UINT_MAX, UInt

if TYPE_CHECKING:
    from guardrails.language.cel.lexer import Token

_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|X([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})"
    r"|([0-3][0-7]{2})|(.))",
    re.DOTALL,
)
_HEX_BYTE, _HEX_BYTE_UPPER, _SHORT, _LONG, _OCTAL, _PLAIN = range(1, 7)

_PLAIN_ESCAPES = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "?": "?",
    '"': '"',
    "'": "'",
    "`": "`",
}

_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")

_DIGITS_OF_UINT_MAX = 20


def int_value(token: Token, *, negative: bool) -> int:
    """The `int` or, with the suffix `u`, `UInt` that `token` writes, below 0 if `negative`.

    Raises `CelError` where it does not fit into 64 bits.
    """
    text = token.text.rstrip("uU")
    unsigned = text != token.text
    hexadecimal = text[:2] in ("0x", "0X")
    digits = (text[2:] if hexadecimal else text).lstrip("0") or "0"
    greatest = UINT_MAX if unsigned else INT_MAX + negative
    # Python refuses to read very long numbers, and takes long over those it reads.
    fits = len(digits) <= _DIGITS_OF_UINT_MAX
    value = int(digits, 16 if hexadecimal else 10) if fits else greatest + 1
    if value > greatest:
        kind = "uint" if unsigned else "int"
        advice = "" if unsigned or hexadecimal else f"; write `{text}.0` for a double"
        raise CelError(f"`{token.text}` does not fit into {kind}{advice}", token.start, token.end)
    if not unsigned:
        return -value if negative else value
    if negative:
        raise CelError("a uint is never negative", token.start, token.end)
    return UInt(value)


def float_value(token: Token, *, negative: bool) -> float:
    """The double that `token` writes; raises `CelError` where it is beyond all doubles."""
    value = float(token.text)
    if math.isinf(value):
        raise CelError(f"`{token.text}` does not fit into a double", token.start, token.end)
    return -value if negative else value


def text_value(token: Token) -> str | bytes:
    """The string or bytes that `token` writes.

    Raises `CelError` for an escape that the language hasn't, and for half a character.
    """
    text = token.text
    quote = text[-1]
    opening = text.index(quote)
    prefix = text[:opening].lower()
    width = 3 if text.startswith(quote * 3, opening) and len(text) >= opening + 6 else 1
    start = opening + width
    body = text[start:-width]
    if not body.isascii() and (half := _LONE_SURROGATE.search(body)):
        place = token.start + start + half.start()
        raise CelError("half a character (a lone surrogate)", place, place + 1)
    raw = "r" in prefix or "\\" not in body
    if "b" in prefix:
        return body.encode() if raw else _bytes(body, token.start + start)
    return body if raw else _string(body, token.start + start)


def _string(body: str, offset: int) -> str:
    return _ESCAPE.sub(lambda match: _character(match, offset), body)


def _bytes(body: str, offset: int) -> bytes:
    parts = []
    done = 0
    for match in _ESCAPE.finditer(body):
        if match[_SHORT] or match[_LONG]:
            _refuse(match, offset, "names a character; bytes are written `\\x..`")
        parts.append(body[done : match.start()].encode())
        parts.append(_character(match, offset).encode("latin-1"))
        done = match.end()
    return b"".join((*parts, body[done:].encode()))


def _character(match: re.Match[str], offset: int) -> str:
    written = match[match.lastindex or 0]
    if match.lastindex == _PLAIN:
        if written not in _PLAIN_ESCAPES:
            _refuse(match, offset, f"means nothing; write `\\\\{written}`, or put `r` before")
        return _PLAIN_ESCAPES[written]
    code = int(written, 8 if match.lastindex == _OCTAL else 16)
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        _refuse(match, offset, "is no character of Unicode")
    return chr(code)


def _refuse(match: re.Match[str], offset: int, fault: str) -> None:
    raise CelError(f"`{match[0]}` {fault}", offset + match.start(), offset + match.end())
