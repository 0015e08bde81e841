"""Domains of mail addresses and URLs, read so that no other reader could answer differently.

Substring tests on addresses and URLs are the classic bypass of a rule. These functions are
lexical: they resolve nothing. They accept one plain form and answer in lower-case A-labels; on
whatever mail servers, browsers and HTTP libraries are known to disagree about they raise
`EvaluationError`, so that the rule fails closed. See RFC 5321, RFC 3986, the WHATWG URL Standard.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.errors import EvaluationError
from guardrails.language.cel.functions.signature import Budget, Overload, charge, charge_text
from guardrails.language.cel.types import BOOL, STRING

if TYPE_CHECKING:
    from collections.abc import Callable

DOMAIN_STEPS = 32
"""The charge for a domain in ASCII; one that needs IDNA costs as much for each character."""

DOMAIN_LENGTH_MAX = 253
"""Characters of a domain name (RFC 1035, less length bytes and root)."""

ADDRESS_LENGTH_MAX = 254
"""Characters of a mail address (RFC 5321, erratum 1690)."""

SCHEMES = frozenset({"http", "https", "ws", "wss", "ftp", "ftps", "sftp", "ssh", "git"})
"""Schemes whose URLs name the host to connect to. Elsewhere it is ignored (`file:`) or is no
host at all (`javascript:`, `data:`, `s3:`)."""

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LOCAL_PART = re.compile(
    r"(?=.{1,64}\Z)[A-Za-z0-9_+=&'#$*?^{}~-]+(?:\.[A-Za-z0-9_+=&'#$*?^{}~-]+)*"
)
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)(.*)", re.DOTALL)
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_BLANK = re.compile(
    "[\x00-\x20\x7f-\xa0\xad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000"
    "\ud800-\udfff\ufeff]"
)


def email_domain(budget: Budget, address: str) -> str:
    """The domain of a plain mail address: `email_domain("Ann@Example.com")` is `"example.com"`.

    Errors: anything but one `name@domain`, such as a display name, several addresses, a comment,
    a quoted name, a name with `%`, `!`, `|` or `/` (which once routed mail elsewhere) or beyond
    ASCII; a domain that `domain_within` would refuse, or one without a dot.
    """
    charge_text(budget, len(address))
    if len(address) > ADDRESS_LENGTH_MAX:
        raise EvaluationError(f"a mail address has at most {ADDRESS_LENGTH_MAX} characters")
    name, _, domain = address.partition("@")
    if not _LOCAL_PART.fullmatch(name):
        raise EvaluationError("a mail address must be plain: `name@domain` and nothing else")
    if "." not in domain:
        raise EvaluationError("a mail address must name a whole domain, with a dot")
    return _read_domain(budget, domain)


def url_host(budget: Budget, url: str) -> str:
    """The host of a URL: `url_host("https://www.Example.com:8443/a?b")` is `"www.example.com"`.

    Errors: a scheme other than `http https ws wss ftp ftps sftp ssh git`, or none; userinfo
    (`user@`), a backslash, white space or a control character anywhere; a host that is a number
    (IPv4 in any writing, IPv6), that has `%` in it, or that `domain_within` would refuse; a port
    that is empty, 0, above 65535 or written with leading zeros; an `@` after a host that no slash
    ends.
    """
    charge_text(budget, 4 * len(url))
    if "\\" in url or _BLANK.search(url):
        raise EvaluationError("a URL must not hold a backslash, white space or a control character")
    parts = _URL.fullmatch(url)
    if parts is None or parts[1].lower() not in SCHEMES:
        raise EvaluationError("a URL must begin with a known scheme and `//`, such as `https://`")
    authority, rest = parts[2], parts[3]
    if "@" in authority or (rest[:1] in {"?", "#"} and "@" in rest):
        raise EvaluationError("a URL must not hold userinfo (an `@` before the path)")
    host, colon, port = authority.partition(":")
    if host.startswith("["):
        raise EvaluationError("a host must be a name, not a number")
    if colon and not (_PORT.fullmatch(port) and int(port) <= 65_535):
        raise EvaluationError("a port must be a plain number from 1 to 65535")
    return _read_domain(budget, host)


def domain_within(budget: Budget, domain: str, root: str) -> bool:
    """Whether `domain` is `root` or lies under it, label by label, in whatever case or script.

    `domain_within("a.example.com", "example.com")` is true, and false for `"evil-example.com"`.
    Errors: either is no plain domain name: an empty one, empty labels (a leading or trailing
    dot, too), a number, anything but letters, digits, `-` and `_`, an invalid A-label, a name
    that IDNA forbids or that its two versions read differently (`ß`, full-width letters). A
    literal root like that is a fault of the policy, found when it is loaded.
    """
    return _is_within(_read_domain(budget, domain), _read_domain(budget, root))


def _is_within(domain: str, root: str) -> bool:
    return domain == root or domain.endswith(f".{root}")


def _read_domain(budget: Budget, name: str) -> str:
    needs_idna = not name.isascii() or "xn--" in name.lower()
    charge(budget, DOMAIN_STEPS * (1 + len(name) if needs_idna else 1))
    return canonical_domain(name)


def canonical_domain(name: str) -> str:
    """`name` in lower-case A-labels; raises `EvaluationError` if it is no plain domain name."""
    if not 0 < len(name) <= DOMAIN_LENGTH_MAX:
        raise EvaluationError(f"a domain has 1 to {DOMAIN_LENGTH_MAX} characters")
    labels = [_canonical_label(label) for label in name.split(".")]
    if _NUMBER.fullmatch(labels[-1]):
        raise EvaluationError("a host must be a name, not a number")
    domain = ".".join(labels)
    if len(domain) > DOMAIN_LENGTH_MAX:
        raise EvaluationError(f"a domain has 1 to {DOMAIN_LENGTH_MAX} characters")
    return domain


def _canonical_label(label: str) -> str:
    if not label.isascii():
        return _to_a_label(label)
    lowered = label.lower()
    if not _LABEL.fullmatch(lowered):
        raise EvaluationError(
            "a domain is labels of letters, digits and hyphens, with dots between"
        )
    if lowered.startswith("xn--"):
        _check_a_label(lowered)
    return lowered


def _check_a_label(label: str) -> None:
    import idna  # noqa: PLC0415 - needed for few domains

    try:
        meant = idna.alabel(idna.ulabel(label)).decode("ascii")
    except UnicodeError:
        meant = ""
    if meant != label:
        raise EvaluationError("a domain holds an A-label that stands for nothing")


def _to_a_label(label: str) -> str:
    """The A-label by IDNA 2008, if IDNA 2003 (which Python's codec knows) doesn't differ."""
    import idna  # noqa: PLC0415 - needed for few domains

    try:
        encoded = idna.alabel(label)
    except UnicodeError:
        raise EvaluationError("a domain holds a label that IDNA forbids") from None
    if _by_idna_2003(label) not in {encoded, None}:
        raise EvaluationError("a domain holds a label that the versions of IDNA read differently")
    return encoded.decode("ascii")


def _by_idna_2003(label: str) -> bytes | None:
    try:
        return label.encode("idna")
    except UnicodeError:
        return None


def _specialise_within(literals: tuple[object | None, ...]) -> Callable[..., object] | None:
    literal = literals[1]
    if not isinstance(literal, str) or _check_root(literals):
        return None
    root = canonical_domain(literal)

    def specialised(budget: Budget, domain: str, _root: str) -> bool:
        return _is_within(_read_domain(budget, domain), root)

    return specialised


def _check_root(literals: tuple[object | None, ...]) -> str | None:
    root = literals[1]
    if not isinstance(root, str):
        return None
    try:
        canonical_domain(root)
    except EvaluationError as error:
        return f"`{root}` is no plain domain such as `example.com`: {error}"
    return None


OVERLOADS = (
    Overload("email_domain", (STRING,), STRING, receiver=False, implementation=email_domain),
    Overload("url_host", (STRING,), STRING, receiver=False, implementation=url_host),
    Overload(
        "domain_within",
        (STRING, STRING),
        BOOL,
        receiver=False,
        implementation=domain_within,
        check_literals=_check_root,
        specialise=_specialise_within,
    ),
)
