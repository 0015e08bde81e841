"""A PostgreSQL server of the tests' own, from whatever package the machine has."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

INSTALL = ".ci/postgresql"
"""What installs Debian's package where there is none."""


class Missing(Exception):  # noqa: N818 - a state of the machine
    """There is no PostgreSQL here, or it doesn't start; the text says why."""


def find_programs() -> Path:
    """The folder of `initdb` and `postgres`, the newest first; raises Missing."""
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("initdb")
    for folder in [*packaged, *([Path(on_path).parent] if on_path else [])]:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    msg = f"no PostgreSQL server is installed; {INSTALL} installs Debian's package"
    raise Missing(msg)


class Server:
    """A server in a folder of its own, reached by a socket there alone."""

    def __init__(self) -> None:
        self._programs = find_programs()
        self._account = _unprivileged()
        self.folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        if self._account:
            os.chown(self.folder, self._account["user"], self._account["group"])
        self._call(
            "initdb", "-D", "data", "-U", "guardrails", "--auth=trust", "--no-sync", "-E", "UTF8"
        )
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def url(self, **options: str) -> str:
        """The URL of the database, with the parameters of a connection."""
        query = "".join(f"&{name}={value}" for name, value in options.items())
        return f"postgresql:///postgres?host={self.folder}&user=guardrails{query}"

    def start(self) -> None:
        """Start the server and wait until it answers; raises Missing."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    str(self._programs / "postgres"),
                    *("-D", "data", "-k", str(self.folder), "-c", "listen_addresses="),
                    *("-c", "fsync=off", "-c", "max_connections=200"),
                ],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._account,
            )
        self._call("pg_isready", "-h", str(self.folder), "-U", "guardrails", "-t", "30", tries=300)

    def kill(self) -> None:
        """End the server as a loss of its host would, without a word to anybody."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        """Stop the server and remove its folder."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _call(self, program: str, *arguments: str, tries: int = 1) -> None:
        command = [str(self._programs / program), *arguments]
        told = ""
        for _ in range(tries):
            done: subprocess.CompletedProcess[bytes] = subprocess.run(
                command, cwd=self.folder, capture_output=True, check=False, **self._account
            )
            if done.returncode == 0:
                return
            told = done.stderr.decode()
            time.sleep(0.1 if tries > 1 else 0)
        log = self.folder / "log"
        told += log.read_text() if log.exists() else ""
        msg = f"PostgreSQL's `{program}` fails: {told[-2000:]}"
        raise Missing(msg)


def _unprivileged() -> dict[str, Any]:
    """The account to run as: this one, or of root, which PostgreSQL refuses, a lesser one."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise Missing("PostgreSQL refuses to run as root, and there is no other account")
