from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser import open_browser
from tests.server.premises import Premises

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser


@pytest.fixture
def premises(tmp_path: Path) -> Iterator[Premises]:
    with Premises(tmp_path).serving() as made:
        yield made


@pytest.fixture(scope="module")  # while it is open, no test of its process can run an event loop
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened
