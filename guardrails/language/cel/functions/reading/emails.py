"""`emails`: the mail addresses in a text, with their domains.

RFC 5321 and 5322, of which people use a small part: an address that needs the rest is an error.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from guardrails.errors import EvaluationError
from guardrails.language.cel.functions.names import canonical_domain
from guardrails.language.cel.functions.reading.texts import readings
from guardrails.language.cel.functions.signature import Budget, Overload, charge
from guardrails.language.cel.types import STRING, RecordType, list_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDRESS_STEPS = 64
"""The charge for an address found; one whose domain needs IDNA costs more."""

CHARACTERS_PER_STEP = 6
"""Characters of a text that one step searches: about 100 ns."""

EMAIL = RecordType(
    "map",
    fields={"address": STRING, "name": STRING, "domain": STRING},
    closed=True,
    of="an address of `emails(..)`",
)

_LONGEST = re.compile(r"[^\s<>()\[\],;:\"\\@`]{1,64}\Z")
_PLAIN = re.compile(r"[A-Za-z0-9_+-](?:[A-Za-z0-9_.+-]*[A-Za-z0-9_+-])?\Z")
_DOMAIN = re.compile(r"[\w.\-\u3002\uff0e\uff61\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f]{1,254}")
_ROUTED = re.compile(r"[%!|]")
_STANDS_IN = re.compile("[\uff20\ufe6b]")
_VERSION = re.compile(r"v?[0-9][\w.-]*")


def emails(budget: Budget, text: str) -> list[Any]:
    """Every mail address in `text`: `[{address: "ann@example.com", name: "ann", domain: ..}]`.

    Display names, angle brackets, commas, `mailto:`, percent-encoding and HTML round an address
    are no part of it; `domain` is in lower-case A-labels. Where a name could begin at more than
    one place (`to=ann@example.com`) both addresses are in the list. What has no dot after the `@`,
    or a number, is none (`me@home`, `pkg@1.2.3`).

    Errors: a quoted name, a comment, a name with `%`, `!` or `|` or beyond ASCII, two `@` in one
    address, a character that stands in for `@`, a domain in brackets or that `domain_within` would
    refuse.
    """
    found: dict[str, dict[str, str]] = {}
    for reading in readings(text):
        charge(budget, 8 + len(reading) // CHARACTERS_PER_STEP)
        if _STANDS_IN.search(reading):
            raise EvaluationError("a character stands in for the `@` of a mail address")
        for name, domain in _found_in(budget, reading):
            address = f"{name}@{domain}"
            found[address] = {"address": address, "name": name, "domain": domain}
    return list(found.values())


def _found_in(budget: Budget, text: str) -> Iterator[tuple[str, str]]:
    at = -1
    while (at := text.find("@", at + 1)) >= 0:
        charge(budget, ADDRESS_STEPS)
        before, after = text[max(0, at - 65) : at], text[at + 1 : at + 2]
        if before[-1:] in {'"', ")", "]"} or after in {"[", "("}:
            raise EvaluationError("a mail address with a quoted name, a comment or brackets")
        longest = _LONGEST.search(before)
        written = _DOMAIN.match(text, at + 1)
        if longest is None or written is None:
            if after == "@" and longest is not None:
                raise EvaluationError("a mail address with two `@`")
            continue
        domain = written[0].rstrip(".-_")
        if text[written.end() : written.end() + 1] in {"@", "(", "\\"}:
            raise EvaluationError("a mail address with two `@`, a comment or a backslash")
        if not _has_dot(domain) or _VERSION.fullmatch(domain):
            continue
        if not domain.isascii():
            charge(budget, 32 * len(domain))
        yield from ((name, canonical_domain(domain)) for name in _names(longest[0]))


def _has_dot(domain: str) -> bool:
    return any(dot in domain for dot in ".\u3002\uff0e\uff61")


def _names(longest: str) -> Iterator[str]:
    if _ROUTED.search(longest) or not longest.isascii():
        raise EvaluationError("a mail address whose name is not plain")
    plain = _PLAIN.search(longest)
    if plain is None:
        raise EvaluationError("a mail address whose name is not plain")
    yield plain[0]
    if plain[0] != longest:
        yield longest


OVERLOADS = (Overload("emails", (STRING,), list_of(EMAIL), receiver=False, implementation=emails),)
