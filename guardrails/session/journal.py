"""Where what happens in a session is kept, when several processes share it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    Event = tuple[int, str, str, int]
    """The number, the kind, the body (JSON) and the time (nanoseconds since 1970) of an event."""


class Journal(Protocol):
    """The events of sessions, in one order for all who read them; raises StateUnavailable."""

    def append(
        self, session: str, happened: Sequence[tuple[str, str, int]], texts: Mapping[str, str]
    ) -> None:
        """Keep events of a session, kind, body and time of each, and by digest the texts they name.

        All of it or nothing; what a digest names is kept once for a session.
        """

    def read(self, session: str, after: int) -> Sequence[Event]:
        """The events of a session after event number `after`, in order."""

    def texts(self, session: str, digests: Collection[str]) -> Mapping[str, str]:
        """The texts of a session that are kept by these digests; those that aren't are missing."""
