"""One chain being written: its files, one after another, and the records that join them."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from guardrails.audit.chain import MAX_LINE, Chain
from guardrails.audit.files import AppendFile, StandardOutput, TailFile, Target
from guardrails.audit.folder import SUFFIX, Glance, Reference, glance, log_files, open_ends
from guardrails.audit.records import encode_fields
from guardrails.audit.seal import (
    STATE_FILE,
    TAIL_SUFFIX,
    SealState,
    exclusive,
    read_state,
    write_state,
)
from guardrails.errors import LogDamaged, LogUnavailable
from guardrails.instants import print_timestamp
from guardrails.values import Timestamp
from guardrails.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Durability = Literal["process", "disk"]
"""What a record survives: the death of the process, or a loss of power too."""

FORMAT = 1
"""The version of the record format, named in the first record of every file."""

_JOINTS = (b"start", b"continue", b"rotate")
"""Kinds of record that join files, written while the writer turns to the next."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where and how chains are written; `folder` None means standard output.

    `seal` is the writer's key file; None means `seal.key` in the folder, if it is there.
    """

    folder: Path | None
    durability: Durability
    rotate_bytes: int
    seal: Path | None
    clock: Callable[[], int]


class Writer:
    """The growing end of one chain, for one thread at a time; `open_writer` begins one."""

    __slots__ = ("_after", "_chain", "_part", "_rotate_at", "_settings", "_stem", "_tail",
                 "_target")  # fmt: skip

    def __init__(self, settings: Settings, after: list[Reference], state: SealState | None) -> None:
        self._settings = settings
        self._after = after
        self._chain = Chain(settings.clock)
        self._stem = f"{_compact(settings.clock())}-{self._chain.id}"
        self._part = 1
        self._rotate_at = sys.maxsize if settings.folder is None else settings.rotate_bytes
        self._target = self._new_target()
        self._tail: TailFile | None = None
        if state is not None and settings.folder is not None:
            self._chain.sealer = state.sealer(self._chain.id)
            try:
                self._tail = TailFile(
                    settings.folder / f"{self._stem}{TAIL_SUFFIX}", sync=self._syncs
                )
            except LogUnavailable:
                self.discard()
                raise

    @property
    def lost(self) -> bool:
        """Whether nothing more can be written to this chain."""
        return self._target.lost or (self._tail is not None and self._tail.lost)

    def write(self, kind: bytes, body: bytes = b"") -> str:
        """Store a record and return its id.

        Raises `LogUnavailable`; unless `lost` is then set, the chain is as it was before.
        """
        if not 0 < self._target.size < self._rotate_at and kind not in _JOINTS:
            self._turn()
        chain = self._chain
        line = chain.line(kind, body)
        if len(line) > MAX_LINE:
            raise LogUnavailable(f"a record of {len(line)} bytes is longer than the log takes")
        # The call of an outcome has run already; the next decision looks at the file again.
        self._target.append(line, checked=kind != b"outcome")
        name = chain.advance()
        if self._tail is not None and chain.sealer is not None:
            self._tail.overwrite(chain.sealer.tail)
        return name

    def _turn(self) -> None:
        """Go on to the next file if this one is full, and begin a file that is empty.

        The new file exists before the old one names it, so a crash between leaves an empty file
        and no missing one.
        """
        if self._target.size >= self._rotate_at:
            self._rotate()
        self.begin()

    def _rotate(self) -> None:
        old, self._part = self._target, self._part + 1
        try:
            new = self._new_target()
        except LogUnavailable:
            self._part -= 1
            raise
        try:
            self.write(b"rotate", encode_fields({"next": self._file_name}))
        except LogUnavailable:
            self._part -= 1
            new.close()
            if not self.lost:  # else the old file may name the new one already
                new.remove()
            raise
        self._target = new
        old.close()

    def begin(self) -> None:
        """Store the first record of the current file."""
        self.write(b"start" if self._part == 1 else b"continue", self._header())

    def _header(self) -> bytes:
        fields: dict[str, Any] = {
            "format": FORMAT,
            "chain": self._chain.id,
            "file": "-" if self._settings.folder is None else self._file_name,
            "part": self._part,
            "after": [reference.as_json() for reference in self._before()],
            "labels": {"version": __version__, "host": os.uname().nodename, "pid": os.getpid()},
        }
        if self._chain.sealer is not None:
            fields["sealed"] = {"key_id": self._chain.sealer.id, "epoch": self._chain.sealer.epoch}
        return encode_fields(fields)

    @property
    def _file_name(self) -> str:
        return self._name(self._part)

    def _name(self, part: int) -> str:
        return f"{self._stem}.{part:04d}{SUFFIX}"

    def _before(self) -> list[Reference]:
        """What the current file comes after: other chains, or the file before of this one."""
        if self._part == 1:
            return self._after
        last, digest = self._chain.sequence - 1, self._chain.prev.decode()
        return [Reference(self._name(self._part - 1), last, digest)]

    def _new_target(self) -> Target:
        folder = self._settings.folder
        if folder is None:
            return StandardOutput()
        return AppendFile(folder / self._file_name, sync=self._syncs)

    @property
    def _syncs(self) -> bool:
        return self._settings.durability == "disk"

    def finish(self) -> None:
        """Write down that the chain ends here, if that is still possible, and close its files."""
        try:
            if not self.lost:
                self.write(b"end")
        except LogUnavailable:
            pass  # nothing follows that could go unrecorded; the tail is merely not marked
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Close the files as they are, as a forked child does with those of its parent."""
        self._target.close()
        if self._tail is not None:
            self._tail.close()

    def discard(self) -> None:
        """Close and remove the files of a chain that could not be begun."""
        self.abandon()
        self._target.remove()
        if self._tail is not None:
            self._tail.remove()


