"""A folder of log files as it looks from outside: their first and last records, read cheaply."""

from __future__ import annotations

import errno
import os
import re
import stat
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from guardrails.audit.chain import MAX_LINE, Line, parse_line
from guardrails.errors import LogDamaged

if TYPE_CHECKING:
    from pathlib import Path

SUFFIX = ".jsonl"

_NAME = re.compile(r"[0-9]{8}T[0-9]{6}Z-([0-9a-f]{16})\.([0-9]{4,9})\.jsonl")

_TEXT_OR_NONE = (str, type(None))

_BLOCK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Glance:
    """A file's first and last whole records, unverified, and what stands after the last newline.

    `first` and `last` are None where there is none; `problem` says why a file can't be read.
    """

    path: Path
    first: Line | None = None
    last: Line | None = None
    rest: bytes = b""
    problem: str = ""

    @property
    def begins(self) -> bool:
        """Whether the first record is one that a file begins with."""
        return self.first is not None and self.first.kind in ("start", "continue")

    @property
    def sealing(self) -> tuple[str, int] | None:
        """The name of the audit key and the epoch of a sealed chain; None for others."""
        sealed = self.first.data.get("sealed") if self.first is not None else None
        if type(sealed) is not dict:
            return None
        name, epoch = sealed.get("key_id"), sealed.get("epoch")
        return (name, epoch) if type(name) is str and type(epoch) is int and epoch >= 0 else None

    @property
    def name(self) -> str:
        """The name that the file was written under, as far as it can be told."""
        told = self.first.data.get("file") if self.first is not None and self.begins else None
        return told if type(told) is str and told != "-" else self.path.name

    @property
    def chain(self) -> tuple[str, int]:
        """The chain that the file belongs to and its place in it, from its first record or name."""
        named = _NAME.fullmatch(self.path.name)
        part = self.first.data.get("part") if self.first is not None else None
        if self.first is not None and self.begins and self.first.is_own and type(part) is int:
            return self.first.chain, part
        if named is not None:
            return named[1], int(named[2])
        return (self.first.chain if self.first is not None else self.path.name), 1

    def after(self) -> list[Reference]:
        """The references to other files that the first record holds, as far as well formed."""
        found = self.first.data.get("after") if self.first is not None and self.begins else None
        parsed = [parse_reference(item) for item in found] if type(found) is list else []
        return [reference for reference in parsed if reference is not None]

    def reference(self) -> Reference:
        """What a new chain writes down about this file, so that its loss is noticed."""
        return Reference(
            self.name,
            None if self.last is None else self.last.sequence,
            None if self.last is None else self.last.hash,
            sha256(self.rest).hexdigest() if self.rest else None,
            self.problem or None,
        )


class Reference(NamedTuple):
    """What a record says of another file: the number and the hash of its last record.

    Both are None where it has none. `cut` is the SHA-256 of the cut-off line at its end, `problem`
    why it could not be read.
    """

    file: str
    sequence: int | None
    hash: str | None
    cut: str | None = None
    problem: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The reference as a record holds it: only what is known."""
        return {name: value for name, value in self._asdict().items() if value is not None}


def parse_reference(value: Any) -> Reference | None:
    """The reference that `Reference.as_json` made, or None for anything else."""
    if type(value) is not dict or value.keys() - set(Reference._fields):
        return None
    file, sequence, digest, cut, problem = (value.get(name) for name in Reference._fields)
    if type(file) is not str or any(type(t) not in _TEXT_OR_NONE for t in (digest, cut, problem)):
        return None
    if type(sequence) not in (int, type(None)) or (sequence is None) != (digest is None):
        return None
    return Reference(file, sequence, digest, cut, problem)


def glance(path: Path) -> Glance:
    """The first and last records of a file; what it can't read it tells, and never raises."""
    try:
        with open_log(path) as file:
            return _glance(path, file.fileno(), os.fstat(file.fileno()).st_size)
    except OSError as error:
        return Glance(path, problem=f"{error.strerror}")


def open_log(path: Path) -> BinaryIO:
    """A regular file opened for reading; raises `OSError` for any other, and never waits."""
    file = open(path, "rb", opener=_open_at_once)  # noqa: SIM115 - the caller closes it
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise OSError(errno.EINVAL, "not a regular file")


def _open_at_once(path: str, flags: int) -> int:
    # A pipe without a writer would else keep whoever opens it waiting.
    return os.open(path, flags | os.O_NONBLOCK)


def _glance(path: Path, descriptor: int, size: int) -> Glance:
    head = _first_line(descriptor)
    if head is None:
        rest = os.pread(descriptor, MAX_LINE, 0)
        return Glance(path, rest=rest, problem="" if len(rest) < MAX_LINE else "no line ends")
    first = None
    try:
        first = parse_line(head)
        raw, rest = _last_line(descriptor, size)
        return Glance(path, first, parse_line(raw), rest)
    except LogDamaged as error:
        return Glance(path, first, problem=str(error))


def _first_line(descriptor: int) -> bytes | None:
    """The bytes up to the first newline, or None where there is none within the longest line."""
    text, length = b"", _BLOCK
    while len(text) < MAX_LINE:
        block = os.pread(descriptor, length, len(text))
        text += block
        if b"\n" in block:
            return text[: text.index(b"\n")]
        if not block:
            return None
        length = MAX_LINE
    return None


def _last_line(descriptor: int, size: int) -> tuple[bytes, bytes]:
    """The last line that ends in a newline, and the bytes after it."""
    length = min(size, _BLOCK)
    while True:
        text = os.pread(descriptor, length, size - length)
        before, newline, rest = text.rpartition(b"\n")
        if newline and (b"\n" in before or length == size):
            return before.rpartition(b"\n")[2], rest
        if length >= min(size, 2 * MAX_LINE):
            raise LogDamaged("not a log: its last line is too long")
        length = min(size, length * 8)


def log_files(folder: Path) -> list[Path]:
    """The log files in a folder itself, by name and so by the time they were begun."""
    return sorted(path for path in folder.iterdir() if path.name.endswith(SUFFIX))


def open_ends(glances: list[Glance]) -> list[Reference]:
    """References to those files whose present end no other file names yet.

    A file that an existing file names as it is needs no second mention: if both vanish, the loss
    of the one that names is noticed. Files without any record are left out: an interrupted start.
    """
    named = {reference for seen in glances for reference in seen.after()}
    ends = [seen.reference() for seen in glances if seen.last or seen.rest or seen.problem]
    return [reference for reference in ends if reference not in named]
