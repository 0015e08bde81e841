"""The decision log as the guard sees it: decisions, outcomes, events, and refusal when it fails."""

from __future__ import annotations

import os
import time
from collections import deque
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from guardrails.audit.records import Encoder, encode_event, encode_fields, encode_outcome
from guardrails.audit.writer import Durability, Settings, Writer, open_writer
from guardrails.errors import ConfigurationError, LogUnavailable
from guardrails.forks import after_fork

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.audit.records import DecisionEntry

ROTATE_BYTES = 64 * 1024 * 1024
"""Bytes after which a file is full, by default: some 90,000 records."""

VARIABLE, DEFAULT_FOLDER = "GUARDRAILS_LOG", ".guardrails/log"


class DecisionLog:
    """The log of a process: one chain of records, begun with the first of them.

    `folder` is where its files go; None means the variable `GUARDRAILS_LOG`, or
    `.guardrails/log`; `-` means standard output. With `durability="disk"` a record outlives a
    loss of power, not only the process. `key` adds a digest of the unmasked arguments to each
    decision. `seal` is the writer's key file, by default `seal.key` in the folder if
    `guardrails audit init` made one. `clock` gives nanoseconds since 1970.

    All threads may share a log; a forked child goes on in a chain of its own. Every method raises
    `LogUnavailable` when the record can't be stored: then the action it stands for must not run.
    """

    def __init__(
        self,
        folder: Path | str | None = None,
        *,
        durability: Durability = "process",
        rotate_bytes: int = ROTATE_BYTES,
        key: bytes | None = None,
        seal: Path | str | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        if durability not in ("process", "disk"):
            raise ConfigurationError(f"durability is `process` or `disk`, not `{durability}`")
        place = _place(folder)
        if place is None and seal is not None:
            raise ConfigurationError("a sealed log needs a folder; standard output has no tail")
        path = None if seal is None else Path(seal).absolute()
        self._settings = Settings(place, durability, rotate_bytes, path, clock)
        self._encoder = Encoder(key)
        self._refusal = ""
        self._dead = ""
        self._lock = RLock()
        self._busy = False
        self._writer: Writer | None = None
        self._deferred: deque[bytes] = deque()
        self._refused = 0
        self._reason = ""
        self._healthy = False
        # A child goes on in a chain of its own; a `getpid` per call would cost, and find it late.
        after_fork(self, DecisionLog._in_child)

    @property
    def folder(self) -> Path | None:
        """The folder of the log's files, or None for standard output."""
        return self._settings.folder

    def decision(self, entry: DecisionEntry) -> str:
        """Store a decision and return its id, which names it in the log and towards the agent."""
        body = self._encoder.decision(entry)
        if self._refusal:
            raise LogUnavailable(self._refusal)
        return self._store(b"decision", body)

    def outcome(
        self, decision_id: str, outcome: str, duration_ns: int, error: str | None = None
    ) -> None:
        """Store how the call of a decision ended; `error` names the exception, not its text.

        The call has happened, so if this fails the log refuses every decision from then on.
        """
        body = encode_outcome(decision_id, outcome, duration_ns, error)
        try:
            self._store(b"outcome", body)
        except LogUnavailable as failure:
            self._refusal = f"the outcome of {decision_id} could not be recorded: {failure}"
            raise

    def event(self, kind: str, **fields: object) -> str:
        """Store something that is no call (`load`, `override`, `stop`) and return its id."""
        return self._store(kind.encode(), encode_event(kind, fields))

    def close(self) -> None:
        """Write that the log ends here; from now on it refuses every record."""
        with self._lock:
            self._die("the decision log is closed")
            writer, self._writer = self._writer, None
            # Code that interrupts a write can't end the chain in the middle of a line.
            if writer is not None and not self._busy:
                writer.finish()

    def _store(self, kind: bytes, body: bytes) -> str:
        with self._lock:
            if self._busy:
                return self._defer(kind, body)
            try:
                self._busy = True
                writer = self._writer
                if writer is None or not self._healthy:
                    writer = self._recover()
                name = writer.write(kind, body)
                if self._deferred:
                    self._store_deferred()
            except LogUnavailable as failure:
                self._note(failure)
                raise
            except BaseException:
                # Between storing a record and counting it: going on could break the chain.
                self._die("the decision log was interrupted while it wrote a record")
                raise
            finally:
                self._busy = False
            return name

    def _recover(self) -> Writer:
        """The writer, begun if there is none yet, with nothing left to tell before what follows."""
        if self._dead:
            raise LogUnavailable(self._dead)
        if self._writer is None:
            self._writer = open_writer(self._settings)
        if self._refused:
            gap = {"refused": self._refused, "reason": self._reason}
            self._writer.write(b"gap", encode_fields(gap))
            self._refused = 0
        self._healthy = True
        return self._writer

    def _note(self, failure: LogUnavailable) -> None:
        """Remember a record that could not be stored: it is told as a gap if the log recovers."""
        self._refused += 1
        self._reason = str(failure)
        self._healthy = False
        if self._writer is not None and self._writer.lost:
            self._die(self._reason)

    def _die(self, reason: str) -> None:
        """Take no record any more, for a reason that comes first if there are several."""
        self._dead = self._dead or reason
        self._healthy = False

    def _defer(self, kind: bytes, body: bytes) -> str:
        """Take a record from code that interrupted this thread while it was writing another.

        That is a signal handler, or a finalizer that the garbage collector runs, such as that of
        a guarded generator which nobody finished: its outcome can wait for the record at hand. A
        decision can't, since its tool would run before it is stored.
        """
        if kind != b"outcome":
            raise LogUnavailable("the decision log is being written by the same thread")
        self._deferred.append(body)
        return ""

    def _store_deferred(self) -> None:
        while self._deferred:
            try:
                self._recover().write(b"outcome", self._deferred.popleft())
            except LogUnavailable as failure:
                self._refusal = f"an outcome could not be recorded: {failure}"
                raise

    def _in_child(self) -> None:
        """Begin again without a chain: the parent's lock, records and files stay the parent's."""
        writer, self._writer = self._writer, None
        self._lock = RLock()
        self._busy = False
        self._deferred.clear()
        self._refused = 0
        self._healthy = False
        if writer is not None:
            writer.abandon()


def _place(folder: Path | str | None) -> Path | None:
    chosen = folder if folder is not None else os.environ.get(VARIABLE) or DEFAULT_FOLDER
    return None if str(chosen) == "-" else Path(chosen).absolute()
