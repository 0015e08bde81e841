"""The loop that follows a folder, by itself: what it hands over, and that it never ends."""

from __future__ import annotations

import gc
import os
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from guardrails import load_policies
from guardrails.errors import LogUnavailable
from guardrails.source import folder_watch
from guardrails.source.folder_state import read_state
from guardrails.source.folder_watch import FolderWatch
from guardrails.source.reload import MOST_UNHEARD, RESTLESS, Announcer, Reload, Reloader
from tests.reloading import policy, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from guardrails.engine import PolicySet


class Following:
    """A reloader over a folder, and what it delivered."""

    def __init__(
        self,
        folder: Path,
        load: Callable[[], PolicySet],
        deliver: Callable[[Reload], None] = lambda _: None,
    ) -> None:
        self.delivered: list[Reload] = []
        self.policies = load_policies(folder)
        self._deliver = deliver
        self.reloader = Reloader(
            str(folder),
            load,
            lambda: self.policies.revision,
            lambda: self.policies,
            self.deliver,
            state=read_state(str(folder)),
        )

    def deliver(self, reload: Reload) -> None:
        self.delivered.append(reload)
        self._deliver(reload)
        self.policies = reload.policies or self.policies


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    folder.mkdir()
    save(folder, 10)
    return folder


def save(folder: Path, limit: int) -> None:
    (folder / "p.yaml").write_text(policy("p", limit))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_watch, "LOOK_EVERY", 0.05)


def test_what_was_read_while_the_folder_changed_is_left_aside(folder: Path) -> None:
    loads = 0

    def load() -> PolicySet:
        nonlocal loads
        loads += 1
        policies = load_policies(folder)
        if loads == 1:
            save(folder, 1_000)
        return policies

    following = Following(folder, load)
    save(folder, 100)
    wait_for(lambda: following.delivered)
    following.reloader.close()
    assert loads == 2
    assert following.policies.revision == load_policies(folder).revision
    assert [reload.error for reload in following.delivered] == [""]


@pytest.mark.usefixtures("quick")
def test_a_folder_that_changes_whenever_it_is_read_is_told_and_recovers(folder: Path) -> None:
    restless, limit = True, 100

    def load() -> PolicySet:
        nonlocal limit
        if restless:
            limit += 1
            save(folder, limit)
        return load_policies(folder)

    following = Following(folder, load)
    save(folder, 100)
    wait_for(lambda: following.delivered)
    assert following.delivered[0].error == RESTLESS
    assert following.delivered[0].policies is None
    restless = False
    wait_for(lambda: following.delivered[-1].policies is not None)
    following.reloader.close()
    assert following.policies.revision == load_policies(folder).revision


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RecursionError("too deep"), "too deep"),
        (MemoryError(), "the policies can't be loaded"),
        (KeyError("x"), "'x'"),
    ],
)
def test_whatever_loading_raises_is_a_failed_load(
    folder: Path, error: Exception, told: str
) -> None:
    def load() -> PolicySet:
        raise error

    following = Following(folder, load)
    save(folder, 100)
    wait_for(lambda: following.delivered)
    following.reloader.close()
    assert following.delivered[0].error == told


@pytest.mark.usefixtures("quick")
def test_a_fault_while_watching_is_told_and_watching_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    following = Following(folder, lambda: load_policies(folder))
    with monkeypatch.context() as patch:
        patch.setattr(folder_watch, "read_state", lambda _: 1 / 0)
        wait_for(lambda: following.delivered)
        error = "the folder can't be watched: division by zero"
        assert following.delivered[0].error == error
    save(folder, 100)
    wait_for(lambda: following.delivered[-1].policies is not None)
    following.reloader.close()


def test_a_delivery_that_fails_is_reported_and_tried_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", reported.append)
    failing = True

    def deliver(_: Reload) -> None:
        if failing:
            raise OSError(5, "input/output error")

    following = Following(folder, lambda: load_policies(folder), deliver)
    save(folder, 100)
    wait_for(lambda: reported)
    assert reported[0].thread.name == "guardrails-reload"
    failing = False
    wait_for(lambda: following.policies.revision == load_policies(folder).revision)
    following.reloader.close()


