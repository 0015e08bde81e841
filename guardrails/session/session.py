"""Who acts, on whose behalf, and what its tools have brought in: the session around a call."""

from __future__ import annotations

from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar

from guardrails.action import SessionView, Subject
from guardrails.errors import SessionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextvars import Token
    from types import TracebackType

    from guardrails.audit.records import DecisionEntry
    from guardrails.guard import Guard
    from guardrails.session.state import SessionState

    P = ParamSpec("P")
    R = TypeVar("R")

_current: ContextVar[Session | None] = ContextVar("guardrails_session", default=None)


def current_session() -> Session | None:
    """Return the session that the running code is in, or None."""
    return _current.get()


class Session:
    """A session of a guard, entered with `with` or `async with`; `guard.session(..)` makes it.

    Inside another session it is a delegation: every member of `chain` is judged. asyncio tasks
    and `asyncio.to_thread` inherit it; a plain thread does not, unless its function went through
    `bind`.
    """

    __slots__ = (
        "_parent",
        "_state",
        "_token",
        "_view",
        "chain",
        "context",
        "guard",
        "subjects_json",
    )

    def __init__(
        self,
        guard: Guard,
        state: SessionState,
        chain: tuple[Subject, ...],
        context: Mapping[str, Any],
    ) -> None:
        self.guard = guard
        self.chain = chain
        self.context = dict(context)
        self.subjects_json = tuple(map(_subject_json, chain))
        self._state = state
        self._view = SessionView(state.id, state.labels, chain)
        self._parent = _current.get()
        self._token: Token[Session | None] | None = None

    @property
    def id(self) -> str:
        """The session's id; delegations within a session share it."""
        return self._state.id

    @property
    def labels(self) -> frozenset[str]:
        """The labels that results have carried in."""
        return self._state.labels

    @property
    def subject(self) -> Subject | None:
        """Who acts, or None where nobody knows."""
        return self.chain[-1] if self.chain else None

    @property
    def view(self) -> SessionView:
        """The session as conditions see it at this moment; the same object until that changes."""
        labels = self._state.labels
        if self._view.labels is not labels:
            self._view = SessionView(self._state.id, labels, self.chain)
        return self._view

    @property
    def earlier(self) -> tuple[tuple[int, DecisionEntry], ...]:
        """The last decisions, oldest first, each with its time in nanoseconds since 1970.

        Only a guard that asks people keeps them, for those whom it asks.
        """
        return tuple(self._state.earlier)

    @property
    def state(self) -> SessionState:
        """What the session has gathered."""
        return self._state

    def add_labels(self, labels: Iterable[str]) -> None:
        """Let `labels` join the session, for this call and all that follow."""
        self._state.add_labels(labels)

    def bind(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return `function` made to run in this session, in whatever thread it is called."""

        @wraps(function)
        def bound(*args: P.args, **kwargs: P.kwargs) -> R:
            token = _current.set(self)
            try:
                return function(*args, **kwargs)
            finally:
                _current.reset(token)

        del bound.__wrapped__
        return bound

    def __enter__(self) -> Self:
        if self._token is not None:
            raise SessionError("this session is open already; open another with `guard.session`")
        if _current.get() not in (None, self._parent):
            raise SessionError("call `guard.session` inside the session that it is to extend")
        self._token = _current.set(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._token is None:
            return
        if _current.get() is not self:
            # To go on would leave the session that was opened last, or leave this one open.
            raise SessionError("close a session where it was opened, and those inside it before")
        token, self._token = self._token, None
        _current.reset(token)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, traceback)


def _subject_json(subject: Subject) -> dict[str, Any]:
    """A subject as the decision log shows it."""
    return {
        "id": subject.id,
        "roles": list(subject.roles),
        "on_behalf_of": subject.on_behalf_of,
        "attributes": subject.judged,
    }
