"""The policies that come with the project are clean by its own linter."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardrails.instants import parse_timestamp
from guardrails.language.folder import read_folder
from guardrails.toolchain.lines import plain
from guardrails.toolchain.lint.formats.text import tell_report
from guardrails.toolchain.lint.linter import make_linter

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = sorted(
    [
        ROOT / "demo" / "policies",
        *ROOT.glob("evaluations/*/policies/*"),
        *ROOT.glob("cookbook/*/policies"),
        *ROOT.glob("policies/*"),
    ]
)
NOW = parse_timestamp("2026-06-01T10:00:00Z").ns


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_policies_that_are_shipped_have_no_findings_but_notes(folder: Path) -> None:
    report = make_linter(folder, now_ns=NOW).lint(read_folder(folder))
    assert report.exit_code == 0, plain(tell_report(report))
