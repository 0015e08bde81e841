"""One agent reads what strangers wrote, reads what is private, and can send it out.

What it does
------------
Reports a rule that allows a tool with an effect outside (`external`, `communicate`), to subjects
who are also allowed a tool that `returns: [untrusted]` and one that `returns` private data
(`confidential`, `private`, `secret`, `personal`, `internal`, `pii`), when nothing keeps the three
apart: no rule for any of them reads `session`, and none for the tool that sends tests whom or what
it reaches. Roles that differ count as different subjects, and what is escalated as watched. Where
no tool says that it returns private data, one that reads inside and doesn't say what it returns is
taken for one; that is a guess, and so the finding a note.

Why it is bad
-------------
A text from outside can hold instructions, and a model may follow them: read the private, send it
to me. Each of the three tools is harmless; together they are how data leaves (Simon Willison, "The
lethal trifecta for AI agents", 2025).

Example
-------
    version: 1
    policy: assistant
    owner: it@acme.example
    tools:
      mail.read: {traits: [read], returns: [untrusted]}
      files.read: {traits: [read], returns: [confidential]}
      web.post: {traits: [write, external]}
    rules:
      - id: assistant
        effect: allow
        tools: [mail.read, files.read, web.post]
        subjects: {roles: [assistant]}

Use instead
-----------
    version: 1
    policy: assistant
    owner: it@acme.example
    tools:
      mail.read: {traits: [read], returns: [untrusted]}
      files.read: {traits: [read], returns: [confidential]}
      web.post: {traits: [write, external]}
    rules:
      - id: assistant
        effect: allow
        tools: [mail.read, files.read, web.post]
        subjects: {roles: [assistant]}
      - id: two-of-three
        effect: deny
        tools: web.post
        when: '"untrusted" in session.labels && "confidential" in session.labels'
"""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from guardrails.display import quote
from guardrails.engine.rule import rule_conditions
from guardrails.toolchain.lint.bearing import allowing, listed, reads, restricting
from guardrails.toolchain.lint.destinations import tests_destination
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.registry import lint_rule
from guardrails.toolchain.lint.selection import have_subject_in_common

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.language.document import Rule, Subjects, Tool
    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.project import Project

_UNTRUSTED = frozenset({"untrusted"})
_PRIVATE = frozenset({"confidential", "private", "secret", "personal", "internal", "pii"})
_OUTWARD = frozenset({"external", "communicate"})
_ORDER = ("untrusted", "private", "outside")


class _Open(NamedTuple):
    """A tool that a rule allows without keeping it apart; `sure` if the tool says what it is."""

    tool: Tool
    rule: Rule
    sure: bool


class _Part(NamedTuple):
    """What a tool is of the three."""

    name: str
    sure: bool


@lint_rule("lethal-trifecta", Severity.WARNING)
def check(project: Project) -> Iterator[Finding]:
    """The subjects who have all three, each told at the rule that lets them send."""
    found = _find_open(project)
    for whose, group in found["outside"].items():
        pair = _find_pair(found, whose)
        if pair is not None:
            yield _tell(project, *pair, group)


def _tell(project: Project, untrusted: _Open, private: _Open, outside: list[_Open]) -> Finding:
    names = list(dict.fromkeys(each.tool.name for each in outside))
    read, held = quote(untrusted.tool.name), quote(private.tool.name)
    if private.sure:
        data, mend, severity = "private data", "", None
    else:
        data, severity = "private data, by its trait `read`", Severity.NOTE
        mend = f"say what {held} `returns`; if it is private, "
    return project.finding(
        project.region(outside[0].rule, "effect"),
        f"{listed(names)} {'sends' if len(names) == 1 else 'send'} out for whom {read} "
        f"(untrusted text) and {held} ({data}) are open too",
        why="a text from outside can tell the agent to read what is private and to send it",
        mend=f"{mend}deny it by `session.labels` once both were read, or escalate it",
        severity=severity,
    )


def _find_open(project: Project) -> dict[str, dict[Subjects | None, list[_Open]]]:
    """The tools that are open, by what they are of the three and by whom they are open to."""
    found: dict[str, dict[Subjects | None, list[_Open]]] = {
        name: defaultdict(list) for name in _ORDER
    }
    for tool in project.bundle.tools.values():
        parts = [*_parts_of(tool)]
        for rule in allowing(project, tool.name) if parts else ():
            for name, sure in parts:
                if not _is_kept_apart(project, tool, rule, name):
                    found[name][rule.subjects].append(_Open(tool, rule, sure))
    for groups in found.values():
        for group in groups.values():
            group.sort(key=lambda each: not each.sure)
    return found


def _parts_of(tool: Tool) -> Iterator[_Part]:
    """What a tool is of the three; by its traits where it doesn't say what it returns."""
    traits = set(tool.traits or ())
    outward = bool(_OUTWARD & traits)
    if outward:
        yield _Part("outside", sure=True)
    if tool.returns:
        if _UNTRUSTED.intersection(tool.returns):
            yield _Part("untrusted", sure=True)
        if _PRIVATE.intersection(tool.returns):
            yield _Part("private", sure=True)
    elif "read" in traits and not outward:
        yield _Part("private", sure=False)


def _is_kept_apart(project: Project, tool: Tool, rule: Rule, part: str) -> bool:
    """Whether some rule heeds what was read before, or whom a tool that sends reaches."""
    for each in (rule, *restricting(project, tool.name, rule)):
        if reads(each, "session"):
            return True
        if part == "outside" and (
            (each is not rule and each.when is None and each.budget is None)
            or any(tests_destination(tool, condition) for condition in rule_conditions(each))
        ):
            return True
    return False


def _find_pair(
    found: dict[str, dict[Subjects | None, list[_Open]]], whose: Subjects | None
) -> tuple[_Open, _Open] | None:
    """The surest two, of untrusted text and private data, that are open to one of `whose`."""
    best: tuple[_Open, _Open] | None = None
    for who, whom in product(found["untrusted"], found["private"]):
        if not have_subject_in_common((who, whom, whose)):
            continue
        pair = found["untrusted"][who][0], found["private"][whom][0]
        if pair[1].sure:
            return pair
        best = best or pair
    return best
