"""Secrets in a text: by the shapes that their issuers give them, or by being random.

The shapes are those that issuers publish so that scanners find what leaked; see GitHub's list of
supported secrets (docs.github.com, "Supported secret scanning patterns").
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from math import log2
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHAPES: tuple[tuple[str, str], ...] = (
    ("an access key of AWS", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b"),
    ("a token of GitHub", r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})"),
    ("a token of GitLab", r"\bgl(?:pat|rt|dt|cbt|ptt)-[A-Za-z0-9_-]{20,}"),
    ("a token of Slack", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    ("a webhook of Slack", r"\bhooks\.slack\.com/services/T\w{6,}/B\w{6,}/[A-Za-z0-9]{20,}"),
    ("a key of Anthropic", r"\bsk-ant-[A-Za-z0-9_-]{20,}"),
    ("a key of OpenAI", r"\bsk-(?!ant-)(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{32,}"),
    ("a key of Stripe", r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}"),
    ("a key of Google", r"\b(?:AIza[A-Za-z0-9_-]{35}|GOCSPX-[A-Za-z0-9_-]{28})"),
    ("a key of SendGrid", r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{30,}"),
    ("a token of npm", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("a token of PyPI", r"\bpypi-[A-Za-z0-9_-]{50,}"),
    ("a token of Hugging Face", r"\bhf_[A-Za-z0-9]{30,}"),
    ("a token of DigitalOcean", r"\bdo[opr]_v1_[0-9a-f]{64}\b"),
    ("a token of Shopify", r"\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b"),
    ("a token of Vault", r"\bhv[sb]\.[A-Za-z0-9_-]{20,}"),
    ("a JSON web token", r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{10,}"),
    ("a private key", r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?:(?:\s|\\n)+[A-Za-z0-9+/=]{4,})+"),
    ("a password in a URL", r"\b[a-z][a-z0-9+.-]*://[^\s/:@\"'`]+:(?P<secret>[^\s/:@\"'`]{3,})@"),
)  # fmt: skip
_PATTERNS = tuple((what, re.compile(shape)) for what, shape in _SHAPES)
_HINT = re.compile(
    "AKIA|ASIA|ABIA|ACCA|gh[pousr]_|github_pat|gl(?:pat|rt|dt|cbt|ptt)-|xox|hooks|sk-|[sr]k_|AIza"
    r"|GOCSPX|SG\.|npm_|pypi-|hf_|do[opr]_|shp|hv[sb]\.|eyJ|-----BEGIN|://"
)
"""What one of the shapes has to hold, so that most texts are read once."""

_PLACEHOLDER = re.compile(
    r"(?i)example|placeholder|change.?me|your[_-]|dummy|x{4}|\*{3}|\.{3}|<|>|\$\{|\$[a-z]|1234567|abcdefg"
    r"|\A(?:pass|passwd|password|pwd|secret|token)\Z"
)
_SAMPLE = re.compile("(?i)example|dummy|1234567|abcdefg")
"""What makes a placeholder of a text that may be a key all the same, if it has a key's shape."""

_RANDOM = re.compile(r"(?<![A-Za-z0-9+_=-])[A-Za-z0-9+_-]{24,128}={0,2}(?![A-Za-z0-9+_=-])")
_DIGEST = re.compile(r"sha(?:256|384|512)[-:]")
_CLASSES = (str.islower, str.isupper, str.isdigit)

ENTROPY = 4.0
"""Bits a character, at least, of a text of 24 characters or more that passes for random: random
letters and digits have 4.2 at that length, names of people's making seldom more than 3.8."""

CHANGES = 0.4
"""How often, at least, small letters, capitals and digits follow on one another in random text
(0.62 of all places on average); words change far less."""

IN_WORDS = 0.4
"""The share of characters, at most, that stand in runs of three small letters or more, a capital
before them included (0.2 in random text)."""

_WORD = re.compile("[A-Z]?[a-z]{3,}")


class Secret(NamedTuple):
    """A secret from `start` to `end` of a text: what it seems to be, and whether that is sure."""

    start: int
    end: int
    what: str
    sure: bool
    sample: bool = False
    """Whether it has the shape of a key and is most likely an example from somebody's pages."""


def find_secrets(text: str) -> Iterator[Secret]:
    """The secrets in `text`, by place; what is a placeholder plainly is none."""
    found = [*_shaped(text)] if _HINT.search(text) else []
    taken = [(secret.start, secret.end) for secret in found]
    found += [
        secret
        for secret in _random(text)
        if not any(start < secret.end and secret.start < end for start, end in taken)
    ]
    yield from sorted(found)


def is_placeholder(text: str) -> bool:
    """Whether `text` plainly stands for a secret that isn't there."""
    return len(set(text)) < len(text) / 6 or _PLACEHOLDER.search(text) is not None


def _shaped(text: str) -> Iterator[Secret]:
    for what, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            group = "secret" if pattern.groupindex else 0
            secret = match[group].strip("-")
            if not is_placeholder(secret):
                yield Secret(match.start(group), match.end(group), what, sure=True)
            elif group == 0 and not is_placeholder(_SAMPLE.sub("", secret)):
                yield Secret(match.start(), match.end(), what, sure=False, sample=True)


def _random(text: str) -> Iterator[Secret]:
    for match in _RANDOM.finditer(text):
        token = match[0]
        digest = _DIGEST.match(token) or _DIGEST.match(text, max(match.start() - 7, 0))
        if not digest and _is_random(token) and not is_placeholder(token):
            yield Secret(match.start(), match.end(), "random characters", sure=False)


def _is_random(token: str) -> bool:
    kinds = [next((k for k, test in enumerate(_CLASSES) if test(c)), None) for c in token]
    if not {0, 1, 2} <= set(kinds):
        return False
    changes = sum(one != other for one, other in pairwise(kinds))
    if changes < CHANGES * len(token):
        return False
    if sum(len(word) for word in _WORD.findall(token)) > IN_WORDS * len(token):
        return False
    counts = Counter(token).values()
    return -sum(n / len(token) * log2(n / len(token)) for n in counts) >= ENTROPY
