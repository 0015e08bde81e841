"""A password or a card number is written to the decision log.

What it does
------------
Reports an argument of a declared tool that is named or described as a secret (`password`, `token`,
`api_key`, ...) or as what identifies a person or an account (`iban`, `ssn`, `card_number`, ...) and
that is not listed under `mask`; so too a property of an argument that is an object. Numbers and
yes/no are reported for what identifies somebody only by a number (`pin`), and names that speak
about a secret (`max_tokens`, `secret_name`) are not.

Why it is bad
-------------
The log is kept for months, is copied to where auditors and monitors read it, and can't be altered
afterwards: what got in stays in.

Example
-------
    version: 1
    policy: accounts
    owner: it@acme.example
    tools:
      accounts.login:
        traits: [read]
        arguments:
          user: {type: string}
          password: {type: string}
        required: [user, password]
    rules:
      - {id: login, effect: allow, tools: accounts.login}

Use instead
-----------
    version: 1
    policy: accounts
    owner: it@acme.example
    tools:
      accounts.login:
        traits: [read]
        arguments:
          user: {type: string}
          password: {type: string}
        required: [user, password]
        mask: [password]
    rules:
      - {id: login, effect: allow, tools: accounts.login}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.display import quote
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.masks import mask
from guardrails.toolchain.lint.registry import lint_rule
from guardrails.toolchain.lint.sensitive import is_sensitive_name, told_by

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.language.document import Tool
    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.project import Project

_DEPTH = 4
_PLAIN = frozenset({"integer", "number", "boolean", "null"})


@lint_rule("unmasked-sensitive", Severity.WARNING)
def check(project: Project) -> Iterator[Finding]:
    """The arguments that should not stand in the log."""
    for tool in project.bundle.tools.values():
        found = {} if tool.arguments is None else dict(_find(tool))
        fix = mask(project, tool, [*found]) if found else ()
        for name, why in found.items():
            yield project.finding(
                project.region(tool, "arguments", name, of_key=True),
                f"{quote(name)} of {quote(tool.name)} stands in the decision log as it is: {why}",
                why="the log is kept for months, and what got in can't be taken out",
                mend=f"list {quote(name)} under `mask` of the tool",
                fix=fix,
            )


def _find(tool: Tool) -> Iterator[tuple[str, str]]:
    """The sensitive arguments that are not masked, and what tells."""
    assert tool.arguments is not None
    for name, schema in tool.arguments.properties.items():
        if name not in tool.mask and (why := _reason(name, schema, 0)) is not None:
            yield name, why


def _reason(name: str, schema: Any, depth: int) -> str | None:
    """What tells that a value is sensitive, by its name, its description or a part of it."""
    given: dict[str, Any] = schema if type(schema) is dict else {}
    if "enum" in given or "const" in given:
        return None
    if not _is_plain(given, name):
        if is_sensitive_name(name):
            return "its name says what it is" if depth == 0 else f"it holds {quote(name)}"
        told = told_by(given.get("description", ""))
        if told is not None and depth == 0:
            return f"its description says “{told}”"
    if depth == _DEPTH:
        return None
    for part in (given, given.get("items")):
        properties = part.get("properties", {}) if type(part) is dict else {}
        for inner, below in properties.items():
            if (why := _reason(inner, below, depth + 1)) is not None:
                return why
    return None


def _is_plain(schema: dict[str, Any], name: str) -> bool:
    """Whether a value is a number or yes or no, and its name isn't that of a number that tells."""
    types = schema.get("type", ())
    named = {types} if type(types) is str else set(types)
    if not named or not named <= _PLAIN:
        return False
    return named <= {"boolean", "null"} or not is_sensitive_name(name) or "token" in name.lower()
