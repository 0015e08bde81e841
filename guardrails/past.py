"""What happened in a session, as far as conditions may ask; `guardrails.session` keeps it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from guardrails.language.cel.functions.signature import Budget

RECENT = 1_000
"""How many times of each tool and outcome a session knows one by one; older ones it counts."""


class Outcome(StrEnum):
    """What may have become of a call.

    `called`: it began to run. `succeeded` and `failed`: it ended, with a result or otherwise.
    `denied`: policy or people refused it; what waits for people, or is refused because something
    can't be reached, is not.
    """

    CALLED = "called"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DENIED = "denied"


class Calls(NamedTuple):
    """Calls that are asked about: all those that each selector given fits.

    `tools` are names and patterns, `traits` kinds of power; one of each list suffices.
    """

    tools: tuple[str, ...] | None
    traits: tuple[str, ...] | None
    outcome: Outcome


class Step(NamedTuple):
    """That such calls have been, `at_least` so many of them, in the last `within_ns` if given."""

    calls: Calls
    within_ns: int | None = None
    at_least: int = 1


class HasPast(Protocol):
    """Whatever a function of conditions reads the past from; `past` raises EvaluationError."""

    steps: int

    @property
    def past(self) -> Past:
        """What happened in the session before."""

    @property
    def now_ns(self) -> int:
        """The time of the decision, in nanoseconds since 1970."""

    @property
    def fields(self) -> Collection[str]:
        """The names that the tool's declaration gives its arguments and their fields."""


class Past(Protocol):
    """The memory of a session. What it can't tell for certain raises EvaluationError.

    Times are nanoseconds since 1970. Whether a tool of which nobody knows the traits counts for a
    selector of traits is what `unknown` says; without an answer (None) it raises.
    """

    def happened(self, steps: Sequence[Step], now_ns: int, *, unknown: bool) -> bool:
        """Whether all of `steps` have been, each after the one before it."""

    def count(self, calls: Calls, since_ns: int | None, *, unknown: bool | None = None) -> int:
        """How many such calls have been, since a time or ever."""

    def last(self, calls: Calls, *, unknown: bool | None = None) -> int | None:
        """When the last such call was, None where there was none."""

    def origins(self, value: Any, budget: Budget) -> Collection[str]:
        """The labels of the sources of this session from which the text of `value` came."""

    def stated(self, value: Any, budget: Budget, fields: Collection[str] = ()) -> bool:
        """Whether the person asked for `value`: whether every part of it is in what she said.

        Keys of maps that are in `fields` need not be.
        """
