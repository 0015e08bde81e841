"""Decorated tools for the tests: what a developer might have."""

# ruff: noqa: TC003  (annotations are looked up at run time here)

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import guardrails

if TYPE_CHECKING:
    from nowhere import Missing  # type: ignore[import-not-found]


class Size(enum.Enum):
    SMALL = "s"
    LARGE = "l"


@guardrails.tool
def transfer(to: str, amount: float, note: str | None = None) -> None:
    """Pay a supplier.

    More about it.
    """


class Mail:
    @guardrails.tool("mail.send")
    def send(
        self,
        to: list[str],
        size: Size,
        *more: int,
        kind: Literal["a", "b"] = "a",
        at: datetime | None = None,
    ) -> None: ...

    @staticmethod
    @guardrails.tool("mail.delete_all", ignore=["ctx"])
    def wipe(ctx: object, **filters: Any) -> None: ...

    @classmethod
    @guardrails.tool("mail.count")
    def count(cls) -> int:
        return 0


@guardrails.tool("files.read")
async def read(
    path: Path,
    lines: Annotated[tuple[int, ...], "which"],
    names: Sequence[str],
    extra: dict[str, int],
) -> None: ...


@guardrails.tool("odd")
def odd(thing: Missing, other: Any, either: int | list[int]) -> None: ...
