"""A folder of log files as it looks from outside: their first and last records, read cheaply."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from guardrails.audit.chain import MAX_LINE, Line, parse_line
from guardrails.errors import LogDamaged

if TYPE_CHECKING:
    from pathlib import Path

SUFFIX = ".jsonl"

_NAME = re.compile(r"[0-9]{8}T[0-9]{6}Z-([0-9a-f]{16})\.([0-9]{4,9})\.jsonl")

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

    def after(self) -> list[dict[str, Any]]:
        """The references to other files that the first record holds, as far as well formed."""
        found = self.first.data.get("after") if self.first is not None and self.begins else None
        return [r for r in found if is_reference(r)] if type(found) is list else []

    def reference(self) -> dict[str, Any]:
        """What a new chain writes down about this file, so that its loss is noticed."""
        named: dict[str, Any] = {"file": self.name, "sequence": None, "hash": None}
        if self.last is not None:
            named.update(sequence=self.last.sequence, hash=self.last.hash)
        if self.rest:
            digest = sha256(self.rest).hexdigest()
            named["cut"] = {"bytes": len(self.rest), "sha256": digest}
        if self.problem:
            named["problem"] = self.problem
        return named


def is_reference(value: Any) -> bool:
    """Whether a value has the form that `Glance.reference` gives."""
    if type(value) is not dict or type(value.get("file")) is not str:
        return False
    sequence, digest, cut = value.get("sequence"), value.get("hash"), value.get("cut")
    if cut is not None and (type(cut) is not dict or type(cut.get("sha256")) is not str):
        return False
    return (type(sequence) is int and type(digest) is str) or (sequence is None and digest is None)


def glance(path: Path) -> Glance:
    """The first and last records of a file; what it can't read it tells, and never raises."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError as error:
        return Glance(path, problem=f"{error.strerror}")
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return Glance(path, problem="not a regular file")
        return _glance(path, descriptor, status.st_size)
    except OSError as error:
        return Glance(path, problem=f"{error.strerror}")
    finally:
        os.close(descriptor)


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
    try:
        return sorted(path for path in folder.iterdir() if path.name.endswith(SUFFIX))
    except FileNotFoundError:
        return []


def open_ends(glances: list[Glance]) -> list[dict[str, Any]]:
    """References to those files whose present end no other file names yet.

    A file that an existing file names as it is needs no second mention: if both vanish, the loss
    of the one that names is noticed. Files without any record are left out: an interrupted start.
    """
    references = [g.reference() for g in glances if g.last or g.rest or g.problem]
    named = {_key(reference) for g in glances for reference in g.after()}
    return [reference for reference in references if _key(reference) not in named]


def _key(reference: dict[str, Any]) -> tuple[Any, ...]:
    cut = reference.get("cut")
    return (
        reference["file"],
        reference["sequence"],
        reference["hash"],
        cut["sha256"] if cut else None,
        reference.get("problem"),
    )
