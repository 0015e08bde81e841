"""Where what happens in a session is kept, when several processes share it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    Event = tuple[int, str, str, int]
    """The number, the kind, the body (JSON) and the time (nanoseconds since 1970) of an event."""


class Journal(Protocol):
    """The events of sessions, in one order for all who read them; raises StateUnavailable."""

    def append(self, session: str, happened: Sequence[tuple[str, str, int]]) -> None:
        """Keep events of a session, kind, body and time of each: all of them or none."""

    def read(self, session: str, after: int) -> Sequence[Event]:
        """The events of a session after event number `after`, in order."""
