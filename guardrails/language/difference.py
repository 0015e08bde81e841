"""What differs between two loads, by name: for the log, and for people who watch."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from guardrails.language.arguments import ArgumentsSchema
from guardrails.language.document import (
    Budget,
    Condition,
    Document,
    Exemption,
    Expiry,
    Rule,
    Tool,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardrails.language.document import Bundle

_LEFT_OUT = frozenset({"span", "places"})
"""Where a thing stands, which is not what it means."""

_MODULE = "module"
"""How a rule of a Rego module is judged: what that says has a digest of its own."""

_PARTS = frozenset({"constants", "path", "rules", "tools"})
"""What a document holds or is named by, which is compared by itself."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Names that one side alone has, and names that mean something else on either side."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)

    def as_json(self) -> dict[str, list[str]]:
        """The changes as the decision log holds them."""
        return {
            "added": list(self.added),
            "removed": list(self.removed),
            "changed": list(self.changed),
        }


@dataclass(frozen=True, slots=True)
class Difference:
    """What a new load changes: documents by path, the rest by full name.

    A document has changed where what it says of itself has: its name, its owner, its controls.
    """

    documents: Changes
    rules: Changes
    tools: Changes
    constants: Changes
    context: Changes

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.__slots__)

    def as_json(self) -> dict[str, Any]:
        """The parts that differ, as the decision log holds them."""
        parts = {name: getattr(self, name) for name in self.__slots__}
        return {name: part.as_json() for name, part in parts.items() if part}


def find_difference(old: Bundle, new: Bundle) -> Difference:
    """Return what `new` changes; where a thing stands in its file doesn't count."""
    return Difference(
        documents=_compare(_documents(old), _documents(new)),
        rules=_compare(_rules(old), _rules(new)),
        tools=_compare(old.tools, new.tools),
        constants=_compare(old.constants, new.constants),
        context=_compare(_facts(old), _facts(new)),
    )


def _documents(bundle: Bundle) -> dict[str, Document]:
    return {document.path: document for document in bundle.documents}


def _rules(bundle: Bundle) -> dict[str, Rule]:
    return {rule.name: rule for rule in bundle.rules}


def _facts(bundle: Bundle) -> Mapping[str, Any]:
    facts = {} if bundle.context is None else bundle.context.facts
    return {name: fact.schema for name, fact in facts.items()}


def _compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> Changes:
    common = old.keys() & new.keys()
    return Changes(
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed=tuple(
            sorted(name for name in common if _meaning(old[name]) != _meaning(new[name]))
        ),
    )


def _meaning(part: Any) -> Any:
    """A part of a document without its places, to be compared.

    Values of constants and schemas are taken with their types: 1 is another limit than 1.0 or true.
    """
    match part:
        case Condition():
            return part.source
        case Expiry():
            return part.text
        case tuple() | list():
            return tuple(map(_meaning, part))
        case dict():
            return {key: _meaning(value) for key, value in part.items()}
        case bool() | int() | float():
            return type(part), part
        case Budget():
            return _fields(part, _LEFT_OUT)
        case Document():
            return _fields(part, _LEFT_OUT | _PARTS)
        case Rule() | Tool() | Exemption():
            return _fields(part, _LEFT_OUT)
        case ArgumentsSchema():
            named = (part.properties, part.required, part.definitions)
            return tuple(map(_meaning, named))
    return part


def _fields(
    part: Budget | Document | Rule | Tool | Exemption, left_out: frozenset[str]
) -> dict[str, Any]:
    names = (each.name for each in fields(part))
    found = {name: getattr(part, name) for name in names if name not in left_out}
    if found.get(_MODULE) is not None:
        found[_MODULE] = found[_MODULE].digest
    return {name: _meaning(value) for name, value in found.items()}
