"""`secrets`: what looks like a credential anywhere in a value.

The shapes are those that their issuers publish, as of November 2026; the generic ones and the
measure of randomness were tuned so that identifiers of Git, UUIDs, digests, prose, code and images
in base64 are none.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error
from collections import Counter
from functools import cache
from itertools import pairwise
from math import log2
from typing import TYPE_CHECKING, Any

from guardrails.errors import EvaluationError
from guardrails.language.cel.functions.reading.texts import decoded
from guardrails.language.cel.functions.signature import Budget, Overload, charge
from guardrails.language.cel.types import DYN, STRING, RecordType, list_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

CHARACTERS_PER_STEP = 4
"""Characters of a value that one step searches: about 100 ns."""

SECRET_STEPS = 32
"""The charge for whatever has the shape of a secret, be it a placeholder."""

SECRET = RecordType(
    "map",
    fields={"kind": STRING, "masked": STRING},
    closed=True,
    of="a secret of `secrets(..)`",
)

SHAPES: Mapping[str, str] = {
    "private_key": r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----",
    "aws": r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b",
    "github": r"\bgh[pousr]_[A-Za-z0-9]{36,255}|\bgithub_pat_[A-Za-z0-9_]{60,}",
    "gitlab": r"\bgl(?:pat|dt|rt|ptt|soat|cbt|ft|imt|agent)-[A-Za-z0-9_-]{20,}",
    "slack": r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bxapp-[0-9]-[A-Za-z0-9-]{10,}"
    r"|hooks\.slack\.com/services/[A-Za-z0-9/]{20,}",
    "stripe": r"\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}|\bwhsec_[A-Za-z0-9+/=]{24,}",
    "google": r"\bAIza[A-Za-z0-9_-]{35}|\bya29\.[A-Za-z0-9_-]{20,}|\bGOCSPX-[A-Za-z0-9_-]{20,}",
    "anthropic": r"\bsk-ant-[A-Za-z0-9_-]{20,}",
    "openai": r"\bsk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]*[A-Za-z0-9]{20,}",
    "huggingface": r"\bhf_[A-Za-z0-9]{30,}",
    "npm": r"\bnpm_[A-Za-z0-9]{36,}",
    "pypi": r"\bpypi-[A-Za-z0-9_-]{50,}",
    "azure": r"(?i:AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{40,}=*|[?&]sig=[A-Za-z0-9%+/]{40,}",
    "sendgrid": r"\bSG\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{40,}",
    "digitalocean": r"\bdo[opr]_v1_[a-f0-9]{64}",
    "telegram": r"\b[0-9]{8,10}:AA[A-Za-z0-9_-]{33}\b",
    "jwt": r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
    "url_password": r"[a-z][a-z0-9+.-]{1,20}://[^\s:/@]{0,64}:[^\s:/@$<{*]{3,128}@",
    "authorization": r"(?i:\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/-]{20,}=*",
    "password": r"(?i:(?:password|passwd|passphrase|pwd|secret|api[_-]?key|access[_-]?key"
    r"|auth[_-]?token|access[_-]?token|private[_-]?key|client[_-]?secret|credentials?)"
    r"[\"']?\s{0,4}(?::=|=>|[:=])\s{0,4}[\"']?)(?P<value>[^\s\"'`,;&(){}<>\[\]$*]{8,128})",
}
"""From the kind of a secret to its shape, in RE2."""

_PLACEHOLDER = re.compile(
    r"(?i)x{4,}|\.{3}|example|placeholder|change.?me|your[_-]|dummy|redacted|environ|getenv|process\."
    r"|true|false|none|null|undefined|required|optional|string|config\.|settings\.|self\."
)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_RANDOM = re.compile(r"(?<![A-Za-z0-9+/_.=-])[A-Za-z0-9+/_=-]{32,128}(?![A-Za-z0-9+/_-])")
_RANDOMNESS_MIN = 4.2
"""Bits for each character: 32 random ones of base64 have 4.6 on average, names of code below 4."""

_TURNS_MIN = 0.4
"""How often neighbours differ in kind (upper, lower, digit): 0.65 where random, 0.25 in names."""


def secrets(budget: Budget, value: object) -> list[Any]:
    """What looks like a credential in `value`: `[{kind: "github", masked: "ghp_.."}]`.

    `value` may be of any type; all texts in lists and maps are searched, keys too, out of
    percent-encoding and base64 as well. Kinds are the issuers' (`aws github gitlab slack stripe
    google anthropic openai huggingface npm pypi azure sendgrid digitalocean telegram`) and
    `private_key jwt url_password authorization password random`. `masked` has no more than the
    first four characters.

    Errors: a value that can't be judged.
    """
    return _search(budget, value, _finder())


def _search(budget: Budget, value: object, find: Callable[[str], Iterator[Any]]) -> list[Any]:
    found: dict[tuple[str, str], None] = {}
    for text in _texts(budget, value):
        charge(budget, 4 + len(text) // CHARACTERS_PER_STEP)
        for reading in _readings(text):
            for secret in find(reading):
                charge(budget, SECRET_STEPS)
                if secret[0]:
                    found[secret] = None
    return [{"kind": kind, "masked": masked} for kind, masked in found]


def _texts(budget: Budget, value: object) -> Iterator[str]:
    waiting = [value]
    while waiting:
        charge(budget, 1)
        part = waiting.pop()
        if type(part) is str:
            yield part
        elif type(part) is bytes:
            yield part.decode("latin-1")
        elif type(part) is list:
            waiting += part
        elif type(part) is dict:
            yield from (f"{key}={text}" for key, text in part.items() if _is_pair(key, text))
            waiting += [*part, *part.values()]
        elif type(part).__name__ == "Opaque":
            raise EvaluationError("a value that can't be judged")


def _is_pair(key: object, text: object) -> bool:
    return type(key) is str and type(text) is str


def _readings(text: str) -> Iterator[str]:
    yield text
    if "%" in text:
        yield decoded(text)
    for run in _BASE64.finditer(text):
        plain = _from_base64(run[0])
        if plain:
            yield plain


def _from_base64(run: str) -> str:
    standard = run.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        plain = b64decode(standard + "=" * (-len(standard) % 4))
    except (Error, ValueError):
        return ""
    return plain.decode("latin-1") if plain.isascii() else ""


def _find(text: str, shapes: Any) -> Iterator[tuple[str, str]]:
    """The kind and the mask of what has a secret's shape; no kind where it is none after all."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise EvaluationError("a string holds half a character") from None
    for match in shapes.finditer(text):
        kind = match.lastgroup if match.lastgroup != "value" else "password"
        value = match.group("value")
        if value is None:
            yield kind, f"{match[0][:4]}.."
        else:
            yield "" if _PLACEHOLDER.search(value) else kind, ".."
    for run in _RANDOM.finditer(text):
        yield "random" if _is_random(run[0]) else "", f"{run[0][:4]}.."


def _is_random(run: str) -> bool:
    """Whether the characters of `run` look drawn by lot (Shannon's entropy, and its turns)."""
    kinds = [_kind(character) for character in run]
    if not {"upper", "lower", "digit"} <= set(kinds) or run.count("/") > len(run) // 12:
        return False
    turns = sum(one != other for one, other in pairwise(kinds))
    shares = [count / len(run) for count in Counter(run).values()]
    randomness = -sum(share * log2(share) for share in shares)
    return randomness >= _RANDOMNESS_MIN and turns >= _TURNS_MIN * len(run)


def _kind(character: str) -> str:
    if character.isdecimal():
        return "digit"
    if character.isalpha():
        return "upper" if character.isupper() else "lower"
    return "other"


@cache  # of a function without arguments: what it compiles is compiled once
def _finder() -> Callable[[str], Iterator[tuple[str, str]]]:
    import re2  # noqa: PLC0415 - many policies ask for no secrets, and loading it takes a while

    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20
    shapes = re2.compile(
        "|".join(f"(?P<{kind}>{shape})" for kind, shape in SHAPES.items()), options
    )
    return lambda text: _find(text, shapes)


def _specialise(_literals: tuple[object | None, ...]) -> Callable[..., object]:
    find = _finder()  # now, where policies are loaded, and not at the first call

    def specialised(budget: Budget, value: object) -> list[Any]:
        return _search(budget, value, find)

    return specialised


OVERLOADS = (
    Overload(
        "secrets",
        (DYN,),
        list_of(SECRET),
        receiver=False,
        implementation=secrets,
        specialise=_specialise,
    ),
)
