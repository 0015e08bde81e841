"""What the person said in a session, and whether a value is in it."""

from __future__ import annotations

import re
from typing import Any

from guardrails.session.origins.reading import marks, read_exactly, sought
from guardrails.session.origins.texts import text_of
from guardrails.values import MapKey

SAID_MAX = 1_000_000
"""Characters that are kept of what the person said; what is beyond was not said."""

_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")
"""A key of a map that is the name of a field: the tool's word, which nobody has to say."""


class Said:
    """What the person said: its words in order, and the numbers, dates and addresses in it."""

    __slots__ = ("_marks", "_places", "_utterances", "size")

    def __init__(self) -> None:
        self._utterances: list[list[str]] = []
        self._places: dict[str, list[tuple[int, int]]] = {}
        self._marks: set[str] = set()
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

    def states(self, value: Any) -> bool:
        """Whether the person said every part of `value`; raises EvaluationError for opaque ones."""
        kind = type(value)
        if value is None or kind is bool or kind is MapKey:
            return True
        if kind is int or kind is float:
            return text_of(value) in self._marks
        if kind is list:
            return all(map(self.states, value))
        if kind is dict:
            return all(self._names(key) and self.states(part) for key, part in value.items())
        return self._states_text(text_of(value))

    def _names(self, key: Any) -> bool:
        return (type(key) is str and _FIELD.match(key) is not None) or self.states(key)

    def _states_text(self, text: str) -> bool:
        if not text or text.isspace():
            return True
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
        whole = any(atom.kind == "grouped" and atom.meanings[0] == joined for atom in atoms)
        return (whole and joined in self._places) or joined in self._marks

    def _says(self, words: list[str]) -> bool:
        """Whether she said these words in this order, one beside the other."""
        length = len(words)
        return any(
            self._utterances[number][place : place + length] == words
            for number, place in self._places.get(words[0], ())
        )
