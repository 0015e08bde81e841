"""Policies that follow their folder: what a running guard takes on, and what it leaves aside."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from guardrails import Action, ActionDenied, Guard, Health
from tests.reloading import PATIENCE, allows, policy, records, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "p.yaml").write_text(policy("p", 10))
    return folder


@pytest.fixture(params=["events", "polling"])
def guard(request: pytest.FixtureRequest, folder: Path, tmp_path: Path) -> Iterator[Guard]:
    watch: Any = True if request.param == "events" else "poll"
    guard = Guard.load(folder, log=tmp_path / "log", watch=watch)
    yield guard
    guard.close()


def test_a_saved_file_takes_effect_and_is_recorded(
    guard: Guard, folder: Path, tmp_path: Path
) -> None:
    before = guard.policies.revision
    assert guard.run("pay", {"amount": 1}, lambda amount: amount) == 1
    assert not allows(guard, 50)
    (folder / "p.yaml").write_text(policy("p", 100))
    wait_for(lambda: allows(guard, 50))
    first, second = records(tmp_path / "log", "load")
    assert first["revision"] == before
    assert first["writable"] is True
    assert second["revision"] == guard.policies.revision == guard.health().revision
    assert second["previous"] == before
    assert second["differences"] == {"rules": {"added": [], "removed": [], "changed": ["p/a"]}}


def test_an_editor_that_saves_by_renaming_is_followed(guard: Guard, folder: Path) -> None:
    (folder / "p.yaml.tmp").write_text(policy("p", 100))
    (folder / "p.yaml.tmp").rename(folder / "p.yaml")
    wait_for(lambda: allows(guard, 50))


def test_documents_come_and_go(guard: Guard, folder: Path, tmp_path: Path) -> None:
    (folder / "deep").mkdir()
    (folder / "deep" / "q.yml").write_text(policy("q", 10, "mail"))
    wait_for(lambda: allows(guard, 5, "mail"))
    (folder / "p.yaml").unlink()
    wait_for(lambda: not allows(guard, 5))
    assert allows(guard, 5, "mail")
    first, second = [record["differences"] for record in records(tmp_path / "log", "load")]
    assert first["documents"]["added"] == [str(folder / "deep" / "q.yml")]
    assert first["rules"] == {"added": ["q/a"], "removed": [], "changed": []}
    assert second["documents"]["removed"] == [str(folder / "p.yaml")]
    assert second["rules"] == {"added": [], "removed": ["p/a"], "changed": []}


@pytest.mark.parametrize("fault", ["broken", "empty file", "empty folder", "gone", "a file"])
def test_what_does_not_load_as_a_whole_leaves_the_last_good_set(
    fault: str, folder: Path, tmp_path: Path
) -> None:
    heard: list[Health] = []
    guard = Guard.load(folder, log=tmp_path / "log", watch=True, on_load=heard.append)
    good = guard.policies.revision
    if fault == "broken":
        (folder / "q.yaml").write_text("version: 1\npolicy: q\nruls: []\n")
    elif fault == "empty file":
        (folder / "p.yaml").write_text("")
    elif fault == "empty folder":
        (folder / "p.yaml").unlink()
    else:
        shutil.rmtree(folder)
    if fault == "a file":
        folder.write_text("version: 2")
    wait_for(lambda: guard.health().last_error != "")
    assert allows(guard, 5)
    assert guard.policies.revision == good
    wait_for(lambda: heard and heard[-1].last_error == guard.health().last_error)
    (failed, *_) = records(tmp_path / "log", "load_failed")
    assert failed["revision"] == good
    assert failed["error"]
    if folder.is_file():
        folder.unlink()
    folder.mkdir(exist_ok=True)
    (folder / "q.yaml").unlink(missing_ok=True)
    (folder / "p.yaml").write_text(policy("p", 100))
    wait_for(lambda: allows(guard, 50))
    assert guard.health().last_error == ""
    guard.close()


def test_links_swapped_as_kubernetes_does_are_followed(tmp_path: Path) -> None:
    """A ConfigMap's volume: files link to `..data/`, which links to a folder that is swapped."""
    volume = tmp_path / "volume"
    for name, limit in (("..1", 10), ("..2", 100)):
        (volume / name).mkdir(parents=True)
        (volume / name / "p.yaml").write_text(policy("p", limit))
    (volume / "..data").symlink_to("..1")
    (volume / "p.yaml").symlink_to("..data/p.yaml")
    guard = Guard.load(volume, log=tmp_path / "log", watch=True)
    assert not allows(guard, 50)
    (volume / "..data_tmp").symlink_to("..2")
    (volume / "..data_tmp").rename(volume / "..data")
    wait_for(lambda: allows(guard, 50))
    guard.close()


