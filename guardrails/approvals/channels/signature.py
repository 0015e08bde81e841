"""Signatures of messages over HTTP: Standard Webhooks, and Slack's.

Standard Webhooks (github.com/standard-webhooks/standard-webhooks, specification 1.0): HMAC-SHA256
over `id.timestamp.body`, in the headers `webhook-id`, `webhook-timestamp`, `webhook-signature`.
Slack (api.slack.com, "Verifying requests from Slack"): HMAC-SHA256 over `v0:timestamp:body`.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

from guardrails.errors import CallbackRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SECRET_PREFIX = "whsec_"  # noqa: S105 - the mark by which a secret is known, not a secret

SECRET_BYTES = (24, 64)
"""The shortest and the longest key (Standard Webhooks, "Signature scheme")."""

_ID_MAX = 256
_UNSIGNED = "the signature does not hold"  # one text for every way in which it may not


def read_secret(text: str) -> bytes:
    """The key of `whsec_...`; raises ValueError, worded for people, for another form."""
    try:
        key = b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith(SECRET_PREFIX) or not SECRET_BYTES[0] <= len(key) <= SECRET_BYTES[1]:
        msg = f"no secret: write `{SECRET_PREFIX}` and 24 to 64 random bytes in base64"
        raise ValueError(msg)
    return key


def sign_message(
    keys: Iterable[bytes], message_id: str, seconds: int, body: bytes
) -> dict[str, str]:
    """The three headers of a message of that time (seconds since 1970), signed by each key."""
    signed = f"{message_id}.{seconds}.".encode() + body
    signatures = (b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(f"v1,{each}" for each in signatures),
    }


def check_message(
    keys: Iterable[bytes], headers: Mapping[str, str], body: bytes
) -> tuple[str, int]:
    """The id of a signed message and its time, in seconds since 1970.

    `headers` have lower-case names. Raises CallbackRefused where no key has signed it. Whether it
    is new, and of this time, is for the caller to see.
    """
    message_id = headers.get("webhook-id", "")
    seconds = _read_seconds(headers.get("webhook-timestamp", ""))
    given = headers.get("webhook-signature", "").split()
    expected = sign_message(keys, message_id, seconds, body)["webhook-signature"].split()
    if not 0 < len(message_id) <= _ID_MAX or not _match(given, expected):
        raise CallbackRefused(_UNSIGNED, 401)
    return message_id, seconds


def sign_for_slack(key: bytes, seconds: int, body: bytes) -> str:
    """The signature that Slack puts on what it sends to an app."""
    return f"v0={hmac.digest(key, f'v0:{seconds}:'.encode() + body, 'sha256').hex()}"


def check_slack(keys: Iterable[bytes], headers: Mapping[str, str], body: bytes) -> tuple[str, int]:
    """What tells a message of Slack from every other, and its time; raises CallbackRefused."""
    seconds = _read_seconds(headers.get("x-slack-request-timestamp", ""))
    given = headers.get("x-slack-signature", "")
    expected = [sign_for_slack(key, seconds, body) for key in keys]
    if not _match([given], expected):
        raise CallbackRefused(_UNSIGNED, 401)
    return given, seconds


def _read_seconds(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 12):
        raise CallbackRefused(_UNSIGNED, 401)
    return int(text)


def _match(given: Iterable[str], expected: Iterable[str]) -> bool:
    """Whether one of each is the same, compared in a time that tells nothing of where they part."""
    found = False
    wanted = [each.encode() for each in expected]
    for each in list(given)[:8]:
        for right in wanted:
            found |= hmac.compare_digest(each.encode("utf-8", "replace"), right)
    return found
