"""Calls of a shared session that have begun and not ended, as far as their results have labels.

What such a call gives may be known to an agent, and to nobody else yet; of one that was cut off by
a crash it never will. So it counts, in other processes, as the origin of every value.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    Calls = tuple[str, tuple[str, ...]]
    """The process that calls, and the labels of what it is given."""

    Around = tuple[tuple[str, tuple[str, ...], int], ...]
    """Calls that go on around a delegation: of each process and labels, how many."""


class OpenCalls:
    """The open calls of a session; `around` those that end after what is done here."""

    __slots__ = ("_around", "_open")

    def __init__(self) -> None:
        self._open: Counter[Calls] = Counter()
        self._around: Counter[Calls] = Counter()

    def begin(self, by: str, labels: tuple[str, ...]) -> None:
        """Take note of a call that begins."""
        self._open[by, labels] += 1

    def end(self, by: str, labels: tuple[str, ...]) -> bool:
        """Take note that one has ended; whether it was the last one open of its kind."""
        left = max(0, self._open[by, labels] - 1)
        self._set(self._open, (by, labels), left)
        self._set(self._around, (by, labels), min(left, self._around[by, labels]))
        return left == 0

    def labels_elsewhere(self, here: str) -> frozenset[str]:
        """The labels of calls that are open in other processes than this one, and not around it."""
        return frozenset(
            label
            for calls, count in self._open.items()
            if calls[0] != here and count > self._around[calls]
            for label in calls[1]
        )

    def around(self, here: str, streams: Iterable[tuple[str, ...]]) -> Around:
        """The calls around what this process delegates now.

        A stream is none of them, since parts of it are known before it ends: `streams` are the
        labels of each that this process has open.
        """
        own = Counter({calls: count for calls, count in self._open.items() if calls[0] == here})
        own.subtract((here, labels) for labels in streams)
        return tuple((*calls, count) for calls, count in (own + self._around).items())

    def go_inside(self, around: Around) -> None:
        """Let calls be around what is done here, as far as they are open."""
        for by, labels, count in around:
            calls = (by, labels)
            self._around[calls] = min(self._open[calls], max(count, self._around[calls]))

    @staticmethod
    def _set(counter: Counter[Calls], calls: Calls, count: int) -> None:
        if count:
            counter[calls] = count
        else:
            del counter[calls]