def test_a_folder_that_is_itself_a_link_is_followed(tmp_path: Path) -> None:
    for name, limit in (("one", 10), ("two", 100)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "p.yaml").write_text(policy("p", limit))
    (tmp_path / "current").symlink_to("one")
    guard = Guard.load(tmp_path / "current", log=tmp_path / "log", watch=True)
    (tmp_path / "next").symlink_to("two")
    (tmp_path / "next").rename(tmp_path / "current")
    wait_for(lambda: allows(guard, 50))
    guard.close()


def test_a_git_checkout_takes_effect_whole(tmp_path: Path) -> None:
    folder = tmp_path / "repository"

    def git(*arguments: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", *arguments],
            cwd=folder,
            check=True,
            capture_output=True,
        )

    def write(limit: int) -> None:
        for number in range(50):
            text = policy(f"p{number}", limit, f"tool{number}")
            (folder / f"p{number}.yaml").write_text(text)
        git("add", "-A")
        git("commit", "-m", f"limit {limit}")

    folder.mkdir()
    git("init", "-q", "-b", "main")
    write(10)
    git("checkout", "-q", "-b", "wide")
    write(100)
    guard = Guard.load(folder, log=tmp_path / "log", watch=True)
    git("checkout", "-q", "main")
    wait_for(lambda: not allows(guard, 50, "tool0"))
    assert [number for number in range(50) if allows(guard, 50, f"tool{number}")] == []
    assert len(records(tmp_path / "log", "load")) == 1
    guard.close()


def test_policies_of_another_revision_than_the_pinned_are_left_aside(
    folder: Path, tmp_path: Path
) -> None:
    pinned = Guard.load(folder, log=tmp_path / "log").policies.revision
    guard = Guard.load(folder, log=tmp_path / "log", watch=True, revision=pinned)
    (folder / "p.yaml").write_text(policy("p", 100))
    wait_for(lambda: "if the change was meant" in guard.health().last_error)
    assert not allows(guard, 50)
    guard.close()


def test_without_a_record_nothing_new_comes_into_force(folder: Path, tmp_path: Path) -> None:
    guard = Guard.load(folder, log=tmp_path / "log", watch=True)
    guard.run("pay", {"amount": 1}, lambda amount: amount)
    shutil.rmtree(tmp_path / "log")
    (folder / "p.yaml").write_text(policy("p", 100))
    wait_for(lambda: "wait for a record of their load" in guard.health().last_error)
    assert not allows(guard, 50)
    with pytest.raises(ActionDenied):
        guard.run("pay", {"amount": 1}, lambda amount: amount)
    guard.close()


def test_no_decision_is_lost_or_mixed_while_policies_change(folder: Path, tmp_path: Path) -> None:
    """Two documents always change together; no decision may see one of each."""
    (folder / "q.yaml").write_text(policy("q", 10))
    guard = Guard.load(folder, log=tmp_path / "log", watch=True)
    stop = threading.Event()
    seen: set[tuple[str, tuple[str, ...]]] = set()
    failures: list[BaseException] = []

    def call() -> None:
        try:
            while not stop.is_set():
                decision = guard.decide(Action("pay", {"amount": 50}))
                seen.add((decision.revision, tuple(match.rule for match in decision.matches)))
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for limit in (100, 10, 100):
        before = guard.policies.revision
        for name in ("p", "q"):
            (folder / f"{name}.tmp").write_text(policy(name, limit))
        for name in ("p", "q"):
            (folder / f"{name}.tmp").rename(folder / f"{name}.yaml")
        wait_for(lambda before=before: guard.policies.revision != before)  # type: ignore[misc]
    stop.set()
    for thread in threads:
        thread.join()
    guard.close()
    assert failures == []
    assert {rules for _, rules in seen} <= {(), ("p/a", "q/a")}
    assert len({revision for revision, _ in seen}) == len(seen)


def test_a_call_in_flight_keeps_the_set_it_began_with(folder: Path, tmp_path: Path) -> None:
    guard = Guard.load(folder, log=tmp_path / "log", watch=True)

    def change(amount: int) -> str:
        before = guard.policies.revision
        (folder / "p.yaml").write_text(policy("p", 0))
        wait_for(lambda: guard.policies.revision != before)
        return "ran to its end"

    assert guard.run("pay", {"amount": 1}, change) == "ran to its end"
    with pytest.raises(ActionDenied):
        guard.run("pay", {"amount": 1}, change)
    guard.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_watches_on(folder: Path, tmp_path: Path) -> None:
    guard = Guard.load(folder, log=tmp_path / "log", watch=True)
    child = os.fork()
    if child == 0:
        deadline = time.monotonic() + PATIENCE
        while not allows(guard, 50) and time.monotonic() < deadline:
            time.sleep(0.05)
        os._exit(0 if allows(guard, 50) else 1)
    time.sleep(0.2)
    (folder / "p.yaml").write_text(policy("p", 100))
    _, status = os.waitpid(child, 0)
    guard.close()
    assert os.waitstatus_to_exitcode(status) == 0
