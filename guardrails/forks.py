"""What a forked child must put right: locks and threads are its parent's."""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def after_fork(owner: T, begin_again: Callable[[T], None]) -> None:
    """Have every forked child call `begin_again(owner)`, for as long as `owner` is in use.

    The interpreter keeps the hook for ever, so it must not keep the owner.
    """
    reference = weakref.ref(owner)

    def in_child() -> None:
        owner = reference()
        if owner is not None:
            begin_again(owner)

    os.register_at_fork(after_in_child=in_child)
