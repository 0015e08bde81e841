"""The incidents as they would run: guarded functions in sessions, stopped agents, people asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from guardrails import ActionDenied, ApprovalExpired, ApprovalRequired
from guardrails.approvals.people import Account, People
from guardrails.decision import Code, Effect
from guardrails.errors import VoteRefused
from guardrails.language.folder import folder_of
from guardrails.testing import guard_over
from guardrails.toolchain.suites.tester import read_tested
from tests.approvals.guarded import Office
from tests.approvals.scenes import MINUTE, Clock
from tests.policies.packs import incident, incident_names

if TYPE_CHECKING:
    from pathlib import Path

    from guardrails.testing import TestGuard
    from guardrails.toolchain.suites.suite import Case, Step

OPERATIONS = People(
    [Account(f"{name}@example.com", name, ("operations",)) for name in ("dana", "olga", "otto")]
)


def guard_of(name: str, **settings: Any) -> TestGuard:
    documents = {path: text for path, text in incident(name).items() if "_test" not in path}
    return guard_over(documents, **settings)


def attack_of(name: str) -> Case:
    (suite,) = read_tested(folder_of(incident(name)), "policies").suites
    return suite.cases[0]


class ToolError(Exception):
    """What the recorded tool raised."""


def call(
    guard: TestGuard, step: Step, targets: tuple[str, ...] | None = None
) -> tuple[Effect, Code]:
    """What became of a call, in the session of the incident, and why."""
    ran = []

    def tool(**arguments: Any) -> None:
        ran.append(arguments)
        if step.fails:
            raise ToolError

    action = step.action
    assert action.subject is not None
    session = guard.session(
        subject=action.subject.id,
        on_behalf_of=action.subject.on_behalf_of,
        context=action.context,
        id="incident",
    )
    with session:
        if targets is not None:
            session.task(targets=targets)
        try:
            guard.run(action.tool, dict(action.arguments), tool)
        except ToolError:
            pass
        except ApprovalRequired as error:
            assert not ran
            return Effect.ESCALATE, error.decision.code
        except ActionDenied as error:
            assert not ran
            return Effect.DENY, error.decision.code
    assert ran == [dict(action.arguments)]
    return Effect.ALLOW, Code.RULE


def play(guard: TestGuard, case: Case) -> list[Effect]:
    assert case.opening is not None
    return [call(guard, step, case.opening.targets)[0] for step in case.steps]


@pytest.mark.parametrize("name", incident_names())
def test_a_guard_runs_what_is_allowed_and_nothing_else(name: str) -> None:
    case = attack_of(name)
    assert play(guard_of(name), case) == [step.expected.effect for step in case.steps]


@pytest.mark.parametrize("name", ["05-inbox", "12-rome", "02-pocketos"])
def test_who_went_too_far_is_suspended(name: str) -> None:
    guard, case = guard_of(name), attack_of(name)
    play(guard, case)
    assert call(guard, case.steps[0]) == (Effect.DENY, Code.STOPPED)


def test_after_a_stop_every_call_is_refused() -> None:
    guard, case = guard_of("05-inbox"), attack_of("05-inbox")
    assert call(guard, case.steps[0])[0] is Effect.ALLOW
    guard.stop("agent-7", reason="it deletes mail")
    for step in case.steps:
        assert call(guard, step) == (Effect.DENY, Code.STOPPED)


class Kiro:
    """The guard of the third incident, whose deletion of a stack people are asked about."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.office = Office(folder / "approvals.db", self.clock, people=OPERATIONS)
        self.guard = guard_of("03-kiro", approvals=self.office.requester())
        self.deleted: list[str] = []

    def delete(self) -> None:
        """Delete the stack, as the agent does for Dana, in production."""
        action = attack_of("03-kiro").steps[1].action
        session = self.guard.session(
            subject="agent-7",
            on_behalf_of="dana@example.com",
            context=action.context,
            id="incident",
        )
        with session:
            session.task(targets=["billing"])
            self.guard.run(
                action.tool, {"stack": "billing"}, lambda *, stack: self.deleted.append(stack)
            )

    def ask(self) -> str:
        """The id of the request that the deletion opens, or that waits for people still."""
        with pytest.raises(ApprovalRequired) as caught:
            self.delete()
        assert caught.value.request
        return caught.value.request


def test_two_people_must_agree_and_the_engineer_who_invoked_it_is_none(tmp_path: Path) -> None:
    kiro = Kiro(tmp_path)
    request = kiro.ask()
    with pytest.raises(VoteRefused) as refused:
        kiro.office.service.approve(request, "dana@example.com")
    assert refused.value.code == "separated"
    kiro.office.service.approve(request, "olga@example.com")
    assert kiro.ask() == request
    kiro.office.service.approve(request, "otto@example.com")
    kiro.delete()
    assert kiro.deleted == ["billing"]


def test_no_answer_in_time_means_no(tmp_path: Path) -> None:
    kiro = Kiro(tmp_path)
    kiro.ask()
    kiro.clock.move(61 * MINUTE)
    with pytest.raises(ApprovalExpired):
        kiro.delete()
    assert kiro.deleted == []
