"""Guarded functions of every kind: what runs, what is refused, and what the log holds of it."""

# mypy: disable-error-code="no-untyped-call"
# (a guarded lambda is as untyped as the lambda)

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
import typing
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from guardrails import (
    Action,
    ActionDenied,
    ApprovalRequired,
    ConfigurationError,
    Effect,
    Guard,
    SessionError,
    Subject,
    current_session,
)
from guardrails.testing import TestGuard, guard_over

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

POLICY = """
    version: 1
    policy: p
    tools:
      pay: {traits: [spend]}
      mail: {traits: [communicate], returns: [untrusted], mask: []}
    rules:
      - {id: small, effect: allow, tools: pay, when: arguments.amount <= 500}
      - {id: large, effect: escalate, tools: pay, when: arguments.amount > 500, message: Ask us.}
      - {id: huge, effect: deny, tools: pay, when: arguments.amount > 9000}
      - {id: any, effect: allow, tools: [stream, echo, mail, both, note]}
"""


@pytest.fixture
def guard() -> TestGuard:
    return guard_over(POLICY)


def test_a_call_that_policy_allows_runs_and_its_end_is_recorded(guard: TestGuard) -> None:
    @guard.tool
    def pay(to: str, amount: float = 5) -> str:
        return f"{to} got {amount}"

    assert pay("ACME") == "ACME got 5"
    assert guard.log.decisions[0].arguments == {"to": "ACME", "amount": 5}
    assert guard.log.decisions[0].decision.matches[0].rule == "p/small"
    assert guard.log.outcomes == [("d-1", "returned", None)]
    assert guard.log.events == [
        ("load", {"revision": guard.policies.revision, "documents": ["policy.yaml"]})
    ]


def test_keyword_and_positional_calls_are_one_action(guard: TestGuard) -> None:
    @guard.tool
    def pay(to: str, amount: float) -> None: ...

    pay("ACME", 1)
    pay(amount=1, to="ACME")
    assert guard.log.decisions[0].arguments == guard.log.decisions[1].arguments


def test_a_refused_call_does_not_run_and_says_nothing_of_the_condition(guard: TestGuard) -> None:
    ran = []

    @guard.tool
    def pay(to: str, amount: float) -> None:
        ran.append(to)

    with pytest.raises(ActionDenied) as caught:
        pay("ACME", 9_001)
    assert caught.value.decision.effect is Effect.DENY
    assert caught.value.id == "d-1"
    assert str(caught.value) == "Ask us."
    with pytest.raises(ApprovalRequired) as asked:
        pay("ACME", 501)
    assert str(asked.value) == "Ask us."
    assert asked.value.decision.effect is Effect.ESCALATE
    with pytest.raises(ActionDenied, match=r"^This action is not permitted \(decision d-3\)\.$"):
        guard.run("unknown", {}, ran.append)
    assert ran == []
    assert guard.log.outcomes == []


def test_a_call_that_does_not_bind_raises_type_error(guard: TestGuard) -> None:
    @guard.tool
    def pay(to: str, amount: float) -> None: ...

    with pytest.raises(TypeError, match=r"pay\(\) missing 1 required positional argument"):
        pay("ACME")  # type: ignore[call-arg]
    assert guard.log.decisions == []


def test_an_exception_of_the_tool_is_its_own_and_is_recorded(guard: TestGuard) -> None:
    @guard.tool("echo")
    def fail() -> None:
        raise KeyError("gone")

    with pytest.raises(KeyError, match="gone"):
        fail()
    assert guard.log.outcomes == [("d-1", "raised", "KeyError")]


def test_signature_documentation_and_hints_are_kept(guard: TestGuard) -> None:
    @guard.tool("echo")
    def transfer(to: Recipient, /, amount: float = 1.5, *lines: int, note: str = "x") -> Recipient:
        """Pay."""
        return to

    assert str(inspect.signature(transfer)) == (
        "(to: 'Recipient', /, amount: 'float' = 1.5, *lines: 'int', note: 'str' = 'x')"
        " -> 'Recipient'"
    )
    assert typing.get_type_hints(transfer)["to"] is Recipient
    assert transfer.__doc__ == "Pay."
    assert transfer.__name__ == "transfer"
    assert transfer.__module__ == __name__


