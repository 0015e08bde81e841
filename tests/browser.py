"""Chromium for tests, from whatever package the machine has."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

INSTALL = ".ci/chromium"
"""What installs Debian's package where there is none."""

NAMES = ("chromium", "chromium-browser", "google-chrome")

QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync")


@contextmanager
def open_browser() -> Iterator[Browser]:
    """The browser; without one the tests fail in CI, and are skipped elsewhere, saying so."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        told = f"no Chromium is installed; {INSTALL} installs Debian's package"
        if os.environ.get("CI"):
            pytest.fail(f"the inbox is not tested in a browser: {told}")
        pytest.skip(f"THE INBOX IS NOT TESTED IN A BROWSER: {told}")
    confined = [] if os.geteuid() else ["--no-sandbox"]  # root's Chromium needs it so
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=[*QUIET, *confined])
        yield browser
        browser.close()
