"""One worker process, from the agent's side: started, asked within a time limit, ended."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path
from time import monotonic
from typing import IO

from guardrails.language.rego.seam import EngineFailure

START_LIMIT = 20.0
"""Seconds until a process must have started: a machine with much else to do is slow at it."""

_WORKER = str(Path(__file__).with_name("worker.py"))
_HEADER = 4
_KEPT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
"""Of the environment, what an interpreter may need to start; secrets in it are not handed on."""


class WorkerProcess:
    """A process that evaluates Rego, for one thread at a time. `prepared` are units it has."""

    def __init__(self, library: str, memory: int) -> None:
        """Start it, without waiting for that; `library` is the folder that holds regorus."""
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter and a script of ours
            [sys.executable, "-I", "-S", _WORKER, library, str(memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd="/",
            bufsize=0,
            start_new_session=True,  # a Ctrl-C at the terminal is the agent's
        )
        self._requests, self._answers = _pipes(self._process)
        os.set_blocking(self._requests.fileno(), False)
        os.set_blocking(self._answers.fileno(), False)
        self._started = False
        self.prepared: set[str] = set()

    @property
    def id(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def ask(self, kind: bytes, request: bytes, seconds: float) -> bytes:
        """Its answer; raises EngineFailure where it gives none in time, and is then ended."""
        try:
            if not self._started:
                self._receive(monotonic() + START_LIMIT, START_LIMIT)
                self._started = True
            limit = int(seconds * 1500 + 50).to_bytes(4, "big")  # its own, if ours fails
            deadline = monotonic() + seconds
            length = (len(kind) + 4 + len(request)).to_bytes(_HEADER, "big")
            self._send(b"".join((length, kind, limit, request)), deadline, seconds)
            return self._receive(deadline, seconds)
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """End the process, whatever it does."""
        if self._process.returncode is None:
            self._process.kill()
            self._process.wait()
        self._requests.close()
        self._answers.close()

    def abandon(self) -> None:
        """Forget the process in a forked child: it is the parent's."""
        self._process.returncode = 0
        self._requests.close()
        self._answers.close()

    def _send(self, data: bytes, deadline: float, seconds: float) -> None:
        rest = memoryview(data)
        number = self._requests.fileno()
        while rest:
            try:
                rest = rest[os.write(number, rest) :]
            except BlockingIOError:
                _wait(number, select.POLLOUT, deadline, seconds)
            except OSError:
                raise EngineFailure(self._how_it_ended()) from None

    def _receive(self, deadline: float, seconds: float) -> bytes:
        length = int.from_bytes(self._read(_HEADER, deadline, seconds), "big")
        return self._read(length, deadline, seconds)

    def _read(self, length: int, deadline: float, seconds: float) -> bytes:
        number = self._answers.fileno()
        parts: list[bytes] = []
        while length:
            try:
                part = os.read(number, length)
            except BlockingIOError:
                _wait(number, select.POLLIN, deadline, seconds)
                continue
            if not part:
                raise EngineFailure(self._how_it_ended())
            parts.append(part)
            length -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _how_it_ended(self) -> str:
        return "the process that evaluates Rego ended; it crashed or needed too much memory"


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    requests, answers = process.stdin, process.stdout
    assert requests is not None
    assert answers is not None
    return requests, answers


def _wait(number: int, event: int, deadline: float, seconds: float) -> None:
    """Wait until a pipe is ready; raises EngineFailure where that is not so in time."""
    poll = select.poll()
    poll.register(number, event)
    left = deadline - monotonic()
    if left <= 0 or not poll.poll(left * 1000):
        raise EngineFailure(f"Rego took longer than {seconds * 1000:g} ms")
