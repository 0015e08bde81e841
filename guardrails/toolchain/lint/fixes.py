"""The mends that are certain, made in the files, and made again until none is left."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from difflib import unified_diff
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from guardrails.language.folder import File, Folder
    from guardrails.toolchain.lint.finding import Edit, Finding, Fix
    from guardrails.toolchain.lint.linter import Linter
    from guardrails.toolchain.lint.report import Report

_ROUNDS = 10
"""How often fixes are made and looked at again; one fix may make room for the next."""

_MARK = "\ufeff".encode()


@dataclass(frozen=True, slots=True)
class Change:
    """A file before and after its fixes."""

    path: str
    before: bytes
    after: bytes

    def diff(self) -> Iterator[str]:
        """The lines of a unified diff."""
        before, after = (
            text.decode().splitlines(keepends=True) for text in (self.before, self.after)
        )
        for line in unified_diff(before, after, self.path, self.path):
            yield line.rstrip("\r\n")


@dataclass(frozen=True, slots=True)
class Fixed:
    """What fixing comes to: the files that change, how many findings it mends, what is left."""

    changes: tuple[Change, ...]
    mended: int
    report: Report


def fix_all(folder: Folder, linter: Linter, report: Report) -> Fixed:
    """Every fix of `report` made in memory, and those of what `linter` finds then.

    A round after which the policies would not load is not made.
    """
    current, mended = folder, 0
    for _ in range(_ROUNDS):
        fixes = choose(report.findings)
        if not fixes:
            break
        edited = _edit_folder(current, [edit for fix in fixes for edit in fix])
        after = linter.lint(edited)
        if not after.loaded:
            break
        current, report, mended = edited, after, mended + len(fixes)
    pairs = zip(_files(folder), _files(current), strict=True)
    changes = (Change(old.path, old.data, new.data) for old, new in pairs if old.data != new.data)
    return Fixed(tuple(changes), mended, report)


def choose(findings: Iterable[Finding]) -> list[Fix]:
    """The fixes that can be made together: of two that overlap, the first."""
    chosen: list[Fix] = []
    taken: list[Edit] = []
    for fix in dict.fromkeys(finding.fix for finding in findings if finding.fix):
        if not any(_overlap(edit, other) for edit in fix for other in taken):
            chosen.append(fix)
            taken += fix
    return chosen


def _overlap(one: Edit, other: Edit) -> bool:
    """Whether two edits touch; two insertions at one place do."""
    return one.path == other.path and one.start <= other.end and other.start <= one.end


def edit_text(text: str, edits: Iterable[Edit]) -> str:
    """`text` after `edits`, which don't overlap."""
    for edit in sorted(edits, key=lambda each: each.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def _edit_folder(folder: Folder, edits: list[Edit]) -> Folder:
    return replace(
        folder,
        documents=[_edit_file(file, edits) for file in folder.documents],
        tests=[_edit_file(file, edits) for file in folder.tests],
        problems=list(folder.problems),
    )


def _edit_file(file: File, edits: list[Edit]) -> File:
    own = [edit for edit in edits if edit.path == file.path]
    if not own:
        return file
    mark = _MARK if file.data.startswith(_MARK) else b""
    text = file.data.removeprefix(_MARK).decode()
    return replace(file, data=mark + edit_text(text, own).encode())


def _files(folder: Folder) -> list[File]:
    return [*folder.documents, *folder.tests]


def write(changes: Iterable[Change]) -> None:
    """Put every change in its file at once: who reads meanwhile sees the old or the new text.

    A link stays a link; what it leads to changes. Raises OSError.
    """
    for change in changes:
        target = Path(os.path.realpath(change.path))
        with NamedTemporaryFile(dir=target.parent, prefix=".", suffix=".tmp", delete=False) as new:
            new.write(change.after)
        try:
            shutil.copymode(target, new.name)
            os.replace(new.name, target)  # noqa: PTH105 - as the module's other calls
        except OSError:
            Path(new.name).unlink(missing_ok=True)
            raise
