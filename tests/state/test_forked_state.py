"""A guard whose stores are on SQLite is forked while its threads are at work in them."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

import pytest

import guardrails
from guardrails.decision import Code
from guardrails.errors import ActionDenied

if TYPE_CHECKING:
    from pathlib import Path

POLICY = """version: 1
policy: p
tools: {work: {traits: [write]}}
rules:
  - {id: work, effect: allow, tools: work}
  - {id: enough, effect: deny, tools: work, budget: {limit: 20}}
"""
FORKS = 60
HANGS_S = 20


def work(guard: guardrails.Guard) -> Code:
    try:
        guard.run("work", {}, lambda: None)
    except ActionDenied as error:
        return error.decision.code
    return Code.RULE


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_no_child_is_held_up_by_what_its_parents_threads_did_in_sqlite(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "p.yaml").write_text(POLICY)
    guard = guardrails.Guard.load(
        tmp_path / "policies", state=tmp_path / "state", log=tmp_path / "log"
    )
    ended = threading.Event()

    def go_on() -> None:
        while not ended.is_set():
            work(guard)

    threads = [threading.Thread(target=go_on) for _ in range(3)]
    for thread in threads:
        thread.start()
    codes = []
    for _ in range(FORKS):
        child = os.fork()
        if child == 0:
            signal.alarm(HANGS_S)
            os._exit(0 if work(guard) is Code.RULE else 1)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    ended.set()
    for thread in threads:
        thread.join()
    guard.close()
    assert codes == [0] * FORKS