class Recipient(str):
    """A name that only this module's globals resolve."""

    __slots__ = ()


def test_nothing_that_frameworks_follow_leads_to_the_bare_function(guard: TestGuard) -> None:
    def bare(amount: int) -> None: ...

    @functools.wraps(bare)
    def dressed(*args: Any, **kwargs: Any) -> None:
        bare(*args, **kwargs)

    guarded = guard.tool("pay")(dressed)
    assert inspect.unwrap(guarded) is guarded
    for way in ("__wrapped__", "func", "__func__", "__self__", "fn", "coroutine"):
        assert not hasattr(guarded, way)
    assert list(inspect.signature(guarded).parameters) == ["amount"]
    with pytest.raises(ActionDenied):
        guarded(10_000)
    assert guard.log.decisions[0].arguments == {"amount": 10_000}


def test_methods_are_judged_without_their_object(guard: TestGuard) -> None:
    class Bank:
        name = "bank"

        @guard.tool
        def pay(self, amount: float) -> str:
            return f"{self.name} {amount}"

        @classmethod
        @guard.tool("pay")
        def pay_all(cls, amount: float) -> str:
            return f"{cls.name} {amount}"

        @staticmethod
        @guard.tool("pay")
        def pay_static(amount: float) -> float:
            return amount

    assert Bank().pay(1) == "bank 1"
    assert Bank.pay_all(2) == "bank 2"
    assert Bank.pay_static(3) == 3
    assert [entry.arguments for entry in guard.log.decisions] == [
        {"amount": 1},
        {"amount": 2},
        {"amount": 3},
    ]
    with pytest.raises(ActionDenied):
        Bank().pay(10_000)


def test_a_parameter_called_self_outside_a_class_is_an_argument(guard: TestGuard) -> None:
    @guard.tool("echo")
    def echo(self: int) -> int:
        return self

    assert echo(4) == 4
    assert guard.log.decisions[0].arguments == {"self": 4}


async def test_coroutines_stay_coroutines(guard: TestGuard) -> None:
    @guard.tool
    async def pay(amount: float) -> float:
        await asyncio.sleep(0)
        return amount

    assert inspect.iscoroutinefunction(pay)
    assert await pay(4) == 4
    refused = pay(10_000)
    with pytest.raises(ActionDenied):
        await refused
    assert guard.log.outcomes == [("d-1", "returned", None)]


async def test_a_cancelled_coroutine_is_recorded_as_such(guard: TestGuard) -> None:
    @guard.tool("echo")
    async def wait() -> None:
        await asyncio.sleep(60)

    task = asyncio.create_task(wait())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert guard.log.outcomes == [("d-1", "cancelled", "CancelledError")]


def test_generators_are_judged_before_the_first_item(guard: TestGuard) -> None:
    ran = []

    @guard.tool("pay")
    def stream(amount: float) -> Iterator[Any]:
        ran.append(amount)
        got = yield amount
        yield got
        return

    assert inspect.isgeneratorfunction(stream)
    refused = stream(10_000)
    assert guard.log.decisions == []
    with pytest.raises(ActionDenied):
        next(refused)
    assert ran == []
    running: Any = stream(1)
    assert next(running) == 1
    assert running.send("sent") == "sent"
    assert list(running) == []
    assert guard.log.outcomes == [("d-2", "returned", None)]
    abandoned: Any = stream(2)
    next(abandoned)
    abandoned.close()
    assert guard.log.outcomes[-1] == ("d-3", "abandoned", "GeneratorExit")


async def test_async_generators_are_judged_before_the_first_item(guard: TestGuard) -> None:
    @guard.tool("pay")
    async def stream(amount: float) -> AsyncIterator[Any]:
        try:
            got = yield amount
        except ValueError:
            got = "caught"
        yield got

    assert inspect.isasyncgenfunction(stream)
    with pytest.raises(ActionDenied):
        await anext(stream(10_000))
    assert [item async for item in stream(3)] == [3, None]
    assert guard.log.outcomes == [("d-2", "returned", None)]
    running: Any = stream(4)
    assert await anext(running) == 4
    assert await running.asend("sent") == "sent"
    running = stream(5)
    await anext(running)
    assert await running.athrow(ValueError()) == "caught"
    await running.aclose()
    assert guard.log.outcomes[-1] == ("d-4", "abandoned", "GeneratorExit")


