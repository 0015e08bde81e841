"""Tokens by which a delegation goes on in another process: signed, short-lived, good for once.

A token is `guardrails1.CLAIMS.TAG`: claims as JSON and their HMAC-SHA256 (RFC 2104), each in
base64url without padding. Whoever holds the key can make one, so it is the hosts' alone.
"""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from secrets import token_hex
from typing import TYPE_CHECKING, Any, NamedTuple

from guardrails.action import Subject
from guardrails.errors import ConfigurationError, SessionError
from guardrails.values import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardrails.session.open_calls import Around

_HEAD = "guardrails1"
_MAX_LENGTH = 64 * 1024
KEY_BYTES = 32
"""How many bytes a key has at least."""

MAX_TTL_S = 24 * 3600
"""How many seconds a token can be good for: a day."""


class Delegation(NamedTuple):
    """What a token says: who acts in which session, what is known there, and until when.

    `issuer` is the register that made it, which knows what happened in the session before. `around`
    are the calls that the delegation is a part of.
    """

    nonce: str
    issuer: str
    session: str
    chain: tuple[Subject, ...]
    context: Mapping[str, Any]
    labels: tuple[str, ...]
    targets: tuple[str, ...] | None
    depth: int
    expires_ns: int
    around: Around = ()


def new_nonce() -> str:
    """A number that no other token has."""
    return token_hex(16)


def write_token(key: bytes, said: Delegation) -> str:
    """The token that says so; raises SessionError where JSON can't say what is known."""
    claims = {**said._asdict(), "chain": [_tell(subject) for subject in said.chain]}
    claims["labels"], claims["context"] = list(said.labels), dict(said.context)
    claims["targets"] = None if said.targets is None else list(said.targets)
    claims["around"] = [[by, list(labels), count] for by, labels, count in said.around]
    try:
        text = json.dumps(claims, allow_nan=False)
    except (TypeError, ValueError):
        text = ""
    if not text or json.loads(text) != claims:
        raise SessionError("a token can't carry facts or attributes that JSON has no form for")
    body = _encode(text.encode())
    return f"{_HEAD}.{body}.{_encode(_sign(key, body))}"


def read_token(key: bytes, token: object, now_ns: int) -> Delegation:
    """What a token says; raises SessionError for one that is not of this key, or is too old."""
    parts = token.split(".") if type(token) is str and len(token) <= _MAX_LENGTH else []
    if len(parts) != 3 or parts[0] != _HEAD or not token.isascii():  # type: ignore[attr-defined]
        raise SessionError("this is no token of a delegation")
    body, tag = parts[1:]
    if not hmac.compare_digest(_encode(_sign(key, body)), tag):
        raise SessionError("the token was altered, or made with another key")
    claims = json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    if now_ns >= claims["expires_ns"]:
        raise SessionError("the token has expired; ask for another")
    targets = claims["targets"]
    return Delegation(
        nonce=claims["nonce"],
        issuer=claims["issuer"],
        session=claims["session"],
        chain=tuple(Subject(**subject) for subject in claims["chain"]),
        context=claims["context"],
        labels=tuple(claims["labels"]),
        targets=None if targets is None else tuple(targets),
        depth=claims["depth"],
        expires_ns=claims["expires_ns"],
        around=tuple((by, tuple(labels), count) for by, labels, count in claims.get("around", ())),
    )


def expiry_of(ttl_s: float, now_ns: int) -> int:
    """When a token of so many seconds ends; raises SessionError for more than a day, or none."""
    if type(ttl_s) not in (int, float) or not 0 < ttl_s <= MAX_TTL_S:
        msg = f"a token is good for more than 0 and at most {MAX_TTL_S:,} seconds"
        raise SessionError(msg)
    return now_ns + int(ttl_s * NANOSECONDS)


def check_key(key: object) -> bytes:
    """The key; raises ConfigurationError for one that can be guessed."""
    if type(key) is not bytes or len(key) < KEY_BYTES:
        msg = f"the key of tokens is {KEY_BYTES} random bytes or more"
        raise ConfigurationError(msg)
    return key


def _tell(subject: Subject) -> dict[str, Any]:
    return {
        "id": subject.id,
        "roles": list(subject.roles),
        "on_behalf_of": subject.on_behalf_of,
        "attributes": dict(subject.judged),
    }


def _sign(key: bytes, body: str) -> bytes:
    return hmac.digest(key, f"{_HEAD}.{body}".encode(), "sha256")


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
