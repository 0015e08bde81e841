"""A guard that follows its folder, whatever happens to the folder, the log and the listener."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from guardrails import (
    Action,
    ActionDenied,
    ConfigurationError,
    Guard,
    Health,
    load_policies,
)
from guardrails.errors import LogUnavailable
from guardrails.language import loader
from guardrails.source import folder_state, reload
from guardrails.source.policies import ERROR_LENGTH, PolicySource
from guardrails.testing import MemoryLog
from tests.reloading import allows, policy, records, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BROKEN = "version: 1\npolicy: q\nruls: []\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "p.yaml").write_text(policy("p", 10))
    return folder


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


class Watching:
    """A guard that watches, logs into memory and remembers what `on_load` heard."""

    def __init__(self, folder: Path, log: MemoryLog, **settings: Any) -> None:
        self.heard: list[Health] = []
        self.source = PolicySource(folder)
        self.guard = Guard(self.source.policies, log=log, source=self.source)
        self.source.follow(self.guard.enforcer, on_load=self.heard.append, **settings)


@pytest.fixture
def watching(folder: Path, log: MemoryLog) -> Iterator[Watching]:
    watching = Watching(folder, log)
    yield watching
    watching.source.close()


def test_a_listener_that_fails_is_reported_and_ends_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: reported.append(args.exc_value))

    def fail(health: Health) -> None:
        raise SystemExit(health.revision)

    guard = Guard.load(folder, log=tmp_path / "log", watch=True, on_load=fail)
    for limit in (100, 1_000):
        (folder / "p.yaml").write_text(policy("p", limit))
        wait_for(lambda limit=limit: allows(guard, limit - 1))  # type: ignore[misc]
    wait_for(lambda: len(reported) == 2)
    guard.close()


def test_a_listener_that_never_returns_holds_up_nothing(folder: Path, tmp_path: Path) -> None:
    forever, heard = threading.Event(), list[Health]()

    def block(health: Health) -> None:
        heard.append(health)
        forever.wait()

    guard = Guard.load(folder, log=tmp_path / "log", watch=True, on_load=block)
    for limit in (100, 1_000):
        (folder / "p.yaml").write_text(policy("p", limit))
        wait_for(lambda limit=limit: allows(guard, limit - 1))  # type: ignore[misc]
    assert len(heard) == 1
    forever.set()
    wait_for(lambda: len(heard) == 2)
    guard.close()


def test_a_listener_may_close_the_guard(folder: Path, tmp_path: Path) -> None:
    closed = threading.Event()

    def close(_: Health) -> None:
        guard.close()
        closed.set()

    guard = Guard.load(folder, log=tmp_path / "log", watch=True, on_load=close)
    (folder / "p.yaml").write_text(policy("p", 100))
    assert closed.wait(15)
    guard.close()


def test_a_listener_needs_something_to_hear(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="it needs `watch`"):
        Guard.load(folder, log=tmp_path / "log", on_load=print)


def test_watching_is_on_off_or_by_polling(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="`watch` is True, False or \"poll\", not 'pol'"):
        Guard.load(folder, log=tmp_path / "log", watch="pol")  # type: ignore[arg-type]


def test_a_log_that_comes_back_lets_the_new_policies_in(
    watching: Watching, folder: Path, log: MemoryLog
) -> None:
    log.broken = True
    (folder / "p.yaml").write_text(policy("p", 100))
    wait_for(lambda: watching.heard)
    error = "the new policies wait for a record of their load: the log was told to fail"
    assert watching.guard.health().last_error == error == watching.heard[0].last_error
    assert not allows(watching.guard, 50)
    log.broken = False
    wait_for(lambda: allows(watching.guard, 50))
    wait_for(lambda: len(watching.heard) == 2)
    assert watching.guard.health().last_error == "" == watching.heard[1].last_error
    assert [kind for kind, _ in log.events] == ["load"]


def test_policies_put_back_while_the_log_was_away_are_recorded_too(
    watching: Watching, folder: Path, log: MemoryLog
) -> None:
    log.broken = True
    (folder / "p.yaml").write_text(policy("p", 100))
    wait_for(lambda: watching.guard.health().last_error)
    (folder / "p.yaml").write_text(policy("p", 10))
    time.sleep(0.2)
    log.broken = False
    wait_for(lambda: watching.guard.health().last_error == "")
    assert [kind for kind, _ in log.events] == ["load"]
    assert not allows(watching.guard, 50)


def test_a_failed_load_is_told_even_where_it_cannot_be_recorded(
    watching: Watching, folder: Path, log: MemoryLog
) -> None:
    log.broken = True
    (folder / "q.yaml").write_text(BROKEN)
    wait_for(lambda: "unknown key `ruls`" in watching.guard.health().last_error)
    wait_for(lambda: len(watching.heard) == 1)
    assert log.events == []
    log.broken = False
    wait_for(lambda: log.events)
    assert [kind for kind, _ in log.events] == ["load_failed"]


def test_a_failure_is_recorded_once(watching: Watching, folder: Path, log: MemoryLog) -> None:
    (folder / "q.yaml").write_text(BROKEN)
    wait_for(lambda: log.events)
    (folder / "p.yaml").write_text(policy("p", 20))
    time.sleep(1.3)
    assert [kind for kind, _ in log.events] == ["load_failed"]
    assert len(watching.heard) == 1


def test_a_long_list_of_problems_is_cut(watching: Watching, folder: Path) -> None:
    (folder / "q.yaml").write_text(BROKEN + "".join(f"k{n}: 1\n" for n in range(500)))
    wait_for(lambda: watching.guard.health().last_error)
    assert len(watching.guard.health().last_error) == ERROR_LENGTH


def test_files_that_are_only_touched_are_no_news(
    watching: Watching, folder: Path, log: MemoryLog
) -> None:
    (folder / "p.yaml").write_text(policy("p", 10))
    time.sleep(0.5)
    assert (log.events, watching.heard) == ([], [])


@pytest.mark.usefixtures("coarse")
@pytest.mark.parametrize("broken", [False, True])
def test_a_file_saved_twice_within_one_tick_of_a_coarse_clock_is_read_again(
    folder: Path, log: MemoryLog, monkeypatch: pytest.MonkeyPatch, *, broken: bool
) -> None:
    """On FAT a file of equal size, saved twice within two seconds, looks the same."""
    monkeypatch.setattr(reload, "CONFIRM_AFTER", 0.5)
    watching, file = Watching(folder, log), folder / "p.yaml"
    if broken:
        file.write_text(policy("p", 10).replace("allow", "alloc"))
        wait_for(lambda: "unknown effect" in watching.guard.health().last_error)
    file.write_text(policy("p", 99))
    wait_for(lambda: allows(watching.guard, 50))
    watching.source.close()


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep no times of change at all."""
    exact = folder_state._stat
    monkeypatch.setattr(folder_state, "_stat", lambda path: (*exact(path)[:3], 0, 0))


