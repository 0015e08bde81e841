"""What a guard has opened is closed with it, and what it was given open is not."""

from __future__ import annotations

import gc
import threading
import time
from typing import TYPE_CHECKING

import pytest

from guardrails import ActionDenied, Guard
from guardrails.decision import Code
from guardrails.errors import ConfigurationError
from guardrails.state.sql import SqlState

if TYPE_CHECKING:
    from pathlib import Path

POLICY = """
version: 1
policy: p
tools:
  pay: {traits: [spend], arguments: {amount: {type: number}}}
rules:
  - {id: small, effect: allow, tools: pay}
  - {id: spent, effect: deny, tools: pay, budget: {limit: 10, per: 1h, cost: arguments.amount}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "policies"
    made.mkdir()
    (made / "p.yaml").write_text(POLICY)
    return made


def pay(guard: Guard) -> str:
    return guard.run("pay", {"amount": 1}, lambda amount: f"paid {amount}")


def kept(home: Path) -> list[str]:
    return sorted(path.name for path in home.iterdir())


def test_a_closed_guard_leaves_no_thread_and_no_connection_and_runs_nothing(
    folder: Path, tmp_path: Path
) -> None:
    home, before = tmp_path / "home", set(threading.enumerate())
    guard = Guard.load(folder, approvals=home, watch=True, log=tmp_path / "log")
    assert pay(guard) == "paid 1"
    assert "approvals.db-wal" in kept(home)
    guard.close()
    guard.close()
    assert set(threading.enumerate()) <= before  # those of other tests may end meanwhile
    with pytest.raises(ActionDenied) as refused:
        pay(guard)
    assert refused.value.decision.code is Code.UNAVAILABLE
    assert kept(home) == ["approvals.db", "approvals.key", "approvals.pub"]


def test_a_guard_that_is_dropped_leaves_no_connection(folder: Path, tmp_path: Path) -> None:
    home, before = tmp_path / "home", set(threading.enumerate())
    guard = Guard.load(folder, state=home, log=tmp_path / "log")
    pay(guard)
    del guard
    end = time.monotonic() + 5
    while not set(threading.enumerate()) <= before and time.monotonic() < end:
        time.sleep(0.05)
    gc.collect()
    assert kept(home) == ["approvals.db"]


def test_a_state_that_was_given_open_stays_open(folder: Path, tmp_path: Path) -> None:
    state = SqlState(tmp_path / "state.db")
    for _ in range(2):
        guard = Guard.load(folder, state=state, log=tmp_path / "log")
        assert pay(guard) == "paid 1"
        guard.close()
    assert state.stops() == ()


def test_a_guard_that_can_not_be_made_closes_what_it_has_opened(
    folder: Path, tmp_path: Path
) -> None:
    before = set(threading.enumerate())
    with pytest.raises(ConfigurationError, match="max_depth"):
        Guard.load(folder, state=tmp_path / "home", max_depth=0, log=tmp_path / "log")
    assert set(threading.enumerate()) <= before  # those of other tests may end meanwhile
    assert kept(tmp_path / "home") == ["approvals.db"]
