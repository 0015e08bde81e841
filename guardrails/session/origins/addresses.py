"""Addresses and identifiers in writing: mail, URLs, IBANs, numbers of cards and telephones."""

from __future__ import annotations

import re

PATTERNS = (
    r"(?P<email>(?:mailto:)?[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8})",
    r"""(?P<url>[a-z][a-z0-9+.-]{1,20}://[^\s<>"'`()\[\]{}|\\^]{1,4000}(?<![.,;:!?*_]))""",
)
"""What mail addresses and URLs look like in folded text; a group each."""

_GAP = r"[ \t\n.-]{1,2}"
_GROUPED_IBAN = re.compile(
    rf"(?<!\w)([a-z]{{2}}[0-9]{{2}}(?:{_GAP}[0-9a-z]{{4}}){{2,7}}(?:{_GAP}[0-9a-z]{{1,3}})?)(?!\w)"
)
_GROUPED_DIGITS = re.compile(
    r"(?<![\w.,])\+?\(?[0-9]{1,14}(?:[ \t\n().-]{1,2}[0-9]{1,14}){1,12}(?!\w)"
)
_GROUP_ENDS = re.compile(r"[0-9][ \t\n().-]{1,2}[0-9a-z]")
_SEPARATOR = re.compile(r"[ \t\n().+-]+")
_LONE_DOT = re.compile(r"[0-9]\.[0-9]")
_DOTTED = re.compile(r"\+?(?:[0-9]{1,4}(?:\.[0-9]{3,4}){2,}|[0-9]{2}(?:\.[0-9]{2}){3,})")
_WEB = ("http", "https")
_SHORTEST_IBAN = 15
_FEWEST_DIGITS = 5


def read_email(text: str) -> list[str]:
    """Return the address; the domain follows, which belongs to it and isn't it."""
    address = text.removeprefix("mailto:").rstrip("-_.")
    return [address, address.partition("@")[2]]


def read_url(text: str, *, exactly: bool) -> list[str]:
    """Return the URL without its scheme and a last slash; the host follows.

    Read `exactly`, only the schemes of the web are alike.
    """
    scheme, _, rest = text.partition("://")
    host, slash, path = rest.partition("/")
    host = host.removesuffix({"https": ":443", "http": ":80"}.get(scheme, "\0"))
    shown = (rest if not slash else f"{host}/{path}").rstrip("/")
    if exactly and scheme not in _WEB:
        shown = f"{scheme}://{shown}"
    return [shown, host]


def grouped(text: str, *, exactly: bool) -> list[str]:
    """Return the identifiers of folded `text` that are written in groups, without what parts them.

    Where a group ends the identifier can't be seen, so each that may be is returned. Read
    `exactly`, dots part only what is written as telephone numbers are: `555.123.4567` is none of
    `100.50`, which is an amount, and of `12.05.2024`.
    """
    if _GROUP_ENDS.search(text) is None:
        return []
    found = grouped_ibans(text)
    for match in _GROUPED_DIGITS.finditer(text):
        digits = _SEPARATOR.sub("", match[0])
        if exactly and _LONE_DOT.search(match[0]) and not _DOTTED.fullmatch(match[0]):
            continue
        if len(digits) >= _FEWEST_DIGITS:
            found.append(digits)
    return found


def grouped_ibans(text: str) -> list[str]:
    """Return the IBANs among them; each may end with any of its groups."""
    found = []
    for match in _GROUPED_IBAN.finditer(text):
        found += _beginnings(match[1])
    return found


def _beginnings(text: str) -> list[str]:
    joined, found = "", []
    for group in _SEPARATOR.split(text):
        joined += group
        if len(joined) >= _SHORTEST_IBAN:
            found.append(joined)
    return found
