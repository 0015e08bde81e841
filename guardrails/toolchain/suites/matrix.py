"""Cases with a matrix, made into one case for each combination of its values.

In such a case `$name` stands for the value of a variable: as it is where it stands alone, as text
inside a longer one. `${name}` is the same, and `$$` a dollar. A case without a matrix is left as
it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

from guardrails.display import quote
from guardrails.language.cel.errors import did_you_mean
from guardrails.language.yaml_tree import Tree
from guardrails.toolchain.notation import notate
from guardrails.toolchain.suites.structure import VARIABLE

if TYPE_CHECKING:
    from guardrails.errors import Problem

MAX_COMBINATIONS = 10_000
"""Combinations that one matrix may have."""

_PLACEHOLDER = re.compile(rf"\$(?:\$|\{{({VARIABLE})\}}|({VARIABLE}))")
_VARIABLE = re.compile(VARIABLE)
_SHOWN = 40  # characters of a value that the name of a case shows
_KEPT = frozenset({"name", "matrix"})


@dataclass(frozen=True, slots=True)
class Expansion:
    """A test file with every combination as a case of its own.

    `shown` tells for each case which combination it is, "" where it has no matrix.
    """

    tree: Tree
    shown: tuple[str, ...]


def expand(tree: Tree, problems: list[Problem]) -> Expansion:
    """The expansion of a test file; faults of its matrices join `problems`.

    What is not built as a case with a matrix should be stays as it is, for others to refuse.
    """
    data = tree.data
    cases = data.get("cases") if type(data) is dict else None
    if type(cases) is not list:
        return Expansion(tree, ())
    found: list[Any] = []
    events: list[Any] = []
    shown: list[str] = []
    marks = dict(tree.marks)
    for index, case in enumerate(cases):
        names = _combinations(tree, case, problems)
        filler = _Filler(tree, case, marks, problems)
        for combination in names:
            found.append(filler.fill(combination) if combination else case)
            shown.append(_show(combination))
        events += [tree.value(cases, index)] * len(names)
    whole = {**data, "cases": found}
    marks[id(found)] = events
    marks[id(whole)] = tree.marks[id(data)]
    return Expansion(Tree(tree.source, whole, tree.root, marks), tuple(shown))


def _combinations(tree: Tree, case: Any, problems: list[Problem]) -> list[dict[str, Any]]:
    """The combinations of a case's matrix; one of nothing where it has none that can be used."""
    matrix = case.get("matrix") if type(case) is dict else None
    if type(matrix) is not dict or not all(
        _VARIABLE.fullmatch(name) and type(values) is list and values
        for name, values in matrix.items()
    ):
        return [{}]
    if not matrix:
        problems.append(tree.problem(tree.value(case, "matrix"), "`matrix` has no variable"))
        return [{}]
    count = prod(map(len, matrix.values()))
    if count > MAX_COMBINATIONS:
        message = f"the matrix has {count:,} combinations; {MAX_COMBINATIONS:,} is the most"
        problems.append(tree.problem(tree.key(case, "matrix"), message))
        return [{}]
    return [dict(zip(matrix, values, strict=True)) for values in product(*matrix.values())]


def _show(combination: dict[str, Any]) -> str:
    return ", ".join(f"{name}={_show_value(value)}" for name, value in combination.items())


def _show_value(value: Any) -> str:
    text = value if type(value) is str and value else notate(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


@dataclass(slots=True)
class _Filler:
    """Puts the values of combinations into copies of one case; `marks` grows with their places."""

    tree: Tree
    case: Any
    marks: dict[int, Any]
    problems: list[Problem]
    values: dict[str, Any] = field(default_factory=dict)
    unused: set[str] = field(default_factory=set)

    def fill(self, combination: dict[str, Any]) -> dict[str, Any]:
        """The case with these values."""
        self.values = combination
        self.unused = set(combination)
        case = self.case
        filled = {
            key: value if key in _KEPT else self._fill(value, self.tree.value(case, key))
            for key, value in case.items()
        }
        self.marks[id(filled)] = self.tree.marks[id(case)]
        for name in combination:
            if name in self.unused:
                event = self.tree.key(case["matrix"], name)
                message = f"the matrix variable `{name}` is not used; `${name}` stands for it"
                self.problems.append(self.tree.problem(event, message))
        return filled

    def _fill(self, value: Any, event: Any) -> Any:
        tree = self.tree
        filled: Any
        if type(value) is dict:
            filled = {key: self._fill(each, tree.value(value, key)) for key, each in value.items()}
        elif type(value) is list:
            places = tree.marks[id(value)]
            filled = [self._fill(each, at) for each, at in zip(value, places, strict=True)]
        elif type(value) is str and "$" in value:
            return self._fill_text(value, event)
        else:
            return value
        self.marks[id(filled)] = tree.marks[id(value)]
        return filled

    def _fill_text(self, text: str, event: Any) -> Any:
        alone = _PLACEHOLDER.fullmatch(text)
        if alone and text != "$$":
            return self._value(alone[1] or alone[2], text, event)
        return _PLACEHOLDER.sub(lambda found: self._text(found, event), text)

    def _text(self, found: re.Match[str], event: Any) -> str:
        if found[0] == "$$":
            return "$"
        value = self._value(found[1] or found[2], found[0], event)
        if type(value) in (dict, list):
            kind = "map" if type(value) is dict else "list"
            message = f"{quote(found[0])} is a {kind}, which can't be a part of a text"
            self.problems.append(self.tree.problem(event, message))
        return value if type(value) is str else notate(value)

    def _value(self, name: str, written: str, event: Any) -> Any:
        if name in self.values:
            self.unused.discard(name)
            return self.values[name]
        hint = did_you_mean(f"${name}", [f"${each}" for each in self.values])
        hint = hint or "; write `$$` where a dollar is meant"
        message = f"unknown matrix variable {quote(written)}{hint}"
        self.problems.append(self.tree.problem(event, message))
        return written
