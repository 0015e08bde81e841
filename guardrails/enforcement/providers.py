"""Facts that the host looks up when a rule asks for them (`Guard.load(..., facts=...)`).

A provider that fails or takes too long leaves its fact missing, and missing is closed.
"""

from __future__ import annotations

import threading
from contextvars import ContextVar, copy_context
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from guardrails.display import quote
from guardrails.errors import ConfigurationError, InvalidActionError
from guardrails.language.cel.errors import did_you_mean
from guardrails.snapshot import judge_value

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from concurrent.futures import Future

    from guardrails.action import Action

    Provider = Callable[[Action], Any]

_gathering: ContextVar[bool] = ContextVar("guardrails_gathering", default=False)


class Providers:
    """The functions that know facts, by the fact's name; each has `timeout` seconds.

    `declared` are the facts that policies declare, if any does. Raises ConfigurationError for a
    fact that is none of them, and for what is no function.
    """

    __slots__ = ("_functions", "_timeout")

    def __init__(
        self,
        functions: Mapping[str, Any],
        timeout: float,
        declared: Iterable[str] | None = None,
    ) -> None:
        for name, function in functions.items():
            if declared is not None and name not in declared:
                hint = did_you_mean(name, declared)
                raise ConfigurationError(f"no policy declares the fact {quote(name)}{hint}")
            if not callable(function):
                msg = f"the fact {quote(name)} needs a function that takes the action"
                raise ConfigurationError(msg)
        self._functions = dict(functions)
        self._timeout = timeout

    def wanted(self, keys: frozenset[str], known: Mapping[str, Any]) -> tuple[str, ...]:
        """The facts to look up: those that rules read, that a provider knows and nobody gave.

        None while a provider itself calls a guarded tool, or it would wait for itself.
        """
        if not self._functions or not keys or _gathering.get():
            return ()
        return tuple(
            name for name in self._functions if name not in known and (name in keys or "*" in keys)
        )

    def gather(self, names: Iterable[str], action: Action) -> dict[str, Any]:
        """Return the facts that could be had, each looked up in a thread of its own."""
        pending = {name: self._start(name, action) for name in names}
        return _known({name: self._result(future) for name, future in pending.items()})

    async def gather_async(self, names: Iterable[str], action: Action) -> dict[str, Any]:
        """Return the facts that could be had, without holding up the event loop."""
        import asyncio  # noqa: PLC0415 - only where an event loop runs, so that import is light

        async def look_up(name: str) -> Any:
            future = asyncio.wrap_future(self._start(name, action))
            try:
                return await asyncio.wait_for(future, self._timeout)
            except TimeoutError:
                return _MISSING

        names = tuple(names)
        return _known(dict(zip(names, await asyncio.gather(*map(look_up, names)), strict=True)))

    def _start(self, name: str, action: Action) -> Future[Any]:
        """Run a provider in a daemon thread, which a hanging one does not keep from ending."""
        from concurrent.futures import Future  # noqa: PLC0415 - slow to import, rarely needed

        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()  # so that whoever gives up waiting can't cancel it
        context = copy_context()

        def work() -> None:
            try:
                found = context.run(_look_up, self._functions[name], action)
            except BaseException:  # noqa: BLE001 - whatever it is, the fact is missing
                found = _MISSING
            future.set_result(found)

        threading.Thread(target=work, name=f"guardrails-fact-{name}", daemon=True).start()
        return future

    def _result(self, future: Future[Any]) -> Any:
        try:
            return future.result(self._timeout)
        except TimeoutError:
            return _MISSING


_MISSING = object()


def _look_up(function: Provider, action: Action) -> Any:
    _gathering.set(True)
    value = function(action)
    if isawaitable(value):
        import asyncio  # noqa: PLC0415 - only for an asynchronous provider

        return asyncio.run(_awaited(value))
    return value


async def _awaited(value: Awaitable[Any]) -> Any:
    return await value


def _known(found: Mapping[str, Any]) -> dict[str, Any]:
    """The facts found that conditions can read."""
    known: dict[str, Any] = {}
    for name, value in found.items():
        try:
            if value is not _MISSING:
                known[name] = judge_value(value)
        except InvalidActionError:
            continue
    return known
