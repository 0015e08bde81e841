"""Votes, and the signature of the service that took them.

What it protects and what not is told in `docs/decisions/0008-signed-votes.md`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING

from guardrails.approvals.exact import write_exact

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

_LABEL = b"guardrails vote 1\0"

COMMENT_MAX = 4000
"""Characters of a comment: what a person writes, not a document."""


class VoteOutcome(StrEnum):
    """What a person decided."""

    APPROVE = "approve"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's decision on one request, and the service's word that it took it.

    `digest` is what the request binds, `content` all that the voter was shown. `voter` is the id
    of an account. `cast_ns` is when it was taken, `seen_ns` when the request was first shown to
    this voter (0 if unknown), in nanoseconds since 1970. `key` names the key that signed.
    """

    request_id: str
    digest: str
    content: str
    voter: str
    outcome: VoteOutcome
    comment: str
    cast_ns: int
    seen_ns: int = 0
    key: str = ""
    signature: bytes = b""

    @property
    def signed_text(self) -> bytes:
        """What the signature covers: every field but itself."""
        fields = [
            self.request_id,
            self.digest,
            self.content,
            self.voter,
            str(self.outcome),
            self.comment,
            self.cast_ns,
            self.seen_ns,
            self.key,
        ]
        return _LABEL + write_exact(fields).encode()


def key_name(raw: bytes) -> str:
    """The name of a public key, by which votes say who signed them."""
    return sha256(b"guardrails vote key\0" + raw).hexdigest()[:16]


class Signer:
    """The service's private key."""

    __slots__ = ("_private", "key", "public")

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = private.public_key()
        self.key = key_name(self.public.public_bytes_raw())

    def sign(self, vote: Vote) -> Vote:
        """The vote with this service's name and signature on it."""
        named = replace(vote, key=self.key)
        return replace(named, signature=self._private.sign(named.signed_text))


class Verifier:
    """The public keys whose votes count; several, while one replaces another."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Iterable[Ed25519PublicKey]) -> None:
        self._keys = {key_name(key.public_bytes_raw()): key for key in keys}

    def holds(self, vote: Vote) -> bool:
        """Whether one of the services signed this very vote."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - kept out of imports

        public = self._keys.get(vote.key)
        if public is None:
            return False
        try:
            public.verify(vote.signature, vote.signed_text)
        except InvalidSignature:
            return False
        return True
