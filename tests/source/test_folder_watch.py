"""A folder that is watched: when it is told that it has changed, and when not yet."""

from __future__ import annotations

import shutil
import threading
import time
from typing import TYPE_CHECKING, NoReturn

import pytest
from watchdog.observers.api import BaseObserver

from guardrails.source import folder_watch
from guardrails.source.folder_state import read_state
from guardrails.source.folder_watch import FolderWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "p.yaml").write_text("a")
    return folder


@pytest.fixture
def watch(folder: Path) -> Iterator[FolderWatch]:
    watch = FolderWatch(str(folder))
    yield watch
    watch.close()


@pytest.fixture
def seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave it to events alone."""
    monkeypatch.setattr(folder_watch, "LOOK_EVERY", 60.0)


def is_told(watch: FolderWatch, folder: Path, change: Callable[[], object]) -> float:
    """Seconds from the change until it is told."""
    known = read_state(str(folder))
    change()
    began = time.monotonic()
    while watch.look(known) == known:
        assert time.monotonic() - began < 15
    return time.monotonic() - began


@pytest.mark.usefixtures("seldom")
def test_a_change_is_told_by_an_event(watch: FolderWatch, folder: Path) -> None:
    is_told(watch, folder, lambda: (folder / "p.yaml").write_text("bb"))


@pytest.mark.usefixtures("seldom")
def test_a_folder_that_was_replaced_is_watched_like_the_old_one(
    watch: FolderWatch, folder: Path
) -> None:
    def replace() -> None:
        folder.rename(folder.parent / "old")
        folder.mkdir()
        (folder / "p.yaml").write_text("bb")

    folder_watch.LOOK_EVERY = 0.1
    is_told(watch, folder, replace)
    folder_watch.LOOK_EVERY = 60.0
    is_told(watch, folder, lambda: (folder / "p.yaml").write_text("ccc"))


@pytest.mark.usefixtures("seldom")
def test_a_folder_that_comes_back_is_watched_again(watch: FolderWatch, folder: Path) -> None:
    def remove() -> None:
        (folder / "p.yaml").unlink()
        folder.rmdir()

    def restore() -> None:
        folder.mkdir()
        (folder / "p.yaml").write_text("bb")

    folder_watch.LOOK_EVERY = 0.1
    is_told(watch, folder, remove)
    is_told(watch, folder, restore)
    folder_watch.LOOK_EVERY = 60.0
    is_told(watch, folder, lambda: (folder / "p.yaml").write_text("ccc"))


@pytest.mark.usefixtures("seldom")
def test_one_file_is_watched_by_its_folder(folder: Path) -> None:
    file = folder / "p.yaml"
    watch = FolderWatch(str(file))

    def rename(text: str) -> None:
        (folder / "next").write_text(text)
        (folder / "next").rename(file)

    for text in ("bb", "ccc", "dddd"):
        is_told(watch, file, lambda text=text: rename(text))  # type: ignore[misc]
    watch.close()


def test_a_state_is_told_when_the_folder_has_come_to_rest(watch: FolderWatch, folder: Path) -> None:
    known = read_state(str(folder))
    writing = threading.Event()

    def write() -> None:
        for number in range(20):
            (folder / f"{number}.yaml").write_text("a")
            writing.set()
            time.sleep(0.02)

    thread = threading.Thread(target=write)
    thread.start()
    writing.wait()
    state = watch.look(known)
    thread.join()
    assert len(state) == 21


def test_a_folder_that_never_rests_is_told_nevertheless(
    watch: FolderWatch, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_watch, "SETTLE_AT_MOST", 0.3)
    known, ended = read_state(str(folder)), threading.Event()

    def write() -> None:
        while not ended.wait(0.01):
            (folder / "p.yaml").write_text("a")

    thread = threading.Thread(target=write)
    thread.start()
    state = watch.look(known)
    ended.set()
    thread.join()
    assert state != known


def test_while_git_holds_its_lock_the_folder_is_not_at_rest(
    watch: FolderWatch, folder: Path
) -> None:
    (folder / ".git").mkdir()
    lock = folder / ".git" / "index.lock"
    lock.touch()
    known = read_state(str(folder))
    (folder / "q.yaml").write_text("a")

    def finish() -> None:
        (folder / "r.yaml").write_text("a")
        lock.unlink()

    timer = threading.Timer(0.5, finish)
    timer.start()
    assert len(watch.look(known)) == 3
    timer.join()


def test_a_limit_of_the_system_leaves_the_looks(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`inotify_init` fails when a user has too many instances, as do threads."""

    def fail(*_: object) -> NoReturn:
        raise OSError(24, "inotify instance limit reached")

    monkeypatch.setattr("watchdog.observers.Observer", fail)
    watch = FolderWatch(str(folder))
    is_told(watch, folder, lambda: (folder / "p.yaml").write_text("bb"))
    watch.close()


@pytest.mark.parametrize("error", [OSError(28, "inotify watch limit reached"), RuntimeError()])
def test_an_observer_that_does_not_start_is_ended(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    ended = 0

    def start(_: BaseObserver) -> NoReturn:
        raise error

    def stop(_: BaseObserver) -> None:
        nonlocal ended
        ended += 1

    monkeypatch.setattr(BaseObserver, "start", start)
    monkeypatch.setattr(BaseObserver, "stop", stop)
    watch = FolderWatch(str(folder))
    assert ended == 1
    is_told(watch, folder, lambda: (folder / "p.yaml").write_text("bb"))


def test_a_closed_watch_does_not_wait(watch: FolderWatch, folder: Path) -> None:
    known = read_state(str(folder))
    watch.close()
    watch.close()
    assert watch.closed
    began = time.monotonic()
    (folder / "p.yaml").write_text("bb")
    assert watch.look(known) != known
    assert time.monotonic() - began < 0.9
    assert not [t for t in threading.enumerate() if t.name == "guardrails-reload"]


def test_a_state_that_has_passed_wakes_the_next_look(watch: FolderWatch, folder: Path) -> None:
    state = read_state(str(folder))
    assert watch.is_still(state)
    (folder / "p.yaml").write_text("bb")
    assert not watch.is_still(state)


def test_a_folder_that_is_gone_with_what_held_it_is_told(folder: Path) -> None:
    inner = folder / "deep" / "deeper"
    inner.mkdir(parents=True)
    (inner / "p.yaml").write_text("a")
    watch = FolderWatch(str(inner))
    is_told(watch, inner, lambda: shutil.rmtree(folder / "deep"))
    is_told(watch, inner, lambda: shutil.copytree(folder, inner))
    watch.close()
