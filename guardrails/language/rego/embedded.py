"""The engine inside: regorus, in processes of its own that may crash without the agent."""

from __future__ import annotations

import json
import os
import weakref
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Condition
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from guardrails.errors import ConfigurationError
from guardrails.forks import after_fork
from guardrails.language.rego.faults import parse_failure, tell_fault
from guardrails.language.rego.process import START_LIMIT, WorkerProcess
from guardrails.language.rego.seam import (
    UNDEFINED,
    Answer,
    EngineFailure,
    ParseFailure,
    Unscheduled,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from guardrails.language.rego.seam import Text, Unit

TIME_LIMIT = 0.05
"""Seconds that one evaluation may take, unless the settings say otherwise."""

MEMORY_LIMIT = 512 << 20
"""Bytes of address space of one process; it starts with some 30 MB."""

LOAD_LIMIT = 5.0
"""Seconds in which a module must have been parsed, or a unit prepared."""

_UNDEFINED = b'"<undefined>"'
"""What the engine says of a rule without a value; one with a value answers with a list."""


class Watched(NamedTuple):
    """What entries evaluated to; the lines of each module that were reached and that were not.

    `prints` is what the modules printed meanwhile.
    """

    answers: tuple[Answer, ...]
    lines: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]
    prints: tuple[str, ...]


class EmbeddedEngine:
    """Evaluates units in worker processes, started as they are needed, one spare kept warm.

    `time_limit` is in seconds, `memory_limit` in bytes. Raises ConfigurationError where the
    library is not installed.
    """

    def __init__(self, time_limit: float = TIME_LIMIT, memory_limit: int = MEMORY_LIMIT) -> None:
        self._library = _find_library()
        self._time_limit = time_limit
        self._memory_limit = memory_limit
        self._most = max(2, os.cpu_count() or 1)
        self._workers: list[WorkerProcess] = []
        self._closed = False
        self._begin()
        weakref.finalize(self, _end_all, self._workers)
        after_fork(self, EmbeddedEngine._begin_in_child)

    def _begin(self) -> None:
        self._free = Condition()
        self._idle: list[WorkerProcess] = []

    def _begin_in_child(self) -> None:
        for worker in self._workers:
            worker.abandon()
        self._workers.clear()
        self._begin()

    @property
    def processes(self) -> tuple[int, ...]:
        """The ids of the processes that run now."""
        return tuple(worker.id for worker in self._workers)

    def parse(self, path: str, text: str) -> tuple[Any, ParseFailure | None]:
        """The syntax tree of a module, and why it can't be evaluated by itself, if that is so.

        Raises ParseFailure for what is no Rego.
        """
        request = json.dumps({"path": path, "text": text}).encode()
        answer = self._ask_of_text(b"P", request)
        if answer[:1] == b"-":
            raise parse_failure(answer[1:].decode())
        end = 5 + int.from_bytes(answer[1:5], "big")
        return orjson.loads(answer[end:])[0]["ast"], _read_analysis(answer[5:end])

    def analyse(self, modules: Sequence[Text]) -> ParseFailure | None:
        """Why one of the modules, all of one package, can't be evaluated; None if they can."""
        try:
            return _read_analysis(self._ask_of_text(b"A", json.dumps(modules).encode()))
        except ParseFailure as failure:
            return failure

    def _ask_of_text(self, kind: bytes, request: bytes) -> bytes:
        try:
            with self._worker(START_LIMIT) as worker:
                return worker.ask(kind, request, LOAD_LIMIT)
        except EngineFailure as failure:
            raise ParseFailure(f"it can't be parsed: {failure}") from None

    def evaluate(self, unit: Unit, action: bytes) -> Sequence[Answer]:
        """What each entry evaluates to; see `RegoEngine`."""
        with self._worker(self._time_limit + LOAD_LIMIT) as worker:
            if unit.digest not in worker.prepared:
                self._prepare(worker, unit)
            request = unit.digest.encode() + action
            answer = worker.ask(b"E", request, self._time_limit)
        if answer[:1] != b"+":
            raise EngineFailure(tell_fault(answer[1:].decode()))
        return [_read_answer(part) for part in _split(answer)]

    def watch(self, unit: Unit, action: bytes, entries: range, seconds: float) -> Watched:
        """What those entries evaluate to within so many seconds, and which lines that reached.

        Raises EngineFailure where nothing was evaluated.
        """
        with self._worker(seconds + LOAD_LIMIT) as worker:
            if unit.digest not in worker.prepared:
                self._prepare(worker, unit)
            some = b"".join(each.to_bytes(4, "big") for each in (entries.start, entries.stop))
            answer = worker.ask(b"V", b"".join((unit.digest.encode(), some, action)), seconds)
        if answer[:1] != b"+":
            raise EngineFailure(tell_fault(answer[1:].decode()))
        *values, last = _split(answer)
        seen = orjson.loads(last)
        lines = {path: (tuple(hit), tuple(missed)) for path, (hit, missed) in seen["lines"].items()}
        return Watched(tuple(map(_read_answer, values)), lines, tuple(seen["prints"]))

    def _prepare(self, worker: WorkerProcess, unit: Unit) -> None:
        """Hand a unit to a process; raises EngineFailure where it can't take it."""
        package = ".".join(("data", *unit.package))
        request = {
            "digest": unit.digest,
            "base": unit.data.path,
            "data": unit.data.text,
            "modules": unit.modules,
            "rules": [f"{package}.{entry}" for entry in unit.entries],
        }
        answer = worker.ask(b"U", json.dumps(request).encode(), LOAD_LIMIT)
        if answer[:1] != b"+":
            raise EngineFailure(tell_fault(answer[1:].decode()))
        worker.prepared.add(unit.digest)

    def close(self) -> None:
        """End all processes; what is asked later fails."""
        with self._free:
            self._closed = True
            _end_all(self._workers)
            self._idle.clear()
            self._free.notify_all()

    @contextmanager
    def _worker(self, seconds: float) -> Iterator[WorkerProcess]:
        """A process for one thread; one that failed is replaced at once, so that it is warm."""
        worker = self._take(seconds)
        try:
            yield worker
        finally:
            self._give_back(worker)

    def _take(self, seconds: float) -> WorkerProcess:
        deadline = monotonic() + seconds
        with self._free:
            while not self._idle:
                if self._closed:
                    raise EngineFailure("the engine for Rego has been closed")
                if len(self._workers) < self._most:
                    self._start()
                elif not self._free.wait(deadline - monotonic()):
                    raise EngineFailure("every process that evaluates Rego was busy too long")
            worker = self._idle.pop()
            if not self._idle and len(self._workers) < self._most:
                self._start()
            return worker

    def _give_back(self, worker: WorkerProcess) -> None:
        with self._free:
            if worker not in self._workers:
                return  # of a parent process, or closed meanwhile
            if worker.alive:
                self._idle.append(worker)  # the last used is the next used: it is warm
            else:
                worker.end()
                self._workers.remove(worker)
                if not self._closed:
                    self._start()
            self._free.notify()

    def _start(self) -> None:
        try:
            worker = WorkerProcess(self._library, self._memory_limit)
        except OSError as error:
            raise EngineFailure(f"no process for Rego can be started: {error.strerror}") from None
        self._workers.append(worker)
        self._idle.insert(0, worker)


