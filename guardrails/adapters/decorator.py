"""`guardrails.tool`: the decorator for libraries that hold no guard.

Which guard judges is found at each call: that of the session around, else the configured one,
else one over the folder that `GUARDRAILS_POLICIES` named when this module was imported. With none
of them every call is refused.
"""

from __future__ import annotations

import os
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar, overload

from guardrails.audit.log import DecisionLog
from guardrails.decoration import decorate
from guardrails.enforcement import Enforcer
from guardrails.enforcement.providers import Providers
from guardrails.engine import PolicySet
from guardrails.errors import ConfigurationError, LogUnavailable, PolicyError
from guardrails.forks import after_fork
from guardrails.guard import Guard
from guardrails.language.document import Bundle
from guardrails.session import current_session
from guardrails.source.policies import ERROR_LENGTH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    F = TypeVar("F", bound=Callable[..., Any])


class _Default:
    """The guard that stands in where a session names none; set once."""

    def __init__(self, folder: str | None) -> None:
        self._folder = os.path.abspath(folder) if folder else None  # noqa: PTH100 - a link stays a link
        self._guard: Guard | None = None
        self._refuser: Enforcer | None = None
        self._error = ""
        self._make_lock()
        after_fork(self, _Default._make_lock)  # a thread of the parent may hold the lock

    def _make_lock(self) -> None:
        self._lock = Lock()

    def configure(self, guard: Guard) -> None:
        with self._lock:
            if self._guard is not None:
                raise ConfigurationError("a guard is configured already; it can't be replaced")
            self._guard = guard

    def find(self) -> Enforcer:
        with self._lock:
            if self._guard is None and self._folder is not None:
                self._guard = self._load(self._folder)
            return self._refuse_all() if self._guard is None else self._guard.enforcer

    def _load(self, folder: str) -> Guard | None:
        """The guard over `folder`; None if it doesn't load, and is tried again at the next call."""
        try:
            return Guard.load(folder)
        except PolicyError as error:
            self._record(str(error))
            return None

    def _record(self, error: str) -> None:
        """Put into the log, once, why the policies don't load."""
        if error != self._error:
            with suppress(LogUnavailable):  # as the call itself will be refused
                self._refuse_all().note("load_failed", error=error[:ERROR_LENGTH])
                self._error = error

    def _refuse_all(self) -> Enforcer:
        if self._refuser is None:
            nothing = PolicySet(Bundle((), {}, {}, None, ""))
            self._refuser = Enforcer(nothing, DecisionLog(None), Providers({}, 0))
        return self._refuser


_default = _Default(os.environ.get("GUARDRAILS_POLICIES"))


def configure(guard: Guard) -> None:
    """Let `guard` judge the calls of `guardrails.tool` functions outside its sessions.

    Raises ConfigurationError when one is configured already, and for what is no guard.
    """
    if not isinstance(guard, Guard):
        raise ConfigurationError("`configure` takes a guard, as `Guard.load` returns it")
    _default.configure(guard)


@overload
def tool(function: F, /) -> F: ...


@overload
def tool(name: str | None = None, /, *, ignore: Iterable[str] = ()) -> Callable[[F], F]: ...


def tool(target: Any = None, /, *, ignore: Iterable[str] = ()) -> Any:
    """Decorate a tool function as `Guard.tool` does, by the guard that is found at each call."""
    return decorate(_find, target, ignore)


def _find() -> Enforcer:
    session = current_session()
    return _default.find() if session is None else session.guard.enforcer