def test_one_file_is_followed_through_renames(folder: Path, log: MemoryLog) -> None:
    watching = Watching(folder / "p.yaml", log)
    for limit in (100, 1_000):
        (folder / "next").write_text(policy("p", limit))
        (folder / "next").rename(folder / "p.yaml")
        wait_for(lambda limit=limit: allows(watching.guard, limit - 1))  # type: ignore[misc]
    watching.source.close()


def test_a_relative_folder_stays_the_one_it_was_and_is_named_as_given(
    folder: Path, log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    watching = Watching(Path("policies"), log)
    monkeypatch.chdir("/")
    (folder / "p.yaml").write_text(policy("p", 100))
    wait_for(lambda: allows(watching.guard, 50))
    ((_, load),) = log.events
    assert load["documents"] == ["policies/p.yaml"]
    assert load["differences"] == {"rules": {"added": [], "removed": [], "changed": ["p/a"]}}
    (folder / "q.yaml").write_text(BROKEN)
    wait_for(lambda: watching.guard.health().last_error.startswith("policies/q.yaml:3:1: "))
    watching.source.close()


def test_a_file_that_was_never_finished_leaves_the_last_good_set(
    watching: Watching, folder: Path
) -> None:
    """Many editors empty a file before they write it; on a network mount that can be seen."""
    file = folder / "p.yaml"
    with file.open("w") as opened:
        wait_for(lambda: "the file is empty" in watching.guard.health().last_error)
        assert allows(watching.guard, 5)
        opened.write(policy("p", 100))
    wait_for(lambda: allows(watching.guard, 50))


def test_many_saves_at_once_end_with_the_last(watching: Watching, folder: Path) -> None:
    for limit in range(11, 200):
        (folder / "p.yaml").write_text(policy("p", limit))
    wait_for(lambda: allows(watching.guard, 198))
    assert not allows(watching.guard, 199)


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "guardrails-reload"]


