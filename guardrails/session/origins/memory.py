"""What a session remembers of where texts came from."""

from __future__ import annotations

from hashlib import blake2b
from threading import Lock
from typing import TYPE_CHECKING, Any

from guardrails.language.cel.functions.signature import charge
from guardrails.session.origins.encodings import decoded
from guardrails.session.origins.grams import SPAN, Grams
from guardrails.session.origins.intake import Intake
from guardrails.session.origins.reading import readings, sought
from guardrails.session.origins.said import Said
from guardrails.session.origins.texts import read_result, texts_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from guardrails.language.cel.functions.signature import Budget
    from guardrails.session.origins.reading import Reading
    from guardrails.session.origins.texts import Texts

TEXT_MAX = 16_000_000
"""Characters of results that a session keeps and takes in."""

PIECE = 16
"""Characters that a row of four words has at least where it shows that a text was made of it."""

_STEPS_PER_CHARACTER = 2
_OVERLAP = 256
_APART = " \x1f "  # no number or date goes on beyond it
_SHORT, _RECENT = 1_000, 16
_LONG = 200  # characters of a text that is worth being known again
_LONG_NUMBER = 4
_LONG_NAME = 6


class Origins:
    """The texts of the labelled sources of a session, by labels, and what the person said.

    Results are kept as they come and taken in when a condition asks, each once however often it
    comes. What can't be read, or is more than is kept, is answered as the origin of every value.
    """

    __slots__ = (
        "_everywhere",
        "_intake",
        "_lock",
        "_pending",
        "_recent",
        "_said",
        "_seen",
        "_size",
        "_sources",
    )

    def __init__(self) -> None:
        self.begin()
        self._said = Said()
        self._intake = Intake()
        self._pending: list[tuple[frozenset[str], list[str]] | Stream] = []
        self._sources: dict[frozenset[str], Grams] = {}
        self._everywhere: frozenset[str] = frozenset()
        self._recent: dict[str, list[Reading]] = {}
        self._seen: set[tuple[frozenset[str], bytes]] = set()
        self._size = 0

    def begin(self) -> None:
        """Take a lock of its own, in a forked child too."""
        self._lock = Lock()

    def say(self, text: str) -> None:
        """Take in what the person said."""
        with self._lock:
            self._said.add(text)

    def receive(self, labels: Collection[str], value: object) -> None:
        """Take in what a source with `labels` gave; nothing is raised, `value` is not changed."""
        if labels:
            self.keep(labels, read_result(value))

    def keep(self, labels: Iterable[str], texts: Texts) -> None:
        """Take in the texts of a result whose source has `labels`."""
        names = frozenset(labels)
        with self._lock:
            if not texts.whole:
                self._everywhere |= names
            self._keep(names, texts.found)

    def open_stream(self, labels: Iterable[str]) -> Stream:
        """Return a source whose parts come one by one, their texts joined."""
        return Stream(self, frozenset(labels))

    def receive_part(self, stream: Stream, found: list[str], *, whole: bool) -> None:
        """Take in texts of a part of `stream`; `whole` says whether they are all of it."""
        with self._lock:
            if not whole:
                self._everywhere |= stream.labels
            self._size += sum(map(len, found))
            if self._size > TEXT_MAX:
                self._everywhere |= stream.labels
            if found and not stream.labels <= self._everywhere and stream.extend(found):
                self._pending.append(stream)

    def _keep(self, names: frozenset[str], found: list[str]) -> None:
        if names <= self._everywhere:
            return
        self._size += sum(map(len, found))
        if self._size > TEXT_MAX:
            self._everywhere |= names
        elif found:
            self._pending.append((names, found))

    def _take_in(self, names: frozenset[str], text: str) -> None:
        digest = blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()
        if (names, digest) in self._seen:
            return
        source = self._sources.get(names)
        if source is None:
            source = self._sources[names] = Grams()
        for words, found in self._intake.read(text):
            if not names <= self._everywhere and not source.add(words, found):
                self._everywhere |= names
        if len(text) >= _LONG:
            self._seen.add((names, digest))

    def _catch_up(self) -> None:
        """Take in what has come since a condition asked last."""
        for each in self._pending:
            if isinstance(each, Stream):
                for text in each.take():
                    self._take_in(each.labels, text)
            else:
                self._take_in(each[0], _APART.join(each[1]))
        self._pending = []

    def stated(self, value: Any, budget: Budget, fields: Collection[str] = ()) -> bool:
        """Whether the person said every part of `value`; see `Past`."""
        charge(budget, 1 + _STEPS_PER_CHARACTER * sum(map(len, texts_of(value))))
        return self._said.states(value, fields)

    def origins(self, value: Any, budget: Budget) -> list[str]:
        """The labels of the sources from which a text of `value` came, sorted; see `Past`."""
        texts = [value] if type(value) is str else list(texts_of(value))
        charge(budget, 1 + _STEPS_PER_CHARACTER * sum(map(len, texts)))
        with self._lock:
            if self._pending:
                self._catch_up()
            found = set(self._everywhere)
            for text in texts if self._sources else ():
                whole = self._read(text)
                for names, source in self._sources.items():
                    if not names <= found and any(_came(source, reading) for reading in whole):
                        found |= names
        return sorted(found)

    def _read(self, text: str) -> list[Reading]:
        """The readings of a text; several conditions of a decision ask about the same ones."""
        known = self._recent.get(text)
        if known is None:
            known = [*readings(text), *(each for form in decoded(text) for each in readings(form))]
            if len(text) <= _SHORT:
                if len(self._recent) >= _RECENT:
                    self._recent = {}
                self._recent[text] = known
        return known


