"""The seal verified, with the auditor's key: whose records these are, and whether all are there."""

from __future__ import annotations

import hmac
from collections import defaultdict
from typing import TYPE_CHECKING

from guardrails.audit.seal import (
    AuditKey,
    SealState,
    Tail,
    chain_key,
    next_epoch,
    next_record,
    record_seal,
    tail_token,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from guardrails.audit.chain import Line
    from guardrails.audit.folder import Glance
    from guardrails.audit.report import Findings

_MAX_EPOCH = 10_000_000
"""Starts of a log that are verified: a thousand a day for 27 years. More is a hostile number."""

_MAX_STEPS = 100_000_000
"""Records that a chain may be missing, or have in files not at hand, before its seals are given up;
to step over so many takes a minute."""

_STRIDE = 1024


class EpochKeys:
    """The keys of all epochs, each computed from the nearest one remembered."""

    def __init__(self, first: bytes) -> None:
        self._remembered = [first]

    def at(self, epoch: int) -> bytes:
        """The key of an epoch up to `_MAX_EPOCH`."""
        while len(self._remembered) <= epoch // _STRIDE:
            self._remembered.append(_after(self._remembered[-1], _STRIDE))
        return _after(self._remembered[epoch // _STRIDE], epoch % _STRIDE)


def _after(key: bytes, epochs: int) -> bytes:
    for _ in range(epochs):
        key = next_epoch(key)
    return key


class ChainSeal:
    """The seals of one chain; takes its records in order."""

    def __init__(self, chain: str, key: bytes, tail: Tail | None, findings: Findings) -> None:
        self._chain = chain
        self._key: bytes | None = key
        self._sequence = 0
        self._skipped = 0
        self._findings = findings
        self._tail = tail
        self.proves_tail = tail is not None
        self.records = 0

    def take(self, file: str, number: int, line: Line) -> None:
        """Check the seal of the next record, which may come after a gap."""
        self.records += 1
        key = self._step_to(line.sequence)
        if key is None:
            return
        if not line.seal:
            self._findings.broken(file, number, line.id, "not sealed, in a chain that is")
        elif not hmac.compare_digest(line.seal, record_seal(key, line.sealed_text)):
            self._findings.broken(file, number, line.id, "its seal is wrong: forged or altered")
        if self._tail is not None and line.sequence == self._tail.sequence:
            self._check_tail(file, number, line, tail_token(key, line.hash))

    def _check_tail(self, file: str, number: int, line: Line, token: str) -> None:
        if self._tail is not None and not hmac.compare_digest(self._tail.token, token):
            self._findings.broken(file, number, line.id, "is not what the chain's tail proves")

    def _step_to(self, sequence: int) -> bytes | None:
        self._skipped += max(0, sequence - self._sequence - 1)
        if self._skipped > _MAX_STEPS:
            self._key = None
        while self._key is not None and self._sequence < sequence:
            self._key = next_record(self._key)
            self._sequence += 1
        return self._key

    def finish(self, file: str, last: int) -> None:
        """Note a chain that is shorter than its tail proves, or has lost its tail."""
        if self._key is None:
            self._findings.broken(file, 0, "", "too many records are missing to check the seals")
        if self._tail is None:
            # A crash between the first record and its tail is the one honest way to have none.
            if last > 0:
                self._findings.broken(file, 0, "", "the tail of this sealed chain is gone")
        elif self._tail.sequence > last:
            name = f"{self._chain}-{self._tail.sequence}"
            self._findings.broken(file, 0, name, "is gone from the end; the chain's tail proves it")


class Unsealed:
    """A chain without seals in a sealed log: fine as far as the first sealed record names it.

    `held` tells up to which record that is, by file.
    """

    proves_tail = False

    def __init__(self, held: Mapping[str, int], findings: Findings) -> None:
        self._held = held
        self._findings = findings
        self._told: set[str] = set()

    def take(self, file: str, number: int, line: Line) -> None:
        """Note the first record of each file that nothing sealed vouches for."""
        if line.sequence > self._held.get(file, -1) and file not in self._told:
            self._told.add(file)
            self._findings.broken(file, number, line.id, "not sealed, nor older than the seal")

    def finish(self, file: str, last: int) -> None:
        """Note nothing: what it lacks was told with its records."""


class SealAudit:
    """The seals of a whole log: which epochs began a chain, and whether none is gone.

    `held` tells which records the first sealed one vouches for, by file.
    """

    def __init__(self, key: AuditKey, findings: Findings, held: Mapping[str, int]) -> None:
        self._key = key
        self._findings = findings
        self._held = held
        self._epochs = EpochKeys(key.first)
        self._begun: dict[int, list[ChainSeal]] = defaultdict(list)

    def chain(self, chain: str, first: Glance, tail: Tail | None) -> ChainSeal | Unsealed | None:
        """What checks the seals of a chain, by what its first record says; None if nothing can."""
        sealing = first.sealing
        if sealing is None:
            return Unsealed(self._held, self._findings)
        key_id, epoch = sealing
        if key_id != self._key.id:
            self._findings.broken(first.path.name, 1, "", "sealed with another key than this one")
            return None
        if epoch > _MAX_EPOCH:
            self._findings.broken(first.path.name, 1, "", "sealed in an epoch that never was")
            return None
        key = chain_key(self._epochs.at(epoch), chain)
        seal = ChainSeal(chain, key, tail, self._findings)
        self._begun[epoch].append(seal)
        return seal

    def finish(self, place: str, state: SealState, retired: Collection[int]) -> None:
        """Note epochs whose chain is gone, and a state that is not the one that follows them."""
        if state.id != self._key.id or not 0 <= state.epoch <= _MAX_EPOCH:
            self._findings.broken(place, 0, "", "the seal's key is not of this audit key")
            return
        if state.key != self._epochs.at(state.epoch):
            self._findings.broken(place, 0, "", "the seal's key is not that of its epoch")
        for epoch in range(state.epoch):
            if epoch not in self._begun and epoch not in retired:
                what = f"the chain that was begun in epoch {epoch} of the seal is gone"
                self._findings.broken(place, 0, "", what)
        for epoch, chains in self._begun.items():
            if len(chains) > 1:
                self._note_twice(place, epoch, chains)

    def _note_twice(self, place: str, epoch: int, chains: list[ChainSeal]) -> None:
        """Several chains of one epoch: a crash while the seal steps leaves one of one record."""
        what = f"{len(chains)} chains were begun in epoch {epoch} of the seal"
        if sum(chain.records > 1 for chain in chains) > 1:
            self._findings.broken(place, 0, "", what)
        else:
            self._findings.remark(place, 0, "", f"{what}; a start was interrupted")
