"""Ways round a guarded function that frameworks, agents or mistakes take: none runs the tool."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import functools
import inspect
import os
import pickle
import subprocess
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydantic
import pytest

from guardrails import ActionDenied, Code, ConfigurationError, GuardrailsError
from guardrails.testing import TestGuard, guard_over

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

POLICY = """
    version: 1
    policy: p
    tools:
      t: {traits: [write], returns: [seen]}
      legacy.mail: {traits: [communicate], returns: [untrusted]}
    rules:
      - {id: ok, effect: allow, tools: t, when: has(arguments.ok) && arguments.ok == true}
      - {id: sent, effect: allow, tools: send, when: '!("untrusted" in session.labels)'}
"""

RAN: list[object] = []


@pytest.fixture
def guard() -> TestGuard:
    RAN.clear()
    return guard_over(POLICY)


def bare(x: int = 1, **more: Any) -> str:
    RAN.append(x)
    return "ran"


def dressed() -> Callable[..., Any]:
    @functools.wraps(bare)
    def inner(*args: Any, **kwargs: Any) -> Any:
        return bare(*args, **kwargs)

    return inner


def marked() -> Callable[..., Any]:
    def inner(x: int = 1, **more: Any) -> str:
        return bare(x, **more)

    inner.raw_function = bare  # type: ignore[attr-defined]
    inner.__signature__ = inspect.signature(inner)  # type: ignore[attr-defined]
    inner.registry = {"functions": [bare]}  # type: ignore[attr-defined]
    inner.is_tool = True  # type: ignore[attr-defined]
    inner.scopes = ["a", {"b": 1}]  # type: ignore[attr-defined]
    return inner


class Called:
    def __call__(self, x: int = 1, **more: Any) -> str:
        return bare(x, **more)


FORMS: dict[str, Callable[[], Callable[..., Any]]] = {
    "a function": lambda: bare,
    "functools.wraps": dressed,
    "functools.partial": lambda: functools.partial(bare),
    "functools.lru_cache": lambda: functools.lru_cache(bare),
    "functools.singledispatch": lambda: functools.singledispatch(bare),
    "pydantic.validate_call": lambda: pydantic.validate_call(bare),
    "a bound method": lambda: types.MethodType(lambda _, x=1, **more: bare(x, **more), object()),
    "an object that is called": Called,
    "attributes that hold the function": marked,
}


def attributes_of(found: object, depth: int = 5) -> Iterator[object]:
    """Everything that attributes of `found` lead to, as frameworks look for it."""
    if depth:
        held = getattr(found, "__dict__", {})
        parts = [*held.values()] if isinstance(held, dict | types.MappingProxyType) else []
        if isinstance(found, dict):
            parts += found.values()
        elif isinstance(found, list | tuple | set):
            parts += found
        for part in parts:
            yield part
            yield from attributes_of(part, depth - 1)


@pytest.mark.parametrize("form", FORMS)
def test_no_attribute_leads_to_the_bare_function(guard: TestGuard, form: str) -> None:
    guarded = guard.tool("t")(FORMS[form]())
    for name in ("__wrapped__", "func", "raw_function", "__func__", "__self__", "registry"):
        assert not hasattr(guarded, name)
    assert not any(callable(found) for found in attributes_of(guarded))
    assert inspect.unwrap(guarded) is guarded
    assert bare not in inspect.getclosurevars(guarded).nonlocals.values()


@pytest.mark.parametrize("form", FORMS)
def test_what_frameworks_make_of_a_guarded_function_is_guarded(guard: TestGuard, form: str) -> None:
    guarded: Any = guard.tool("t")(FORMS[form]())

    @functools.wraps(guarded)
    def over(**more: Any) -> Any:
        return guarded(**more)

    ways: list[Callable[..., Any]] = [
        guarded,
        inspect.unwrap(guarded),
        copy.copy(guarded),
        copy.deepcopy(guarded),
        functools.partial(guarded),
        over,
        inspect.unwrap(over),
        functools.lru_cache(guarded).__wrapped__,
        pydantic.validate_call(guarded).raw_function,
        types.FunctionType(
            guarded.__code__, guarded.__globals__, "other", None, guarded.__closure__
        ),
        guarded.__get__(None, object),
        guarded.__call__,
    ]
    for way in ways:
        with pytest.raises(ActionDenied) as caught:
            way(x=2)
        assert caught.value.decision.code is Code.NO_MATCH
    assert RAN == []
    assert len(guard.log.decisions) == len(ways)
    assert guarded(x=2, ok=True) == "ran"


def test_marks_that_are_data_stay(guard: TestGuard) -> None:
    guarded: Any = guard.tool("t")(marked())
    marks = {name: mark for name, mark in vars(guarded).items() if not name.startswith("__")}
    assert marks == {"is_tool": True, "scopes": ["a", {"b": 1}]}


def test_a_pickled_function_is_no_way_out(guard: TestGuard) -> None:
    @guard.tool("t")
    def inner(x: int = 1) -> None:
        RAN.append(x)

    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(inner)


class Base:
    def act(self, x: int, /, **more: Any) -> str:
        return bare(x)


def test_a_subclass_that_calls_what_it_overrides_is_judged(guard: TestGuard) -> None:
    class Tool(Base):
        act = guard.tool("t")(Base.act)

    class Sub(Tool):
        def act(self, x: int, /, **more: Any) -> str:
            return super().act(x)

    for way in (Sub().act, Tool().act, functools.partial(Tool.act, Tool())):
        with pytest.raises(ActionDenied):
            way(2)
    assert RAN == []


def test_a_keyword_that_passes_for_the_object_of_a_method_is_refused(guard: TestGuard) -> None:
    class Tool:
        @guard.tool("t")
        def act(self, /, **more: Any) -> None:
            RAN.append(more)

    with pytest.raises(ActionDenied) as caught:
        Tool().act(self=1, ok=True)
    assert caught.value.decision.code is Code.INVALID_ACTION
    assert RAN == []


def test_a_keyword_that_passes_for_an_ignored_parameter_is_refused(guard: TestGuard) -> None:
    @guard.tool("t", ignore=["ctx"])
    def act(ctx: object, /, **more: Any) -> None:
        RAN.append(more)

    with pytest.raises(ActionDenied):
        act(None, ctx=True, ok=True)
    with pytest.raises(ActionDenied):
        act(None, ok=False)
    assert RAN == []


def test_a_keyword_that_passes_for_a_positional_parameter_is_refused(guard: TestGuard) -> None:
    @guard.tool("t")
    def act(ok: bool, /, *rest: int, **more: Any) -> None:
        RAN.append(more)

    for more in ({"ok": True}, {"rest": 1, "ok": True}, {"rest": [1]}):
        with pytest.raises(ActionDenied):
            act(False, **more)
    assert guard.log.decisions[0].decision.code is Code.INVALID_ACTION
    assert guard.log.decisions[1].decision.code is Code.INVALID_ACTION
    assert RAN == []


GENERATOR: dict[str, Callable[[Any], object]] = {
    "first": next,
    "send": lambda made: made.send(None),
    "throw": lambda made: made.throw(KeyError("x")),
    "close": lambda made: made.close(),
}
ASYNC_GENERATOR: dict[str, Callable[[Any], Any]] = {
    "first": anext,
    "send": lambda made: made.asend(None),
    "throw": lambda made: made.athrow(KeyError("x")),
    "close": lambda made: made.aclose(),
}


def attempt(action: Callable[[], object]) -> None:
    try:
        action()
    except (GuardrailsError, KeyError, StopIteration, StopAsyncIteration):
        return


@pytest.mark.parametrize("way", GENERATOR)
@pytest.mark.parametrize("then", GENERATOR)
def test_no_way_to_begin_a_generator_skips_the_judgement(
    guard: TestGuard, way: str, then: str
) -> None:
    @guard.tool("t")
    def tool(x: int) -> Iterator[int]:
        RAN.append(x)
        yield x

    made: Any = tool(1)
    attempt(lambda: GENERATOR[way](made))
    attempt(lambda: GENERATOR[then](made))
    made.close()
    assert RAN == []
    assert guard.log.outcomes == []
    assert len(guard.log.decisions) == (way in ("first", "send"))


@pytest.mark.parametrize("way", ASYNC_GENERATOR)
@pytest.mark.parametrize("then", ASYNC_GENERATOR)
def test_no_way_to_begin_an_async_generator_skips_the_judgement(
    guard: TestGuard, way: str, then: str
) -> None:
    @guard.tool("t")
    async def tool(x: int) -> AsyncIterator[int]:
        RAN.append(x)
        yield x

    async def begin(made: Any, how: str) -> None:
        await ASYNC_GENERATOR[how](made)

    async def both() -> None:
        made = tool(1)
        for how in (way, then):
            with contextlib.suppress(GuardrailsError, KeyError, StopAsyncIteration):
                await begin(made, how)

    asyncio.run(both())
    assert RAN == []
    assert guard.log.outcomes == []
    assert len(guard.log.decisions) == (way in ("first", "send"))


@pytest.mark.parametrize("way", ["send", "throw", "close", "never"])
def test_no_way_to_begin_a_coroutine_skips_the_judgement(guard: TestGuard, way: str) -> None:
    @guard.tool("t")
    async def tool(x: int) -> None:
        RAN.append(x)

    made = tool(1)
    if way != "never":
        attempt(lambda: GENERATOR[way](made))
    made.close()
    assert RAN == []
    assert guard.log.outcomes == []
    assert len(guard.log.decisions) == (way == "send")


async def test_a_task_cancelled_between_decision_and_run_runs_nothing_unrecorded(
    guard: TestGuard,
) -> None:
    @guard.tool("t")
    async def act(*, ok: bool) -> None:
        RAN.append("began")
        await asyncio.sleep(10)
        RAN.append("ended")

    for turns in range(4):
        task = asyncio.create_task(act(ok=True))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert "ended" not in RAN
    assert len(RAN) == len(guard.log.decisions) == len(guard.log.outcomes)
    assert {outcome.outcome for outcome in guard.log.outcomes} == {"cancelled"}


@pytest.mark.parametrize("ok", [True, False])
def test_a_stack_almost_used_up_runs_nothing_unrecorded(*, ok: bool) -> None:
    def at(depth: int, action: Callable[[], object]) -> object:
        return action() if depth == 0 else at(depth - 1, action)

    limit = sys.getrecursionlimit() - len(inspect.stack())
    seen = set()
    for depth in range(limit - 150, limit):
        guard, ran = guard_over(POLICY), list[object]()
        call = functools.partial(
            guard.run, "t", {"x": [{1}], "ok": ok}, functools.partial(note, ran)
        )
        try:
            at(depth, call)
        except (RecursionError, ActionDenied) as error:
            seen.add(type(error))
        if ran:
            assert ok
            assert len(guard.log.decisions) == 1
        assert not (ran and not guard.log.outcomes)
    assert RecursionError in seen


def note(ran: list[object], **given: object) -> None:
    ran.append(given)


class OddlyNamed(type):
    @property
    def __name__(cls) -> str:  # type: ignore[override]
        raise RuntimeError("no name")


class OddError(Exception, metaclass=OddlyNamed): ...


ERRORS: dict[str, type[BaseException]] = {
    "OddError": OddError,
    "SystemExit": SystemExit,
    "KeyboardInterrupt": KeyboardInterrupt,
    "GeneratorExit": GeneratorExit,
    "MemoryError": MemoryError,
    "RecursionError": RecursionError,
}


@pytest.mark.parametrize("name", ERRORS)
def test_no_exception_of_a_tool_loses_its_record(guard: TestGuard, name: str) -> None:
    def fail(*, ok: bool) -> None:
        raise ERRORS[name]

    caught = None
    try:
        guard.run("t", {"ok": True}, fail)
    except BaseException as error:  # noqa: BLE001
        caught = error
    assert type(caught) is ERRORS[name]
    assert [outcome.error for outcome in guard.log.outcomes] == [name]


@pytest.mark.parametrize("given", ["legacy.*", "*", [5], [""], ["a b"], b"*", [["*"]]])
def test_observe_takes_a_list_of_patterns_and_no_text(given: Any) -> None:
    with pytest.raises(ConfigurationError, match="`observe` is a list"):
        guard_over(POLICY, observe=given)


def test_ignore_takes_a_list_of_parameters_and_no_text(guard: TestGuard) -> None:
    with pytest.raises(ConfigurationError, match="`ignore` is a list"):
        guard.tool(ignore="to")(lambda t, o: None)


def test_a_name_is_observed_as_it_is_and_not_as_it_is_written_down() -> None:
    RAN.clear()
    guard = guard_over(POLICY, observe=["*x"])
    for name in ("\ud800", "x" * 300 + "y", 5, None, ["x"]):
        with pytest.raises(ActionDenied):
            guard.run(name, {}, bare)  # type: ignore[arg-type]
    assert RAN == []


def test_an_observed_call_that_nothing_could_judge_brings_its_labels() -> None:
    guard = guard_over(POLICY, observe=["legacy.*"])
    with guard.session(subject="a"):
        assert guard.run("send", {}, lambda: "sent") == "sent"
        guard.run("legacy.mail", {"x": float("nan")}, lambda x: None)
        with pytest.raises(ActionDenied):
            guard.run("send", {}, lambda: "sent")


def test_a_provider_changes_nothing_of_what_is_judged() -> None:
    guard = guard_over(
        """
        version: 1
        policy: p
        context: {change: {type: string}, env: {type: array}}
        tools: {t: {traits: [write]}}
        rules:
          - id: safe
            effect: allow
            tools: t
            when: context.change == "x" && arguments.paths == ["/safe"] && context.env == ["dev"]
        """,
        facts={"change": lambda action: meddle(action.arguments, action.context)},
    )

    def meddle(arguments: Any, context: Any) -> str:
        arguments["paths"][:] = ["/safe"]
        context["env"][:] = ["dev"]
        return "x"

    def note_path(paths: object) -> None:
        RAN.append(paths)

    RAN.clear()
    with guard.session(subject="a", context={"env": ["prod"]}), pytest.raises(ActionDenied):
        guard.run("t", {"paths": ["/etc/shadow"]}, note_path)
    with guard.session(subject="a", context={"env": ["dev"]}):
        with pytest.raises(ActionDenied):
            guard.run("t", {"paths": ["/etc/shadow"]}, note_path)
        assert guard.run("t", {"paths": ["/safe"]}, lambda paths: "ran") == "ran"


def test_a_fork_inside_a_tool_judges_and_records_in_both() -> None:
    guard = guard_over(POLICY)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            guard.run("t", {"ok": False}, bare)
        except ActionDenied:
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0


def test_a_log_to_a_closed_standard_output_goes_into_no_other_file(tmp_path: Path) -> None:
    """A file opened later has the descriptor that standard output had."""
    script = f"""
import subprocess
import sys
victim = open({str(tmp_path / "victim")!r}, "w")
from guardrails import ActionDenied, Guard
from guardrails.audit.log import DecisionLog
from guardrails.testing import policies_over
rules = "rules: [{{id: a, effect: allow, tools: t}}]"
guard = Guard(policies_over("version: 1\\npolicy: p\\n" + rules), log=DecisionLog("-"))
try:
    guard.run("t", {{}}, lambda: sys.exit("ran"))
except ActionDenied as error:
    sys.exit(0 if error.decision.code == "unavailable" and victim.fileno() == 1 else 3)
"""
    command = ["sh", "-c", 'exec "$0" -c "$1" >&-', sys.executable, script]
    assert subprocess.run(command, check=False, cwd=Path(__file__).parents[2]).returncode == 0
    assert (tmp_path / "victim").read_text() == ""
