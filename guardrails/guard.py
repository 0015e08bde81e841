"""The guard: it decides over a call, writes that down, and only then lets it run."""

from __future__ import annotations

from contextlib import ExitStack
from time import time_ns
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from guardrails.action import Action, Subject
from guardrails.audit.log import DecisionLog
from guardrails.decoration import decorate
from guardrails.enforcement import Enforcer, Log
from guardrails.enforcement.providers import Providers
from guardrails.enforcement.stores import open_stores
from guardrails.engine import Facts
from guardrails.errors import ConfigurationError, SessionError
from guardrails.session.register import MAX_DEPTH, Register
from guardrails.source import Health, PolicySource, load_policies
from guardrails.state.stops import read_name

__all__ = ["Guard", "Health", "load_policies"]

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from guardrails.decision import Decision
    from guardrails.enforcement.stores import Approving
    from guardrails.engine import PolicySet
    from guardrails.language.rego.policies import RegoChoice
    from guardrails.session import Session
    from guardrails.state.sql import SqlState

    F = TypeVar("F", bound=Callable[..., Any])
    R = TypeVar("R")

FACTS_TIMEOUT = 5.0
"""Seconds that a provider of a fact has, unless `Guard.load` is told otherwise."""


class Guard:
    """Judges every call of the tools it decorates by one set of policies.

    `Guard.load` makes one. A guard may be used by any number of threads and event loops.
    """

    def __init__(  # noqa: PLR0913 - as of `load`
        self,
        policies: PolicySet,
        *,
        log: Log,
        source: PolicySource | None = None,
        observe: Iterable[str] = (),
        facts: Mapping[str, Callable[[Action], Any]] | None = None,
        facts_timeout: float = FACTS_TIMEOUT,
        approvals: Approving | None = None,
        on_escalate: str = "raise",
        state: str | Path | SqlState | None = None,
        max_depth: int = MAX_DEPTH,
        token_key: bytes | None = None,
    ) -> None:
        setting = {} if source is None else {"writable": source.writable}
        context = policies.bundle.context
        declared = None if context is None else tuple(context.facts)
        providers = Providers(facts or {}, facts_timeout, declared)
        with ExitStack() as opened:
            desk, shared, till = open_stores(approvals, on_escalate, state, opened)
            self._enforcer = Enforcer(
                policies, log, providers, observe, setting, desk, shared, till
            )
            opened.callback(self._enforcer.gate.stops.close)
            self.sessions = Register(shared, max_depth, token_key)
            self._opened = opened.pop_all()
        self._log = log
        self._source = source

    @classmethod
    def load(  # noqa: PLR0913 - each is named where it is given
        cls,
        path: str | Path,
        *,
        log: str | Path | DecisionLog | None = None,
        revision: str | None = None,
        observe: Iterable[str] = (),
        facts: Mapping[str, Callable[[Action], Any]] | None = None,
        facts_timeout: float = FACTS_TIMEOUT,
        approvals: Approving | None = None,
        on_escalate: Literal["raise", "wait"] = "raise",
        state: str | Path | SqlState | None = None,
        max_depth: int = MAX_DEPTH,
        token_key: bytes | None = None,
        rego: RegoChoice | None = None,
        watch: bool | Literal["poll"] = False,
        on_load: Callable[[Health], None] | None = None,
    ) -> Guard:
        """Return a guard over the policies in the folder `path`.

        `log` is the folder of the decision log, or "-" for standard output; by default
        `GUARDRAILS_LOG`, else `.guardrails/log`. `revision` is the digest that the policies must
        have. `observe` are patterns of tools that run whatever is decided, for gradual adoption.
        `facts` are functions that look up a context fact when a rule reads it, each within
        `facts_timeout` seconds. `approvals` says where people decide over what is escalated: a
        folder such as `.guardrails`, the URL of a store, a service, or `Approvals` with a budget
        and a sampling; without it nobody is asked and nothing escalated runs. `on_escalate` says
        whether such a call raises ApprovalRequired (the same call runs once it is approved) or
        waits for the people.

        `state` is where guards share who is stopped, what was spent of budgets and what happened
        in sessions opened by an id: a folder such as `.guardrails` or a URL; by default
        `GUARDRAILS_STATE`, else the store of `approvals`, else this process alone. A guard that
        hasn't heard from it for a second lets nothing run.
        Delegations go `max_depth` deep; `token_key`, 32 random bytes, signs those that go on in
        other processes, by default a key that the shared state holds.

        `rego` says how Rego modules are evaluated, if not as guardrails.toml does: `embedded` or
        the URL of an OPA server, `RegoSettings`, or an engine of one's own.

        With `watch` a change of the folder takes effect by itself, or is left aside if it doesn't
        load as a whole; "poll" compares instead of waiting for events, as network mounts need it.
        `on_load` hears of every load after the first.

        Raises PolicyError with every problem of the policies, ConfigurationError for policies of
        another revision, for facts that they don't declare and for settings that can't be,
        StateUnavailable where the shared state can't be reached.
        """
        if watch not in (False, True, "poll"):
            raise ConfigurationError(f'`watch` is True, False or "poll", not {watch!r}')
        if on_load is not None and not watch:
            raise ConfigurationError("`on_load` hears of later loads, so it needs `watch`")
        source = PolicySource(path, revision, rego)
        guard = cls(
            source.policies,
            log=log if isinstance(log, DecisionLog) else DecisionLog(log),
            source=source,
            observe=observe,
            facts=facts,
            facts_timeout=facts_timeout,
            approvals=approvals,
            on_escalate=on_escalate,
            state=state,
            max_depth=max_depth,
            token_key=token_key,
        )
        if watch:
            source.follow(guard.enforcer, polling=watch == "poll", on_load=on_load)
        return guard

    @property
    def policies(self) -> PolicySet:
        """The policies in force."""
        return self._enforcer.policies

    def health(self) -> Health:
        """Return what the guard says of itself."""
        if self._source is None:
            return Health(self.policies.revision, 0.0, "", writable=False)
        return self._source.health

    def close(self) -> None:
        """Watch the policies no more and end the log's chain; later calls are refused.

        What the guard has opened is closed, such as a store by its path or URL; what it was given
        open stays so.
        """
        if self._source is not None:
            self._source.close()
        if isinstance(self._log, DecisionLog):
            self._log.close()
        self._opened.close()

    def session(
        self,
        *,
        subject: str | None = None,
        roles: Iterable[str] = (),
        on_behalf_of: str = "",
        attributes: Mapping[str, Any] | None = None,
        context: Mapping[str, Any] | None = None,
        id: str | None = None,  # noqa: A002 - the name in policies and in the log
        token: str | None = None,
    ) -> Session:
        """Return a session, to be entered with `with` or `async with`.

        Inside another session it is a delegation. An `id` given again resumes that session; it
        must be opened by the same subject. Raises SessionError where that isn't so, and
        InvalidActionError for a subject that none can be. A `token`, which stands alone, opens the
        delegation that it was made for (`Session.token`).
        """
        if token is not None:
            if subject is not None or roles or on_behalf_of or attributes or context or id:
                raise SessionError("a `token` says who acts and what is known: give nothing else")
            return self.sessions.accept(self, token)
        if subject is None and (roles or on_behalf_of or attributes):
            raise SessionError("`roles`, `on_behalf_of` and `attributes` need a `subject`")
        acting = None if subject is None else Subject(subject, roles, on_behalf_of, attributes)
        return self.sessions.open(self, acting, context, id)

    def stop(self, name: str, *, reason: str, by: str = "") -> None:
        """Refuse from now on every call of a subject, of a session (by id) or, with "all", any.

        It holds for every guard that shares the state, until `resume`. Raises ConfigurationError
        for what is no name.
        """
        self._enforcer.gate.stops.stop(read_name(name), reason, by)

    def resume(self, name: str, *, by: str = "") -> bool:
        """Let calls be judged again that were stopped under that name; whether any were.

        Raises StateUnavailable where the shared state can't be told.
        """
        return self._enforcer.gate.stops.resume(read_name(name), by)

    def decide(self, action: Action, *, now: datetime | None = None) -> Decision:
        """Return the decision over `action` with the facts of this moment, or of `now`.

        Who acts is whom the action names, and the session around the call, if there is one; who is
        stopped is refused. Nothing is spent, nothing runs, and no record is written.
        """
        now_ns = time_ns() if now is None else Facts.at(now).now_ns
        return self._enforcer.judge.decide(action, now_ns)

    @overload
    def tool(self, function: F, /) -> F: ...

    @overload
    def tool(
        self, name: str | None = None, /, *, ignore: Iterable[str] = ()
    ) -> Callable[[F], F]: ...

    def tool(self, target: Any = None, /, *, ignore: Iterable[str] = ()) -> Any:
        """Decorate a tool function, so that every call of it is judged first.

        Use it bare, or with the tool's name (by default the function's) and the parameters to
        `ignore`, which are neither judged nor logged. Works on functions, coroutines, methods and
        generators; innermost, directly over `def`. Raises ConfigurationError for anything else.
        """
        return decorate(lambda: self._enforcer, target, ignore)

    def wrap(self, tools: Iterable[Callable[..., Any]]) -> list[Callable[..., Any]]:
        """Return the functions of `tools`, each decorated under its own name."""
        return [self.tool(function) for function in tools]

    def run(self, tool: str, arguments: Mapping[str, Any], function: Callable[..., R]) -> R:
        """Return `function(**arguments)` if policy lets the call of `tool` run.

        The function receives the arguments as they were judged. Raises ActionDenied or
        ApprovalRequired where it may not run, and whatever the function raises.
        """
        return self._enforcer.run(tool, arguments, lambda received, _hidden: function(**received))

    async def arun(
        self, tool: str, arguments: Mapping[str, Any], function: Callable[..., Awaitable[R]]
    ) -> R:
        """Return `await function(**arguments)` if policy lets it run; else raises as `run` does."""
        return await self._enforcer.run_async(
            tool, arguments, lambda received, _hidden: function(**received)
        )

    @property
    def enforcer(self) -> Enforcer:
        """The point through which every call goes; for adapters."""
        return self._enforcer
