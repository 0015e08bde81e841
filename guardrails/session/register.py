"""The sessions of one guard: opened, resumed, delegated, and handed on to other processes."""

from __future__ import annotations

from secrets import token_hex
from threading import Lock
from time import time_ns
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakValueDictionary

from guardrails.display import escape
from guardrails.errors import ConfigurationError, SessionError
from guardrails.forks import after_fork
from guardrails.session.context import inherit_context, read_context
from guardrails.session.journal import Journal
from guardrails.session.session import Session, current_session
from guardrails.session.state import SessionState
from guardrails.session.token import (
    Delegation,
    check_key,
    expiry_of,
    new_nonce,
    read_token,
    write_token,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardrails.action import Subject
    from guardrails.guard import Guard

MAX_SESSIONS = 100_000
"""How many sessions opened by an id a guard remembers.

To forget one that is not shared would lose its labels.
"""

MAX_ID = 256
"""How many characters the id of a session may have."""

MAX_DEPTH = 8
"""How deep delegations may go, unless `Guard.load` is told otherwise."""


class Shared(Journal, Protocol):
    """What guards share of sessions; raises StateUnavailable."""

    def key(self) -> bytes:
        """The key that tokens of delegations are signed with."""

    def redeem(self, nonce: str, expires_ns: int) -> bool:
        """Whether the token of that nonce was not used before; now it is."""


class Register:
    """The sessions of a guard.

    Those opened by an id are `shared` where there is such a place, and remembered here otherwise.
    `key` signs the tokens of delegations; by default the shared one. Raises ConfigurationError for
    a key or a depth that can't be.
    """

    def __init__(self, shared: Shared | None, max_depth: int, key: bytes | None) -> None:
        if type(max_depth) is not int or max_depth < 1:
            raise ConfigurationError("`max_depth` is a whole number, 1 or more")
        self._shared = shared
        self._max_depth = max_depth
        self._own_key = None if key is None else check_key(key)
        self._known: dict[str, SessionState] = {}
        self._in_use: WeakValueDictionary[str, SessionState] = WeakValueDictionary()
        self._redeemed: dict[str, int] = {}
        self._begin()
        after_fork(self, Register._begin)  # a thread of the parent may hold the lock

    def _begin(self) -> None:
        """Take locks, and a name for the tokens made here: a fork's sessions go their own way."""
        self._lock = Lock()
        self._name = token_hex(8)
        for state in tuple(self._in_use.values()):
            state.begin()

    def open(
        self,
        guard: Guard,
        acting: Subject | None,
        context: Mapping[str, Any] | None,
        id: str | None,  # noqa: A002 - the name in policies and in the log
    ) -> Session:
        """A session of `acting`; inside another one a delegation. Raises SessionError."""
        own = read_context(context)
        parent = current_session()
        if parent is None:
            return Session(guard, self._state(id, acting), () if acting is None else (acting,), own)
        if id is not None and id != parent.id:
            raise SessionError("a delegation has the session id of the session around it")
        self._check_depth(parent.depth + 1)
        chain = parent.chain if acting is None else (*parent.chain, acting)
        return Session(guard, parent.state, chain, inherit_context(parent.context, own))

    def delegate(
        self, session: Session, acting: Subject, context: Mapping[str, Any] | None, ttl_s: float
    ) -> str:
        """The token by which `acting` goes on in `session` elsewhere; raises SessionError."""
        if self._shared is not None and not session.state.shared:
            raise SessionError(
                "open the session by an `id`, so that what is done elsewhere is known"
            )
        self._check_depth(session.depth + 1)
        now = time_ns()
        said = Delegation(
            nonce=new_nonce(),
            issuer=self._name,
            session=session.id,
            chain=(*session.chain, acting),
            context=inherit_context(session.context, read_context(context)),
            labels=tuple(sorted(session.labels)),
            targets=session.targets,
            depth=session.depth,
            expires_ns=expiry_of(ttl_s, now),
            around=session.state.around(),
        )
        return write_token(self._key(), said)

    def accept(self, guard: Guard, token: str) -> Session:
        """The session that a token delegates, once; raises SessionError for one that is no good."""
        if current_session() is not None:
            raise SessionError("a token opens a session of its own: use it outside of any other")
        said = read_token(self._key(), token, time_ns())
        self._check_depth(said.depth + 1)
        if not self._redeem(said.nonce, said.expires_ns):
            raise SessionError("the token has been used; each is good for once")
        state = self._rejoin(said)
        if not state.labels.issuperset(said.labels):
            state.add_labels(said.labels)
        state.go_inside(said.around)
        return Session(guard, state, said.chain, said.context, said.targets, said.depth)

    def _check_depth(self, depth: int) -> None:
        if depth > self._max_depth:
            msg = f"delegations go no deeper than {self._max_depth} (`max_depth`)"
            raise SessionError(msg)

    def _key(self) -> bytes:
        if self._own_key is not None:
            return self._own_key
        if self._shared is None:
            raise SessionError("tokens need a key: give `Guard.load` a `state` or a `token_key`")
        return self._shared.key()

    def _redeem(self, nonce: str, expires_ns: int) -> bool:
        if self._shared is not None:
            return self._shared.redeem(nonce, expires_ns)
        with self._lock:
            now = time_ns()
            self._redeemed = {key: end for key, end in self._redeemed.items() if end > now}
            return self._redeemed.setdefault(nonce, expires_ns) is expires_ns

    def _state(self, id: str | None, acting: Subject | None) -> SessionState:  # noqa: A002
        """The state of the session `id`, new or resumed by the subject that opened it."""
        if id is None:
            state = SessionState(f"s-{token_hex(8)}", acting)
            with self._lock:
                self._in_use[state.id] = state
            return state
        if type(id) is not str or not 0 < len(id) <= MAX_ID or not id.isprintable():
            msg = f"the id of a session is a text of 1 to {MAX_ID} characters, each of which shows"
            raise SessionError(msg)
        state = self._resume(id, acting)
        if state.owner != (None if acting is None else acting.id):
            msg = f"the session `{escape(id)}` was opened by another subject"
            raise SessionError(msg)
        return state

    def _rejoin(self, said: Delegation) -> SessionState:
        """The state of the session of a token; what only another process knows of it is missed."""
        with self._lock:
            known = said.session in self._in_use
        state = self._resume(said.session, said.chain[0])
        if self._shared is None and not (known and said.issuer == self._name):
            state.partial = True
        return state

    def _resume(self, id: str, acting: Subject | None) -> SessionState:  # noqa: A002
        with self._lock:
            state = self._in_use.get(id)
            if state is None:
                self._make_room()
                if self._shared is None:
                    state = SessionState(id, acting)
                else:
                    from guardrails.session.shared import SharedState  # noqa: PLC0415 - slow to import

                    state = SharedState(id, acting, self._shared)
                self._in_use[id] = state
            self._known.pop(id, None)
            self._known[id] = state  # the one that was opened last comes last
            return state

    def _make_room(self) -> None:
        """Let go of the shared session that was opened longest ago; raises SessionError.

        The state has the rest of it, and whoever is in it still holds it.
        """
        if len(self._known) < MAX_SESSIONS:
            return
        for id, state in self._known.items():  # noqa: A001 - as everywhere
            if state.kept_elsewhere:
                del self._known[id]
                return
        msg = f"this guard remembers {MAX_SESSIONS:,} sessions and can take no more"
        raise SessionError(f"{msg}; share a `state`, which remembers them all")
