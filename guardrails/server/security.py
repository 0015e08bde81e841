"""What holds for every answer: headers, the host it was asked for, the size of what was sent."""

from __future__ import annotations

import asyncio
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

FORM_MAX = 65_536
"""Bytes of a form: a comment of 4,000 characters in any script, percent-encoded, and the rest."""

ARRIVES_S = 20.0
"""Seconds that what is sent may take to arrive: a slow telephone, and nobody who holds us up."""

_FIELDS_MAX = 20

_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: browsers would then send forms with `Origin: null`.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Robots-Tag": "noindex",
}
_STRICT_TRANSPORT = "max-age=31536000"


class Protection:
    """Refuses requests for other hosts, and puts the headers on every answer (OWASP's list)."""

    def __init__(self, app: ASGIApp, host_names: tuple[str, ...], *, secure: bool) -> None:
        self._app = app
        self._host_names = frozenset(host_names)
        self._secure = secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse to."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._protect(MutableHeaders(scope=message))
            await send(message)

        if host_of(Headers(scope=scope).get("host", "")) not in self._host_names:
            # By a name of its own an attacker's page could reach a server on loopback.
            refusal = PlainTextResponse("the inbox is not served under this name\n", 421)
            await refusal(scope, receive, send_protected)
            return
        await self._app(scope, receive, send_protected)

    def _protect(self, headers: MutableHeaders) -> None:
        for name, value in _HEADERS.items():
            headers[name] = value
        headers.setdefault("Cache-Control", "no-store")
        if self._secure:
            headers["Strict-Transport-Security"] = _STRICT_TRANSPORT


def host_of(header: str) -> str:
    """The name in a `Host` header, without the port, in lower case."""
    name, bracket, _ = header.rpartition("]")
    if bracket:
        return f"{name}]".lower()
    return header.partition(":")[0].lower()


def is_foreign(request: Request) -> bool:
    """Whether a browser says that another site's page has sent the request."""
    if request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        return True
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host", "")


async def read_body(request: Request, most: int) -> bytes:
    """What was sent, of more than `most` bytes the beginning; HTTPException if it is too slow."""
    body = b""
    try:
        async with asyncio.timeout(ARRIVES_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    break  # the rest is not waited for
    except TimeoutError:
        raise HTTPException(408, "it came too slowly") from None
    return body


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form, the first of each name; raises HTTPException for what is no form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise HTTPException(415, "this is no form")
    body = await read_body(request, FORM_MAX)
    if len(body) > FORM_MAX:
        raise HTTPException(413, "the form is too long")
    fields: dict[str, str] = {}
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_FIELDS_MAX,
        )
    except ValueError:
        raise HTTPException(400, "the form can't be read") from None
    for name, value in pairs:
        fields.setdefault(name, value)
    return fields


def network_of(address: str) -> str:
    """The address, or of IPv6 its network of 64 bits: in that a visitor has any address at will."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return address
    return str(found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64))


def local_path(text: str) -> str:
    r"""`text` where it is a path of this server, else `/`; `//host` and `/\host` are none."""
    plain = text.isascii() and text.isprintable() and "\\" not in text
    if plain and text.startswith("/") and not text.startswith("//"):
        return text
    return "/"
