"""Stops: by name, at once, from another process, and closed where the store can't be heard."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import guardrails
from guardrails.action import Action, SessionView, Subject
from guardrails.decision import Code, Effect
from guardrails.errors import ActionDenied, ConfigurationError, StateUnavailable
from guardrails.state.places import open_at
from guardrails.state.stops import Stop, Stops

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POLICY = """version: 1
policy: p
tools:
  work: {traits: [write]}
  wipe: {traits: [destructive]}
rules:
  - {id: work, effect: allow, tools: work}
  - id: never
    effect: deny
    tools: wipe
  - id: probing
    effect: deny
    tools: "*"
    after: {outcome: denied, at_least: 3, within: 10m}
    on_match: suspend
"""


class Place:
    """Policies, a log and a shared state in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        (folder / "policies").mkdir()
        (folder / "policies" / "p.yaml").write_text(POLICY)
        self.guards: list[guardrails.Guard] = []

    def guard(self, **more: object) -> guardrails.Guard:
        settings = {"state": self.state, "log": self.folder / f"log{len(self.guards)}", **more}
        guard = guardrails.Guard.load(self.folder / "policies", **settings)  # type: ignore[arg-type]
        self.guards.append(guard)
        return guard


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    for guard in made.guards:
        guard.close()


def work(guard: guardrails.Guard, tool: str = "work") -> Code:
    """What becomes of a call."""
    try:
        guard.run(tool, {}, lambda: None)
    except ActionDenied as error:
        return error.decision.code
    return Code.RULE


def within_a_second(guard: guardrails.Guard, code: Code) -> bool:
    end = time.monotonic() + 1
    while time.monotonic() < end:
        if work(guard) is code:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("name", ["agent-7", "boss", "dana@example.com", "s-1", "all"])
def test_a_stop_from_elsewhere_refuses_within_a_second(place: Place, name: str) -> None:
    guard = place.guard()
    boss = guard.session(subject="boss", id="s-1", on_behalf_of="dana@example.com")
    with boss, guard.session(subject="agent-7"):
        assert work(guard) is Code.RULE
        open_at(place.state).stop(name, "it runs wild", "dana")
        assert within_a_second(guard, Code.STOPPED)
        open_at(place.state).resume(name, "dana")
        assert within_a_second(guard, Code.RULE)


def test_a_stop_of_another_changes_nothing(place: Place) -> None:
    guard = place.guard()
    guard.stop("agent-8", reason="it runs wild")
    with guard.session(subject="agent-7"):
        assert work(guard) is Code.RULE
    assert work(guard) is Code.RULE


def test_a_name_is_read_as_people_write_it(place: Place) -> None:
    guard = place.guard()
    guard.stop(" agent-7\n", reason="it runs wild")
    for subject in ("agent-7", "agent-7 "):
        with guard.session(subject=subject):
            assert work(guard) is Code.STOPPED
    assert guard.resume("agent-7 ")
    with guard.session(subject="agent-7"):
        assert work(guard) is Code.RULE
    guard.stop("ALL", reason="an incident")
    assert work(guard) is Code.STOPPED
    nobody: list[Any] = ["", " ", None, 5]
    for name in nobody:
        with pytest.raises(ConfigurationError, match="say whom to stop"):
            guard.stop(name, reason="an incident")


def test_all_stops_calls_of_nobody_known_too(place: Place) -> None:
    guard = place.guard()
    guard.stop("all", reason="an incident")
    assert work(guard) is Code.STOPPED


def test_what_is_only_decided_is_stopped_too_whoever_the_action_names(place: Place) -> None:
    guard = place.guard()
    guard.stop("agent-7", reason="it runs wild")
    guard.stop("s-7", reason="it runs wild")
    agent, other = Subject("agent-7"), Subject("agent-8")
    helper = Subject("agent-8", on_behalf_of="agent-7")
    for subject, session, code in (
        (agent, None, Code.STOPPED),
        (helper, None, Code.STOPPED),
        (other, SessionView("s-7"), Code.STOPPED),
        (other, SessionView("s-1", chain=(agent, other)), Code.STOPPED),
        (other, None, Code.RULE),
    ):
        action = Action("work", {}, subject, session=session)
        assert guard.decide(action).code is code
    with guard.session(subject="agent-7"):
        assert guard.decide(Action("work")).code is Code.STOPPED
    bad: Any = "agent-8"
    assert guard.decide(Action("work", {}, bad)).code is Code.INVALID_ACTION
    guard.resume("agent-7")
    with guard.session(subject="agent-7"):
        assert guard.decide(Action("work")).effect is Effect.ALLOW


