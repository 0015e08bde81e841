"""Tests of texts letter by letter, where what the text stands for should be tested.

Each is held against texts that a domain or a path can have, by the engine itself: what is told of
has been seen to slip by.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from guardrails.display import quote
from guardrails.language.cel.tree import Comprehension, Invoke, Local, Operation
from guardrails.toolchain.elements import bind
from guardrails.toolchain.lint.polarity import sanctions, weights
from guardrails.toolchain.lint.trial import (
    bindings,
    elements_of,
    is_closed,
    outcome_of,
    put,
    source_of,
    value_of,
)
from guardrails.toolchain.words import words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from guardrails.language.cel.tree import Node
    from guardrails.toolchain.lint.project import Clause, Project
    from guardrails.toolchain.lint.trial import Outcome, Source, Values

_TESTS = frozenset({"startsWith", "endsWith", "contains", "matches"})
_CUTS = frozenset({"split", "substring", "replace"})
_GIVEN = ("arguments", "kinds")
"""The variables that hold what the agent gives."""

_TRUSTED = ("context", "subject")


@dataclass(frozen=True, slots=True)
class LexicalTest:
    """A test of a text by its letters.

    `text` is what is tested, `source` what the agent gives of it (one of a list where `variable`
    stands for it), `through` the functions it went through. `sought` is the part of the test that
    says what is looked for. `helps` says that an action fares better when the test is true.
    """

    clause: Clause
    node: Node
    text: Node
    given: Node
    source: Source
    variable: str | None
    through: frozenset[str]
    sought: Node
    helps: bool
    known: Mapping[int, Comprehension]

    @property
    def function(self) -> str:
        """The function or operator that tests."""
        node = self.node
        assert isinstance(node, Invoke | Operation)
        return node.function if isinstance(node, Invoke) else node.operator

    def written(self, node: Node) -> str:
        """`node` as it is written in the condition."""
        return self.clause.condition.source[node.start : node.end]


class Candidate(NamedTuple):
    """A text that might slip by, and why it could."""

    text: str
    why: str


def find_tests(project: Project) -> Iterator[LexicalTest]:
    """Every test by letters of what an agent gives."""
    for clause in project.conditions():
        source = clause.condition.checked.source
        if not any(name in source for name in (*_TESTS, *_CUTS)):
            continue
        root = clause.condition.checked.root
        known = bindings(root)
        for node, weight in weights(root):
            for text, sought in _sides(node):
                traced = _trace(text, known)
                if traced is None or traced.source[0] not in _GIVEN:
                    continue
                if isinstance(node, Operation) and not traced.through & _CUTS:
                    continue
                yield LexicalTest(
                    clause,
                    node,
                    text,
                    *traced,
                    sought,
                    helps=weight is None or weight is sanctions(clause),
                    known=known,
                )


class _Traced(NamedTuple):
    given: Node
    source: Source
    variable: str | None
    through: frozenset[str]


def _sides(node: Node) -> Iterator[tuple[Node, Node]]:
    """What a test tests and what it looks for."""
    if isinstance(node, Invoke) and node.function in _TESTS:
        yield node.arguments[0], node.arguments[1]
    elif isinstance(node, Operation) and node.operator in ("==", "in"):
        one, other = node.operands
        yield one, other
        if node.operator == "==":
            yield other, one


def _trace(node: Node, known: Mapping[int, Comprehension]) -> _Traced | None:
    """Where a text comes from, through whatever functions and look-ups."""
    through: set[str] = set()
    while True:
        source = source_of(node)
        if source is not None:
            return _Traced(node, source, None, frozenset(through))
        if isinstance(node, Local):
            macro = known.get(id(node))
            source = None if macro is None else source_of(macro.operand)
            if source is None:
                return None
            return _Traced(node, source, node.name, frozenset(through))
        if isinstance(node, Invoke) and node.arguments:
            through.add(node.function)
            node = node.arguments[0]
        elif isinstance(node, Operation) and node.operator == "[]":
            node = node.operands[0]
        else:
            return None


class Text(NamedTuple):
    """The text that a test looks for; `assumed` is what trusted facts were taken to be for it.

    `listed` says that it is the first of a list.
    """

    value: str
    assumed: Values
    listed: bool

    @property
    def proviso(self) -> str:
        """What is assumed, as the end of a sentence; "" where nothing is."""
        facts = " and ".join(
            f"{quote('.'.join(name))} is {quote(str(value))}"
            for name, value in self.assumed.items()
        )
        return f", where {facts}" if facts else ""


def sought_text(test: LexicalTest, stand_in: str) -> Text | None:
    """The text that a test looks for, the first of a list; None where it can't be told.

    A trusted fact is assumed to be `stand_in`.
    """
    assumed: Values = dict.fromkeys(_facts_in(test.sought), stand_in)
    node = put(_bind_constants(test.sought, test.known), assumed)
    if not is_closed(node):
        return None
    value = value_of(node, test.clause.condition.checked.source)
    listed = type(value) is list
    if type(value) is list:
        value = next((each for each in value if type(each) is str), None)
    return Text(value, assumed, listed) if type(value) is str else None


def write_proper(test: LexicalTest, text: Text, function: str, read: str, root: str) -> str:
    """The test to write instead: `function(read, root)`, the root as the condition names it.

    `read` is what the argument is read as, `root` what to write where nothing holds it.
    """
    if text.listed:
        return f"{test.written(test.sought)}.exists(one, {function}({read}, one))"
    held = next(_facts_and_locals(test.sought), None)
    second = json.dumps(root, ensure_ascii=False) if held is None else test.written(held)
    return f"{function}({read}, {second})"


def _facts_and_locals(node: Node) -> Iterator[Node]:
    if isinstance(node, Local) or source_of(node) is not None:
        yield node
        return
    for child in node.children():
        yield from _facts_and_locals(child)


def _facts_in(node: Node) -> Iterator[Source]:
    source = source_of(node)
    if source is not None:
        if source[0] in _TRUSTED and len(source) > 1:
            yield source
        return
    for child in node.children():
        yield from _facts_in(child)


def _bind_constants(node: Node, known: Mapping[int, Comprehension]) -> Node:
    """`node` with the first text of a constant list for each variable that goes through it."""
    values = {
        each.name: text
        for each in _locals_in(node)
        if id(each) in known and (text := _first_text(known[id(each)].operand)) is not None
    }
    return bind(node, values) if values else node


def _locals_in(node: Node) -> Iterator[Local]:
    if isinstance(node, Local):
        yield node
    for child in node.children():
        yield from _locals_in(child)


def _first_text(node: Node) -> str | None:
    return next((each for each in elements_of(node) or () if type(each) is str), None)


def slip(
    test: LexicalTest,
    assumed: Values,
    candidates: Iterable[Candidate],
    proper: Callable[[str], Outcome],
) -> Candidate | None:
    """The first candidate that the test takes for what it isn't, or the other way round.

    The condition as a whole lets it through, whatever else it depends on. `proper` tells what a
    text really is: a test that helps must be true of none for which that isn't true, one that
    holds up must be false of none for which that isn't false.
    """
    condition = test.clause.condition.checked
    node = put(_bind_constants(test.node, _others(test)), assumed)
    root = put(condition.root, assumed)
    wanted = sanctions(test.clause)
    for candidate in candidates:
        one = _give(node, test, candidate.text)
        if outcome_of(one, condition.source) is not test.helps:
            continue
        if proper(candidate.text) is test.helps:
            continue
        given = candidate.text if test.variable is None else [candidate.text]
        whole = outcome_of(put(root, {test.source: given}), condition.source)
        if whole is None or whole is wanted:
            return candidate
    return None


def _others(test: LexicalTest) -> Mapping[int, Comprehension]:
    """The variables of macros that go through anything but what the agent gives."""
    return {key: macro for key, macro in test.known.items() if source_of(macro.operand) is None}


def _give(node: Node, test: LexicalTest, text: str) -> Node:
    if test.variable is None:
        return put(node, {test.source: text})
    return bind(node, {test.variable: text})


def form_of(
    project: Project, test: LexicalTest, words: Mapping[str, str], kinds: Mapping[str, str]
) -> str | None:
    """What a text is, as far as declarations and names tell.

    `kinds` gives the forms of the kinds and formats that arguments can be marked with, `words`
    those of the words in their names, of which the last that is known counts.
    """
    variable, name = test.source[0], test.source[-1]
    if variable == "kinds":
        return kinds.get(name)
    for tool in project.tools_of(test.clause.rule):
        if tool.arguments is None or test.source[1:] != (name,):
            continue
        for kind, names in tool.arguments.kinds_of.items():
            if name in names and kind in kinds:
                return kinds[kind]
        if (form := _format(tool.arguments.properties.get(name), kinds)) is not None:
            return form
    return next((words[word] for word in reversed([*words_of(name)]) if word in words), None)


def _format(schema: object, kinds: Mapping[str, str]) -> str | None:
    """The form that the `format` of a schema tells, or that of a list's items."""
    while type(schema) is dict and "items" in schema:
        schema = schema["items"]
    return kinds.get(schema.get("format", "")) if type(schema) is dict else None
