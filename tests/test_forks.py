"""What a forked child puts right, and what it doesn't keep."""

from __future__ import annotations

import gc
import os
import threading
import time
import weakref
from typing import TYPE_CHECKING

import pytest

from guardrails import forks
from guardrails.forks import Crossing, after_fork

if TYPE_CHECKING:
    from collections.abc import Callable

MULTI_THREADED = "ignore:.*multi-threaded.*:DeprecationWarning"


class Owner:
    def __init__(self) -> None:
        self.begun = 0
        after_fork(self, Owner.begin_again)

    def begin_again(self) -> None:
        self.begun += 1


def test_a_child_begins_again_while_the_owner_is_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks: list[Callable[[], None]] = []
    monkeypatch.setattr(
        os, "register_at_fork", lambda *, after_in_child: hooks.append(after_in_child)
    )
    owner = Owner()
    hooks[0]()
    assert owner.begun == 1
    gone = weakref.ref(owner)
    del owner
    gc.collect()
    assert gone() is None
    hooks[0]()


def fork() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.filterwarnings(MULTI_THREADED)
def test_a_fork_waits_for_the_work_that_has_begun_and_the_work_within_it() -> None:
    crossing, begun, ended = Crossing(), threading.Event(), []

    def work() -> None:
        with crossing.working():
            begun.set()
            time.sleep(0.2)
            with crossing.working():
                time.sleep(0.1)
            ended.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()
    fork()
    assert ended
    thread.join()
    with crossing.working():  # which goes on after a fork
        pass


@pytest.mark.filterwarnings(MULTI_THREADED)
def test_a_fork_in_the_midst_of_work_is_not_held_up_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forks, "PATIENCE_S", 0.05)
    crossing = Crossing()
    with crossing.working():
        child = os.fork()
        if child == 0:
            with crossing.working():
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0


@pytest.mark.filterwarnings(MULTI_THREADED)
def test_a_place_that_is_made_while_another_keeps_a_fork_waiting_stays_open() -> None:
    first, begun, made = Crossing(), threading.Event(), []

    def work() -> None:
        with first.working():
            begun.set()
            time.sleep(0.1)
            made.append(Crossing())

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()
    fork()
    thread.join()
    with made[0].working():
        assert not made[0]._closed
