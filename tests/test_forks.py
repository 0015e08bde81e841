"""What a forked child puts right, and what it doesn't keep."""

from __future__ import annotations

import gc
import os
import weakref
from typing import TYPE_CHECKING

from guardrails.forks import after_fork

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


class Owner:
    def __init__(self) -> None:
        self.begun = 0
        after_fork(self, Owner.begin_again)

    def begin_again(self) -> None:
        self.begun += 1


def test_a_child_begins_again_while_the_owner_is_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks: list[Callable[[], None]] = []
    monkeypatch.setattr(
        os, "register_at_fork", lambda *, after_in_child: hooks.append(after_in_child)
    )
    owner = Owner()
    hooks[0]()
    assert owner.begun == 1
    gone = weakref.ref(owner)
    del owner
    gc.collect()
    assert gone() is None
    hooks[0]()
