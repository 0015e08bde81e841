"""Logs to write and to disturb."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from guardrails.audit.records import DecisionEntry
from guardrails.decision import Code, Decision, Effect, RuleMatch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from guardrails.audit.log import DecisionLog

ALLOWED = Decision(
    Effect.ALLOW,
    Code.RULE,
    (RuleMatch("payments/small", Effect.ALLOW),),
    would=Effect.ALLOW,
    revision="9f" * 32,
)
DENIED = Decision(Effect.DENY, Code.NO_MATCH, revision="9f" * 32)


def make_entry(tool: str = "pay", /, **fields: Any) -> DecisionEntry:
    fields.setdefault("arguments", {"to": "ACME", "amount": 12})
    fields.setdefault("decision", ALLOWED)
    return DecisionEntry(tool, **fields)


def make_call(log: DecisionLog) -> str:
    record = log.decision(make_entry())
    log.outcome(record, "returned", 1000)
    return record


@pytest.fixture(scope="session")
def entry() -> Callable[..., DecisionEntry]:
    return make_entry


@pytest.fixture
def call() -> Callable[[DecisionLog], str]:
    return make_call


@pytest.fixture
def allowed() -> Decision:
    return ALLOWED


@pytest.fixture
def denied() -> Decision:
    return DENIED


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "log"


class Written:
    """A folder of logs as text, for tests that change it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def files(self) -> list[Path]:
        return sorted(self.folder.glob("*.jsonl"))

    @property
    def file(self) -> Path:
        (file,) = self.files
        return file

    def lines(self, file: Path | None = None) -> list[bytes]:
        return (file or self.file).read_bytes().splitlines(keepends=True)

    def replace(self, lines: list[bytes], file: Path | None = None) -> None:
        (file or self.file).write_bytes(b"".join(lines))


@pytest.fixture
def written(folder: Path) -> Written:
    return Written(folder)
