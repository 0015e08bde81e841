"""What can be so when one tool is called: the values that terms can have, and what ties them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.errors import EvaluationError
from guardrails.language.cel.compiler import compile_condition
from guardrails.language.cel.tree import Checked, Literal
from guardrails.toolchain.regions.comparison import below
from guardrails.toolchain.regions.formula import Within, every, some, terms_in
from guardrails.toolchain.regions.region import (
    ABSENT,
    ERROR,
    MISSING,
    PRESENT,
    Region,
    exactly,
    kinds,
)
from guardrails.toolchain.regions.schema import GIVEN, admitted, inside
from guardrails.toolchain.regions.terms import Mention, mentions, name_of, name_of_path
from guardrails.values import Timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from guardrails.language.cel.tree import Node
    from guardrails.language.cel.types import Type
    from guardrails.language.document import Bundle
    from guardrails.toolchain.regions.formula import Formula
    from guardrails.toolchain.regions.terms import Path

STEPS = 100_000
"""The work that evaluating a part of a condition may do, as in the engine."""

_MAP = kinds("map")
_NOT_MAP = ~_MAP
_MISSING = kinds("missing")
_RECORDS: Mapping[str, Mapping[str, Region]] = {
    "subject": {
        "id": kinds("string") & ~exactly(""),
        "roles": kinds("list"),
        "on_behalf_of": kinds("string"),
        "chain": kinds("list"),
        "attributes": _MAP,
    },
    "session": {
        "id": kinds("string"),
        "labels": kinds("list"),
        "targets": kinds("list") | _MISSING,
    },
}
_OF_TYPE: Mapping[str, Region] = {
    "null_type": kinds("null"),
    "google.protobuf.Timestamp": kinds("timestamp"),
    "google.protobuf.Duration": kinds("duration"),
    **{
        name: kinds(name)
        for name in ("bool", "int", "uint", "double", "string", "bytes", "list", "map", "type")
    },
}
FAILED = object()
"""The outcome of evaluating what has no value."""


class World:
    """What can be so when `tool` is called, from `now_ns` on (nanoseconds since 1970).

    Terms are known by name: those of paths, and those of parts of conditions that were `add`ed.
    What isn't known here is looked up in the `common` world, that of any tool.
    """

    def __init__(self, bundle: Bundle, tool: str, now_ns: int, common: World | None = None) -> None:
        self.tool = tool
        self._common = common
        self.declared = bundle.tools.get(tool)
        self._constants = bundle.constants
        self._now_ns = now_ns
        self._facts = None if bundle.context is None else bundle.context.facts
        arguments = None if self.declared is None else self.declared.arguments
        self._arguments: Any = True
        if arguments is not None:
            self._arguments = {
                "properties": arguments.properties,
                "required": arguments.required,
                "additionalProperties": False,
                "$defs": arguments.definitions,
            }
        self._kinds = {} if arguments is None else arguments.kinds_of
        self._domains: dict[str, Region] = {}
        self._paths: list[Path] = []
        self._mentions: dict[int, tuple[Node, tuple[Mention, ...]]] = (
            {} if common is None else common._mentions  # noqa: SLF001 - of the same class
        )
        self._ties: dict[str, tuple[Formula, ...]] = {}
        self._schemas: dict[Path, tuple[Any, Any]] = {
            ("arguments",): (self._arguments, self._arguments)
        }

    def domain(self, term: str) -> Region:
        """The values that a term can have, as far as that is known."""
        found = self.known(term)
        assert found is not None
        return found

    def known(self, term: str) -> Region | None:
        """The values that a term can have, None for one of which nothing was asked yet."""
        found = self._domains.get(term)
        if found is None and self._common is not None:
            return self._common.known(term)
        return found

    def ties(self, formulas: Iterable[Formula]) -> list[Formula]:
        """What is so of the terms of `formulas`, and of the terms that those hang on."""
        open_ = {term for formula in formulas for term in terms_in(formula)}
        seen = set(open_)
        found: list[Formula] = []
        while open_:
            tied = self.tied(open_.pop())
            found += tied
            new = {term for formula in tied for term in terms_in(formula)} - seen
            seen |= new
            open_ |= new
        return found

    def tied(self, term: str) -> tuple[Formula, ...]:
        """What is so of a term whatever its value."""
        if term not in self._ties and self._common is not None:
            return self._common.tied(term)
        return self._ties[term]

    def mentions(self, node: Node) -> tuple[Mention, ...]:
        """What `node` reads; worked out once for all worlds."""
        known = self._mentions.get(id(node))
        if known is None or known[0] is not node:
            known = self._mentions[id(node)] = node, tuple(mentions(node))
        return known[1]

    def path(self, path: Path) -> str:
        """The name of the term that `path` is."""
        name = name_of_path(path)
        if name not in self._domains:
            self._domains[name], self._ties[name] = self._read_path(name, path)
            self._paths.append(path)
        return name

    def optional(self, path: Path) -> bool:
        """Whether what stands at `path`, of declared arguments, may be left out of a call."""
        region = self.domain(self.path(path))
        _, declared = self._schemas.get(path, (True, True))
        return declared is not True and not region.disjoint(_MISSING) and not region.within(ABSENT)

    def lacks(self, path: Path) -> bool:
        """Whether it is declared that a call of the tool has nothing at `path`."""
        return self.domain(self.path(path)).within(ABSENT)

    def paths(self) -> tuple[Path, ...]:
        """The paths of which anything was asked."""
        inherited = () if self._common is None else self._common.paths()
        return tuple(dict.fromkeys((*inherited, *self._paths)))

    def required(self) -> tuple[Path, ...]:
        """The arguments that every call must give."""
        schema = None if self.declared is None else self.declared.arguments
        return tuple(("arguments", name) for name in sorted(schema.required if schema else ()))

    def add(
        self,
        node: Node,
        needed: Iterable[Path],
        domain: Region | None = None,
        *,
        safe: bool = False,
    ) -> str:
        """The name of the term that `node` is, which has no value where a `needed` path has none.

        If `safe`, that is all that can go wrong with it.
        """
        name = name_of(node)
        if name not in self._domains:
            self._domains[name] = domain or (of_type(node.type) | ERROR)
            paths = [self.path(path) for path in needed]
            ties = [some((Within(name, ERROR), Within(path, PRESENT))) for path in paths]
            if safe:
                absent = [Within(path, ABSENT) for path in paths]
                ties.append(some((Within(name, ~ERROR), *absent)))
            self._ties[name] = tuple(ties)
        return name

    def add_free(self, name: str) -> str:
        """`name`, known as a term that is true or false, whatever else is so."""
        self._domains[name], self._ties[name] = kinds("bool"), ()
        return name

    def evaluator(self, node: Node) -> Callable[[Mapping[Path, object]], object]:
        """A function of given paths that tells the value of `node`, which reads no others.

        It gives FAILED where there is no value.
        """
        if isinstance(node, Literal):
            value = node.value
            return lambda _: value
        condition = compile_condition(Checked(node, node.type, "", frozenset(), frozenset()))

        def evaluate(given: Mapping[Path, object]) -> object:
            variables = self._variables(given)
            try:
                return condition(variables.get("arguments", {}), _Frame(variables))
            except EvaluationError:
                return FAILED

        return evaluate

    def _variables(self, given: Mapping[Path, object]) -> dict[str, Any]:
        variables: dict[str, Any] = {"tool": self.tool, "constants": self._constants}
        if self.declared is not None and self.declared.traits is not None:
            variables["traits"] = list(self.declared.traits)
        for path, value in given.items():
            holder = variables
            for key in path[:-1]:
                holder = holder.setdefault(key, {})
            if value is not MISSING:
                holder[path[-1]] = value
        return variables

    def _read_path(self, name: str, path: Path) -> tuple[Region, tuple[Formula, ...]]:
        if len(path) == 1:
            return self._variable(name), ()
        holder = self.path(path[:-1])
        region = self._under(path)
        if self._domains[holder].within(_MAP):
            return region, ()
        apart = some((Within(name, ~ERROR), Within(holder, _NOT_MAP)))
        bound = some((Within(name, ERROR), Within(holder, _MAP)))
        return region | ERROR, (every((apart, bound)),)

    def _variable(self, name: str) -> Region:
        if name == "now":
            return kinds("timestamp") & ~below(Timestamp(self._now_ns), inclusive=False)
        return _MAP | ERROR if name in _RECORDS else _MAP

    def _under(self, path: Path) -> Region:
        """The values under the last key of a path, where what holds it is a map."""
        variable, *_, key = path
        if len(path) == 2:
            if variable in _RECORDS:
                return _RECORDS[variable][key]
            if variable == "kinds":
                return kinds("list") if key in self._kinds else _MISSING
            if variable == "context" and self._facts is not None:
                schema = self._facts[key].schema
                self._schemas[path] = schema, schema
                return admitted(schema, schema) | _MISSING
        root, schema = self._schemas.get(path[:-1], (True, True))
        if schema is True:
            return GIVEN | _MISSING
        region, own = inside(root, schema, key)
        self._schemas[path] = root, own
        return region


class _Frame:
    """The variables of a condition while a part of it is evaluated; others are unknown."""

    def __init__(self, variables: Mapping[str, Any]) -> None:
        self.steps = STEPS
        self.__dict__.update(variables)

    def __getattr__(self, name: str) -> Any:
        raise EvaluationError(f"`{name}` is unknown")


def of_type(type_: Type) -> Region:
    """The values that an expression of that type can have."""
    return _OF_TYPE.get(type_.name, ~_MISSING)
