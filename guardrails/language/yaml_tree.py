"""The data of a YAML file, with the place of every key and value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guardrails.language.document import Span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardrails.errors import Problem
    from guardrails.language.source import Source


class Fault(Exception):  # noqa: N818 - it never leaves this package
    """What keeps a file from being read further; `problem` tells it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Tree:
    """What a file holds, as plain data, and where each part of it stands.

    `root` is the event of the whole. `marks` leads from the id of a map to the events of its keys
    and values, by key, and from the id of a list to the events of its items. An event is
    PyYAML's: it has `start_mark` and `end_mark`, whose lines and columns count from 0.
    """

    source: Source
    data: Any
    root: Any
    marks: Mapping[int, Any]

    def key(self, container: object, key: Any) -> Any:
        """The event of a key of the map `container`."""
        return self.marks[id(container)][key][0]

    def value(self, container: object, key: str | int) -> Any:
        """The event of the value under `key` of a map, or at that index of a list."""
        found = self.marks[id(container)][key]
        return found[1] if type(container) is dict else found

    def event_at(self, container: Any, path: tuple[str | int, ...], *, of_key: bool = False) -> Any:
        """The event of what stands at `path` below `container`, or of its key."""
        for step in path[:-1]:
            container = container[step]
        return self.key(container, path[-1]) if of_key else self.value(container, path[-1])

    def span(self, event: Any) -> Span:
        """The place of an event."""
        mark = event.start_mark
        return Span(self.source.path, mark.line + 1, mark.column + 1)

    def places(self, container: object) -> dict[str, Span]:
        """The place of each value of the map `container`, by key."""
        return {key: self.span(value) for key, (_, value) in self.marks[id(container)].items()}

    def problem(self, event: Any, message: str) -> Problem:
        """A problem at an event: its caret is as wide as the scalar."""
        return problem_at(self.source, event, message)


def problem_at(source: Source, event: Any, message: str) -> Problem:
    """A problem at an event of `source`."""
    start, end = event.start_mark, event.end_mark
    width = end.column - start.column if end.line == start.line else len(source.text)
    return source.problem(start.line + 1, start.column + 1, message, width)