def test_variadic_arguments_are_a_list_and_join_the_top_level(guard: TestGuard) -> None:
    @guard.tool("echo")
    def echo(first: int, /, *rest: int, flag: bool = False, **more: Any) -> Any:
        return first, rest, flag, more

    assert echo(1, 2, 3, flag=True, x=4) == (1, (2, 3), True, {"x": 4})
    assert guard.log.decisions[0].arguments == {"first": 1, "rest": [2, 3], "flag": True, "x": 4}
    for clash in ("first", "rest"):
        with pytest.raises(ActionDenied) as caught:
            echo(1, **{clash: 2})  # type: ignore[arg-type]
        assert caught.value.decision.code == "invalid_action"
        assert f"`{clash}`" in str(caught.value)


def test_ignored_parameters_are_neither_judged_nor_logged(guard: TestGuard) -> None:
    @guard.tool("echo", ignore=["ctx"])
    def echo(ctx: object, amount: int) -> tuple[object, int]:
        return ctx, amount

    context = object()
    assert echo(context, 1) == (context, 1)
    assert guard.log.decisions[0].arguments == {"amount": 1}
    with pytest.raises(ConfigurationError, match="`ignore` names `nope`"):
        guard.tool("echo", ignore=["nope"])(echo)


@pytest.mark.parametrize(
    "wrong", [5, object(), classmethod(print), property(len), staticmethod(len)]
)
def test_what_is_no_function_is_told_where_the_decorator_belongs(
    guard: TestGuard, wrong: Any
) -> None:
    with pytest.raises(ConfigurationError, match="innermost"):
        guard.tool(wrong)


def test_classes_and_callables_without_a_signature_are_refused(guard: TestGuard) -> None:
    with pytest.raises(ConfigurationError, match="not classes"):
        guard.tool(Recipient)
    with pytest.raises(ConfigurationError, match="no signature"):
        guard.tool(iter)


def test_partials_and_callable_objects_are_guarded(guard: TestGuard) -> None:
    class Pay:
        async def __call__(self, amount: float) -> float:
            return amount

    assert guard.tool("pay")(functools.partial(lambda a, amount: a + amount, 1))(amount=2) == 3
    assert asyncio.run(guard.tool("pay")(Pay())(4)) == 4


def test_wrap_guards_a_list_under_their_own_names(guard: TestGuard) -> None:
    def pay(amount: float) -> float:
        return amount

    def echo() -> str:
        return "echo"

    guarded = guard.wrap([pay, echo])
    assert [guarded[0](1), guarded[1]()] == [1, "echo"]
    assert [entry.tool for entry in guard.log.decisions] == ["pay", "echo"]


async def test_run_and_arun_are_the_primitives(guard: TestGuard) -> None:
    assert guard.run("pay", {"amount": 3}, lambda amount: amount * 2) == 6

    async def double(amount: int) -> int:
        return amount * 2

    assert await guard.arun("pay", {"amount": 3}, double) == 6
    with pytest.raises(ActionDenied):
        guard.run("pay", {"amount": 10_000}, lambda amount: amount)
    with pytest.raises(ActionDenied):
        await guard.arun("unknown", {}, double)
    with pytest.raises(ActionDenied) as caught:
        guard.run("päy", {}, dict)
    assert caught.value.decision.code == "invalid_action"


def test_the_tool_receives_what_was_judged(guard: TestGuard) -> None:
    class Sneaky(int):
        def __le__(self, other: object) -> bool:
            return True

        def __gt__(self, other: object) -> bool:
            return False

    got = []

    @guard.tool
    def pay(amount: Any) -> None:
        got.append(amount)

    with pytest.raises(ActionDenied):
        pay(Sneaky(10_000))
    pay(Sneaky(5))
    assert got == [5]
    assert type(got[0]) is int


