"""What differs between two loads, by name: for the log, and for people who watch."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from guardrails.language.document import Condition, Exemption, Expiry, Rule, Tool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardrails.language.document import Bundle

_PLACES = frozenset({"span", "places"})


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
    """What a new load changes: documents by path; rules, tools and constants by full name."""

    documents: Changes
    rules: Changes
    tools: Changes
    constants: Changes

    def as_json(self) -> dict[str, Any]:
        """The parts that differ, as the decision log holds them."""
        parts = {name: getattr(self, name) for name in self.__slots__}
        return {name: part.as_json() for name, part in parts.items() if part}


def find_difference(old: Bundle, new: Bundle) -> Difference:
    """Return what `new` changes; where a thing stands in its file doesn't count."""
    return Difference(
        documents=_compare(
            {document.path: document.policy for document in old.documents},
            {document.path: document.policy for document in new.documents},
        ),
        rules=_compare(
            {rule.name: _meaning(rule) for rule in old.rules},
            {rule.name: _meaning(rule) for rule in new.rules},
        ),
        tools=_compare(
            {name: _meaning(tool) for name, tool in old.tools.items()},
            {name: _meaning(tool) for name, tool in new.tools.items()},
        ),
        constants=_compare(
            {name: repr(value) for name, value in old.constants.items()},
            {name: repr(value) for name, value in new.constants.items()},
        ),
    )


def _compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> Changes:
    return Changes(
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed=tuple(sorted(name for name in old.keys() & new.keys() if old[name] != new[name])),
    )


def _meaning(part: Any) -> Any:
    """A part of a document without its places, to be compared."""
    if isinstance(part, Condition):
        return part.source
    if isinstance(part, Expiry):
        return part.text
    if isinstance(part, tuple):
        return tuple(map(_meaning, part))
    if isinstance(part, Rule | Tool | Exemption):
        return {
            each.name: _meaning(getattr(part, each.name))
            for each in fields(part)
            if each.name not in _PLACES
        }
    return part
