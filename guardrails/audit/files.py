"""Where lines go: a file that only grows, or standard output."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from guardrails.errors import LogUnavailable

if TYPE_CHECKING:
    from pathlib import Path


_COARSE, _FINE = 3_000_000_000, 50_000_000
"""Nanoseconds after which a folder's next change surely gets another time: some file systems count
in seconds, FAT in pairs of them; the others have the kernel's tick, 10 ms at most."""


class Target(Protocol):
    """Something that takes lines, whole or not at all.

    `size` is how many bytes it has taken. `lost` tells that a line may be cut or that the file is
    no longer the one that was opened: nothing more may be written.
    """

    size: int
    lost: bool

    def append(self, line: bytes, *, checked: bool = True) -> None:
        """Store a line; raises `LogUnavailable`, and then the line isn't there or `lost` is set.

        With `checked` it is also seen to that nobody else has changed the place.
        """

    def close(self) -> None:
        """Give the descriptor back."""

    def remove(self) -> None:
        """Take the file away again, if that is possible."""


class AppendFile:
    """A new file of this process alone, opened for appending.

    Every line goes out in one `write`. After one that is `checked` the file must end where the line
    ends, and its name must still lead to it: so a file that was replaced, removed, truncated or
    written by another is noticed by the call that follows, before its tool runs. With `sync` the
    line is on the disk before `append` returns. Raises `LogUnavailable` if there can't be such a
    file.
    """

    __slots__ = ("_descriptor", "_folder", "_identity", "_path", "_settled", "_sync", "lost",
                 "size")  # fmt: skip

    def __init__(self, path: Path, *, sync: bool) -> None:
        self._path = os.fspath(path)
        self._folder = os.fsencode(path.parent)
        self._descriptor = _create(self._path, os.O_APPEND, sync=sync)
        status = os.fstat(self._descriptor)
        self._identity = status.st_dev, status.st_ino
        self._settled = -1
        self._sync = sync
        self.size = 0
        self.lost = False

    def append(self, line: bytes, *, checked: bool = True) -> None:
        """Store a line; with `checked`, see that the file is as it should be."""
        descriptor, length = self._descriptor, len(line)
        try:
            if os.write(descriptor, line) != length:
                self._finish(line)
            if self._sync:
                os.fsync(descriptor)
        except OSError as error:
            self._take_back()
            raise self._unavailable(f"can't be written: {error.strerror}") from None
        self.size += length
        if checked:
            # With O_APPEND the position after a write is where the file ended at that moment.
            if os.lseek(descriptor, 0, os.SEEK_CUR) != self.size:
                raise self._loss("was changed by another program")
            # No name can change without a change of its folder, whose time nobody can set back.
            # To ask the folder costs 1.4 us of the 15 that a logged call may take. To ask the file
            # costs 2.4: after that, the next write must bring the file's times up to date.
            try:
                changed = os.stat(self._folder).st_ctime_ns  # noqa: PTH116 - quicker by half
            except OSError as error:
                raise self._loss(f"is gone: {error.strerror}") from None
            if changed != self._settled:
                self._check_name(changed)

    def _check_name(self, changed: int) -> None:
        """Refuse a file whose name leads elsewhere; rely on the folder's time from now on."""
        try:
            status = os.stat(self._path, follow_symlinks=False)  # noqa: PTH116 - quicker by half
        except OSError as error:
            raise self._loss(f"is gone: {error.strerror}") from None
        if (status.st_dev, status.st_ino) != self._identity:
            raise self._loss("was replaced by another file")
        # A second change in the same instant would go unseen, so that must be over.
        if time.time_ns() - changed > (_FINE if changed % 1_000_000 else _COARSE):
            self._settled = changed

    def _loss(self, what: str) -> LogUnavailable:
        self.lost = True
        return self._unavailable(what)

    def _unavailable(self, what: str) -> LogUnavailable:
        return LogUnavailable(f"{self._path}: {what}")

    def _finish(self, line: bytes) -> None:
        """Write what a first write left over: only where a disk fills up or a limit is met."""
        written = os.lseek(self._descriptor, 0, os.SEEK_CUR) - self.size
        while 0 < written < len(line):
            written += os.write(self._descriptor, line[written:])

    def _take_back(self) -> None:
        """Cut off the beginning of a line that could not be finished, or count the file as lost.

        It is lost where another has written too, so that the cut could take another's bytes, and
        after a failed `fsync`, when nobody knows what is on the disk.
        """
        try:
            end = os.lseek(self._descriptor, 0, os.SEEK_CUR)
            if self._sync or os.fstat(self._descriptor).st_size != end:
                self.lost = True
            elif end != self.size:
                os.ftruncate(self._descriptor, self.size)
                os.lseek(self._descriptor, self.size, os.SEEK_SET)
        except OSError:
            self.lost = True

    def close(self) -> None:
        """Give the descriptor back; the file stays."""
        os.close(self._descriptor)

    def remove(self) -> None:
        """Take the file away again: one that could not be begun."""
        _remove(self._path)


