"""A policy holds a secret, and everybody reads policies.

What it does
------------
Looks through every file of policies and tests, comments too, for what has the shape of a key or
token of a well-known issuer, for private keys, passwords in URLs and web tokens; for constants
named as secrets; and, with less certainty (a warning), for long runs of random characters. It shows
nothing of a secret but the letters by which its issuer marks it. A key that is an example by its
looks (`example`, `1234567`) is a note. What plainly is a placeholder (`changeme`, `<token>`) is not
reported; a checksum isn't either if `sha256:` or the like stands before it.

Why it is bad
-------------
Policies are in a repository that many can read, are copied to every agent, and are shown in reports
and reviews. Whoever reads them has the secret, and its history keeps it when the line is gone.

Example
-------
    version: 1
    policy: hooks
    owner: it@acme.example
    constants:
      hook: https://deploy:tR0ub4dor-3@hooks.acme.com/deploy
    rules:
      - id: our-hook
        effect: allow
        tools: http.post
        when: arguments.url == constants.hook

Use instead
-----------
    version: 1
    policy: hooks
    owner: it@acme.example
    constants:
      hook: https://hooks.acme.com/deploy
    rules:
      - id: our-hook
        effect: allow
        tools: http.post
        when: arguments.url == constants.hook
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from guardrails.display import excerpt, quote
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.registry import lint_rule
from guardrails.toolchain.lint.secrets import Secret, find_secrets, is_placeholder
from guardrails.toolchain.lint.sensitive import is_secret_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.project import Project
    from guardrails.toolchain.lint.text import PolicyText

_MADE_UP = re.compile(r"(?=.*[A-Za-z])(?=.*[0-9])[^\s\[\]^]{6,}")
"""Letters and digits without spaces, and no pattern: what a secret is made of, and words aren't."""

_SHOWN = 4
_MARKED = "a key", "a token", "an access key"


@lint_rule("embedded-secret", Severity.ERROR)
def check(project: Project) -> Iterator[Finding]:
    """The secrets in policies and tests."""
    for text in project.texts.values():
        found = [*find_secrets(text.text)]
        found += [
            secret
            for secret in _named(text)
            if not any(known.start < secret.end and secret.start < known.end for known in found)
        ]
        for secret in found:
            yield _tell(project, text, secret, found)


def _named(text: PolicyText) -> Iterator[Secret]:
    """The texts of constants whose names say that they are secrets."""
    tree = text.tree
    constants: Any = tree.data.get("constants") if tree and type(tree.data) is dict else None
    for name, value in constants.items() if type(constants) is dict else ():
        if type(value) is not str or not is_secret_name(str(name)):
            continue
        if _MADE_UP.fullmatch(value) and not is_placeholder(value):
            assert tree is not None
            region = text.region_of(tree.value(constants, name))
            yield Secret(region.start, region.end, f"the constant {quote(name)}", sure=True)


def _tell(project: Project, text: PolicyText, secret: Secret, found: list[Secret]) -> Finding:
    size = secret.end - secret.start
    if secret.sure:
        marked = secret.what.startswith(_MARKED)
        begins = f", `{text.text[secret.start : secret.start + _SHOWN]}…`" if marked else ""
        message = f"a secret stands here: {secret.what}{begins} ({size} characters)"
        mend = "withdraw it where it was issued; let the tool read the new one from its environment"
    elif secret.sample:
        message = f"{secret.what} stands here ({size} characters), an example by its looks"
        mend = "if it was ever issued, withdraw it there; if not, write it unlike a key"
    else:
        message = f"{secret.what} ({size}) look like a secret"
        mend = "if it is one, withdraw it where it was issued; if not, except it with a reason"
    finding = project.finding(
        text.region(secret.start, secret.end),
        message,
        why="whoever can read the policies, or their history, has it",
        mend=mend,
        severity=_severity(secret),
    )
    return replace(finding, excerpt=_masked(text, secret, found))


def _severity(secret: Secret) -> Severity | None:
    """How bad it is; None for what the rule says."""
    if secret.sure:
        return None
    return Severity.NOTE if secret.sample else Severity.WARNING


def _masked(text: PolicyText, secret: Secret, found: list[Secret]) -> str:
    """The line with every secret in it hidden, and carets under `secret`."""
    region = text.region(secret.start, secret.end)
    begin = text.starts[region.line - 1]
    line = list(text.source.line(region.line))
    for each in found:
        for at in range(max(each.start - begin, 0), min(each.end - begin, len(line))):
            line[at] = "*"
    last = secret.end if region.end_line == region.line else begin + len(line)
    return excerpt("".join(line), region.column, last - secret.start)