@pytest.mark.usefixtures("quick")
def test_what_waits_for_the_log_is_not_loaded_again(folder: Path) -> None:
    loads, refusing = 0, True

    def load() -> PolicySet:
        nonlocal loads
        loads += 1
        return load_policies(folder)

    def deliver(_: Reload) -> None:
        if refusing:
            raise LogUnavailable("full")

    following = Following(folder, load, deliver)
    save(folder, 100)
    wait_for(lambda: len(following.delivered) > 3)
    refusing = False
    wait_for(lambda: following.policies.revision == load_policies(folder).revision)
    following.reloader.close()
    assert loads == 1


def test_a_closed_reloader_loads_nothing_more(folder: Path) -> None:
    following = Following(folder, lambda: load_policies(folder))
    save(folder, 100)
    following.reloader.close()
    following.reloader.close()
    time.sleep(0.2)
    assert len(following.delivered) <= 1


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
@pytest.mark.parametrize("closed", [False, True])
def test_a_child_forked_during_a_load_collects_its_garbage(folder: Path, *, closed: bool) -> None:
    """Loading turns the collector off, and the thread that would turn it on stays behind."""
    loading, release = threading.Event(), threading.Event()

    def load() -> PolicySet:
        gc.disable()
        loading.set()
        release.wait()
        gc.enable()
        return load_policies(folder)

    following = Following(folder, load)
    save(folder, 100)
    loading.wait()
    if closed:
        following.reloader.stop()
    child = os.fork()
    if child == 0:
        watching = following.reloader._thread.is_alive()
        os._exit(0 if gc.isenabled() and watching is not closed else 1)
    _, status = os.waitpid(child, 0)
    release.set()
    following.reloader.close()
    assert os.waitstatus_to_exitcode(status) == 0
    assert gc.isenabled()


@pytest.mark.parametrize("collects", [None, False, True])
def test_a_child_collects_its_garbage_if_its_parent_did(
    folder: Path, *, collects: bool | None
) -> None:
    following = Following(folder, lambda: load_policies(folder))
    following.reloader._collects = collects
    gc.disable()
    before = following.reloader._watch
    following.reloader._watch_on()
    assert gc.isenabled() is (collects is True)
    gc.enable()
    assert following.reloader._watch is not before
    before.close()
    following.reloader.close()
    following.reloader._watch_on()
    assert following.reloader._watch.closed


def test_a_reloader_may_be_closed_by_its_own_thread(folder: Path) -> None:
    closed = threading.Event()

    def deliver(_: Reload) -> None:
        following.reloader.close()
        closed.set()

    following = Following(folder, lambda: load_policies(folder), deliver)
    save(folder, 100)
    assert closed.wait(15)


def test_a_listener_hears_in_order_and_the_newest_of_too_many() -> None:
    heard, begun, release = list[int](), threading.Event(), threading.Event()

    def hear(number: int) -> None:
        begun.set()
        release.wait()
        heard.append(number)

    announcer = Announcer(hear)
    announcer.tell(0)
    begun.wait()
    for number in range(1, 3 * MOST_UNHEARD):
        announcer.tell(number)
    release.set()
    wait_for(lambda: len(heard) == 1 + MOST_UNHEARD)
    assert heard == [0, *range(2 * MOST_UNHEARD, 3 * MOST_UNHEARD)]
    announcer.tell(-1)
    wait_for(lambda: heard[-1] == -1)


def test_a_look_after_closing_changes_nothing(folder: Path) -> None:
    following = Following(folder, lambda: load_policies(folder))
    following.reloader.close()
    watch = FolderWatch(str(folder))
    watch.close()
    save(folder, 100)
    following.reloader._look(watch)
    assert following.delivered == []
