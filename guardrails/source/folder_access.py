"""Whether this process could change the files that it obeys."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from guardrails.source.folder_state import walk

if TYPE_CHECKING:
    from collections.abc import Iterator

_EFFECTIVE = os.access in os.supports_effective_ids


def may_change(path: str) -> bool:
    """Whether this process could change what is in the folder `path`, or put other files there.

    That is so where it may write a file or folder of it, or owns one and so may let itself write,
    or where it may exchange one that leads there. What is hidden is left out: it is not read.
    """
    return any(map(_may_write, _files(path))) or any(map(_may_replace, _ways(path)))


def _files(path: str) -> Iterator[str]:
    """Every folder and file below `path`, and `path` itself."""
    yield path
    for root, names in walk(path):
        yield root
        yield from (os.path.join(root, name) for name in names)  # noqa: PTH118 - texts, for speed


def _ways(path: str) -> Iterator[str]:
    """Every folder that leads to `path` and to what links in it lead to, and each link itself."""
    links = [file for file in _files(path) if os.path.islink(file)]  # noqa: PTH114 - likewise
    for place in {path, *links, *map(os.path.realpath, (path, *links))}:
        inner = place
        while inner != (outer := os.path.dirname(inner)):  # noqa: PTH120 - likewise
            yield inner
            inner = outer


def _may_write(path: str) -> bool:
    try:
        status = os.stat(path)  # noqa: PTH116 - likewise
        fixed = os.statvfs(path).f_flag & os.ST_RDONLY
    except OSError:
        return False  # nothing is there, or nothing that this process could reach
    owned = status.st_uid == os.geteuid() and not fixed
    return owned or os.access(path, os.W_OK, effective_ids=_EFFECTIVE)


def _may_replace(path: str) -> bool:
    """Whether `path` could be renamed away, and something else be put under its name."""
    folder = os.path.dirname(path)  # noqa: PTH120 - likewise
    if not _may_write(folder):
        return False
    try:
        outer, inner = os.stat(folder), os.lstat(path)  # noqa: PTH116 - likewise
    except OSError:
        return True  # nothing is there now, and so anything could be
    # In a sticky folder, as `/tmp` is, only owners rename: inode(7).
    sticky = outer.st_mode & stat.S_ISVTX
    return not sticky or os.geteuid() in (0, outer.st_uid, inner.st_uid)
