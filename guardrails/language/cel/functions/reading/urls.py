"""`urls`: the URLs in a text, as browsers, mail programs and chat programs would link them.

RFC 3986 and the WHATWG URL Standard; a host is read as `url_host` reads it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from guardrails.errors import EvaluationError
from guardrails.language.cel.functions.names import SCHEMES, canonical_domain
from guardrails.language.cel.functions.reading.texts import readings
from guardrails.language.cel.functions.signature import Budget, Overload, charge
from guardrails.language.cel.types import BOOL, INT, STRING, RecordType, list_of

if TYPE_CHECKING:
    from collections.abc import Iterator

URL_STEPS = 96
"""The charge for a URL found, beside one for each character of the text. One whose
host needs IDNA costs more."""

URL = RecordType(
    "map",
    fields={
        "url": STRING,
        "scheme": STRING,
        "host": STRING,
        "port": INT,
        "path": STRING,
        "query": STRING,
        "encoded": BOOL,
    },
    closed=True,
    of="a URL of `urls(..)`",
)

_BORDER = r"(?:^|(?<=[\s\"'`(<>\[\]{}=,;|*_]))"
_DOT = "[.\u3002\uff0e\uff61]"
"""The full stops that IDNA takes for a dot (RFC 3490, section 3.1)."""
_START = re.compile(
    rf"(?P<slashes>(?<=[A-Za-z0-9+.-]):[\\/]{{2}})"
    rf"|(?P<scheme>{'|'.join(sorted(SCHEMES, key=len, reverse=True))}):(?=[^\s\"'<>`),;]{{2}})"
    rf"|(?P<relative>{_BORDER}[\\/]{{2}}(?=[^\s\\/]*[.:@%0-9\u0080-\U0010ffff]))"
    rf"|(?P<bare>(?<![\w@/\\.:%-])(?:www{_DOT}(?=\w)"
    rf"|(?:[\w-]{{1,63}}{_DOT}){{1,8}}(?:[^\W\d_]{{2,24}}|xn--[a-z0-9-]{{1,59}})(?=[/?]|:\d|\./)"
    r"|(?:\d{1,3}\.){3}\d{1,3}(?=:\d|/(?!\d{1,2}\b))))",
    re.IGNORECASE | re.MULTILINE,
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,31}\Z")
_EXTENT = re.compile(r"[^\s\"<>`\x00-\x20]*")
_BROKEN = re.compile(r"[\\/]*[^\s\"'<>`/?#]*[\t\r\n]+[^\s\"'<>`]")
_TRAILING = ".,;:!?'*_~"
_CLOSING = {")": "(", "]": "[", "}": "{"}
_PARTS = re.compile(
    r"(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#.*)?", re.DOTALL
)
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_HIDDEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)


def urls(budget: Budget, text: str) -> list[Any]:
    """Every URL in `text`: `[{url: "https://a.example/b?c", host: "a.example", ..}]`.

    Found are `scheme://..`, a known scheme without slashes (`http:host`), `//host.name/..` at a
    border of words, and names with a path, a port or `www.` in front, whose `scheme` is empty.
    Markdown, HTML, quotes and punctuation round a URL are no part of it. URLs in the path or query
    of another are found too, and, `encoded`, those behind percent-encoding and HTML's entities.
    `port` is 0 where none is written.

    Errors: a URL with userinfo, a backslash, a hidden character or a host that `url_host` refuses
    (a number, say); a text that is encoded more than three times.
    """
    found: dict[str, dict[str, Any]] = {}
    for level, reading in enumerate(readings(text)):
        charge(budget, 8 + len(reading))
        for scheme, rest in _found_in(reading):
            charge(budget, URL_STEPS * (1 if rest.isascii() else 8))
            record = _record(scheme, rest, encoded=level > 0)
            found.setdefault(record["url"], record)
    return list(found.values())


def _found_in(text: str) -> Iterator[tuple[str, str]]:
    """The scheme and the rest, as written, of each URL that begins somewhere in `text`."""
    for start in _START.finditer(text):
        if start["slashes"]:
            scheme = _SCHEME.search(text, max(0, start.start() - 32), start.start())
            if scheme is None:
                continue
            _refuse_broken(text, scheme.start(), start.end())
            yield scheme[0].lower(), _extent(text, start.end())
        elif start["scheme"]:
            _refuse_broken(text, start.start(), start.end())
            after = re.compile(r"[\\/]*").match(text, start.end())
            yield start["scheme"].lower(), _extent(text, after.end() if after else start.end())
        elif start["relative"]:
            _refuse_broken(text, start.start(), start.end())
            yield "", _extent(text, start.end())
        else:
            yield "", _extent(text, start.start())


def _refuse_broken(text: str, start: int, authority: int) -> None:
    """Raise `EvaluationError` for a quoted host that goes on after the end of a line or a tab.

    Browsers take those out of an attribute (WHATWG URL Standard, basic URL parser, step 3).
    """
    broken = (
        _BROKEN.match(text, authority) if text[max(0, start - 1) : start] in {"'", '"'} else None
    )
    if broken:
        raise EvaluationError("a URL whose host is broken by the end of a line or a tab")


def _extent(text: str, start: int) -> str:
    """The rest of a URL from its authority on, without the punctuation that follows it."""
    extent = _EXTENT.match(text, start, start + 4096)
    rest = extent[0] if extent else ""
    while rest:
        last = rest[-1]
        opening = _CLOSING.get(last)
        if last in _TRAILING or (opening and rest.count(opening) < rest.count(last)):
            rest = rest[:-1]
        else:
            break
    return rest


def _record(scheme: str, rest: str, *, encoded: bool) -> dict[str, Any]:
    written = f"{scheme}://{rest}" if scheme else rest
    if "\\" in rest or _HIDDEN.search(rest):
        raise EvaluationError("a URL must not hold a backslash or a hidden character")
    parts = _PARTS.fullmatch(rest)
    authority = parts["authority"] if parts else ""
    if "@" in authority:
        raise EvaluationError("a URL must not hold userinfo (an `@` before the path)")
    host, colon, port = authority.partition(":")
    if colon and not (_PORT.fullmatch(port) and int(port) <= 65_535):
        raise EvaluationError("a port must be a plain number from 1 to 65535")
    return {
        "url": written,
        "scheme": scheme,
        "host": "" if scheme == "file" and not host else canonical_domain(host),
        "port": int(port) if colon else 0,
        "path": parts["path"] if parts else "",
        "query": (parts["query"] or "") if parts else "",
        "encoded": encoded,
    }


OVERLOADS = (Overload("urls", (STRING,), list_of(URL), receiver=False, implementation=urls),)
