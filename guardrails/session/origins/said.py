"""What the person said in a session, and whether a value is in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from guardrails.session.origins.folding import fold_plain
from guardrails.session.origins.numerals import signs, spaced
from guardrails.session.origins.reading import marks, read_exactly, sought
from guardrails.session.origins.texts import text_of
from guardrails.values import MapKey

if TYPE_CHECKING:
    from collections.abc import Collection

SAID_MAX = 1_000_000
"""Characters that are kept of what the person said; what is beyond was not said."""


class Said:
    """What the person said: its words in order, and the numbers, dates and addresses in it."""

    __slots__ = ("_marks", "_numbers", "_places", "_signs", "_utterances", "size")

    def __init__(self) -> None:
        self._utterances: list[list[str]] = []
        self._places: dict[str, list[tuple[int, int]]] = {}
        self._marks: set[str] = set()
        self._numbers: set[str] = set()
        self._signs: set[str] = set()
        self.size = 0

    def add(self, text: str) -> None:
        """Take in what the person said next; beyond `SAID_MAX` it is not kept."""
        self.size += len(text)
        if self.size > SAID_MAX:
            return
        reading = read_exactly(text)
        number = len(self._utterances)
        self._utterances.append(reading.words)
        for place, word in enumerate(reading.words):
            self._places.setdefault(word, []).append((number, place))
        self._marks |= marks(reading)
        folded = fold_plain(text)
        self._signs |= signs(folded)
        self._numbers.update(spaced(folded))
        self._numbers.update(*(each.meanings for each in reading.atoms if each.kind == "number"))

    def states(self, value: Any, fields: Collection[str] = ()) -> bool:
        """Whether the person said every part of `value`; raises EvaluationError for opaque ones.

        `fields` are the keys of maps that are the tool's own words, which nobody has to say.
        """
        kind = type(value)
        if value is None or kind is bool or kind is MapKey:
            return True
        if kind is int or kind is float:
            return text_of(value) in self._numbers
        if kind is list:
            return all(self.states(part, fields) for part in value)
        if kind is dict:
            return all(
                (key in fields or self.states(key)) and self.states(part, fields)
                for key, part in value.items()
            )
        return self._states_text(text_of(value))

    def _states_text(self, text: str) -> bool:
        if not text or text.isspace():
            return True
        if not signs(fold_plain(text)) <= self._signs:
            return False
        reading = read_exactly(text)
        if reading.words and self._says(reading.words):
            return True
        if self._says_grouped(reading.atoms, text):
            return True
        atoms = [atom for atom in reading.atoms if atom.kind != "grouped"]
        if reading.others or not atoms or len({atom.kind for atom in atoms}) < len(atoms):
            return False  # of two numbers, say, a third could be made
        return all(map(self._means, atoms))

    def _means(self, atom: Any) -> bool:
        return any(mark in self._marks for mark in sought(atom))

    def _says_grouped(self, atoms: list[Any], text: str) -> bool:
        """Whether `text` is one identifier, in groups or not, that she said in another grouping."""
        joined = re.sub(r"[\s().-]", "", text.casefold()).removeprefix("+")
        if text.strip().removeprefix("+").isalnum():
            return joined in self._marks
        whole = any(atom.kind == "grouped" and joined in atom.meanings for atom in atoms)
        return whole and (joined in self._places or joined in self._marks)

    def _says(self, words: list[str]) -> bool:
        """Whether she said these words in this order, one beside the other."""
        length = len(words)
        return any(
            self._utterances[number][place : place + length] == words
            for number, place in self._places.get(words[0], ())
        )