class Stream:
    """A source whose parts come one by one: what is split over several is found too."""

    __slots__ = ("_memory", "_new", "_tail", "labels")

    def __init__(self, memory: Origins, labels: frozenset[str]) -> None:
        self.labels = labels
        self._memory = memory
        self._new: list[str] = []
        self._tail = ""

    def receive(self, part: object) -> None:
        """Take in the next part, before the agent sees it; nothing is raised."""
        if not self.labels:
            return
        texts = read_result(part)
        self._memory.receive_part(self, texts.found, whole=texts.whole)

    def extend(self, texts: list[str]) -> bool:
        """Keep `texts` until they are asked for; return whether they are the first since then."""
        first = not self._new
        self._new += texts
        return first

    def take(self) -> tuple[str, ...]:
        """Return the text since it was last asked for, after the end of what was before.

        The parts may be pieces of one text or records each by itself: it is returned as both.
        """
        text, apart = self._tail + "".join(self._new), _APART.join(self._new)
        self._new.clear()
        self._tail = text[-_OVERLAP:]
        return (text, apart)


def _came(source: Grams, reading: Reading) -> bool:
    """Whether a text came from `source`: as a whole, or a piece of it that can't be chance."""
    words, atoms = reading.words, reading.atoms
    if words and source.has_row(words):
        return True
    for atom in atoms:
        if not reading.others or _is_telling(atom.kind, atom.meanings[0]):
            for mark in sought(atom):
                if source.has(mark):
                    return True
    if len(words) == 1:
        return False
    return any(_is_code(word) and source.has(word) for word in words) or any(
        source.has(row) and sum(map(len, row)) >= PIECE
        for row in zip(words, words[1:], words[2:], words[SPAN - 1 :], strict=False)
    )


def _is_telling(kind: str, meaning: str) -> bool:
    """Whether an atom among other words is seldom written by chance: an address, a long number."""
    if kind in ("email", "url", "grouped"):
        return True
    digits = meaning.lstrip("-").replace(".", "")
    year = len(meaning) == _LONG_NUMBER and meaning[:2] in ("19", "20")
    return kind == "number" and len(digits) >= _LONG_NUMBER and not year


def _is_code(word: str) -> bool:
    """Whether a word has digits and letters, as names of accounts and keys have."""
    return (
        len(word) >= _LONG_NAME
        and not word.isalpha()
        and any(map(str.isdigit, word))
        and any(map(str.isalpha, word))
    )
