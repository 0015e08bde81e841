"""YAML text -> a tree of plain data.

The text is taken as a stream of events from libyaml, which gives each its place, and put together
here, without recursion: so duplicate keys are seen, nesting is bounded before it can hurt, and
values are those of YAML 1.2, not 1.1. What YAML can do beyond plain data is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guardrails.display import quote
from guardrails.language.yaml_faults import condition_hint, describe
from guardrails.language.yaml_scalars import resolve_plain
from guardrails.language.yaml_tree import Fault, Tree, problem_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.errors import Problem
    from guardrails.language.source import Source

MAX_DEPTH = 100
"""How deep lists and maps may nest; a policy needs a dozen levels."""

MAX_REPEATED = 100_000
"""How many values aliases may repeat in one file: enough to share lists, not to explode."""


@dataclass(slots=True)
class _Anchor:
    """An anchored value: its event, its depth and that of what is deepest in it.

    `size` counts its values, 0 while it has not ended; `before` those before it.
    """

    value: Any
    event: Any
    depth: int
    deepest: int
    size: int
    before: int


def compose(source: Source, problems: list[Problem]) -> Tree:
    """The tree of the one document in `source`; problems that allow to go on join `problems`.

    Raises `Fault` for one that doesn't.
    """
    from yaml._yaml import CParser  # noqa: PLC0415 - slow to import, and needed to load only
    from yaml.error import MarkedYAMLError  # noqa: PLC0415

    try:
        return _Composer(source, problems, CParser(source.text).get_event).compose()
    except MarkedYAMLError as error:
        line, column, message = describe(error, source)
        raise Fault(source.problem(line, column, message)) from None


class _Composer:
    """One pass over the events of one file."""

    def __init__(
        self, source: Source, problems: list[Problem], get_event: Callable[[], Any]
    ) -> None:
        self.source = source
        self.problems = problems
        self.get_event = get_event
        self.marks: dict[int, Any] = {}
        self.anchors: dict[str, _Anchor] = {}
        self.open: list[_Anchor] = []
        self.values = 0
        self.repeated = 0

    def compose(self) -> Tree:
        """The tree of the document; raises `Fault`."""
        self._begin()
        data, root = self._fill()
        self._end()
        return Tree(self.source, data, root, self.marks)

    def _begin(self) -> None:
        from yaml.events import StreamEndEvent  # noqa: PLC0415

        self.get_event()
        if type(self.get_event()) is StreamEndEvent:
            empty = not self.source.text.strip()
            message = "the file is empty" if empty else "the file holds only comments"
            raise Fault(self.source.problem_of_file(message))

    def _end(self) -> None:
        from yaml.events import StreamEndEvent  # noqa: PLC0415

        event = self.get_event()
        if type(event) is not StreamEndEvent:
            self._report(event, "a second document starts here; put each in a file of its own")

    def _fill(self) -> tuple[Any, Any]:
        """The data of the document and the event of its root."""
        from yaml.events import (  # noqa: PLC0415
            AliasEvent,
            MappingStartEvent,
            ScalarEvent,
            SequenceStartEvent,
        )

        get_event, marks = self.get_event, self.marks
        root: list[Any] = []
        root_event: list[Any] = []
        container: Any = root
        places: Any = root_event
        key: Any = None
        key_event: Any = None
        above: list[tuple[Any, Any, Any, Any]] = []
        while True:
            event = get_event()
            kind = type(event)
            inner: Any = None
            if kind is ScalarEvent:
                value = self._scalar(event)
            elif kind is MappingStartEvent:
                value, inner = {}, {}
            elif kind is SequenceStartEvent:
                value, inner = [], []
            elif kind is AliasEvent:
                value, event = self._repeat(event, len(above))
            elif above:
                self._leave(len(above))
                container, places, key, key_event = above.pop()
                continue
            else:
                return root[0], root_event[0]
            if type(container) is list:
                container.append(value)
                places.append(event)
            elif key_event is None:
                self._check_key(event, value, container, places)
                key, key_event = value, event
            else:
                container[key] = value
                places[key] = (key_event, event)
                key_event = None
            if inner is not None:
                above.append((container, places, key, key_event))
                container, places, key_event = value, inner, None
                marks[id(value)] = inner
                self._enter(event, value, len(above))

    def _scalar(self, event: Any) -> Any:
        value = event.value
        plain, quoted = event.implicit
        if plain:
            try:
                value = resolve_plain(value)
            except ValueError as error:
                self._report(event, f"the number {quote(value)} is {error}")
                value = 0
        elif not quoted:
            self._refuse_tag(event)
        self.values += 1
        if event.anchor:
            self.anchors[event.anchor] = _Anchor(value, event, 0, 0, 1, 0)
        return value

    def _enter(self, event: Any, value: Any, depth: int) -> None:
        """Note that a list or map begins at `depth`, 1 for the root."""
        self.values += 1
        if depth > MAX_DEPTH:
            raise self._fault(event, f"nested deeper than {MAX_DEPTH} levels")
        if not event.implicit:
            self._refuse_tag(event)
        if event.anchor:
            anchor = _Anchor(value, event, depth, depth, 0, self.values - 1)
            self.anchors[event.anchor] = anchor
            self.open.append(anchor)
        for anchor in self.open:
            anchor.deepest = max(anchor.deepest, depth)

    def _leave(self, depth: int) -> None:
        """Note that the list or map at `depth` has ended."""
        if self.open and self.open[-1].depth == depth:
            anchor = self.open.pop()
            anchor.size = self.values - anchor.before

    def _repeat(self, event: Any, depth: int) -> tuple[Any, Any]:
        """The value that an alias below `depth` levels stands for, and its own event."""
        anchor = self.anchors.get(event.anchor)
        hint = self._hint(event)
        if anchor is None:
            raise self._fault(event, f"unknown anchor {quote(event.anchor)}{hint}")
        if not anchor.size:
            raise self._fault(event, f"the anchor {quote(event.anchor)} holds itself")
        self.repeated += anchor.size
        deepest = depth + anchor.deepest - anchor.depth + 1
        if self.repeated > MAX_REPEATED:
            raise self._fault(event, f"aliases repeat more than {MAX_REPEATED:,} values")
        if deepest > MAX_DEPTH:
            raise self._fault(event, f"nested deeper than {MAX_DEPTH} levels")
        self.values += anchor.size
        for around in self.open:
            around.deepest = max(around.deepest, deepest)
        return anchor.value, anchor.event

    def _check_key(self, event: Any, value: Any, container: Any, places: Any) -> None:
        if type(value) is not str:
            if type(value) in (dict, list):
                raise self._fault(event, "a key must be text, not a list or map")
            shown = self.source.text[event.start_mark.index : event.end_mark.index]
            what = f"put {quote(shown)} in quotes" if shown else "there is none before the `:`"
            raise self._fault(event, f"a key must be text; {what}")
        if value in container:
            line = places[value][0].start_mark.line + 1
            self._report(event, f"duplicate key {quote(value)}; the first is on line {line}")
        elif value == "<<":
            self._report(event, "merge keys (`<<`) are not part of YAML 1.2; write the keys out")

    def _refuse_tag(self, event: Any) -> None:
        rest = self.source.text[event.start_mark.index :].split(maxsplit=2)
        text = next((word for word in rest if word.startswith("!")), rest[0])
        hint = self._hint(event)
        self._report(event, f"tags are not allowed: {quote(text)}{hint}")

    def _hint(self, event: Any) -> str:
        mark = event.start_mark
        return condition_hint(self.source, mark.line + 1, mark.column + 1)

    def _report(self, event: Any, message: str) -> None:
        self.problems.append(problem_at(self.source, event, message))

    def _fault(self, event: Any, message: str) -> Fault:
        return Fault(problem_at(self.source, event, message))
