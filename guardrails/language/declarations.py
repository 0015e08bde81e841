"""What documents declare for all of them: policies, constants, facts and tools."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from guardrails.display import quote
from guardrails.language.context import ContextSchema, Fact, join_facts, read_fact
from guardrails.language.structure import DOCUMENT
from guardrails.language.tools import read_tool

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guardrails.errors import Problem
    from guardrails.language.document import Span, Tool
    from guardrails.language.validation import Path
    from guardrails.language.yaml_tree import Tree


SECTIONS = frozenset({"constants", "context", "tools"})
"""The sections of a document that declare something for all documents."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A document that has been read but not yet linked.

    `broken` are the paths of the faults in its structure; `clean` says that its YAML has none.
    """

    tree: Tree
    broken: frozenset[Path]
    clean: bool

    @property
    def hidden(self) -> frozenset[str]:
        """The sections of which a fault may hide a part."""
        if not self.clean or any(path[0] not in DOCUMENT for path in self.broken):
            return SECTIONS
        return SECTIONS.intersection(str(path[0]) for path in self.broken)

    @property
    def data(self) -> dict[str, Any]:
        """The document's own map."""
        data: dict[str, Any] = self.tree.data
        return data

    @property
    def policy(self) -> str:
        """The policy's name, "" where it has no proper one."""
        return "" if ("policy",) in self.broken else self.data["policy"]

    def sound(self, section: str) -> Iterable[Any]:
        """The keys (or indices) of a section under which no structural fault was found."""
        found = self.data.get(section)
        if not found or (section,) in self.broken:
            return ()
        broken = {path[1] for path in self.broken if path[0] == section}
        keys = found if type(found) is dict else range(len(found))
        return [key for key in keys if key not in broken] if broken else keys


@dataclass(slots=True)
class Declarations:
    """One namespace over all documents.

    `hidden` are the sections of which a fault may hide a part: a name that is not in one of them
    isn't unknown for that.
    """

    constants: dict[str, Any] = field(default_factory=dict)
    tools: dict[str, Tool] = field(default_factory=dict)
    context: ContextSchema | None = None
    hidden: frozenset[str] = frozenset()


def declare(drafts: list[Draft], problems: list[Problem], *, whole: bool) -> Declarations:
    """The declarations of all documents; their faults are added to `problems`.

    `whole` says that `drafts` are all documents: none could not be read.
    """
    declared = _Collector(problems).collect(drafts)
    hidden = (draft.hidden for draft in drafts)
    declared.hidden = declared.hidden.union(*hidden) if whole else SECTIONS
    return declared


class _Collector:
    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        self.places: dict[tuple[str, str], Span] = {}

    def collect(self, drafts: Iterable[Draft]) -> Declarations:
        found = Declarations()
        facts: list[Fact | None] = []
        for draft in drafts:
            tree = draft.tree
            if draft.policy:
                self._claim(tree, "policy", draft.policy, tree.value(draft.data, "policy"))
            for name in self._new(draft, "constants", "constant"):
                found.constants[name] = draft.data["constants"][name]
            names = self._new(draft, "context", "context fact")
            facts += [self._read_fact(draft, name) for name in names]
            for name in self._new(draft, "tools", "tool"):
                tools = draft.data["tools"]
                found.tools[name] = read_tool(tree, tools, name, draft.policy, self.problems)
        found.context = join_facts(fact for fact in facts if fact is not None)
        found.hidden = frozenset({"context"} if None in facts else ())
        return found

    def _new(self, draft: Draft, section: str, noun: str) -> list[str]:
        """The names that a section defines and none before it has."""
        return [
            name
            for name in draft.sound(section)
            if self._claim(draft.tree, noun, name, draft.tree.key(draft.data[section], name))
        ]

    def _claim(self, tree: Tree, noun: str, name: str, event: Any) -> bool:
        """Whether `name` is new; if not, a problem is added that tells the other place."""
        span = tree.span(event)
        first = self.places.setdefault((noun, name), span)
        if first is span:
            return True
        place = f"{first.path}:{first.line}:{first.column}"
        message = f"the {noun} {quote(name)} is defined already, at {place}"
        self.problems.append(tree.problem(event, message))
        return False

    def _read_fact(self, draft: Draft, name: str) -> Fact | None:
        context = draft.data["context"]
        fact, faults = read_fact(name, context[name])
        for fault in faults:
            event = draft.tree.event_at(context, (name, *fault.path), of_key=fault.of_key)
            self.problems.append(draft.tree.problem(event, fault.message))
        return fact
