"""What happened in a shared session, in this process, and is not in its journal yet."""

from __future__ import annotations

from dataclasses import dataclass
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from guardrails.session.events import Came, write_facts, write_texts
from guardrails.session.origins.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Hashable

    from guardrails.session.arrivals import Arrivals


class Unkept:
    """Events in order, each with the name of this process and a number of its own.

    `held` are the characters of parts of streams that wait.
    """

    __slots__ = ("_count", "_part", "by", "events", "held")

    def __init__(self) -> None:
        self.by = token_hex(8)
        self.events: list[_Event] = []
        self.held = 0
        self._count = 0
        self._part: tuple[Hashable, _Event] | None = None

    def add(self, kind: str, at_ns: int, texts: Texts | None = None, **facts: Any) -> None:
        """Let an event wait."""
        self._append(kind, at_ns, texts, facts)
        self._part = None  # the next part of a stream comes after this

    def add_part(self, stream: int, labels: tuple[str, ...], at_ns: int, texts: Texts) -> None:
        """Let a part of a stream wait, as one with that before it where nothing came between."""
        self.held += sum(map(len, texts.found))
        if self._part is not None and self._part[0] == stream:
            self._part[1].extend(texts)
            return
        facts = {"stream": stream, "returns": labels}
        self._part = stream, self._append("part", at_ns, texts, facts)

    def write(self, arrivals: Arrivals) -> tuple[list[tuple[str, str, int]], dict[str, str]]:
        """The events as the journal keeps them, and by digest the texts that count."""
        self._part = None  # they may be kept even if that fails, so they stay as they are
        texts: dict[str, str] = {}
        rows = [
            (
                each.kind,
                write_facts(each.kind, each.facts, _pack(each, arrivals, texts)),
                each.at_ns,
            )
            for each in self.events
        ]
        return rows, texts

    def clear(self) -> None:
        """Let go of all: it is kept."""
        self.events = []
        self.held = 0

    def _append(self, kind: str, at_ns: int, texts: Texts | None, facts: dict[str, Any]) -> _Event:
        self._count += 1
        event = _Event(kind, at_ns, texts, {**facts, "by": self.by, "seq": self._count})
        self.events.append(event)
        return event


@dataclass(slots=True)
class _Event:
    """An event; a part of a stream may grow."""

    kind: str
    at_ns: int
    texts: Texts | None
    facts: dict[str, Any]

    def extend(self, more: Texts) -> None:
        """Let the texts of the next part join."""
        known = self.texts
        assert known is not None
        known.found.extend(more.found)
        self.texts = Texts(known.found, known.whole and more.whole)


def _pack(event: _Event, arrivals: Arrivals, texts: dict[str, str]) -> Came | None:
    """What an event says of its texts, which join `texts` as far as they would count."""
    if event.texts is None:
        return None
    found, whole = event.texts.found, event.texts.whole
    size = sum(map(len, found))
    if not size:
        return Came(0, None, whole)
    labels = event.facts.get("returns")
    if not (arrivals.admits_said(size) if labels is None else arrivals.admits(labels, size)):
        return Came(size, None, whole=False)
    digest, body = write_texts(found)
    texts[digest] = body
    return Came(size, digest, whole)
