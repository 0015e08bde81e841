"""Ways out of a session, or into another's: none lets a call run that the session would refuse."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from guardrails import (
    ActionDenied,
    Decision,
    GuardrailsError,
    InvalidActionError,
    SessionError,
    current_session,
)
from guardrails.testing import TestGuard, guard_over

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

POLICY = """
    version: 1
    policy: p
    tools: {wipe: {traits: [destructive]}, note: {traits: [write]},
            read: {traits: [read], returns: [secret]}}
    rules:
      - {id: admins, effect: allow, tools: [wipe, read], subjects: {roles: [admin]}}
      - {id: anyone, effect: allow, tools: note}
      - {id: evil, effect: deny, tools: note, subjects: {ids: ["evil*"]}}
      - {id: secret, effect: deny, tools: wipe, when: '"secret" in session.labels'}
"""
ADMIN: dict[str, Any] = {"subject": "boss", "roles": ["admin"]}
EVIL: dict[str, Any] = {"subject": "evil-1"}


@pytest.fixture
def guard() -> Iterator[TestGuard]:
    yield guard_over(POLICY)
    assert current_session() is None


def call(guard: TestGuard, tool: str) -> str:
    """ "ran", or the rules that refused."""
    try:
        return guard.run(tool, {}, lambda: "ran")
    except ActionDenied as error:
        return rules(error.decision)


def rules(decision: Decision) -> str:
    names = [f"{m.rule}{'!' if m.error else ''}" for m in decision.matches]
    return " ".join([str(decision.code), *names])


def test_without_a_session_nobody_is_an_admin(guard: TestGuard) -> None:
    assert call(guard, "wipe") == "rule p/secret!"
    assert call(guard, "note") == "rule p/anyone p/evil"
    with guard.session(**ADMIN):
        assert call(guard, "wipe") == "ran"
        assert call(guard, "note") == "ran"


def test_a_delegation_to_an_admin_makes_no_admin(guard: TestGuard) -> None:
    with guard.session(**EVIL), guard.session(**ADMIN):
        assert call(guard, "wipe") == "no_match"
        assert call(guard, "note") == "rule p/anyone p/evil"


def test_a_delegation_from_an_admin_makes_no_admin(guard: TestGuard) -> None:
    with guard.session(**ADMIN), guard.session(**EVIL):
        assert call(guard, "wipe") == "no_match"
        assert call(guard, "note") == "rule p/anyone p/evil"


def test_a_session_of_another_guard_is_around_too(guard: TestGuard) -> None:
    other = guard_over(POLICY)
    with other.session(**EVIL), guard.session(**ADMIN):
        assert call(guard, "wipe") == "no_match"


def test_a_session_made_before_is_not_entered_inside_another(guard: TestGuard) -> None:
    admin = guard.session(**ADMIN)
    with guard.session(**EVIL), pytest.raises(SessionError, match="inside the session"):
        admin.__enter__()


def test_a_delegation_kept_for_later_is_still_one(guard: TestGuard) -> None:
    with guard.session(**EVIL):
        kept = guard.session(**ADMIN)
    with kept:
        assert call(guard, "wipe") == "no_match"


def test_a_session_is_not_left_from_inside_another(guard: TestGuard) -> None:
    outer = guard.session(**ADMIN)
    with outer, guard.session(**EVIL):
        with pytest.raises(SessionError, match="those inside it before"):
            outer.__exit__(None, None, None)
        assert call(guard, "note") == "rule p/anyone p/evil"


def test_a_session_is_not_closed_by_another_thread(guard: TestGuard) -> None:
    refused: list[str] = []

    def meddle() -> None:
        for action in (session.__enter__, lambda: session.__exit__(None, None, None)):
            try:
                action()
            except SessionError as error:
                refused.append(str(error))

    with guard.session(**EVIL) as session:
        thread = threading.Thread(target=meddle)
        thread.start()
        thread.join()
        assert len(refused) == 2
        assert call(guard, "note") == "rule p/anyone p/evil"


def test_agents_that_are_generators_do_not_run_as_each_other(guard: TestGuard) -> None:
    def agent(**who: Any) -> Iterator[str]:
        with guard.session(**who):
            yield call(guard, "wipe")
            yield call(guard, "wipe")

    def interleave() -> list[str]:
        evil, admin = agent(**EVIL), agent(**ADMIN)
        seen = [next(evil), next(admin), next(evil), next(admin)]
        with pytest.raises(SessionError, match="close a session where it was opened"):
            next(evil)
        return seen

    assert contextvars.Context().run(interleave) == ["no_match"] * 4


@pytest.mark.parametrize("kind", ["generator", "coroutine"])
def test_what_a_bound_function_leaves_for_later_is_nobodys(guard: TestGuard, kind: str) -> None:
    def generator() -> Iterator[str]:
        yield call(guard, "wipe")

    async def coroutine() -> str:
        return call(guard, "wipe")

    with guard.session(**ADMIN) as session:
        later: Callable[[], Any] = session.bind(generator if kind == "generator" else coroutine)
    result = asyncio.run(later()) if kind == "coroutine" else next(later())
    assert result == "rule p/secret!"


def test_threads_and_copies_of_the_context_are_who_they_were(guard: TestGuard) -> None:
    act = functools.partial(call, guard, "wipe")
    with guard.session(**ADMIN) as session, ThreadPoolExecutor(1) as pool:
        copied = contextvars.copy_context()
        assert pool.submit(act).result() == "rule p/secret!"
        assert pool.submit(session.bind(act)).result() == "ran"
        assert pool.submit(act).result() == "rule p/secret!"
        assert pool.submit(copied.run, act).result() == "ran"
    with guard.session(**EVIL):
        assert contextvars.copy_context().run(act) == "no_match"


async def test_tasks_do_not_run_as_each_other(guard: TestGuard) -> None:
    async def agent(who: dict[str, Any]) -> list[str]:
        seen = []
        with guard.session(**who):
            for _ in range(5):
                await asyncio.sleep(0)
                seen.append(call(guard, "wipe"))
        return [*seen, call(guard, "wipe")]

    evil, admin, nobody = await asyncio.gather(agent(EVIL), agent(ADMIN), agent({}))
    assert evil == ["no_match"] * 5 + ["rule p/secret!"]
    assert admin == ["ran"] * 5 + ["rule p/secret!"]
    assert nobody == ["no_match"] * 5 + ["rule p/secret!"]


def test_no_new_session_loses_a_label(guard: TestGuard) -> None:
    with guard.session(**ADMIN, id="s"):
        assert call(guard, "wipe") == "ran"
        with guard.session(subject="child", roles=["admin"]):
            assert call(guard, "read") == "ran"
        assert call(guard, "wipe") == "rule p/admins p/secret"
        with pytest.raises(SessionError, match="session id of the session around"):
            guard.session(**ADMIN, id="fresh")
    with guard.session(**ADMIN, id="s"):
        assert call(guard, "wipe") == "rule p/admins p/secret"
    with pytest.raises(SessionError, match="opened by another subject"):
        guard.session(subject="boss2", roles=["admin"], id="s")


@pytest.mark.parametrize(
    "who",
    [
        {"subject": ""},
        {"subject": 5},
        {"subject": b"boss", "roles": ["admin"]},
        {"subject": "a\ud800"},
        {"subject": "a", "roles": "admin"},
        {"subject": "a", "roles": [b"admin"]},
        {"subject": "a", "roles": [["admin"]]},
        {"subject": "a", "roles": None},
        {"subject": "a", "roles": 5},
        {"subject": "a", "on_behalf_of": None},
        {"subject": "a", "attributes": 5},
        {"subject": "a", "attributes": {1: 2}},
        {"subject": "a", "attributes": {"x": float("nan")}},
        {"subject": "a", "context": 5},
        {"subject": "a", "context": {"x": float("inf")}},
        {"subject": "a", "context": {5: 1}},
        {"subject": "a", "id": ""},
        {"subject": "a", "id": "x" * 257},
        {"subject": "a", "id": "\ud800"},
        {"subject": "a", "id": "\x1b[2J"},
        {"subject": "a", "id": 5},
        {"roles": ["admin"]},
        {"attributes": {"admin": True}},
    ],
    ids=repr,
)
def test_a_session_of_nobody_in_particular_is_refused(
    guard: TestGuard, who: dict[str, Any]
) -> None:
    with pytest.raises(GuardrailsError) as caught:
        guard.session(**who)
    assert type(caught.value) in (SessionError, InvalidActionError)
