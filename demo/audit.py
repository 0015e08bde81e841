"""The auditor's part: verify the log, and forge copies of it to see that a forgery is found."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Verification:
    """What `guardrails audit verify` said of a log."""

    sound: bool
    words: str


def anchor(log: Path, place: Path) -> None:
    """Keep the present end of the log in the file `place`, as `guardrails audit head` tells it."""
    place.write_text(_guardrails("audit", "head", str(log)).stdout, encoding="utf-8")


def verify(log: Path, head: Path) -> Verification:
    """The verdict of the command line's own verifier on a log, with the anchors in `head`."""
    done = _guardrails("audit", "verify", str(log), "--head", str(head))
    return Verification(done.returncode == 0, (done.stdout + done.stderr).strip())


def _guardrails(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "guardrails", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def whitewash(log: Path, copy: Path) -> int:
    """The line in a `copy` of the log where the effect of a decision was changed.

    It is the first refusal, made a permission; where nothing was refused, the first decision.
    """
    file = _copy(log, copy)
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    decisions = [at for at, line in enumerate(lines) if '"effect":"' in line]
    number = next((at for at in decisions if '"effect":"deny"' in lines[at]), decisions[0])
    effect = "allow" if '"effect":"deny"' in lines[number] else "deny"
    lines[number] = re.sub('"effect":"[a-z]+"', f'"effect":"{effect}"', lines[number])
    file.write_text("".join(lines), encoding="utf-8")
    return number + 1


def cut(log: Path, copy: Path, count: int) -> None:
    """Make a `copy` of the log that lacks the last `count` records."""
    file = _copy(log, copy)
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(lines[:-count]), encoding="utf-8")


def _copy(log: Path, copy: Path) -> Path:
    """The copy of the log's one file."""
    copy.mkdir()
    (file,) = log.glob("*.jsonl")
    (copy / file.name).write_bytes(file.read_bytes())
    return copy / file.name
