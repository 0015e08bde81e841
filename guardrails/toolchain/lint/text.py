"""The text of a file and its YAML, with regions for what stands in it."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Any

from guardrails.display import excerpt
from guardrails.language.yaml_reader import decode, read_yaml
from guardrails.language.yaml_tree import Fault
from guardrails.toolchain.lint.finding import Region

if TYPE_CHECKING:
    from guardrails.language.folder import File
    from guardrails.language.source import Source
    from guardrails.language.yaml_tree import Tree

_LINE_BREAK = re.compile(r"\r\n|\r|\n")


class PolicyText:
    """A policy document or a test: its text and, where it is YAML that can be read, its tree."""

    __slots__ = ("path", "source", "starts", "text", "tree")

    def __init__(self, path: str, source: Source, tree: Tree | None) -> None:
        self.path = path
        self.source = source
        self.tree = tree
        self.text = source.text
        self.starts = [0, *(found.end() for found in _LINE_BREAK.finditer(source.text))]

    def offset(self, line: int, column: int) -> int:
        """The offset of a place."""
        return self.starts[line - 1] + column - 1

    def region(self, start: int, end: int) -> Region:
        """The stretch from offset `start` to `end`."""
        first, last = bisect_right(self.starts, start), bisect_right(self.starts, end)
        return Region(
            self.path,
            first,
            start - self.starts[first - 1] + 1,
            last,
            end - self.starts[last - 1] + 1,
            start,
            end,
        )

    def region_of(self, event: Any) -> Region:
        """The stretch of a YAML event."""
        first, last = event.start_mark, event.end_mark
        return Region(
            self.path,
            first.line + 1,
            first.column + 1,
            last.line + 1,
            last.column + 1,
            first.index,
            last.index,
        )

    def excerpt(self, region: Region) -> str:
        """The line where `region` begins, with carets under it; empty for a whole file."""
        line = self.source.line(region.line)
        if not line.strip():
            return ""
        whole = region.end_line == region.line
        return excerpt(
            line, region.column, region.end_column - region.column if whole else len(line)
        )


def read_text(file: File) -> PolicyText | None:
    """The text of a file, or None where it is none."""
    try:
        source = decode(file.path, file.data)
    except Fault:
        return None
    tree = None if file.name.lower().endswith(".rego") else read_yaml(source)[0]
    return PolicyText(file.path, source, tree)
