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

BEGINNINGS = ("start", "continue")
"""Kinds of record that a file begins with."""

_ENDLESS = "not a log: a line is longer than any record"

_TEXT_OR_NONE = (str, type(None))

_BLOCK = 64 * 1024


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


class Header(NamedTuple):
    """The first record of a file, as far as it tells where the file belongs.

    `file` and `part` are "" and 0 where it doesn't tell. `sealing` is the name of the audit key
    and the epoch of a sealed chain. `is_own` says that the hash of the record is right.
    """

    id: str
    chain: str
    part: int
    file: str
    after: tuple[Reference, ...]
    is_sealed: bool
    sealing: tuple[str, int] | None
    is_own: bool


def parse_header(line: Line) -> Header | None:
    """The header in the first record of a file; None for a record of another kind."""
    if line.kind not in BEGINNINGS:
        return None
    part, file, after = line.data.get("part"), line.data.get("file"), line.data.get("after")
    references = map(parse_reference, after if type(after) is list else ())
    return Header(
        line.id,
        line.chain,
        part if type(part) is int else 0,
        file if type(file) is str and file != "-" else "",
        tuple(reference for reference in references if reference is not None),
        "sealed" in line.data,
        _parse_sealing(line.data.get("sealed")),
        line.is_own,
    )


def _parse_sealing(value: Any) -> tuple[str, int] | None:
    if type(value) is not dict:
        return None
    name, epoch = value.get("key_id"), value.get("epoch")
    return (name, epoch) if type(name) is str and type(epoch) is int and epoch >= 0 else None


class End(NamedTuple):
    """The last whole record of a file."""

    chain: str
    sequence: int
    hash: str


@dataclass(frozen=True, slots=True)
class Glance:
    """A file's first and last whole records, unverified, and what stands after the last newline.

    `cut` is the SHA-256 of the latter, if there is any. `problem` says why a file can't be read.
    """

    path: Path
    header: Header | None = None
    last: End | None = None
    cut: str | None = None
    problem: str | None = None

    @property
    def name(self) -> str:
        """The name that the file was written under, as far as it can be told."""
        return (self.header.file if self.header is not None else "") or self.path.name

    @property
    def chain(self) -> tuple[str, int]:
        """The chain that the file belongs to and its place in it, from its records or its name."""
        if self.header is not None and self.header.is_own and self.header.part:
            return self.header.chain, self.header.part
        named = _NAME.fullmatch(self.path.name)
        if named is not None:
            return named[1], int(named[2])
        return (self.last.chain if self.last is not None else self.path.name), 1

    @property
    def after(self) -> tuple[Reference, ...]:
        """The references to other files that the first record holds."""
        return self.header.after if self.header is not None else ()

    @property
    def sealing(self) -> tuple[str, int] | None:
        """The name of the audit key and the epoch of a sealed chain; None for others."""
        return self.header.sealing if self.header is not None else None

    def reference(self) -> Reference:
        """What a new chain writes down about this file, so that its loss is noticed."""
        end = self.last
        sequence, digest = (None, None) if end is None else (end.sequence, end.hash)
        return Reference(self.name, sequence, digest, self.cut, self.problem)


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
    first = _first_line(descriptor)
    if first is None:
        rest = os.pread(descriptor, MAX_LINE, 0)
        return Glance(path, cut=_digest(rest), problem=_ENDLESS if len(rest) == MAX_LINE else None)
    header = None
    try:
        header = parse_header(parse_line(first))
        raw, rest = _last_line(descriptor, size)
        last = parse_line(raw)
    except LogDamaged as error:
        return Glance(path, header, problem=str(error))
    return Glance(path, header, End(last.chain, last.sequence, last.hash), _digest(rest))


def _digest(rest: bytes) -> str | None:
    return sha256(rest).hexdigest() if rest else None


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
            raise LogDamaged(_ENDLESS)
        length = min(size, length * 8)


def log_files(folder: Path) -> list[Path]:
    """The log files in a folder itself, by name and so by the time they were begun."""
    return sorted(path for path in folder.iterdir() if path.name.endswith(SUFFIX))


def open_ends(glances: list[Glance]) -> list[Reference]:
    """References to those files whose present end no other file names yet.

    A file that an existing file names as it is needs no second mention: if both vanish, the loss
    of the one that names is noticed. Files without any record are left out: an interrupted start.
    """
    named = {reference for seen in glances for reference in seen.after}
    ends = [seen.reference() for seen in glances if seen.last or seen.cut or seen.problem]
    return [reference for reference in ends if reference not in named]
