"""Names that say that what they stand for is nobody else's business."""

from __future__ import annotations

import re
from itertools import pairwise

from guardrails.toolchain.words import words_of

_SECRET = frozenset(
    ["password", "passwd", "pwd", "passphrase", "passcode", "secret", "secrets", "token", "tokens",
     "apikey", "credential", "credentials", "otp", "totp", "jwt", "cookie", "cookies"]
)  # fmt: skip
_PERSONAL = frozenset(
    ["ssn", "iban", "cvv", "cvc", "cvv2", "passport", "pesel", "nino", "diagnosis", "biometric",
     "biometrics", "dob", "birthdate", "birthday"]
)  # fmt: skip
_KEYS = frozenset({"api", "access", "private", "secret", "encryption", "signing", "ssh"})
_PAIRS = frozenset(
    [("card", "number"), ("card", "no"), ("credit", "card"), ("debit", "card"), ("tax", "id"),
     ("account", "number"), ("social", "security"), ("pass", "phrase"), ("pass", "word"),
     ("security", "code"), ("date", "birth"), ("birth", "date"), ("national", "id"),
     ("medical", "record"), ("pin", "code"), ("auth", "header"), ("sort", "code")]
)  # fmt: skip
_ALONE = frozenset({"card", "pin", "authorization", "pan"})
"""Words that say so only where they are the whole name."""

_ABOUT = frozenset(
    ["count", "counts", "limit", "max", "min", "maximum", "minimum", "length", "size", "name",
     "names", "policy", "type", "kind", "expiry", "expires", "ttl", "age", "path", "paths", "file",
     "url", "endpoint", "hint", "strength", "pattern", "prefix", "ref", "reference", "provider",
     "usage", "budget", "per", "num", "table", "rotation", "enabled", "required"]
)  # fmt: skip
"""Words that make of a secret's name that of something about it (`max_tokens`, `secret_name`)."""

_DESCRIBED = re.compile(
    r"(?i)\b(?:password|passphrase|secret (?:key|token)|api key|access token|private key"
    r"|credit card number|card number|social security number|ssn|iban|cvv|cvc|passport number)\b"
)


def is_secret_name(name: str) -> bool:
    """Whether a name says that it stands for a secret itself."""
    words = [*words_of(name)]
    if _ABOUT.intersection(words):
        return False
    return bool(_SECRET.intersection(words)) or _is_key(words)


def is_sensitive_name(name: str) -> bool:
    """Whether a name says that it stands for a secret, or for what identifies a person."""
    words = [*words_of(name)]
    if _ABOUT.intersection(words):
        return False
    pairs = pairwise(words)
    return (
        is_secret_name(name)
        or bool(_PERSONAL.intersection(words))
        or any(pair in _PAIRS for pair in pairs)
        or (len(words) == 1 and words[0] in _ALONE)
    )


def told_by(description: str) -> str | None:
    """The words of a description that say so, or None."""
    found = _DESCRIBED.search(description)
    return found[0] if found else None


def _is_key(words: list[str]) -> bool:
    """Whether it is `api_key` and the like: `key` alone is mostly a key of a map."""
    return any(after == "key" and before in _KEYS for before, after in pairwise(words))
