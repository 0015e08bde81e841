"""`guardrails watch`, as a process of its own, in a pipe and in a terminal."""

from __future__ import annotations

import json
import os
import pty
import queue
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Self

import pytest

from tests.reloading import PATIENCE, policy

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Command


class Terminal:
    """A watch whose lines come one by one; in a real terminal, or in a pipe."""

    def __init__(self, *arguments: str, cwd: Path, tty: bool) -> None:
        outer, inner = pty.openpty() if tty else os.pipe()
        self._outer = outer
        self._process = subprocess.Popen(
            [sys.executable, "-m", "guardrails", "watch", *arguments],
            cwd=cwd,
            stdout=inner,
            stderr=inner,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            start_new_session=True,
            # Whoever runs the tests in the background may have it ignored, and children inherit.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )
        os.close(inner)
        self._lines: queue.Queue[str] = queue.Queue()
        self.seen: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()

    def wait_for(self, text: str) -> str:
        """The next line that holds `text`."""
        while True:
            try:
                line = self._lines.get(timeout=PATIENCE)
            except queue.Empty:
                pytest.fail(f"`{text}` did not come; there came\n" + "\n".join(self.seen))
            self.seen.append(line)
            if text in line:
                return line

    def interrupt(self) -> int:
        """The exit code after Ctrl-C."""
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(PATIENCE)

    def _read(self) -> None:
        with os.fdopen(self._outer, "rb", buffering=0) as stream:
            rest = b""
            while True:
                try:
                    data = stream.read(4096)
                except OSError:  # the other end of a terminal is gone
                    return
                if not data:
                    return
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self._lines.put(line.decode().rstrip("\r"))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "p.yaml").write_text(policy("p", 10))
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("tty", [False, True], ids=["pipe", "terminal"])
@pytest.mark.parametrize("options", [(), ("--poll",)], ids=["events", "polling"])
def test_saves_are_told_until_ctrl_c(place: Path, options: tuple[str, ...], *, tty: bool) -> None:
    file = place / "policies" / "p.yaml"
    with Terminal(*options, "policies", cwd=place, tty=tty) as terminal:
        terminal.wait_for("policies: 1 document, 1 rule, 0 declared tools")
        terminal.wait_for("watching policies; Ctrl-C ends it")
        file.write_text(policy("p", 20))
        terminal.wait_for("  changed")
        terminal.wait_for("~ p/a")
        file.write_text("version: 1\npolicy: p\nruls: []\n")
        terminal.wait_for("the policies don't load")
        terminal.wait_for("a guard that watches goes on with those of")
        terminal.wait_for("unknown key `ruls`")
        file.unlink()
        terminal.wait_for("there is no policy document")
        (file.parent / "q.yaml").write_text(policy("q", 20))
        terminal.wait_for("+ policies/q.yaml")
        terminal.wait_for("- policies/p.yaml")
        assert terminal.interrupt() == 0
        assert "Traceback" not in "\n".join(terminal.seen)


def test_each_save_is_a_line_of_json(place: Path) -> None:
    with Terminal("--format", "json", "policies", cwd=place, tty=False) as terminal:
        first = json.loads(terminal.wait_for("{"))
        (place / "policies" / "p.yaml").write_text(policy("p", 20))
        second = json.loads(terminal.wait_for("{"))
        assert terminal.interrupt() == 0
    assert (first["loaded"], first["differences"]) == (True, {})
    assert second["differences"]["rules"]["changed"] == ["p/a"]
    assert second["in_force"] != first["in_force"]


def test_a_folder_that_is_not_there_is_a_usage_error(guardrails: Command, place: Path) -> None:
    result = guardrails("watch", str(place / "polices"))
    assert result.exit_code == 2
    assert f"there is no `{place / 'polices'}` to watch" in result.stderr


def test_ctrl_c_ends_it_quietly(
    guardrails: Command, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("guardrails.source.folder_watch.FolderWatch.look", interrupt)
    result = guardrails("watch", str(place / "policies"))
    assert result.exit_code == 0
    assert "1 document, 1 rule" in result.stdout


def test_a_save_is_told_once(
    guardrails: Command, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0

    def look(_: object, known: object) -> object:
        nonlocal looks
        looks += 1
        if looks == 3:
            raise KeyboardInterrupt
        return known if looks == 1 else (known, "another")

    monkeypatch.setattr("guardrails.source.folder_watch.FolderWatch.look", look)
    result = guardrails("watch", "--format", "json", str(place / "policies"))
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 2