def test_decide_logs_nothing(guard: TestGuard) -> None:
    decision = guard.decide(Action("pay", {"amount": 5}))
    assert decision.effect is Effect.ALLOW
    assert guard.decide(Action("pay", {"amount": float("nan")})).code == "invalid_action"
    assert guard.decide(Action("p y")).code == "invalid_action"
    assert guard.decide(None).code == "invalid_action"  # type: ignore[arg-type]
    assert guard.log.decisions == []


# Sessions

SESSIONS = """
    version: 1
    policy: s
    tools:
      read: {traits: [read], returns: [untrusted]}
      send: {traits: [communicate]}
    rules:
      - {id: staff, effect: allow, tools: [read, send, act], subjects: {roles: [staff]}}
      - {id: leak, effect: deny, tools: send, when: '"untrusted" in session.labels'}
      - {id: prod, effect: deny, tools: act, when: 'context.env == "prod"'}
"""


@pytest.fixture
def staff() -> TestGuard:
    return guard_over(SESSIONS)


def who(guard: TestGuard) -> list[Any]:
    return [subject["id"] for subject in guard.log.decisions[-1].subjects]


def test_without_a_session_the_subject_is_unknown(staff: TestGuard) -> None:
    send = staff.tool("send")(lambda: "sent")
    with pytest.raises(ActionDenied):
        send()
    with staff.session(subject="a", roles=["staff"]):
        assert send() == "sent"
        assert who(staff) == ["a"]
    with pytest.raises(ActionDenied):
        send()


async def test_tasks_and_to_thread_inherit_the_session(staff: TestGuard) -> None:
    send = staff.tool("send")(lambda: "sent")
    async with staff.session(subject="a", roles=["staff"]):
        assert await asyncio.to_thread(send) == "sent"
        assert await asyncio.create_task(asyncio.to_thread(send)) == "sent"
        assert await asyncio.gather(*(asyncio.to_thread(send) for _ in range(3))) == ["sent"] * 3


def test_a_plain_thread_does_not_unless_bound(staff: TestGuard) -> None:
    send = staff.tool("send")(lambda: "sent")
    with staff.session(subject="a", roles=["staff"]) as session, ThreadPoolExecutor() as pool:
        with pytest.raises(ActionDenied):
            pool.submit(send).result()
        assert pool.submit(session.bind(send)).result() == "sent"
        with pytest.raises(ActionDenied):
            pool.submit(send).result()


def test_a_nested_guarded_call_is_judged_too(staff: TestGuard) -> None:
    send = staff.tool("send")(lambda: "sent")
    act = staff.tool("act")(send)
    with staff.session(subject="a", roles=["staff"], context={"env": "dev"}):
        assert act() == "sent"
    assert [entry.tool for entry in staff.log.decisions] == ["act", "send"]


def test_every_member_of_a_delegation_is_judged(staff: TestGuard) -> None:
    send = staff.tool("send")(lambda: "sent")
    with staff.session(subject="child", roles=["staff"]):
        assert send() == "sent"
    with (
        staff.session(subject="parent", roles=["visitor"]),
        staff.session(subject="child", roles=["staff"]),
    ):
        assert current_session().chain[0].id == "parent"  # type: ignore[union-attr]
        with pytest.raises(ActionDenied):
            send()
        assert who(staff) == ["parent", "child"]
    with staff.session(subject="parent", roles=["staff"]):
        with staff.session(subject="child", roles=["staff"]):
            assert send() == "sent"
        with staff.session(subject="child"), pytest.raises(ActionDenied):
            send()


def test_a_delegation_may_add_facts_and_change_none(staff: TestGuard) -> None:
    act = staff.tool("act")(lambda: "done")
    with staff.session(subject="a", roles=["staff"], context={"env": "prod"}):
        with pytest.raises(ActionDenied), staff.session(context={"more": 1}):
            act()
        with pytest.raises(SessionError, match="another `env`"):
            staff.session(context={"env": "dev"})
        with pytest.raises(SessionError, match="another `env`"):
            staff.session(context={"env": True})
    assert staff.log.decisions[0].context == {"env": "prod"}