class TailFile:
    """The tail of a sealed chain: one short line, overwritten in place with every record.

    Any failure sets `lost`: the record is stored then, and its proof is not.
    """

    __slots__ = ("_descriptor", "_path", "_sync", "lost")

    def __init__(self, path: Path, *, sync: bool) -> None:
        self._path = os.fspath(path)
        self._descriptor = _create(self._path, 0, sync=sync)
        self._sync = sync
        self.lost = False

    def overwrite(self, content: bytes) -> None:
        """Put `content`, always of one length, in the place of the tail before."""
        try:
            written = os.pwrite(self._descriptor, content, 0)
            if self._sync:
                os.fsync(self._descriptor)
        except OSError as error:
            self.lost = True
            raise LogUnavailable(f"{self._path}: can't be written: {error.strerror}") from None
        if written != len(content):
            self.lost = True
            raise LogUnavailable(f"{self._path}: can't be written in full")

    def close(self) -> None:
        """Give the descriptor back; the file stays."""
        os.close(self._descriptor)

    def remove(self) -> None:
        """Take the file away again: one whose chain could not be begun."""
        _remove(self._path)


def _create(path: str, flags: int, *, sync: bool) -> int:
    """The descriptor of a new file, with `sync` one whose name outlives a loss of power."""
    flags |= os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        descriptor = os.open(path, flags, 0o640)
    except OSError as error:
        raise LogUnavailable(f"{path}: can't be created: {error.strerror}") from None
    try:
        if sync:
            sync_folder(os.path.dirname(path))  # noqa: PTH120 - the path is text here
    except OSError as error:
        os.close(descriptor)
        _remove(path)
        raise LogUnavailable(f"{path}: can't be created: {error.strerror}") from None
    return descriptor


def sync_folder(folder: Path | str) -> None:
    """Make the names in a folder survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: str) -> None:
    # A file that stays is an interrupted start to the verifier, and says so.
    with suppress(OSError):
        os.unlink(path)  # noqa: PTH108 - the path is text, as `os.stat` wants it


class StandardOutput:
    """Standard output as the place of lines, for those who collect them there.

    A line that was cut can't be taken back, so any failure is final.
    """

    __slots__ = ("lost", "size")

    def __init__(self) -> None:
        if sys.__stdout__ is None:
            raise LogUnavailable("standard output was closed: descriptor 1 may be another file")
        self.size = 0
        self.lost = False

    def append(self, line: bytes, *, checked: bool = True) -> None:  # noqa: ARG002 - it has no name
        """Write a line to descriptor 1, past Python's buffers."""
        written = 0
        try:
            while written < len(line):
                written += os.write(1, line[written:])
        except OSError as error:
            self.lost = True
            raise LogUnavailable(f"standard output can't be written: {error.strerror}") from None
        self.size += written

    def close(self) -> None:
        """Leave standard output open: it belongs to the process."""

    def remove(self) -> None:
        """Nothing: what was printed stays printed."""
