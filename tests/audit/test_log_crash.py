"""A process killed at any byte leaves a log that is whole or cut off, and the next goes on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from guardrails.audit.log import DecisionLog
from guardrails.audit.reading import records
from guardrails.audit.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

WRITER = """if True:
    import sys
    from guardrails.audit.log import DecisionLog
    from guardrails.audit.records import DecisionEntry
    from guardrails.decision import Code, Decision, Effect
    log = DecisionLog(sys.argv[1], rotate_bytes=20000)
    entry = DecisionEntry("pay", {"text": "x" * 5000}, Decision(Effect.ALLOW, Code.RULE))
    print("ready", flush=True)
    while True:
        print(log.outcome(log.decision(entry), "returned", 1), flush=True)
"""


def test_a_process_that_is_killed_at_random_moments_leaves_logs_that_the_next_goes_on_from(
    folder: Path,
) -> None:
    chance = random.Random(7)
    for _ in range(6):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            for _ in range(chance.randrange(1, 400)):
                process.stdout.readline()
            os.kill(process.pid, signal.SIGKILL)
    log = DecisionLog(folder)
    log.event("load")
    report = verify(folder)
    assert report.intact, report.broken
    assert report.chains == 7
    assert report.records > 100


@pytest.fixture
def whole(tmp_path: Path, call: Any) -> bytes:
    log = DecisionLog(tmp_path / "whole", clock=lambda: 10**18)
    call(log)
    (file,) = (tmp_path / "whole").glob("*.jsonl")
    return file.read_bytes()


def test_a_file_cut_at_every_byte_is_whole_or_reported_and_then_noted_by_the_next_start(
    tmp_path: Path, whole: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("guardrails.audit.reading._PATIENCE", 0)
    name = "20010909T014640Z-0123456789abcdef.0001.jsonl"
    for length in range(len(whole) + 1):
        folder = tmp_path / f"cut{length}"
        folder.mkdir()
        (folder / name).write_bytes(whole[:length])
        is_whole = length == 0 or whole[length - 1 : length] == b"\n"
        before = verify(folder)
        # A file of another name than its first record says is remarked, never more.
        assert [f.message.partition(" after ")[0] for f in before.broken] == (
            [] if is_whole else ["the last record is cut off"]
        )
        log = DecisionLog(folder, clock=lambda: 2 * 10**18)
        log.event("load")
        log.close()
        after = verify(folder)
        assert after.intact, (length, after.broken)
        noted = [f for f in after.remarks if f.message.startswith("the last record is cut off")]
        assert len(noted) == (not is_whole)
        last = list(records(folder))[-1]
        assert last.data["kind"] == "end"


def test_a_cut_off_line_that_was_noted_can_not_be_changed_or_removed(
    folder: Path, call: Any, written: Any
) -> None:
    call(DecisionLog(folder))
    cut = written.file
    os.truncate(cut, cut.stat().st_size - 10)
    call(DecisionLog(folder))
    assert verify(folder).intact
    rest = cut.read_bytes()
    cut.write_bytes(rest[:-1] + b"?")
    messages = [f.message for f in verify(folder).broken]
    assert messages[0].startswith("the cut-off line that record ")
    assert messages[1].startswith("the last record is cut off after ")
    cut.write_bytes(rest[: rest.rindex(b"\n") + 1])
    (finding,) = verify(folder).broken
    assert finding.message.endswith(" noted is gone")


def test_a_first_record_that_was_cut_off_and_noted_can_not_be_removed(
    folder: Path, call: Any, written: Any
) -> None:
    call(DecisionLog(folder))
    cut = written.file
    cut.write_bytes(cut.read_bytes()[:20])
    call(DecisionLog(folder))
    assert verify(folder).intact
    cut.write_bytes(b"")
    (finding,) = verify(folder).broken
    assert finding.file == cut.name
    assert finding.message.endswith(" noted is gone")