def test_labels_join_when_the_tool_starts_and_stay_for_the_session(staff: TestGuard) -> None:
    @staff.tool("read")
    def read() -> None:
        raise OSError("gone")

    send = staff.tool("send")(lambda: "sent")
    with staff.session(subject="a", roles=["staff"], id="s-1") as session:
        assert send() == "sent"
        with staff.session(subject="b", roles=["staff"]), pytest.raises(OSError, match="gone"):
            read()
        assert session.labels == {"untrusted"}
        with pytest.raises(ActionDenied):
            send()
    with staff.session(subject="a", roles=["staff"], id="s-1"), pytest.raises(ActionDenied):
        send()
    with staff.session(subject="a", roles=["staff"], id="s-2"):
        assert send() == "sent"


def test_a_refused_tool_brings_no_label(staff: TestGuard) -> None:
    read = staff.tool("read")(lambda: "text")
    with staff.session(subject="a") as session, pytest.raises(ActionDenied):
        read()
    assert session.labels == frozenset()


def test_sessions_that_cannot_be_are_refused(staff: TestGuard) -> None:
    with pytest.raises(SessionError, match="need a `subject`"):
        staff.session(roles=["staff"])
    with pytest.raises(SessionError, match="1 to 256 characters"):
        staff.session(subject="a", id="")
    with pytest.raises(SessionError, match="can't be read"):
        staff.session(subject="a", context={"x": float("nan")})
    with pytest.raises(SessionError, match="can't be read"):
        staff.session(subject="a", context=5)  # type: ignore[arg-type]
    with staff.session(subject="a", id="s-1") as session:
        with pytest.raises(SessionError, match="open already"):
            session.__enter__()
        with pytest.raises(SessionError, match="session id of the session around"):
            staff.session(subject="b", id="s-2")
    with pytest.raises(SessionError, match="opened by another subject"):
        staff.session(subject="b", id="s-1")


def test_a_session_made_outside_cannot_slip_out_of_the_one_around(staff: TestGuard) -> None:
    made = staff.session(subject="free", roles=["staff"])
    with (
        staff.session(subject="a"),
        pytest.raises(SessionError, match="inside the session that it is to extend"),
        made,
    ):
        pass


def test_decide_sees_the_session(staff: TestGuard) -> None:
    with staff.session(subject="a", roles=["staff"], context={"env": "dev"}):
        assert staff.decide(Action("act")).allowed
        child = Action("act", subject=Subject("child"))
        assert not staff.decide(child).allowed


# Facts that a provider knows

FACTS = """
    version: 1
    policy: f
    context:
      change: {type: string}
      free: {type: integer}
    rules:
      - {id: free, effect: allow, tools: [look]}
      - {id: approved, effect: allow, tools: [act], when: 'context.change == "CHG-1"'}
"""


def test_a_provider_is_asked_only_where_a_rule_reads_its_fact() -> None:
    asked: list[Action] = []

    def change(action: Action) -> str:
        asked.append(action)
        return "CHG-1"

    guard = guard_over(FACTS, facts={"change": change})
    guard.tool("look")(lambda: None)()
    assert asked == []
    guard.tool("act")(lambda x: None)(4)
    assert [(each.tool, each.arguments) for each in asked] == [("act", {"x": 4})]
    assert guard.log.decisions[-1].context == {"change": "CHG-1"}
    assert guard.decide(Action("act")).allowed


async def test_providers_may_be_asynchronous_on_either_side() -> None:
    async def change(action: Action) -> str:
        await asyncio.sleep(0)
        return "CHG-1"

    guard = guard_over(FACTS, facts={"change": change})

    async def act() -> str:
        return "done"

    assert await guard.arun("act", {}, act) == "done"
    assert guard.run("act", {}, lambda: "done") == "done"


