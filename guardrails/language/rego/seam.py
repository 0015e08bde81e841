"""What evaluates Rego: the seam between modules as they are loaded and an engine.

Another engine is added by a class with the methods of `RegoEngine`; `load(path, rego=...)` of
`guardrails.language.loader` takes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class Text(NamedTuple):
    """The text of a file, and its path as people know it."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Unit:
    """A package that is asked as one: all it takes to evaluate its rules.

    `package` is its path below `data`, `entries` the names of the rules that decide, `sets`
    those of them that are sets, and so have a value even where they hold nothing. `modules` are
    its files and those of every package that they reach; `data` is the JSON text of the documents
    below `data`. `digest` is 32 hexadecimal characters that stand for all of this.
    """

    digest: str
    package: tuple[str, ...]
    entries: tuple[str, ...]
    modules: tuple[Text, ...] = field(repr=False)
    data: Text = field(repr=False)
    sets: frozenset[str] = frozenset()


class Answer(NamedTuple):
    """What one rule evaluated to: its value as JSON has it, nothing, or why it has none.

    `error` holds no value of the action: it is recorded, and may be shown to people.
    """

    value: Any = None
    defined: bool = False
    error: str | None = None


UNDEFINED = Answer()


class EngineFailure(Exception):  # noqa: N818 - it never leaves the engine's caller
    """Nothing was evaluated: a crash, a time limit, a server that is away. The text says which."""


class ParseFailure(Exception):  # noqa: N818 - likewise
    """A module that is no Rego, or none that can be evaluated; the place counts from 1, or is 0.

    `path` is the file's, "" where only one is meant.
    """

    def __init__(self, message: str, line: int = 0, column: int = 0, path: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
        self.path = path


class Unscheduled(ParseFailure):
    """A rule declares a variable that nothing gives a value; the engine doesn't say where."""


class RegoEngine(Protocol):
    """Evaluates units; any number of threads may ask at once."""

    def evaluate(self, unit: Unit, action: bytes) -> Sequence[Answer]:
        """What each entry of `unit` evaluates to, in their order, with `action` as `input`.

        `action` is JSON text. Errors inside an entry, built-in functions' too, are its answer's;
        raises EngineFailure where the unit as a whole could not be evaluated. It returns within a
        time limit of its own.
        """

    def close(self) -> None:
        """End what it runs; what is asked later fails."""