def open_writer(settings: Settings) -> Writer:
    """A new chain whose first record is stored; raises `LogUnavailable` if that can't be.

    The first record names the last ones of the folder's other files.
    """
    if settings.folder is None:
        return _begin(Writer(settings, [], None))
    try:
        settings.folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        seal = settings.seal or _own_seal(settings.folder)
        if seal is not None:
            return _begin_sealed(settings, settings.folder, seal)
        glances = [glance(path) for path in log_files(settings.folder)]
    except OSError as error:
        raise LogUnavailable(f"{settings.folder}: can't be used: {error.strerror}") from None
    except LogDamaged as error:
        raise LogUnavailable(str(error)) from None
    if any(_is_sealed(seen) for seen in glances):
        raise LogUnavailable(f"{settings.folder}: the log is sealed, and `{STATE_FILE}` is gone")
    return _begin(Writer(settings, open_ends(glances), None))


def _own_seal(folder: Path) -> Path | None:
    path = folder / STATE_FILE
    return path if os.path.lexists(path) else None


def _is_sealed(seen: Glance) -> bool:
    return seen.header is not None and seen.header.is_sealed


def _begin_sealed(settings: Settings, folder: Path, seal: Path) -> Writer:
    """A sealed chain, in an epoch of its own.

    The record comes before the step, so that a crash between leaves an epoch with two beginnings
    and never one with none, which would look like a chain that was removed.
    """
    with exclusive(seal.parent):
        state = read_state(seal)
        glances = [glance(path) for path in log_files(folder)]
        writer = _begin(Writer(settings, open_ends(glances), state))
        try:
            write_state(seal, state.after())
        except LogUnavailable:
            writer.discard()
            raise
    return writer


def _begin(writer: Writer) -> Writer:
    try:
        writer.begin()
    except LogUnavailable:
        writer.discard()
        raise
    return writer


def _compact(ns: int) -> str:
    """`20260301T120000Z`: a time that sorts as text and is fine in a file's name."""
    return print_timestamp(Timestamp(ns))[:19].replace("-", "").replace(":", "") + "Z"
