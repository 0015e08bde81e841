"""A tool function made a guarded one, whatever kind of function it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from guardrails.decoration.binding import bind

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable, Mapping

    from guardrails.decoration.binding import Binding
    from guardrails.enforcement import Enforcer

    Find = Callable[[], Enforcer]

_NO_REST: Mapping[str, Any] = {}

MARK = "__guardrails_tool__"
"""The attribute by which tools of the house know a guarded function."""


class Mark(NamedTuple):
    """What a guarded function says of itself: its tool, what of it is not judged, its line."""

    tool: str
    hidden: tuple[str, ...]
    line: int


def decorate(find: Find, target: Any, ignore: Iterable[str]) -> Any:
    """Return what `@tool`, `@tool("name")` or `@tool(ignore=[..])` make of `target`.

    `find` returns, at each call, the enforcer that judges it.
    """
    if target is not None and not isinstance(target, str):
        return _guard(find, target, None, ignore)
    return lambda function: _guard(find, function, target, ignore)


def _guard(
    find: Find, function: Callable[..., Any], name: str | None, ignore: Iterable[str]
) -> Callable[..., Any]:
    binding = bind(function, ignore)
    make = {
        "function": _call_function,
        "coroutine": _call_coroutine,
        "generator": _call_generator,
        "async generator": _call_async_generator,
    }[binding.kind]
    tool = binding.name if name is None else name
    wrapper = binding.wrap(make(find, tool, binding))
    setattr(wrapper, MARK, Mark(tool, binding.hidden, binding.line))
    return wrapper


def _call_function(find: Find, tool: str, binding: Binding) -> Callable[..., Any]:
    invoke, optional = binding.invoke, binding.optional

    def call(
        given: dict[str, Any], hidden: tuple[Any, ...], rest: Mapping[str, Any] = _NO_REST
    ) -> Any:
        fault = _join_rest(binding, given, rest) if rest else ""
        return find().run(tool, given, invoke, hidden, optional, fault)

    return call


def _call_coroutine(find: Find, tool: str, binding: Binding) -> Callable[..., Awaitable[Any]]:
    invoke, optional = binding.invoke, binding.optional

    def call(
        given: dict[str, Any], hidden: tuple[Any, ...], rest: Mapping[str, Any] = _NO_REST
    ) -> Awaitable[Any]:
        fault = _join_rest(binding, given, rest) if rest else ""
        return find().run_async(tool, given, invoke, hidden, optional, fault)

    return call


def _call_generator(
    find: Find, tool: str, binding: Binding
) -> Callable[..., Generator[Any, Any, Any]]:
    def call(
        given: dict[str, Any], hidden: tuple[Any, ...], rest: Mapping[str, Any] = _NO_REST
    ) -> Generator[Any, Any, Any]:
        fault = _join_rest(binding, given, rest) if rest else ""
        enforcer = find()
        admitted = enforcer.admit(tool, given, binding.optional, fault)
        parts = _Parts(enforcer.follow(admitted))
        try:
            inner = binding.invoke(admitted.received, hidden)
            result = yield from _pass_on(parts, inner)
        except BaseException as error:
            enforcer.settle(admitted, error, begun=parts.given)
            raise
        enforcer.settle(admitted, result=result)
        return result

    return call


class _Parts:
    """Tells of each part of a stream before whoever asked has it; `given` once there was one."""

    __slots__ = ("_tell", "given")

    def __init__(self, tell: Callable[[Any], None]) -> None:
        self._tell = tell
        self.given = False

    def tell(self, part: Any) -> None:
        self._tell(part)
        self.given = True


def _pass_on(parts: _Parts, inner: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """What `yield from inner` would, where `parts` hears of each item before whoever asked."""
    try:
        item = next(inner)
        while True:
            parts.tell(item)
            try:
                sent = yield item
            except GeneratorExit:
                raise
            except BaseException as error:  # noqa: BLE001 - thrown in, to be passed on
                item = inner.throw(error)
            else:
                item = inner.send(sent)
    except StopIteration as end:
        return end.value
    finally:
        inner.close()


def _call_async_generator(
    find: Find, tool: str, binding: Binding
) -> Callable[..., AsyncGenerator[Any, Any]]:
    async def call(
        given: dict[str, Any], hidden: tuple[Any, ...], rest: Mapping[str, Any] = _NO_REST
    ) -> AsyncGenerator[Any, Any]:
        fault = _join_rest(binding, given, rest) if rest else ""
        enforcer = find()
        admitted = await enforcer.admit_async(tool, given, binding.optional, fault)
        inner = binding.invoke(admitted.received, hidden)
        parts = _Parts(enforcer.follow(admitted))
        try:
            item = await anext(inner)
            while True:
                parts.tell(item)
                try:
                    sent = yield item
                except GeneratorExit:
                    raise
                except BaseException as error:  # noqa: BLE001 - thrown in, to be passed on
                    item = await inner.athrow(error)
                else:
                    item = await inner.asend(sent)
        except StopAsyncIteration:
            enforcer.settle(admitted)
        except BaseException as error:
            enforcer.settle(admitted, error, begun=parts.given)
            raise
        finally:
            await inner.aclose()

    return call


def _join_rest(binding: Binding, given: dict[str, Any], rest: Mapping[str, Any]) -> str:
    """Let the further keyword arguments join `given`; return why not, if a name stands twice."""
    taken = sorted(binding.reserved.intersection(rest))
    if taken:
        return f"the further arguments have `{taken[0]}`, which is a parameter of the tool"
    given.update(rest)
    return ""
