"""What the tests of channels share: a receiver over real HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.approvals.channels.receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.close()
