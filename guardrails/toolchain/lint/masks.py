"""Arguments added to the `mask` of a tool, in whatever way the tool is written."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from guardrails.toolchain.lint.finding import Edit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from guardrails.language.document import Tool
    from guardrails.toolchain.lint.finding import Fix
    from guardrails.toolchain.lint.project import Project
    from guardrails.toolchain.lint.text import PolicyText

_PLAIN = re.compile(r"(?!(?i:true|false|null|yes|no|on|off)\Z)[A-Za-z_][A-Za-z0-9_.-]*")


def mask(project: Project, tool: Tool, names: Sequence[str]) -> Fix:
    """The fix that adds `names` to what the tool masks; none where that can't be done surely."""
    data = project.data(tool)
    text = project.texts[project.document_of(tool).path]
    region = project.region(tool)
    if "mask" in data:
        return _extend(project, text, tool, names)
    assert text.tree is not None
    begin = text.tree.value(text.tree.data["tools"], tool.name).start_mark.index
    if text.text[begin] == "{":
        return (Edit(region.path, begin + 1, begin + 1, f"mask: [{_write(names)}], "),)
    if text.text[begin] in "&*!":
        return ()
    first = text.tree.key(data, next(iter(data))).start_mark
    if first.line + 1 == region.line:
        return ()
    end = _end_of_block(text, region.line, region.column)
    return (Edit(region.path, end, end, f"\n{' ' * first.column}mask: [{_write(names)}]"),)


def _extend(project: Project, text: PolicyText, tool: Tool, names: Sequence[str]) -> Fix:
    """`names` put behind the last that is masked, or into an empty list."""
    path = project.region(tool).path
    if not tool.mask:
        region = project.region(tool, "mask")
        whole = re.compile(r"\[\s*\]").match(text.text, region.start)
        return (Edit(path, whole.start(), whole.end(), f"[{_write(names)}]"),) if whole else ()
    last = project.region(tool, "mask", len(tool.mask) - 1)
    line = text.source.line(last.line)
    before = line[: last.column - 1]
    if before.strip() == "-":
        added = "".join(f"\n{before}{_write([name])}" for name in names)
        return (Edit(path, last.end, last.end, added),)
    return (Edit(path, last.end, last.end, f", {_write(names)}"),)


def _end_of_block(text: PolicyText, line: int, column: int) -> int:
    """Where the last line ends of those below `line` that are indented deeper than `column`."""
    last = line
    for below in range(line + 1, len(text.starts) + 1):
        written = text.source.line(below)
        if written.strip():
            if len(written) - len(written.lstrip(" ")) < column:
                break
            last = below
    return text.starts[last - 1] + len(text.source.line(last).rstrip("\r\n"))


def _write(names: Iterable[str]) -> str:
    return ", ".join(name if _PLAIN.fullmatch(name) else json.dumps(name) for name in names)
