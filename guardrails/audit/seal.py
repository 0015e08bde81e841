"""The seal: keys that step forward with each record and forget the step before.

What is kept where, and what it proves, is told in `docs/decisions/0005-sealed-log.md`. The scheme
is that of forward-secure logs (Schneier and Kelsey 1999, Bellare and Yee 2003; Ma and Tsudik 2009
for the tail): an auditor who knows the first key can compute all of them, a writer only the later
ones.
"""

from __future__ import annotations

import fcntl
import hmac
import os
import re
import secrets
import time
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from guardrails.audit.files import sync_folder
from guardrails.errors import ConfigurationError, LogDamaged, LogUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

STATE_FILE = "seal.key"
"""The writer's file in the folder of the log: the key of the next chain, and its number."""

TAIL_SUFFIX = ".tail"

_TAIL = re.compile(rb"([0-9]{20}) ([0-9a-f]{64})\n")

_AUDIT_PREFIX = "guardrails-audit-key-1:"
_LOCK_SECONDS = 10
"""How long a start waits for another process that is starting a chain; that takes milliseconds."""


def _step(label: bytes, key: bytes) -> bytes:
    return sha256(b"guardrails %b\0%b" % (label, key)).digest()


def key_id(first: bytes) -> str:
    """The public name of an audit key, by which a log says who can verify it."""
    return _step(b"key id", first).hex()[:16]


def next_epoch(key: bytes) -> bytes:
    """The key of the epoch after; the way back is closed."""
    return _step(b"epoch", key)


def chain_key(epoch_key: bytes, chain: str) -> bytes:
    """The key of the first record of a chain that was begun in the epoch."""
    return hmac.digest(epoch_key, b"guardrails chain\0" + chain.encode(), "sha256")


def next_record(key: bytes) -> bytes:
    """The key of the record after."""
    return _step(b"record", key)


def record_seal(key: bytes, text: bytes) -> str:
    """The seal of a record's bytes."""
    return hmac.digest(key, text, "sha256").hex()


def tail_token(key: bytes, record_hash: str) -> str:
    """What only the writer could make while the record was the last: proof that it existed."""
    # A record's text begins with a brace, so no token is the seal of one.
    return hmac.digest(key, b"guardrails tail\0" + record_hash.encode(), "sha256").hex()


class Sealer:
    """The key of one chain, stepping forward; `tail` proves how far it has come."""

    __slots__ = ("_key", "epoch", "id", "tail")

    def __init__(self, epoch: int, key: bytes, id: str) -> None:  # noqa: A002
        self._key = key
        self.epoch = epoch
        self.id = id
        self.tail = b""

    def seal(self, text: bytes) -> bytes:
        """The seal of the next record."""
        return record_seal(self._key, text).encode()

    def step(self, sequence: int, record_hash: bytes) -> None:
        """Go on to the next record's key, now that record `sequence` is stored."""
        token = tail_token(self._key, record_hash.decode())
        self._key = next_record(self._key)
        self.tail = format_tail(sequence, token)


def format_tail(sequence: int, token: str) -> bytes:
    """The content of a tail file: always of one length, so that it is overwritten in place."""
    return b"%020d %b\n" % (sequence, token.encode())


class Tail(NamedTuple):
    """What the tail file of a chain says: its last record and the proof of it."""

    sequence: int
    token: str


def read_tail(path: Path) -> Tail:
    """The tail in a file; raises `LogDamaged` for anything else."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LogDamaged(f"can't be read: {error.strerror}") from None
    match = _TAIL.fullmatch(content)
    if match is None:
        raise LogDamaged("not the tail of a sealed chain")
    return Tail(int(match[1]), match[2].decode())


@dataclass(frozen=True, slots=True)
class AuditKey:
    """What the auditor keeps: the first key, of which all others follow."""

    first: bytes

    @property
    def id(self) -> str:
        """The key's public name, which sealed chains carry."""
        return key_id(self.first)

    @property
    def text(self) -> str:
        """The key as one line of text, to be kept away from the machine that writes the log."""
        return f"{_AUDIT_PREFIX}{self.first.hex()}"

    @classmethod
    def parse(cls, text: str) -> AuditKey:
        """The key that `text` holds; raises `LogDamaged` if it holds none."""
        prefix, digits = text.strip()[: len(_AUDIT_PREFIX)], text.strip()[len(_AUDIT_PREFIX) :]
        if prefix != _AUDIT_PREFIX or len(digits) != 64 or set(digits) - set("0123456789abcdef"):
            raise LogDamaged("not an audit key; `guardrails audit init` makes one")
        return cls(bytes.fromhex(digits))