def _split(answer: bytes) -> Iterator[bytes]:
    """The parts of an answer, each of which has its length before it."""
    at = 1
    while at < len(answer):
        end = at + 4 + int.from_bytes(answer[at : at + 4], "big")
        yield answer[at + 4 : end]
        at = end


def _read_analysis(answer: bytes) -> ParseFailure | None:
    if answer[:1] == b"!":
        return Unscheduled("a variable of a rule is unsafe: nothing gives it a value")
    return parse_failure(answer[1:].decode()) if answer[:1] == b"-" else None


def _read_answer(text: bytes) -> Answer:
    if text == _UNDEFINED:
        return UNDEFINED
    if text[:1] == b"-":
        return Answer(error=tell_fault(text[1:].decode()))
    try:
        (value,) = orjson.loads(text)
    except ValueError:
        return Answer(error="the result can't be read")
    return Answer(value, defined=True)


def _end_all(workers: list[WorkerProcess]) -> None:
    while workers:
        workers.pop().end()


def _find_library() -> str:
    if os.name != "posix":
        raise ConfigurationError(
            "Rego is evaluated inside on Linux and macOS only; name an OPA server in `[rego]`"
        )
    spec = find_spec("regorus")
    if spec is None or spec.origin is None:
        raise ConfigurationError(
            "Rego modules need an extra: `pip install 'policy-guardrails[rego]'`"
        )
    return str(Path(spec.origin).parent.parent)
