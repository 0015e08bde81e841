"""When a condition is true, and when it is false, on one tool; elsewhere it is an error.

`&&` and `||` absorb errors as the CEL specification says ("Logical Operators"): one side that
decides is enough.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import re2

from guardrails.language.cel.functions.time import WEEKDAYS
from guardrails.language.cel.tree import (
    Conditional,
    Invoke,
    Literal,
    Logic,
    Node,
    Operation,
    Select,
)
from guardrails.toolchain.regions.casing import answered_in_case, as_given
from guardrails.toolchain.regions.comparison import Answers, among, beginning, below, compared
from guardrails.toolchain.regions.formula import (
    ALWAYS,
    NEVER,
    Formula,
    Within,
    every,
    negate,
    size,
    some,
)
from guardrails.toolchain.regions.region import (
    ERROR,
    FALSE,
    MISSING,
    NOTHING,
    PRESENT,
    TRUE,
    Region,
    exactly,
    kinds,
)
from guardrails.toolchain.regions.terms import asked_for, is_fixed, path_of
from guardrails.toolchain.regions.world import FAILED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardrails.toolchain.regions.terms import Path
    from guardrails.toolchain.regions.world import World

MAX_SIZE = 2_000
"""How much a formula may say; what would say more counts as one thing of which nothing is known."""

MAX_VALUES = 32
"""Of how many values a term can have it is tried what a condition makes of each."""


class Outcomes(NamedTuple):
    """When something is true, and when it is false."""

    true: Formula
    false: Formula

    @property
    def error(self) -> Formula:
        """When it is neither: it fails, or is of another type."""
        return every((negate(self.true), negate(self.false)))


_FAILS = Outcomes(NEVER, NEVER)
_HOLDS = Outcomes(ALWAYS, NEVER)
_HOLDS_NOT = Outcomes(NEVER, ALWAYS)
_TRUTH = Answers(TRUE, FALSE)
_ASKED_FOR = Answers(PRESENT, kinds("missing"))
_NO_TEXT = Answers(NOTHING, kinds("string"))
_MIRRORED: Mapping[str, str] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_LOCAL: Mapping[str, Region] = {
    "weekday": exactly(*WEEKDAYS),
    "time": below("24:00", inclusive=False) & ~below("00:00", inclusive=False),
    "date": kinds("string"),
}
_SIZES = (kinds("int") & ~below(0, inclusive=False)) | ERROR
_TEXT_TESTS = frozenset({"startsWith", "endsWith", "contains", "matches"})
_ANCHORS = re.compile(r"[\^$]|\\[AzbB]")
_LISTS_OF_TEXT: frozenset[Path | None] = frozenset(
    {("subject", "roles"), ("subject", "chain"), ("session", "labels"), ("session", "targets")}
)


def read_outcomes(world: World, node: Node, given: Mapping[Path, object] | None = None) -> Outcomes:
    """When `node`, the root of a condition or a part of it, is true and when it is false.

    Paths that are `given` have that value; `MISSING` is one.
    """
    return _Reader(world, given or {}).read(node)


class _Reader:
    """Reads one condition."""

    def __init__(self, world: World, given: Mapping[Path, object]) -> None:
        self._world = world
        self._given = given

    def read(self, node: Node) -> Outcomes:
        """When `node` is true, and when it is false."""
        if isinstance(node, Logic):
            parts = [self.read(each) for each in node.operands]
            true, false = [each.true for each in parts], [each.false for each in parts]
            if node.operator == "&&":
                return Outcomes(every(true), some(false))
            return Outcomes(some(true), every(false))
        if isinstance(node, Operation) and node.operator == "!":
            inner = self.read(node.operands[0])
            return Outcomes(inner.false, inner.true)
        if isinstance(node, Conditional):
            return self._choice(node)
        return self._atom(node)

    def _choice(self, node: Conditional) -> Outcomes:
        asked, chosen, otherwise = map(self.read, (node.condition, node.chosen, node.otherwise))
        outcomes = Outcomes(
            *(
                some((every((asked.true, one)), every((asked.false, other))))
                for one, other in zip(chosen, otherwise, strict=True)
            )
        )
        return outcomes if sum(map(size, outcomes)) <= MAX_SIZE else self._unknown(node)

    def _atom(self, node: Node) -> Outcomes:
        paths = {each.path for each in self._world.mentions(node)}
        if all(map(self._is_given, paths)):
            return self._fixed(node)
        asked = asked_for(node)
        if asked is not None:
            return self._of_path(asked, _ASKED_FOR)
        path = path_of(node)
        if path is not None:
            return self._of_path(path, _TRUTH)
        if isinstance(node, Operation) and node.operator in _MIRRORED:
            return self._comparison(node)
        if isinstance(node, Operation) and node.operator == "in":
            return self._membership(node)
        if isinstance(node, Invoke) and node.receiver and node.function in _TEXT_TESTS:
            return self._test_of_text(node)
        return self._unknown(node)

    def _is_given(self, path: Path) -> bool:
        return any(path[: length + 1] in self._given for length in range(len(path)))

    def _fixed(self, node: Node) -> Outcomes:
        value = self._world.evaluator(node)(self._given)
        return _HOLDS if value is True else _HOLDS_NOT if value is False else _FAILS

    def _of_path(self, path: Path, answers: Answers) -> Outcomes:
        term = self._world.path(path)
        return Outcomes(Within(term, answers.true), Within(term, answers.false))

    def _comparison(self, node: Operation) -> Outcomes:
        term, other = node.operands
        operator = node.operator
        if is_fixed(term):
            term, other, operator = other, term, _MIRRORED[operator]
        if not is_fixed(other):
            return self._between(node)
        value = self._world.evaluator(other)({})
        if value is FAILED:
            return _FAILS
        answers = compared(operator, value)
        return self._between(node) if answers is None else self._answered(node, term, answers)

    def _between(self, node: Operation) -> Outcomes:
        """The outcomes of a comparison of two terms: there is one for all its ways to write it."""
        one, other = node.operands
        operator = node.operator
        if operator in (">", "<="):
            one, other = other, one
        basic = "==" if operator in ("==", "!=") else "<"
        known = self._unknown(Operation(node.start, node.end, basic, (one, other), type=node.type))
        return known if operator in ("==", "<", ">") else Outcomes(known.false, known.true)

    def _membership(self, node: Operation) -> Outcomes:
        term, container = node.operands
        if is_fixed(container):
            value = self._world.evaluator(container)({})
            return _FAILS if value is FAILED else self._answered(node, term, among(value))
        return self._unknown(node)

    def _test_of_text(self, node: Invoke) -> Outcomes:
        term, wanted = node.arguments
        value = self._world.evaluator(wanted)({}) if is_fixed(wanted) else None
        if type(value) is not str:
            return self._unknown(node)
        if _is_in_every_text(node.function, value):
            value = ""
        elif node.function != "matches" and as_given(term, value) != value:
            return self._answered(node, term, _NO_TEXT)
        elif node.function != "startsWith":
            return self._unknown(node)
        return self._answered(node, term, beginning(value))

    def _answered(self, node: Node, term: Node, answers: Answers | None) -> Outcomes:
        """The outcomes of `node`, which asks something of `term` alone."""
        path = path_of(term)
        if answers is None:
            return self._unknown(node)
        if path is not None:
            return self._of_path(path, answers)
        tried = self._tried(node)
        if tried is not None:
            return tried
        name = self._term(term)
        answers = answered_in_case(term, answers, MAX_VALUES)
        return Outcomes(Within(name, answers.true), Within(name, answers.false))

    def _unknown(self, node: Node) -> Outcomes:
        """The outcomes of what can be true or false for all that is known here."""
        if any(
            each.needed and self._is_given_none(each.path) for each in self._world.mentions(node)
        ):
            return _FAILS
        tried = self._tried(node)
        if tried is not None:
            return tried
        name = self._term(node)
        return Outcomes(Within(name, TRUE), Within(name, FALSE))

    def _tried(self, node: Node) -> Outcomes | None:
        """The outcomes of what reads one path that has few values, each of them tried."""
        found = set(self._world.mentions(node))
        if len(found) != 1:
            return None
        (mention,) = found
        term = self._world.path(mention.path)
        domain = self._world.domain(term)
        if not mention.needed and not domain.disjoint(ERROR):
            return None
        values = (domain & ~ERROR).values(MAX_VALUES)
        if values is None:
            return None
        evaluate = self._world.evaluator(node)
        results = [evaluate({mention.path: value}) for value in values]
        true, false = (
            exactly(*(each for each, got in zip(values, results, strict=True) if got is wanted))
            for wanted in (True, False)
        )
        return Outcomes(Within(term, true), Within(term, false))

    def _term(self, node: Node) -> str:
        """The name of the term that `node` is."""
        if _is_local_time(node):
            return self._world.add(node, (), _LOCAL[node.field])  # type: ignore[attr-defined]
        needed = [each.path for each in self._world.mentions(node) if each.needed]
        if isinstance(node, Invoke) and node.function == "size":
            return self._world.add(node, needed, _SIZES)
        return self._world.add(node, needed, safe=_is_safe(node))

    def _is_given_none(self, path: Path) -> bool:
        """Whether nothing stands at `path` by what is given."""
        for length in range(1, len(path) + 1):
            if path[:length] in self._given:
                value = self._given[path[:length]]
                for key in path[length:]:
                    value = value.get(key, MISSING) if type(value) is dict else MISSING
                return value is MISSING
        return False


def _is_in_every_text(function: str, wanted: str) -> bool:
    """Whether all texts pass the test: a pattern that nothing meets is met wherever one looks."""
    if function != "matches":
        return not wanted
    return not _ANCHORS.search(wanted) and re2.search(wanted, "") is not None


def _is_local_time(node: Node) -> bool:
    """Whether `node` is a part of the present time in a zone that is known to exist."""
    if not (isinstance(node, Select) and isinstance(node.operand, Invoke)):
        return False
    invoke = node.operand
    return (
        invoke.function == "local"
        and node.field in _LOCAL
        and path_of(invoke.arguments[0]) == ("now",)
        and isinstance(invoke.arguments[1], Literal)
    )


def _is_safe(node: Node) -> bool:
    """Whether `node` looks for a text in a list of texts, which can't fail."""
    if not (isinstance(node, Operation) and node.operator == "in"):
        return False
    element, container = node.operands
    return (
        isinstance(element, Literal)
        and type(element.value) is str
        and path_of(container) in _LISTS_OF_TEXT
    )