def test_a_guard_that_nobody_has_any_more_stops_watching(folder: Path, tmp_path: Path) -> None:
    guard = Guard.load(folder, log=tmp_path / "log", watch=True, on_load=print)
    gone = weakref.ref(guard)
    (thread,) = threads()
    del guard
    gc.collect()
    assert gone() is None
    thread.join(5)
    assert not thread.is_alive()


def test_a_guarded_tool_alone_keeps_its_policies_up_to_date(folder: Path, tmp_path: Path) -> None:
    tools: list[Callable[[int], int]] = [
        Guard.load(folder, log=tmp_path / "log", watch=True).tool("pay")(lambda amount: amount)
    ]
    gc.collect()
    (folder / "p.yaml").write_text(policy("p", 100))

    def runs() -> bool:
        try:
            return tools[0](50) == 50
        except ActionDenied:
            return False

    wait_for(runs)
    assert len(threads()) == 1
    tools.clear()
    gc.collect()
    wait_for(lambda: not threads())


def test_a_load_that_ends_after_the_guard_has_gone_is_left_aside(folder: Path) -> None:
    source, log = PolicySource(folder), MemoryLog()
    guard = Guard(source.policies, log=log, source=source)
    source.follow(guard.enforcer)
    reloader = source._reloader
    assert reloader is not None
    del guard
    gc.collect()
    reloader._deliver(reload.Reload(None, None, "late", 0.0))
    assert source.health.last_error == ""


def test_closing_twice_is_closing(folder: Path, tmp_path: Path) -> None:
    guard = Guard.load(folder, log=tmp_path / "log", watch=True)
    guard.close()
    guard.close()
    Guard.load(folder, log=tmp_path / "log").close()
    assert threads() == []


def test_after_closing_nothing_changes(folder: Path, tmp_path: Path) -> None:
    guard = Guard.load(folder, log=tmp_path / "log", watch=True)
    guard.close()
    (folder / "p.yaml").write_text(policy("p", 100))
    time.sleep(0.3)
    assert not allows(guard, 50)
    assert records(tmp_path / "log", "load") == []


@pytest.mark.slow
def test_two_hundred_guards_follow_one_folder(folder: Path, tmp_path: Path) -> None:
    """More than a user may have inotify instances: the rest look from time to time."""
    guards = [Guard.load(folder, log=tmp_path / "log", watch=True) for _ in range(200)]
    (folder / "p.yaml").write_text(policy("p", 100))
    wait_for(lambda: all(allows(guard, 50) for guard in guards))
    for guard in guards:
        guard.close()


