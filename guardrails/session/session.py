"""Who acts, on whose behalf, and what its tools have brought in: the session around a call."""

from __future__ import annotations

from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar

from guardrails.action import SessionView, Subject
from guardrails.errors import SessionError
from guardrails.session.state import narrow_targets, read_texts

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
    `bind`. One that a token delegated has its `targets`, and `above` it so many sessions.
    """

    __slots__ = (
        "_above",
        "_own_targets",
        "_parent",
        "_state",
        "_token",
        "_view",
        "chain",
        "context",
        "guard",
        "names",
        "subjects_json",
    )

    def __init__(
        self,
        guard: Guard,
        state: SessionState,
        chain: tuple[Subject, ...],
        context: Mapping[str, Any],
        targets: tuple[str, ...] | None = None,
        above: int = 0,
    ) -> None:
        self.guard = guard
        self.chain = chain
        self.context = dict(context)
        self.subjects_json = tuple(map(_subject_json, chain))
        self.names = names_of(state.id, chain)
        self._state = state
        self._view = SessionView(state.id, state.labels, chain, state)
        self._parent = _current.get()
        self._own_targets = targets
        self._above = above
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
        labels, targets = self._state.labels, self.targets
        view = self._view
        if view.labels is not labels or view.targets is not targets:
            view = SessionView(self._state.id, labels, self.chain, self._state, targets)
            self._view = view
        return view

    @property
    def targets(self) -> tuple[str, ...] | None:
        """What the task is about, None where none was given; a delegation's is never wider."""
        around = self._state.targets if self._parent is None else self._parent.targets
        own = self._own_targets
        if own is None or around is None or own is around:
            return around if own is None else own
        return own if set(own).issubset(around) else tuple(t for t in own if t in around)

    @property
    def depth(self) -> int:
        """How many sessions it is inside of, itself counted."""
        return 1 + (self._above if self._parent is None else self._parent.depth)

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
        """Let `labels` join the session, for this call and all that follow; raises SessionError."""
        self._state.add_labels(labels)

    def user_said(self, text: str) -> None:
        """Take note of what the person said, in her own words; `stated(..)` asks for it.

        For the host alone: what a model or a tool wrote must not pass as hers. Raises SessionError
        for what is no text.
        """
        self._state.said(text)

    def remove_labels(self, labels: Iterable[str], *, reason: str) -> None:
        """Let `labels` leave the session, which the decision log records with the `reason`.

        A tool that runs meanwhile carries its labels in again when it ends. Raises SessionError
        without a reason, LogUnavailable where it can't be recorded: then nothing is removed.
        """
        removed = read_texts(labels, "labels")
        if type(reason) is not str or not reason.strip():
            raise SessionError("to remove labels a reason is needed: say who looked, and at what")
        gone = sorted(self._state.labels.intersection(removed))
        self._record("labels", removed=gone, reason=reason)
        self._state.remove_labels(removed)

    def task(self, *, targets: Iterable[str], description: str = "") -> None:
        """Say what the task is about, for conditions to read as `session.targets`.

        Given again, or within a delegation, it can only become narrower: anything else raises
        SessionError. The decision log records it; LogUnavailable where it can't.
        """
        wanted = narrow_targets(self.targets, read_texts(targets, "targets"))
        self._record("task", targets=list(wanted), description=description)
        if self.depth == 1:
            self._state.narrow(wanted)
        else:
            self._own_targets = wanted

    def token(
        self,
        *,
        subject: str,
        roles: Iterable[str] = (),
        on_behalf_of: str = "",
        attributes: Mapping[str, Any] | None = None,
        context: Mapping[str, Any] | None = None,
        ttl: float = 600,
    ) -> str:
        """Return a token by which a delegation goes on elsewhere, with `guard.session(token=..)`.

        It is good for once, within `ttl` seconds, where a guard has the same key. It carries who
        acts, the context, the labels, the targets and the depth of this session; what is done
        there is known here where both guards share their state. Raises SessionError,
        StateUnavailable, and LogUnavailable where it can't be recorded.
        """
        acting = Subject(subject, roles, on_behalf_of, attributes)
        token = self.guard.sessions.delegate(self, acting, context, ttl)
        self._record("delegation", to=_subject_json(acting), ttl=ttl)
        return token

    def _record(self, kind: str, **facts: Any) -> None:
        subjects = list(self.subjects_json)
        self.guard.enforcer.note(kind, session={"id": self.id}, subjects=subjects, **facts)

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


def names_of(session: str, chain: tuple[Subject, ...]) -> frozenset[str]:
    """By what names a stop may mean the session: its id, its subjects, whom they act for.

    As in a stop, white space around a name is none of it.
    """
    people = (subject.on_behalf_of for subject in chain if subject.on_behalf_of)
    names = (session, *(subject.id for subject in chain), *people)
    return frozenset(map(str.strip, names))


def _subject_json(subject: Subject) -> dict[str, Any]:
    """A subject as the decision log shows it."""
    return {
        "id": subject.id,
        "roles": list(subject.roles),
        "on_behalf_of": subject.on_behalf_of,
        "attributes": subject.judged,
    }
