"""What tells one state of a folder from another, without reading its files."""

from __future__ import annotations

import os
from pathlib import Path
from time import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    State = tuple[tuple[str, int, int, int, int], ...]
    """Path, inode, size, time of change and device of each file."""

READ = (".yaml", ".yml", ".rego", ".json")
"""Endings of the files whose content counts; of others it counts that they are there."""

LOCK_AT_MOST = 30.0
"""Seconds after which git's lock is taken for one that a crash left behind."""


def read_state(path: str) -> State:
    """Return the state of a folder, or of one file: links followed, what is hidden left out.

    A folder that can't be read is as one that is empty, and a file that is not there has zeros:
    loading tells what is wrong.
    """
    if is_file(path):
        return (_stat(path),)
    files = (
        os.path.join(root, name)  # noqa: PTH118 - `os.walk` gives texts
        for root, names in walk(path)
        for name in names
    )
    return tuple(sorted(map(_stat, files)))


def walk(folder: str) -> Iterator[tuple[str, list[str]]]:
    """Every folder from `folder` down with the names of its files; what is hidden is left out.

    A folder that several links lead to comes once, by the path that sorts first.
    """
    seen: set[tuple[int, int]] = set()
    for root, folders, names in os.walk(folder, followlinks=True):
        _, inode, _, _, device = _stat(root)
        if (device, inode) in seen:
            folders.clear()
            continue
        seen.add((device, inode))
        folders[:] = sorted(each for each in folders if each[0] != ".")
        yield root, [name for name in names if name[0] != "."]


def is_folder(path: str | Path) -> bool:
    """Whether there is a folder; where permission to look is missing there is none."""
    return os.path.isdir(path)  # noqa: PTH112 - `Path.is_dir` raises PermissionError


def is_file(path: str | Path) -> bool:
    """Whether there is a file; where permission to look is missing there is none."""
    return os.path.isfile(path)  # noqa: PTH113 - likewise


def is_checked_out(path: str) -> bool:
    """Whether git is about to change the files at `path`: it then holds the lock of its index.

    A lock that a crash left behind counts for half a minute at most.
    """
    lock = _find_lock(Path(path))
    try:
        return lock is not None and time() - lock.stat().st_mtime < LOCK_AT_MOST
    except OSError:
        return False


def _find_lock(path: Path) -> Path | None:
    """Where git locks the index of the working tree that `path` is in, None if it is in none.

    In a linked working tree and in a submodule `.git` is a file that says where it is
    (gitrepository-layout(5)).
    """
    for place in (path.absolute(), Path(os.path.realpath(path))):
        for parent in (place, *place.parents):
            found = parent / ".git"
            if is_folder(found):
                return found / "index.lock"
            if is_file(found):
                return _read_link(found)
    return None


def _read_link(file: Path) -> Path | None:
    try:
        key, _, place = file.read_text(encoding="utf-8").partition(":")
    except (OSError, UnicodeError):
        return None
    return file.parent / place.strip() / "index.lock" if key == "gitdir" else None


def _stat(path: str) -> tuple[str, int, int, int, int]:
    """A path with its inode, size, time of change and device; zeros where there is nothing."""
    try:
        status = os.stat(path)  # noqa: PTH116 - likewise
    except OSError:
        return path, 0, 0, 0, 0
    if not path.lower().endswith(READ):
        return path, status.st_ino, 0, 0, status.st_dev
    # The time of the inode moves with every change, also one that sets the time of the content.
    return path, status.st_ino, status.st_size, status.st_ctime_ns, status.st_dev
