"""Programs in a terminal of their own, typed at as a person would."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING

from tests.reloading import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path


class Shell:
    """Python with `arguments`, its standard streams in a new terminal that controls it.

    `variables` join its environment, empty ones leave it; `stdin` is another file to read from.
    """

    def __init__(
        self, *arguments: str, cwd: Path | None = None, stdin: str = "", **variables: str
    ) -> None:
        self._outer, inner = pty.openpty()
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **variables}
        source = os.open(stdin, os.O_RDONLY) if stdin else inner

        def take_terminal() -> None:
            fcntl.ioctl(inner, termios.TIOCSCTTY, 0)
            # Whoever runs the tests in the background may have it ignored, and children inherit.
            signal.signal(signal.SIGINT, signal.SIG_DFL)

        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=source,
            stdout=inner,
            stderr=inner,
            cwd=cwd,
            env={name: value for name, value in environment.items() if value},
            start_new_session=True,
            preexec_fn=take_terminal,  # noqa: PLW1509
            pass_fds=[inner],
        )
        for each in {source, inner}:
            os.close(each)
        self.text = self.all = self._unread = ""

    def expect(self, text: str) -> None:
        """Read until `text` comes; `self.text` is then what came up to it since the last time."""
        deadline = time.monotonic() + PATIENCE
        while text not in self._unread:
            assert self._read(deadline - time.monotonic()), (
                f"`{text}` did not come; there came\n{self.all}"
            )
        before, _, after = self._unread.partition(text)
        self.text = before + text
        self._unread = after

    def silent_for(self, seconds: float) -> bool:
        """Whether nothing comes within so many seconds."""
        return not self._unread and not self._read(seconds)

    def type(self, text: str) -> None:
        """Type a line."""
        self.send(text + "\n")

    def send(self, text: str) -> None:
        """Press these keys."""
        os.write(self._outer, text.encode())

    def close(self) -> int:
        """The exit code, once it has ended by itself."""
        deadline = time.monotonic() + PATIENCE
        try:
            while self.process.poll() is None and time.monotonic() < deadline:
                self._read(0.1)
            return self.process.wait(0.1)
        finally:
            self.process.kill()
            self.process.wait()
            os.close(self._outer)

    def _read(self, patience_s: float) -> bool:
        ready, _, _ = select.select([self._outer], [], [], max(patience_s, 0))
        if not ready:
            return False
        try:
            data = os.read(self._outer, 4096).decode("utf-8", "replace")
        except OSError:  # the other end of the terminal is gone
            return False
        self.all += data
        self._unread += data
        return bool(data)
