"""Exceptions from lint's rules, written as comments that give a reason and may end.

`# lint: allow[rule-id, other-id] the reason, until 2027-01-08`, on the line of what is excepted or
the line above. It covers that line and the whole of a rule, tool or value that begins on it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from guardrails.language.expiry import parse_expiry
from guardrails.language.folder import REGO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from guardrails.language.document import Expiry
    from guardrails.toolchain.lint.finding import Finding, Region
    from guardrails.toolchain.lint.text import PolicyText

_COMMENT = re.compile(r"(?:(?<=\s)|(?<![^\r\n]))#\s*lint\s*:[^\r\n]*")
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|`[^`]*`|(#[^\n]*)')
"""A string of a Rego module or, so that none is seen in it, a comment."""

_SIGN = re.compile(r"(?:^|(?<=\s))#")
_ALLOW = re.compile(r"#\s*lint\s*:\s*allow\s*\[([^\]]*)\](.*)")
_UNTIL = re.compile(r"(?:^|[\s,;(])until\s+(\S+?)[.)]?\s*$")
_SECTIONS = frozenset({"rules", "tools", "context", "constants", "cases", "fixtures"})


@dataclass(frozen=True, slots=True)
class Allowance:
    """One such comment: where it stands, and the first and last line that it covers.

    `ids` are the rules it names, `fault` what is wrong with it ("" if nothing is).
    """

    region: Region
    ids: tuple[str, ...]
    reason: str
    until: Expiry | None
    first: int
    last: int
    fault: str = ""

    def in_force(self, now_ns: int) -> bool:
        """Whether it excepts anything at `now_ns`, nanoseconds since 1970."""
        return not self.fault and not (self.until is not None and self.until.passed(now_ns))

    def covers(self, finding: Finding) -> bool:
        """Whether it excepts `finding`."""
        region = finding.region
        return (
            finding.rule in self.ids
            and region.path == self.region.path
            and self.first <= region.line <= self.last
        )


class Excepted(NamedTuple):
    """A finding that a comment excepts."""

    finding: Finding
    allowance: Allowance


def read_allowances(text: PolicyText) -> Iterator[Allowance]:
    """The exceptions in the comments of a file, with or without faults."""
    found = list(_COMMENT.finditer(text.text))
    if text.tree is None:
        yield from _read_in_module(text, found)
        return
    if not found:
        return
    entries = list(_entries(text.tree, text.tree.data, ()))
    scalars = [_content(text, each) for each in entries if each.scalar]
    for comment in found:
        at = comment.start()
        if _begins_comment(text, at, scalars):
            region = text.region(at, comment.end())
            first, last = _covered(text, region, entries)
            yield _read(comment.group(), region, first, last)


def _read_in_module(text: PolicyText, found: list[re.Match[str]]) -> Iterator[Allowance]:
    """The exceptions in the comments of a Rego module, annotations among them; each for a line."""
    strings = [(each.start(), each.end()) for each in _STRING.finditer(text.text) if not each[1]]
    for comment in found:
        at = comment.start()
        if text.path.lower().endswith(REGO) and not any(a < at < b for a, b in strings):
            region = text.region(at, comment.end())
            yield _read(comment.group(), region, *_covered(text, region, ()))


def _begins_comment(text: PolicyText, at: int, scalars: list[tuple[int, int]]) -> bool:
    """Whether the `#` at that offset begins a comment: not within another, nor within a value."""
    line = text.starts[text.region(at, at).line - 1]
    signs = (line + found.start() for found in _SIGN.finditer(text.text[line : at + 1]))
    outside = (sign for sign in signs if not any(start < sign < end for start, end in scalars))
    return next(outside, None) == at


def _content(text: PolicyText, entry: _Entry) -> tuple[int, int]:
    """Where a scalar's own text stands; that of `>` and `|` begins on the next line."""
    if text.text[entry.start : entry.start + 1] in (">", "|"):
        line = text.region(entry.start, entry.start).line
        return [*text.starts, entry.end][line], entry.end
    return entry.start, entry.end


def _read(comment: str, region: Region, first: int, last: int) -> Allowance:
    match = _ALLOW.fullmatch(comment)
    if match is None:
        return Allowance(region, (), "", None, first, last, "it can't be read")
    ids = tuple(each.strip() for each in match[1].split(",") if each.strip())
    reason, until, fault = match[2].strip(), None, ""
    if ending := _UNTIL.search(reason):
        reason = reason[: ending.start()].rstrip(" ,;(")
        try:
            until = parse_expiry(ending[1])
        except ValueError as error:
            fault = f"`{ending[1]}` is {error}"
    if not any(map(str.isalnum, reason)):
        fault = "it gives no reason"
    if not ids:
        fault = "it names no rule"
    return Allowance(region, ids, reason, until, first, last, fault)


class _Entry(NamedTuple):
    """A key with its value, or an item: the line it begins on, and what its value takes."""

    line: int
    last: int
    start: int
    end: int
    scalar: bool
    section: bool


def _entries(tree: Any, container: Any, path: tuple[Any, ...]) -> Iterator[_Entry]:
    """The entries below `container`, each before those in it."""
    if type(container) not in (dict, list):
        return
    steps = container if type(container) is dict else range(len(container))
    for step in steps:
        event = tree.value(container, step)
        begin = (tree.key(container, step) if type(container) is dict else event).start_mark
        inner = list(_entries(tree, container[step], (*path, step)))
        scalar = type(container[step]) not in (dict, list)
        if scalar and event.start_mark.index < begin.index:
            continue  # an alias: what it stands for is elsewhere
        mark = event.end_mark
        own = mark.line + (1 if mark.column else 0)
        last = max([own, *(each.last for each in inner)])
        section = not path and step in _SECTIONS
        yield _Entry(begin.line + 1, last, event.start_mark.index, mark.index, scalar, section)
        yield from inner


def _covered(text: PolicyText, comment: Region, entries: Iterable[_Entry]) -> tuple[int, int]:
    """The lines that a comment covers: its own, or the next that is no comment, and what begins."""
    line = comment.line
    if not text.source.line(line)[: comment.column - 1].strip():
        line += 1
        while line <= len(text.starts) and text.source.line(line).lstrip()[:1] in ("", "#"):
            line += 1
    begun = (each.last for each in entries if each.line == line and not each.section)
    return line, max([line, *begun])


def split_excepted(
    findings: Iterable[Finding], allowances: Iterable[Allowance]
) -> tuple[list[Finding], list[Excepted]]:
    """The findings that stand, and those that one of `allowances` excepts."""
    by_path: dict[str, list[Allowance]] = {}
    for allowance in allowances:
        by_path.setdefault(allowance.region.path, []).append(allowance)
    standing, excepted = [], []
    for finding in findings:
        near = by_path.get(finding.region.path, ())
        used = next((each for each in near if each.covers(finding)), None)
        if used is None:
            standing.append(finding)
        else:
            excepted.append(Excepted(finding, used))
    return standing, excepted
