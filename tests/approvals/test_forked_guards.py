"""A guard that asks people goes on in a process that was forked from its own."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.approvals.guarded import FAY, ask

if TYPE_CHECKING:
    from tests.approvals.guarded import Office

HANGS_S = 20


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_an_approval_that_is_being_used_as_it_forks_holds_up_no_child(live: Office) -> None:
    requester = live.requester()
    guard = live.guard(approvals=requester)
    live.service.approve(ask(live, guard), FAY)
    with requester._lock:  # as a thread of the parent has it while it uses another approval
        child = os.fork()
        if child == 0:
            signal.alarm(HANGS_S)
            os._exit(0 if live.pay(guard) == "paid" else 1)
    _, status = os.waitpid(child, 0)
    assert status == 0
    ask(live, guard)
