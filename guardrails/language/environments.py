"""What the conditions of a rule can name: the variables, with what is known of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.decision import Effect
from guardrails.language.cel.environment import Environment
from guardrails.language.cel.errors import did_you_mean
from guardrails.language.cel.relations import join, type_of
from guardrails.language.cel.types import (
    DYN,
    STRING,
    TIMESTAMP,
    RecordType,
    Type,
    list_of,
    map_of,
)
from guardrails.language.document import KINDS
from guardrails.language.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from guardrails.language.declarations import Declarations
    from guardrails.language.document import Tool

_ANY_MAP = map_of(STRING, DYN)
_SUBJECT = RecordType(
    "map",
    fields={
        "id": STRING,
        "roles": list_of(STRING),
        "on_behalf_of": STRING,
        "chain": list_of(STRING),
        "attributes": _ANY_MAP,
    },
    closed=True,
    of="`subject`",
)
_SESSION = RecordType(
    "map",
    fields={"id": STRING, "labels": list_of(STRING), "targets": list_of(STRING)},
    closed=True,
    of="`session`",
)
_KINDS = RecordType("map", fields=dict.fromkeys(KINDS, list_of(DYN)), closed=True, noun="kind")


class Environments:
    """The environments of conditions, one for each set of tools that rules can match."""

    def __init__(self, declared: Declarations) -> None:
        self._tools = declared.tools
        self._outlines = declared.outlines
        self._hidden = declared.hidden
        self._constants = {} if "constants" in declared.hidden else declared.constants
        self._variables: Mapping[str, Type] = {
            "tool": STRING,
            "traits": list_of(STRING),
            "kinds": _KINDS,
            "subject": _SUBJECT,
            "context": _type_of_context(declared),
            "session": _SESSION,
            "constants": self._type_of_constants(),
            "now": TIMESTAMP,
        }
        self._known: dict[tuple[str, ...], Environment] = {}
        self._matched: dict[str, tuple[str, ...]] = {}
        self.open = self._make(_ANY_MAP)
        """The environment of tools of which nothing is known."""

    def of_tools(self, names: tuple[str, ...]) -> Environment:
        """The environment of conditions that are evaluated for calls of these tools alone.

        Nothing is known of the arguments where there is no tool, or one that declares none.
        """
        environment = self._known.get(names)
        if environment is None:
            environment = self._known[names] = self._make(self._arguments(names))
        return environment

    def concerned(
        self, effect: Effect, names: tuple[str, ...] | None, traits: tuple[str, ...] | None
    ) -> tuple[str, ...]:
        """The tools that a rule with these selectors can match, as far as they are named.

        None where a fault may hide one of them.
        """
        exact = names is not None and not any("*" in name for name in names)
        if "tools" in self._hidden and not (exact and traits is None):
            return ()
        found: Iterable[str] = self._tools
        if names is not None:
            found = dict.fromkeys(tool for name in names for tool in self._named(name))
        if traits is None:
            return tuple(found)
        wanted = frozenset(traits)
        return tuple(name for name in found if _has(self._tools.get(name), wanted, effect))

    def hint_for_tool(self, name: str) -> str:
        """Which declared tool may be meant by `name`, which none is; "" where that isn't clear."""
        if "*" in name or name in self._tools or "tools" in self._hidden:
            return ""
        return did_you_mean(name, self._tools)

    def _named(self, name: str) -> tuple[str, ...]:
        pattern = Pattern(name)
        if pattern.exact:
            return (name,)
        if name not in self._matched:
            self._matched[name] = tuple(filter(pattern.matches, self._tools))
        return self._matched[name]

    def _arguments(self, names: tuple[str, ...]) -> Type:
        if not names:
            return _ANY_MAP
        fields: dict[str, Type] = {}
        for name in names:
            own = self._arguments_of(name)
            if own is None:
                return _ANY_MAP
            for argument, type_ in own.items():
                fields[argument] = join(fields.get(argument, type_), type_)
        of = f"`{names[0]}`" if len(names) == 1 else "any tool that the rule can match"
        return RecordType("map", fields=fields, closed=True, noun="argument", of=of)

    def _arguments_of(self, name: str) -> Mapping[str, Type] | None:
        """The types of a tool's arguments; None where any may be given."""
        if name in self._outlines:
            return dict.fromkeys(self._outlines[name], DYN)
        tool = self._tools.get(name)
        return None if tool is None or tool.arguments is None else tool.arguments.type.fields

    def _type_of_constants(self) -> Type:
        if "constants" in self._hidden:
            return _ANY_MAP
        fields = {name: type_of(value) for name, value in self._constants.items()}
        return RecordType("map", fields=fields, closed=True, noun="constant")

    def _make(self, arguments: Type) -> Environment:
        return Environment({"arguments": arguments, **self._variables}, self._constants)


def _type_of_context(declared: Declarations) -> Type:
    facts = {} if declared.context is None else declared.context.type.fields
    fields = {**facts, **dict.fromkeys(declared.uncertain, DYN)}
    if not fields or "context" in declared.hidden:
        return _ANY_MAP
    return RecordType("map", fields=fields, closed=True, noun="context fact")


def _has(tool: Tool | None, wanted: frozenset[str], effect: Effect) -> bool:
    """Whether a rule for `wanted` traits can match the tool; an undeclared one has them all."""
    traits = None if tool is None else tool.traits
    if effect is Effect.ALLOW:
        return traits is not None and wanted.issuperset(traits)
    return traits is None or not wanted.isdisjoint(traits)
