"""`# METADATA` annotations: what they say of a package and of its rules.

The form is OPA's (https://www.openpolicyagent.org/docs/policy-language#metadata): YAML in comments
right above a package or a rule. What OPA has no key for stands under `custom`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from guardrails.display import quote
from guardrails.language.cel.errors import did_you_mean
from guardrails.language.document import TRAITS, Approval, Expiry, Span
from guardrails.language.expiry import parse_expiry
from guardrails.language.rego.terms import read_terms
from guardrails.language.source import Source
from guardrails.language.structure import TOOL_PATTERN
from guardrails.language.yaml_reader import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from guardrails.errors import Problem
    from guardrails.language.yaml_tree import Tree

_HEAD = re.compile(r"^#[ \t]*METADATA[ \t]*$")
_OWN = (
    "approval",
    "controls",
    "expires",
    "message",
    "mode",
    "owner",
    "severity",
    "tools",
    "traits",
)
_OF_PACKAGE = ("owner", "tools", "traits")
_NEAR = ("tool", "trait", "control", "expiry", "owners")
_SEVERITIES = ("low", "medium", "high", "critical")


@dataclass(frozen=True, slots=True)
class Annotation:
    """What an annotation says; `line` is that of what it stands above.

    `places` tell where the values of `custom` stand, by key, and the items of lists: `tools[0]`;
    of a control, `controls NAME`.
    """

    line: int
    title: str = ""
    description: str = ""
    owner: str = ""
    controls: tuple[str, ...] = ()
    tools: tuple[str, ...] | None = None
    traits: tuple[str, ...] | None = None
    approval: Approval | None = None
    message: str = ""
    severity: str = ""
    mode: str = ""
    expires: Expiry | None = None
    scope: str = ""
    places: Mapping[str, Span] = field(default_factory=dict, repr=False)


def read_annotations(
    source: Source, package_line: int, problems: list[Problem]
) -> list[Annotation]:
    """The annotations of a module; faults are added to `problems`."""
    lines = source.text.splitlines()
    found = []
    for first, last in _blocks(lines):
        line = next((n for n in range(last, len(lines)) if lines[n].strip()), last) + 1
        text = "\n".join([""] * first + [" " + each[1:] for each in lines[first:last]])
        tree, faults = read_yaml(Source(source.path, text))
        problems += faults
        if tree is not None and type(tree.data) is dict:
            found.append(_Reader(tree, problems).read(line, of_package=line == package_line))
        elif not faults:
            problems.append(source.problem(first, 1, "the annotation is no map of keys to values"))
    return found


def _blocks(lines: list[str]) -> Iterator[tuple[int, int]]:
    """Where the YAML of each annotation begins and ends, as indexes of lines."""
    at = 0
    while at < len(lines):
        if _HEAD.match(lines[at]):
            first = at + 1
            at = first
            while at < len(lines) and lines[at].startswith("#"):
                at += 1
            yield first, at
        at += 1


class _Reader:
    """Reads one annotation."""

    def __init__(self, tree: Tree, problems: list[Problem]) -> None:
        self.tree = tree
        self.problems = problems

    def read(self, line: int, *, of_package: bool) -> Annotation:
        data = self.tree.data
        custom = data.get("custom", {})
        if type(custom) is not dict:
            self._report(data, "custom", "`custom` is a map")
            custom = {}
        self._check_keys(custom, of_package=of_package)
        return Annotation(
            line=line,
            title=self._text(data, "title"),
            description=self._text(data, "description"),
            owner=self._text(custom, "owner") or _author(data.get("authors")),
            controls=self._names(custom, "controls") or (),
            tools=self._selectors(custom, "tools", TOOL_PATTERN),
            traits=self._selectors(custom, "traits", "|".join(TRAITS)),
            approval=self._terms(custom),
            message=self._text(custom, "message"),
            severity=self._one_of(custom, "severity", _SEVERITIES),
            mode=self._one_of(custom, "mode", ("observe", "enforce")),
            expires=self._expires(custom),
            scope=self._text(data, "scope"),
            places=dict(self._places(custom)),
        )

    def _places(self, custom: dict[str, Any]) -> Iterator[tuple[str, Span]]:
        for key, value in custom.items():
            yield str(key), self._place(custom, key)
            for index, item in enumerate(value if type(value) is list else ()):
                place = self._place(value, index)
                yield f"{key}[{index}]", place
                yield f"{key} {item}", place

    def _place(self, holder: Any, step: Any) -> Span:
        mark = self.tree.value(holder, step).start_mark
        return Span(self.tree.source.path, mark.line + 1, mark.column + 1)

    def _check_keys(self, custom: dict[str, Any], *, of_package: bool) -> None:
        for key in custom:
            if key in _OF_PACKAGE and not of_package:
                message = f"`{key}` concerns the module as a whole: write it above `package`"
                self._report(custom, key, message, of_key=True)
            elif key not in _OWN and (key in _NEAR or did_you_mean(str(key), _OWN)):
                hint = did_you_mean(str(key), _OWN)
                message = f"unknown key {quote(str(key))}{hint}"
                self._report(custom, key, message, of_key=True)

    def _text(self, data: dict[str, Any], key: str) -> str:
        value = data.get(key, "")
        if type(value) is not str:
            self._report(data, key, f"`{key}` is a text")
            return ""
        return value

    def _one_of(self, data: dict[str, Any], key: str, words: tuple[str, ...]) -> str:
        value = self._text(data, key)
        if value and value not in words:
            self._report(data, key, f"{quote(value)} is none of {', '.join(map(quote, words))}")
        return value

    def _names(self, data: dict[str, Any], key: str) -> tuple[str, ...] | None:
        if key not in data:
            return None
        value = data[key]
        names = [value] if type(value) is str else value
        if type(names) is not list or not names or not all(type(name) is str for name in names):
            self._report(data, key, f"`{key}` is a name or a list of names")
            return None
        return tuple(names)

    def _selectors(self, data: dict[str, Any], key: str, form: str) -> tuple[str, ...] | None:
        names = self._names(data, key)
        for index, name in enumerate(names or ()):
            if not re.fullmatch(form, name):
                hint = did_you_mean(name, TRAITS) if key == "traits" else ""
                listed = type(data[key]) is list
                holder, step = (data[key], index) if listed else (data, key)
                self._report(holder, step, f"{quote(name)} is no {key[:-1]}{hint}")
        return names

    def _terms(self, custom: dict[str, Any]) -> Approval | None:
        if "approval" not in custom:
            return None
        try:
            return read_terms(custom["approval"])
        except ValueError as error:
            self._report(custom, "approval", str(error))
            return None

    def _expires(self, custom: dict[str, Any]) -> Expiry | None:
        text = self._text(custom, "expires")
        try:
            return parse_expiry(text) if text else None
        except ValueError as error:
            self._report(custom, "expires", f"{quote(text)} is {error}")
            return None

    def _report(self, data: Any, key: str | int, message: str, *, of_key: bool = False) -> None:
        event = self.tree.key(data, key) if of_key else self.tree.value(data, key)
        self.problems.append(self.tree.problem(event, message))


def _author(authors: Any) -> str:
    """The first of the authors: `Name <address>`, or a map with `email` and `name`."""
    first = authors[0] if type(authors) is list and authors else ""
    if type(first) is dict:
        first = first.get("email") or first.get("name") or ""
    return first if type(first) is str else ""