def test_a_stop_survives_a_restart(place: Place) -> None:
    place.guard().stop("agent-7", reason="it runs wild", by="dana")
    again = place.guard()
    with again.session(subject="agent-7"):
        assert work(again) is Code.STOPPED
    assert again.resume("agent-7", by="dana")
    with again.session(subject="agent-7"):
        assert work(again) is Code.RULE


def test_a_tool_that_is_only_observed_is_stopped_too(place: Place) -> None:
    guard = place.guard(observe=["wipe"])
    with guard.session(subject="agent-7"):
        assert work(guard, "wipe") is Code.RULE
        guard.stop("agent-7", reason="it runs wild")
        assert work(guard, "wipe") is Code.STOPPED


def test_without_a_store_a_stop_holds_in_this_process(place: Place) -> None:
    guard = place.guard(state=None)
    guard.stop("agent-7", reason="it runs wild")
    with guard.session(subject="agent-7"):
        assert work(guard) is Code.STOPPED
        assert guard.resume("agent-7")
        assert work(guard) is Code.RULE


def test_denials_in_a_time_suspend_by_rule_alone(place: Place) -> None:
    guard = place.guard()
    with guard.session(subject="agent-7"):
        for _ in range(3):
            assert work(guard, "wipe") is Code.RULE
        with pytest.raises(ActionDenied):
            guard.run("work", {}, lambda: None)
        assert work(guard) is Code.STOPPED
    with guard.session(subject="agent-7"):
        assert work(guard) is Code.STOPPED
    with guard.session(subject="agent-8"):
        assert work(guard) is Code.RULE
    (stop,) = open_at(place.state).stops()
    assert (stop.name, stop.by, stop.reason) == (
        "agent-7",
        "p/probing",
        "suspended by the rule p/probing",
    )


def test_a_rule_that_fails_denies_and_suspends_nobody(place: Place) -> None:
    guard = place.guard()
    assert work(guard) is Code.RULE  # no session: the past is unknown, and nobody to suspend
    assert open_at(place.state).stops() == ()


def test_the_log_tells_of_stops_and_resumes(place: Place) -> None:
    guard = place.guard()
    guard.stop("agent-7", reason="it runs wild", by="dana")
    guard.resume("agent-7", by="erin")
    guard.close()
    text = "".join(path.read_text() for path in (place.folder / "log0").rglob("*.jsonl"))
    assert '"kind":"stop"' in text
    assert '"kind":"resume"' in text
    assert "it runs wild" in text


class Store:
    """A store that fails on demand."""

    def __init__(self) -> None:
        self.kept: dict[str, Stop] = {}
        self.fails = False
        self.hangs = threading.Event()
        self.hangs.set()

    def _ask(self) -> None:
        self.hangs.wait()
        if self.fails:
            raise StateUnavailable("away")

    def stops(self) -> tuple[Stop, ...]:
        self._ask()
        return tuple(self.kept.values())

    def stop(self, name: str, reason: str, by: str) -> Stop:
        self._ask()
        return self.kept.setdefault(name, Stop(name, reason, by, 1))

    def resume(self, name: str, by: str) -> bool:
        self._ask()
        return self.kept.pop(name, None) is not None


@pytest.fixture
def store() -> Iterator[Store]:
    made = Store()
    yield made
    made.hangs.set()


def test_a_store_that_is_away_for_a_second_refuses_everybody(store: Store) -> None:
    stops = Stops(store)
    assert stops.halt(()) is None
    store.fails = True
    assert stops.halt(()) is None
    time.sleep(1.1)
    halt = stops.halt(())
    assert halt is not None
    assert halt.code is Code.UNAVAILABLE
    store.fails = False
    assert stops.halt(()) is None
    stops.close()


def test_a_store_that_hangs_holds_up_no_call_for_long(store: Store) -> None:
    stops = Stops(store)
    store.hangs.clear()
    time.sleep(1.1)
    began = time.monotonic()
    halt = stops.halt(())
    assert halt is not None
    assert halt.code is Code.UNAVAILABLE
    assert time.monotonic() - began < 0.5
    store.hangs.set()
    stops.close()


def test_a_suspension_that_could_not_be_kept_holds_here_and_is_kept_later(store: Store) -> None:
    stops = Stops(store)
    store.fails = True
    stops.stop("agent-7", "it runs wild", "p/probing")
    assert stops.halt(("agent-7",)) is not None
    store.fails = False
    time.sleep(0.6)
    assert set(store.kept) == {"agent-7"}
    stops.close()


def test_a_state_that_can_not_be_reached_is_told_at_load(place: Place) -> None:
    place.state.write_text("no folder")
    with pytest.raises(StateUnavailable, match="the shared state can't be used"):
        place.guard()
