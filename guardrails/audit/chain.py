"""The hash chain: how a record becomes a line that names the line before it."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from secrets import token_hex
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from guardrails.errors import LogDamaged
from guardrails.instants import print_timestamp
from guardrails.values import NANOSECONDS, Timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.audit.seal import Sealer

GENESIS = "0" * 64
"""What the first record of a chain names as the hash before it."""

MAX_LINE = 16 * 1024 * 1024
"""Bytes of the longest line: an action is at most 1 MiB, and JSON makes at most six of one."""

_END = re.compile(
    rb',"prev":"(?P<prev>[0-9a-f]{64})"'
    rb'(?P<sealing>,"seal":"(?P<seal>[0-9a-f]{64})")?'
    rb',"hash":"(?P<hash>[0-9a-f]{64})"\}\Z'
)
_END_LENGTH = 74 + 74 + 75
"""Bytes that `_END` takes at most, so that a long line is not searched from its start."""


class Chain:
    """The growing end of a chain: `line` writes the next record, `advance` says it is stored.

    An id is the chain's random prefix and the record's number, so nothing random is drawn for a
    record. `clock` gives nanoseconds since 1970.
    """

    __slots__ = ("_clock", "_hash", "_own", "_prefix", "_second", "_stamp", "id", "prev", "sealer",
                 "sequence")  # fmt: skip

    def __init__(self, clock: Callable[[], int]) -> None:
        self.id = token_hex(8)
        self.sequence = 0
        self.prev = GENESIS.encode()
        self.sealer: Sealer | None = None
        self._clock = clock
        self._prefix = self.id.encode()
        self._hash = b""
        self._own = b""
        self._second = -1
        self._stamp = b""

    def line(self, kind: bytes, body: bytes) -> bytes:
        """The next record as a line; the chain stays where it is until `advance`.

        The hash is the SHA-256 of the line's own bytes up to it, the hash before among them, so
        that a verifier need not agree on a canonical form.
        """
        second, ns = divmod(self._clock(), NANOSECONDS)
        if second != self._second:
            # Up to the seconds; the `Z` makes way for the fraction.
            self._stamp = print_timestamp(Timestamp(second * NANOSECONDS))[:-1].encode()
            self._second = second
        number = self.sequence
        self._own = own = b"%b-%d" % (self._prefix, number)
        if kind == b"decision":
            kind = b'decision","decision_id":"%b' % own
        text = b'{"sequence":%d,"id":"%b","timestamp":"%b.%06dZ","kind":"%b"%b,"prev":"%b"' % (
            number, own, self._stamp, ns // 1000, kind, body, self.prev,
        )  # fmt: skip
        if self.sealer is not None:
            text = b'%b,"seal":"%b"' % (text, self.sealer.seal(text))
        self._hash = digest = sha256(text).hexdigest().encode()
        return b'%b,"hash":"%b"}\n' % (text, digest)

    def advance(self) -> str:
        """The id of the record that was written last, now that it is stored."""
        if self.sealer is not None:
            self.sealer.step(self.sequence, self._hash)
        self.prev = self._hash
        self.sequence += 1
        return self._own.decode()


class Line(NamedTuple):
    """A line that has the form of a record; whether its hashes are right is not yet said.

    `text` are the bytes that `hash` is made of, `sealed_text` those that `seal` is made of.
    """

    data: dict[str, Any]
    sequence: int
    id: str
    kind: str
    prev: str
    seal: str
    hash: str
    text: bytes
    sealed_text: bytes

    @property
    def chain(self) -> str:
        """The random prefix of the chain that the record says it belongs to."""
        return self.id.rpartition("-")[0]

    @property
    def is_own(self) -> bool:
        """Whether the hash is that of the line's own bytes."""
        return sha256(self.text).hexdigest() == self.hash


def parse_line(raw: bytes) -> Line:
    """The record in a line (without its newline); raises `LogDamaged` for anything else.

    Refused are what isn't strict JSON, what two readers could read differently (a key given
    twice), and what lacks the form of a record.
    """
    end = _END.search(raw, max(0, len(raw) - _END_LENGTH))
    if end is None:
        raise LogDamaged("not a record: it does not end in the hashes of one")
    data = _read(raw)
    sequence, name, kind = data.get("sequence"), data.get("id"), data.get("kind")
    if type(sequence) is not int or type(name) is not str or type(kind) is not str:
        raise LogDamaged("not a record: it lacks a sequence, an id or a kind")
    if sequence < 0 or not name.endswith(f"-{sequence}"):
        raise LogDamaged("not a record: its id and its sequence differ")
    seal = (end["seal"] or b"").decode()
    return Line(
        data=data,
        sequence=sequence,
        id=name,
        kind=kind,
        prev=end["prev"].decode(),
        seal=seal,
        hash=end["hash"].decode(),
        text=raw[: end.start("hash") - len(b',"hash":"')],
        sealed_text=raw[: end.start("sealing")] if seal else b"",
    )


def _read(raw: bytes) -> dict[str, Any]:
    """The object in a line, of which there is only one reading."""
    try:
        data = orjson.loads(raw)
        # What comes back byte for byte can't hold a key twice; only other text is read slowly.
        if orjson.dumps(data) != raw:
            data = read_strictly(raw)
    except (ValueError, TypeError) as error:
        raise LogDamaged(f"not a record: {_first_line(error)}") from None
    assert type(data) is dict  # what ends in a brace and is JSON is an object
    return data


def read_strictly(raw: bytes) -> Any:
    """The JSON value in `raw`; `LogDamaged` for a key given twice, NaN, or what isn't JSON."""
    try:
        return json.loads(
            raw.decode(), object_pairs_hook=_distinct, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError) as error:
        raise LogDamaged(f"not JSON: {_first_line(error)}") from None


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise LogDamaged("not a record: a key is given twice")
    return data


def _refuse_constant(name: str) -> Any:
    raise LogDamaged(f"not a record: `{name}` is no JSON")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:100]
