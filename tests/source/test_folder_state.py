"""What tells one state of a folder from another."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from guardrails.source.folder_state import LOCK_AT_MOST, is_checked_out, read_state

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "p.yaml").write_text("a")
    return folder


def test_the_state_leaves_out_what_is_hidden_and_cuts_cycles(folder: Path) -> None:
    before = read_state(str(folder))
    (folder / ".git").mkdir()
    (folder / ".git" / "x").write_text("x")
    (folder / ".hidden").write_text("x")
    assert read_state(str(folder)) == before
    (folder / "loop").symlink_to(".")
    assert read_state(str(folder)) == before
    (folder / "dangling").symlink_to("nowhere")
    assert len(read_state(str(folder))) == len(before) + 1


def test_an_equal_size_and_time_of_content_are_no_equal_state(folder: Path) -> None:
    file = folder / "p.yaml"
    before, times = read_state(str(folder)), file.stat()
    time.sleep(0.02)
    file.write_text("b")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert read_state(str(folder)) != before


def test_a_file_that_is_not_read_counts_by_being_there(folder: Path) -> None:
    (folder / "run.log").write_text("a")
    before = read_state(str(folder))
    (folder / "run.log").write_text("a longer text")
    assert read_state(str(folder)) == before
    (folder / "run.log").unlink()
    assert read_state(str(folder)) != before


def test_one_file_has_a_state_too(folder: Path) -> None:
    file = folder / "p.yaml"
    before = read_state(str(file))
    assert [path for path, *_ in before] == [str(file)]
    (folder / "next").write_text("a")
    (folder / "next").rename(file)
    assert read_state(str(file)) != before
    file.unlink()
    assert read_state(str(file)) == ()


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_git_at_work_is_seen_by_its_lock(folder: Path) -> None:
    git(folder.parent, "init", "-q")
    assert not is_checked_out(str(folder))
    lock = folder.parent / ".git" / "index.lock"
    lock.touch()
    assert is_checked_out(str(folder))
    long_ago = time.time() - LOCK_AT_MOST - 1
    os.utime(lock, (long_ago, long_ago))
    assert not is_checked_out(str(folder))


def test_git_at_work_in_a_linked_working_tree_is_seen(folder: Path) -> None:
    git(folder, "init", "-q")
    git(folder, "commit", "-q", "--allow-empty", "-m", "first")
    git(folder, "worktree", "add", "-q", "../linked")
    linked = folder.parent / "linked"
    assert not is_checked_out(str(linked))
    (folder / ".git" / "worktrees" / "linked" / "index.lock").touch()
    assert is_checked_out(str(linked))
    assert not is_checked_out(str(folder))


@pytest.mark.parametrize("content", [b"\xff", b"something else"])
def test_a_git_file_that_says_nothing_locks_nothing(folder: Path, content: bytes) -> None:
    (folder / ".git").write_bytes(content)
    assert not is_checked_out(str(folder))


def test_a_folder_outside_of_git_is_never_checked_out(folder: Path) -> None:
    assert not is_checked_out(str(folder))
