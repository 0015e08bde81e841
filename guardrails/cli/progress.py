"""How far a long piece of work has come, shown on a terminal."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 2.0
"""Seconds after which progress is shown; what is done by then shows none."""

_INTERVAL = 0.1  # seconds between two lines, which is as often as an eye can follow


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A function to call with how much is done and how much there is.

    After two seconds `what` and both are shown on the error stream, if that is a terminal, and
    wiped away in the end.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda _done, _whole: None
        return
    shown = False
    next_ = monotonic() + PATIENCE

    def show(done: int, whole: int) -> None:
        nonlocal shown, next_
        if monotonic() >= next_:
            sys.stderr.write(f"\r\x1b[K{what}: {done:,} of {whole:,}")
            sys.stderr.flush()
            shown, next_ = True, monotonic() + _INTERVAL

    try:
        yield show
    finally:
        if shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
