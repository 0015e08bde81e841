"""Notices as signed POSTs to an address: the general JSON form, or whatever `write` makes of them.

No redirect is followed (it would carry the notice to whom nobody named), TLS is verified, and an
answer's body is not read.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from guardrails.approvals.channels.channel import USUAL_EVENTS
from guardrails.approvals.channels.signature import sign_message
from guardrails.errors import ConfigurationError, DeliveryFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from guardrails.approvals.channels.channel import Notice

TIMEOUT_S = 10.0
"""How long the other side may take for each step of a connection."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A channel to an `https` address, or to `http` on this machine.

    `write` makes the JSON of a notice, `keys` sign it. Neither the address, which may hold a
    secret, nor the keys are shown. Raises ConfigurationError for an address that isn't protected.
    """

    name: str
    url: str = field(repr=False)
    write: Callable[[Notice], dict[str, Any]]
    keys: tuple[bytes, ...] = field(default=(), repr=False)
    events: Collection[str] = USUAL_EVENTS
    timeout_s: float = TIMEOUT_S

    def __post_init__(self) -> None:
        check_url(self.url)
        if find_spec("httpx") is None:
            msg = "webhooks need their extra: pip install 'policy-guardrails[server]'"
            raise ConfigurationError(msg)

    def deliver(self, notice: Notice) -> None:
        """Post the notice; raises DeliveryFailed unless the answer is one of success."""
        body = json.dumps(self.write(notice), ensure_ascii=True).encode()
        headers = {"content-type": "application/json", "user-agent": "guardrails"}
        if self.keys:
            headers |= sign_message(self.keys, notice.id, int(time.time()), body)
        _post(self.url, body, headers, self.timeout_s)


def _post(url: str, body: bytes, headers: dict[str, str], timeout_s: float) -> None:
    import httpx  # noqa: PLC0415 - an extra, and slow to import

    try:
        with httpx.stream(
            "POST", url, content=body, headers=headers, timeout=timeout_s, follow_redirects=False
        ) as answer:
            status, after = answer.status_code, answer.headers.get("retry-after", "")
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise DeliveryFailed(_tell(error)) from None
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        msg = f"the address answers with a redirect ({status}), which is not followed"
        raise DeliveryFailed(msg)
    # RFC 9110, 15.5.11: gone, and likely for good. Standard Webhooks says not to come again.
    seconds = float(after) if after.isascii() and after.isdecimal() and len(after) < 7 else 0.0
    raise DeliveryFailed(f"the address answers {status}", seconds, final=status == 410)


def _tell(error: Exception) -> str:
    """What went wrong, without the address."""
    import httpx  # noqa: PLC0415 - as above

    if isinstance(error, httpx.TimeoutException):
        return "the address does not answer in time"
    if isinstance(error, httpx.ConnectError):
        cause = str(error)
        return "its certificate is not valid" if "CERTIFICATE" in cause else "nobody answers there"
    return "the connection broke"


def check_url(url: str) -> None:
    """Refuse an address that others on the way could read or alter: ConfigurationError."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ConfigurationError("the address of a channel can't be read") from None
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError("the address of a channel holds no user name or password")
    if not host or parts.scheme not in ("http", "https"):
        raise ConfigurationError("the address of a channel begins with `https://`")
    if parts.scheme == "http" and not _is_loopback(host):
        msg = "the address of a channel is `https`, or others on the way could read what it tells"
        raise ConfigurationError(msg)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
