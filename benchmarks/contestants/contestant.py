"""What a contestant is: a name, the packages it needs, and how it gets ready for a workload."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.workload import Workload

Decide = Callable[[str, dict[str, Any]], Any]
"""From a tool name and a dict of arguments to a decision, of the contestant's own type."""


class Absent(Exception):  # noqa: N818 - it says what is, and ends nothing
    """A contestant's package is not installed here."""


class Kind(StrEnum):
    """How a contestant finds the rules that concern a call."""

    OURS = "ours"
    FLOOR = "floor"
    SCANS = "scans"
    INDEXED = "indexed"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A contestant with the rules loaded; `allows` reads a decision outside the timing."""

    decide: Decide
    allows: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Contestant:
    """`prepare` takes a workload and an empty folder to write files in, and raises `Absent`."""

    name: str
    kind: Kind
    distribution: str | None
    prepare: Callable[[Workload, Path], Prepared]


def peer(module: str) -> Any:
    """The module of a peer, untyped as it is a guest here; raises `Absent` if not installed."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise Absent(f"`{error.name or module}` is not installed; `make bench` does it") from error