@dataclass(frozen=True, slots=True)
class SealState:
    """The writer's side of the seal: the key of the next chain's epoch. Earlier ones are gone."""

    id: str
    epoch: int
    key: bytes

    def encode(self) -> bytes:
        """The state as its file holds it, with a checksum against damage (not against forgery)."""
        fields = {"format": 1, "key_id": self.id, "epoch": self.epoch, "key": self.key.hex()}
        return orjson.dumps({**fields, "check": _checksum(fields)}) + b"\n"

    def after(self) -> SealState:
        """The state once a chain has begun in this epoch."""
        return SealState(self.id, self.epoch + 1, next_epoch(self.key))

    def sealer(self, chain: str) -> Sealer:
        """The sealer of a chain that begins now."""
        return Sealer(self.epoch, chain_key(self.key, chain), self.id)


def _checksum(fields: dict[str, Any]) -> str:
    return sha256(orjson.dumps(fields)).hexdigest()


def read_state(path: Path) -> SealState:
    """The state in the writer's file; raises `LogDamaged` where it is missing or damaged."""
    try:
        data = orjson.loads(path.read_bytes())
        check = data.pop("check")
        state = SealState(data["key_id"], data["epoch"], bytes.fromhex(data["key"]))
    except OSError as error:
        raise LogDamaged(f"{path}: the seal's key can't be read: {error.strerror}") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise LogDamaged(f"{path}: the seal's key is damaged") from None
    if check != _checksum(data) or len(state.key) != 32 or type(state.epoch) is not int:
        raise LogDamaged(f"{path}: the seal's key is damaged")
    return state


def write_state(path: Path, state: SealState) -> None:
    """Put `state` in the place of the one before, whole or not at all, also after power loss."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        _create(draft, state.encode())
        draft.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise LogUnavailable(f"{path}: the seal can't step forward: {error.strerror}") from None


def _create(path: Path, content: bytes) -> None:
    with open(path, "xb", opener=_private) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold a folder's seal alone, so no two chains take one epoch; `LogUnavailable` if held."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)  # which gives the lock back


def _lock(descriptor: int, folder: Path) -> None:
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise LogUnavailable(f"{folder}: another process holds the seal") from None
            time.sleep(0.01)


def init_seal(
    folder: Path | str, key_file: Path | str | None = None, *, seal: Path | str | None = None
) -> AuditKey:
    """Make the auditor's key and the writer's first one; returns the auditor's.

    `key_file`, if given, receives the auditor's key before the seal exists, so that no seal is
    left without one; it must not exist yet. `seal` is the writer's file, by default `seal.key` in
    `folder`. Chains that are open already stay unsealed, so stop the writers first. Raises
    `ConfigurationError` where there is a seal or a key already.
    """
    folder = Path(folder)
    state = Path(seal) if seal is not None else folder / STATE_FILE
    key = AuditKey(secrets.token_bytes(32))
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        if state.exists():
            raise ConfigurationError(f"{state}: this log is sealed already")
        if key_file is not None:
            _create(Path(key_file), key.text.encode() + b"\n")
        _create(state, SealState(key.id, 0, key.first).encode())
        sync_folder(state.parent)
    except FileExistsError as error:
        raise ConfigurationError(f"{error.filename}: exists already; give another") from None
    except OSError as error:
        raise LogUnavailable(f"{error.filename}: can't be written: {error.strerror}") from None
    return key