def test_the_age_of_policies_does_not_follow_the_wall_clock(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = PolicySource(folder)
    for moment in (0, 2**62):
        monkeypatch.setattr(time, "time_ns", lambda moment=moment: moment)
        assert 0 <= source.health.age < 60


AS_ANOTHER_USER = """
import os, sys, time
from guardrails import Action, Guard
folder, log = sys.argv[1:]
Guard.load(folder, log=log, watch=True).close()  # what the other user may not import
if os.geteuid() == 0:
    os.setresgid(65534, 65534, 0)
    os.setresuid(65534, 65534, 0)
guard = Guard.load(folder, log=log, watch=True)
def wait_for(condition):
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline, guard.health()
        time.sleep(0.01)
def chmod(path, mode):
    os.setresuid(-1, 0, -1)
    os.chmod(path, mode)
    os.setresuid(-1, 65534, -1)
if os.geteuid() != 65534:
    chmod = os.chmod
allowed = lambda: guard.decide(Action("pay", {"amount": 5})).allowed
for path in (folder, folder + "/p.yaml"):
    chmod(path, 0)
    wait_for(lambda: "permission denied" in guard.health().last_error)
    assert allowed()
    chmod(path, 0o755)
    wait_for(lambda: guard.health().last_error == "")
    assert allowed()
print("writable", guard.health().writable)
guard.close()
"""


@pytest.mark.slow
def test_permission_that_is_lost_and_given_back() -> None:
    """Run as another user where the tests run as root, whom no permission binds."""
    with tempfile.TemporaryDirectory() as place:
        folder, log = Path(place) / "policies", Path(place) / "log"
        folder.mkdir(mode=0o755)
        log.mkdir()
        log.chmod(0o777)
        Path(place).chmod(0o755)
        (folder / "p.yaml").write_text(policy("p", 10))
        done = subprocess.run(
            [sys.executable, "-c", AS_ANOTHER_USER, str(folder), str(log)],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"writable {os.geteuid() != 0}\n"


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_child_forked_while_its_parent_holds_every_lock_goes_on(
    folder: Path, tmp_path: Path
) -> None:
    guard = Guard.load(folder, log=tmp_path / "log", watch=True, on_load=print)
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with guard.enforcer._recorder._lock, guard.sessions._lock, guard.enforcer.till._lock:
            held.set()
            release.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    child = os.fork()
    if child == 0:
        with guard.session(subject="a", id="s"):
            code = 0 if guard.run("pay", {"amount": 1}, lambda amount: amount) == 1 else 1
        (folder / "p.yaml").write_text(policy("p", 100))
        deadline = time.monotonic() + 10
        while not allows(guard, 50) and time.monotonic() < deadline:
            time.sleep(0.01)
        os._exit(code if allows(guard, 50) else 2)
    deadline = time.monotonic() + 12
    done, status = 0, 0
    while not done and time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        time.sleep(0.01)
    if not done:
        os.kill(child, 9)
        os.waitpid(child, 0)
    release.set()
    thread.join()
    guard.close()
    assert done, "the child hung"
    assert os.waitstatus_to_exitcode(status) == 0


def test_a_revision_can_be_read_without_loading(folder: Path) -> None:
    assert loader.read_revision(folder) == load_policies(folder).revision
    (folder / "q.yaml").write_text(BROKEN)
    assert loader.read_revision(folder) != loader.read_revision(folder.parent)


def test_a_guard_without_a_folder_has_nothing_to_close(log: MemoryLog, folder: Path) -> None:
    guard = Guard(load_policies(folder), log=log)
    guard.close()
    assert guard.decide(Action("pay", {"amount": 5})).allowed
    assert guard.health() == Health(guard.policies.revision, 0.0, "", writable=False)


def test_a_record_that_cannot_be_written_raises_where_nobody_watches(
    folder: Path, log: MemoryLog
) -> None:
    guard = Guard(load_policies(folder), log=log)
    log.broken = True
    with pytest.raises(LogUnavailable):
        guard.enforcer.note("load_failed")
