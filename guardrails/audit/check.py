"""One chain verified: its records in their order, each against the one before."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from guardrails.audit.chain import GENESIS, Line, parse_line
from guardrails.audit.folder import BEGINNINGS
from guardrails.audit.reading import RawLine, read_lines
from guardrails.errors import LogDamaged

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from guardrails.audit.report import Findings
    from guardrails.audit.seal_check import ChainSeal, Unsealed

_OPEN = 100_000
"""Decisions without an outcome that are remembered; in an honest log they are those under way."""

_GAPS = 1000
"""Gaps that are remembered, to tell a record that was moved from one that is repeated."""

_ENDINGS = ("rotate", "end")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a record elsewhere, or an anchor, says that a file holds; `by` tells who says so.

    `sequence` and `hash` are None where the file had no whole record yet; `cut` is the SHA-256 of
    the cut-off line that was found at its end.
    """

    by: str
    sequence: int | None = None
    hash: str | None = None
    cut: str | None = None


@dataclass(slots=True)
class LogFile:
    """A file to be verified: the name it was written under, and what others say of it."""

    path: Path
    name: str
    claims: list[Claim] = field(default_factory=list)


class ChainCheck:
    """Takes the files of a chain one after another and notes what is wrong with them.

    `partial` says that earlier files of the chain may lie elsewhere. Afterwards `records` is how
    many were read, `following` the file in which the chain says that it goes on.
    """

    def __init__(
        self, chain: str, findings: Findings, seal: ChainSeal | Unsealed | None, *, partial: bool
    ) -> None:
        self.chain = chain
        self.records = 0
        self.last = -1
        self.last_hash = GENESIS
        self.following: str | None = None
        self._findings = findings
        self._seal = seal
        self._partial = partial
        self._missing: deque[tuple[int, int]] = deque(maxlen=_GAPS)
        self._open: set[int] = set()
        self._stamp = ""
        self._closed_by = ""
        self._file = ""
        self._claims: dict[int, list[Claim]] = {}

    def read(self, file: LogFile) -> None:
        """Verify the next file of the chain."""
        self._file = file.path.name
        self._closed_by = ""
        self._claims = defaultdict(list)
        for claim in file.claims:
            if claim.sequence is not None:
                self._claims[claim.sequence].append(claim)
        rest = b""
        seen = False
        try:
            for raw in read_lines(file.path):
                if raw.whole or raw.text is None:
                    self._take_line(raw, file, first=not seen)
                else:
                    rest = raw.text
                    self._take_rest(raw.number, rest, file.claims)
                seen = True
        except OSError as error:
            self._broken(0, "", f"can't be read: {error.strerror}")
            return
        if not seen:
            self._findings.remark(self._file, 0, "", "empty: a start was interrupted here")
        self._check_claims(file, rest)

    def finish(self) -> None:
        """Note what only the end of the chain shows."""
        if self._open:
            first = f"{self.chain}-{min(self._open)}"
            many = f"{len(self._open)}{' or more' if len(self._open) >= _OPEN else ''}"
            self._findings.remark(
                self._file, 0, first, f"no outcome of this call is recorded ({many} such in all)"
            )
        if self._seal is not None and not (self._partial and self.following):
            self._seal.finish(self._file, self.last)

    def _take_line(self, raw: RawLine, file: LogFile, *, first: bool) -> None:
        if raw.text is None:
            self._broken(raw.number, "", "longer than any record")
            return
        try:
            line = parse_line(raw.text)
        except LogDamaged as error:
            self._broken(raw.number, "", str(error))
            return
        self.records += 1
        if not line.is_own:
            self._broken(raw.number, line.id, "altered: its content does not give its hash")
        if line.chain != self.chain:
            self._broken(raw.number, line.id, f"belongs to another chain than {self.chain}")
            return
        if first:
            self._take_first(raw.number, line, file)
        elif line.kind in BEGINNINGS:
            self._broken(raw.number, line.id, f"a `{line.kind}` record that is not the first")
        if self._closed_by:
            self._broken(raw.number, line.id, f"comes after `{self._closed_by}`, which is the last")
        if self._in_order(raw.number, line):
            self._take_record(raw.number, line)

    def _take_first(self, number: int, line: Line, file: LogFile) -> None:
        if line.kind not in BEGINNINGS:
            self._broken(number, line.id, "the record that begins a file is missing before it")
        elif file.name != file.path.name:
            self._findings.remark(
                self._file, number, line.id, f"the file was written under the name {file.name}"
            )
        if self._partial and self.last < 0 and line.kind == "continue":
            self.last, self.last_hash = line.sequence - 1, line.prev
            self._findings.remark(
                self._file, 0, line.id, "the chain begins in an earlier file, which was not read"
            )

    def _in_order(self, number: int, line: Line) -> bool:
        """Whether a record stands where it belongs, or after a gap; else it is noted and left."""
        expected = self.last + 1
        if line.sequence > expected:
            self._missing.append((expected, line.sequence))
            self._broken(number, f"{self.chain}-{expected}", _missing(expected, line.sequence))
        elif line.sequence < expected:
            place = next((gap for gap in self._missing if line.sequence in range(*gap)), None)
            what = "repeated" if place is None else "out of order: its place is further up"
            self._broken(number, line.id, what)
            return False
        elif line.prev != self.last_hash:
            before = f"record {self.last}" if self.last >= 0 else "nothing"
            self._broken(number, line.id, f"does not follow {before}, which stands before it")
        return True

    def _take_record(self, number: int, line: Line) -> None:
        self.last, self.last_hash = line.sequence, line.hash
        for claim in self._claims.pop(line.sequence, ()):
            if claim.hash != line.hash:
                self._broken(number, line.id, f"is not the record that {claim.by} names")
        if self._seal is not None:
            self._seal.take(self._file, number, line)
        self._take_time(number, line)
        if line.kind in _ENDINGS:
            self._closed_by = line.kind
            self.following = _text(line.data.get("next"))
        elif line.kind == "decision" and _runs(line.data):
            if len(self._open) < _OPEN:
                self._open.add(line.sequence)
        elif line.kind == "outcome":
            self._take_outcome(number, line)
        elif line.kind == "gap":
            refused = line.data.get("refused")
            self._findings.remark(
                self._file, number, line.id, f"the log could not be written: {refused} refused"
            )

    def _take_time(self, number: int, line: Line) -> None:
        stamp = _text(line.data.get("timestamp")) or ""
        if stamp < self._stamp:
            self._findings.remark(self._file, number, line.id, "earlier than the record before it")
        self._stamp = stamp

    def _take_outcome(self, number: int, line: Line) -> None:
        decision = _text(line.data.get("decision_id")) or ""
        chain, _, sequence = decision.rpartition("-")
        if chain == self.chain and sequence.isdecimal() and len(sequence) < 20:
            if int(sequence) in self._open:
                self._open.remove(int(sequence))
                return
            if self._partial or len(self._open) >= _OPEN:
                return
        self._findings.remark(
            self._file, number, line.id, "the outcome of a call that is not under way in this chain"
        )

    def _take_rest(self, number: int, rest: bytes, claims: Iterable[Claim]) -> None:
        digest = sha256(rest).hexdigest()
        noted = next((claim.by for claim in claims if claim.cut == digest), None)
        what = f"the last record is cut off after {len(rest)} bytes"
        if noted is None:
            self._broken(number, "", f"{what}, and no later start has noted that")
        else:
            self._findings.remark(self._file, number, "", f"{what}, as {noted} noted")

    def _check_claims(self, file: LogFile, rest: bytes) -> None:
        """Note what others say that the file holds, and it doesn't."""
        for sequence, claims in self._claims.items():
            for claim in claims:
                name = f"{self.chain}-{sequence}"
                self._broken(0, name, f"is gone; {claim.by} names it")
        digest = sha256(rest).hexdigest()
        for claim in file.claims:
            at_end = claim.sequence == self.last or (claim.sequence is None and self.records == 0)
            if claim.cut is not None and at_end and claim.cut != digest:
                self._broken(0, "", f"the cut-off line that {claim.by} noted is gone")

    def _broken(self, line: int, record: str, message: str) -> None:
        self._findings.broken(self._file, line, record, message)


def _missing(first: int, until: int) -> str:
    if until - first == 1:
        return "missing before this line"
    return f"missing before this line, and so are the records up to {until - 1}"


def _runs(data: dict[str, Any]) -> bool:
    """Whether the call of a decision goes on to run, so that an outcome must follow."""
    result = data.get("result")
    allowed = type(result) is dict and result.get("effect") == "allow"
    return allowed or data.get("enforced") is False or bool(data.get("approvers"))


def _text(value: Any) -> str | None:
    return value if type(value) is str else None