@pytest.mark.parametrize("answer", ["raise", "hang", "wrong type", "opaque", "exit"])
async def test_a_fact_that_cannot_be_had_is_missing(answer: str) -> None:
    release = threading.Event()

    def change(action: Action) -> Any:
        if answer == "raise":
            raise OSError
        if answer == "exit":
            raise SystemExit
        if answer == "hang":
            release.wait(30)
        return 5 if answer == "wrong type" else object()

    guard = guard_over(FACTS, facts={"change": change}, facts_timeout=0.2)

    async def act() -> None: ...

    try:
        with pytest.raises(ActionDenied) as caught:
            guard.run("act", {}, lambda: None)
        assert caught.value.decision.errors[0].rule == "f/approved"
        with pytest.raises(ActionDenied):
            await guard.arun("act", {}, act)
    finally:
        release.set()


def test_a_provider_that_calls_a_guarded_tool_does_not_wait_for_itself() -> None:
    def change(action: Action) -> str:
        with pytest.raises(ActionDenied):
            own.run("act", {}, lambda: None)
        return "CHG-1"

    own = guard_over(FACTS, facts={"change": change})
    assert own.run("act", {}, lambda: "done") == "done"


def test_what_the_session_knows_is_not_looked_up() -> None:
    guard = guard_over(FACTS, facts={"change": lambda action: "CHG-1"})
    with guard.session(subject="a", context={"change": "other"}), pytest.raises(ActionDenied):
        guard.run("act", {}, lambda: None)


# Gradual adoption, and the log


def test_observed_tools_run_whatever_is_decided_and_are_logged_as_not_enforced() -> None:
    guard = guard_over(POLICY, observe=["legacy.*"])
    assert guard.run("legacy.pay", {"x": 1}, lambda x: x) == 1
    assert guard.log.decisions[0].enforced is False
    assert guard.log.decisions[0].decision.effect is Effect.DENY
    assert guard.run("legacy.pay", {"x": float("inf")}, lambda x: x) == float("inf")
    guard.log.broken = True
    with pytest.raises(ActionDenied) as caught:
        guard.run("legacy.pay", {"x": 1}, lambda x: x)
    assert caught.value.decision.code == "unavailable"


def test_a_log_that_cannot_be_written_refuses() -> None:
    guard = guard_over(POLICY)
    guard.log.broken = True
    with pytest.raises(ActionDenied) as caught:
        guard.run("pay", {"amount": 1}, lambda amount: amount)
    assert caught.value.decision.code == "unavailable"
    assert caught.value.id == ""


def test_an_outcome_that_cannot_be_written_loses_no_result() -> None:
    guard = guard_over(POLICY)

    def pay(amount: int) -> int:
        guard.log.broken = True
        return amount

    assert guard.run("pay", {"amount": 1}, pay) == 1


async def test_sync_and_async_agree(guard: TestGuard) -> None:
    async def run(**arguments: Any) -> None: ...

    for amount in (1, 501, 9_001, "x", None, float("nan"), 2**70, object()):
        sync = asynchronous = None
        try:
            guard.run("pay", {"amount": amount}, lambda amount: None)
        except (ActionDenied, ApprovalRequired) as error:
            sync = error.decision
        try:
            await guard.arun("pay", {"amount": amount}, run)
        except (ActionDenied, ApprovalRequired) as error:
            asynchronous = error.decision
        assert sync == asynchronous


def test_load_reads_a_folder_and_refuses_another_revision(tmp_path: Any) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "p.yaml").write_text(inspect.cleandoc(POLICY))
    guard = Guard.load(tmp_path / "policies", log=tmp_path / "log")
    assert guard.run("pay", {"amount": 1}, lambda amount: amount) == 1
    health = guard.health()
    assert health.revision == guard.policies.revision
    assert health.writable is True
    assert health.last_error == ""
    same = guard.policies.revision
    again = Guard.load(tmp_path / "policies", revision=same, log=tmp_path / "log")
    assert again.policies.revision == same
    with pytest.raises(ConfigurationError, match="not sha256:0"):
        Guard.load(tmp_path / "policies", revision="sha256:0", log=tmp_path / "log")
    with pytest.raises(ConfigurationError, match="to wait for people the guard needs `approvals`"):
        Guard.load(tmp_path / "policies", on_escalate="wait", log=tmp_path / "log")
