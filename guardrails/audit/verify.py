"""Verifying a log: every record against the one before, every file against those that name it."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from guardrails.audit.check import ChainCheck, Claim, LogFile
from guardrails.audit.folder import Glance, glance
from guardrails.audit.reading import find_logs
from guardrails.audit.report import Findings, Report
from guardrails.audit.seal import STATE_FILE, TAIL_SUFFIX, SealState, Tail, read_state, read_tail
from guardrails.audit.seal_check import SealAudit
from guardrails.errors import LogDamaged

if TYPE_CHECKING:
    from guardrails.audit.anchors import Head
    from guardrails.audit.seal import AuditKey


def verify(
    path: Path | str,
    head: Head | None = None,
    key: AuditKey | None = None,
    *,
    seal: Path | str | None = None,
) -> Report:
    """What is wrong with a log file, or with a folder of them and the folders below it.

    With `head` the log must hold what the anchors say. With `key` every seal must be right, and
    no chain may be gone that the writer's file has stepped over: `seal`, by default `seal.key` in
    the folder. Lines are read one at a time. Raises `LogDamaged` where there is no log to verify,
    and never for what a log holds.
    """
    return _Verification(Path(path), head, key, None if seal is None else Path(seal)).run()


class _Verification:
    """One run of `verify`. The writer's files are read before the logs, which only grow."""

    def __init__(
        self, path: Path, head: Head | None, key: AuditKey | None, seal: Path | None
    ) -> None:
        self._findings = Findings()
        self._path = path
        self._whole = path.is_dir()
        self._anchors = head.anchors if head is not None else ()
        self._state_path = seal or (path / STATE_FILE if self._whole else None)
        self._state = self._read_state() if key is not None else None
        self._tails = self._read_tails(path if self._whole else path.parent)
        self._glances = [glance(file) for file in find_logs(path)]
        self._files = {seen.path: LogFile(seen.path, seen.name) for seen in self._glances}
        self._seals = SealAudit(key, self._findings, self._held()) if key is not None else None
        self._records = 0
        self._unproven = 0

    def run(self) -> Report:
        """The report."""
        self._collect_claims()
        chains = self._group()
        for chain, parts in chains.items():
            self._check_chain(chain, parts)
        if self._seals is not None and self._state is not None:
            retired = {a.epoch for a in self._anchors if a.retired and a.epoch is not None}
            self._seals.finish(STATE_FILE, self._state, retired)
        self._note_tails(self._path)
        return self._findings.report(len(self._glances), len(chains), self._records)

    def _read_state(self) -> SealState | None:
        if self._state_path is None:
            return None
        try:
            return read_state(self._state_path)
        except LogDamaged as error:
            self._findings.broken(self._state_path.name, 0, "", str(error))
            return None

    def _read_tails(self, folder: Path) -> dict[str, Tail]:
        """The tails of chains, by chain."""
        tails = {}
        for file in sorted(folder.rglob(f"*{TAIL_SUFFIX}")):
            try:
                tails[chain_in_name(file.name)] = read_tail(file)
            except LogDamaged as error:
                self._findings.broken(file.name, 0, "", str(error))
        return tails

    def _held(self) -> dict[str, int]:
        """Up to which record of each file somebody trusted vouches for what isn't sealed.

        That is the first sealed record of all (the writer forgot its key long before anybody could
        take the writer over) and the anchors; and what files so held name themselves.
        """
        named = {seen.name: seen for seen in self._glances}
        held: dict[str, int] = {}
        found = [(anchor.file, anchor.sequence) for anchor in self._anchors]
        for seen in self._glances:
            if seen.sealing is not None and seen.sealing[1] == 0:
                found += _named_by(seen)
        while found:
            name, sequence = found.pop()
            if name in named and name not in held:
                found += _named_by(named[name])
            held[name] = max(sequence, held.get(name, -1))
        return held

    def _collect_claims(self) -> None:
        """Give each file what others say that it holds, and note files that are named and gone."""
        names = {file.path.name: file for file in self._files.values()}
        names.update({file.name: file for file in self._files.values()})
        for anchor in self._anchors:
            claim = Claim("the anchor", anchor.sequence, anchor.hash)
            self._claim(names, anchor.file, claim)
        for seen in self._glances:
            for reference in seen.after:
                by = f"record {seen.header.id}" if seen.header is not None else ""
                claim = Claim(by, reference.sequence, reference.hash, reference.cut)
                self._claim(names, reference.file, claim)

    def _claim(self, names: dict[str, LogFile], name: str, claim: Claim) -> None:
        if name in names:
            names[name].claims.append(claim)
        elif self._whole:
            self._note_gone(name, claim.by)

    def _note_gone(self, name: str, by: str) -> None:
        named = chain_in_name(name)
        if any(anchor.retired and anchor.chain == named for anchor in self._anchors):
            self._findings.remark(name, 0, "", f"retired; {by} names it")
        else:
            self._findings.broken(name, 0, "", f"the file is gone; {by} names it")

    def _group(self) -> dict[str, list[Glance]]:
        """The files of each chain, in their order."""
        chains: dict[str, list[Glance]] = defaultdict(list)
        for seen in sorted(self._glances, key=lambda seen: seen.chain[1]):
            chains[seen.chain[0]].append(seen)
        return dict(sorted(chains.items()))

    def _check_chain(self, chain: str, parts: list[Glance]) -> None:
        sealed = self._seals
        tail = self._tails.get(chain)
        seal = sealed.chain(chain, parts[0], tail) if sealed is not None else None
        check = ChainCheck(chain, self._findings, seal, partial=not self._whole)
        proven = seal is not None and seal.proves_tail
        before = None
        for seen in parts:
            if before is not None and before.chain == seen.chain:
                what = f"holds the same part of the chain as {before.path.name}"
                self._findings.broken(seen.path.name, 0, "", what)
                continue
            before = seen
            check.read(self._files[seen.path])
            self._check_following(seen, check.following)
        check.finish()
        self._records += check.records
        anchored = any(a.chain == chain and a.sequence == check.last for a in self._anchors)
        self._unproven += not (proven or anchored)

    def _check_following(self, seen: Glance, following: str | None) -> None:
        """Note a file in which the chain goes on and that isn't there (a newer one may be)."""
        if following is None or not self._whole:
            return
        known = any(file.name == following for file in self._files.values())
        # Not `Path.exists`, which raises for a name that no file can have.
        if not known and not os.path.exists(seen.path.parent / Path(following).name):  # noqa: PTH110
            self._note_gone(following, f"the last record of {seen.path.name}")

    def _note_tails(self, path: Path) -> None:
        if self._unproven:
            chains = f"{self._unproven} chain{'s' if self._unproven > 1 else ''}"
            what = f"tail not proven: nobody can tell whether the last records of {chains}"
            advice = "were cut off; keep anchors elsewhere, or a seal"
            self._findings.remark(path.name, 0, "", f"{what} {advice}")
        if self._seals is None and any(seen.sealing is not None for seen in self._glances):
            self._findings.remark(
                path.name, 0, "", "sealed; only the audit key can prove the seals"
            )


def chain_in_name(name: str) -> str:
    """The chain that a log file's or a tail's name tells of: `TIME-CHAIN.0001.jsonl`."""
    return name.partition(".")[0].rpartition("-")[2]


def _named_by(seen: Glance) -> list[tuple[str, int]]:
    return [(r.file, r.sequence) for r in seen.after if r.sequence is not None]
