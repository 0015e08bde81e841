"""Tables of figures: on the terminal, as JSON, and as the marked part of a Markdown page."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


PAGE_WIDTH = 140


@dataclass(frozen=True, slots=True)
class Table:
    """A title, the names of the columns, and rows of finished text; the first column is a name."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """The table as Markdown, the title before it."""
        ruler = [":--", *["--:"] * (len(self.columns) - 1)]
        lines = [f"| {' | '.join(cells)} |" for cells in (self.columns, ruler, *self.rows)]
        return "\n".join((f"**{self.title}**", "", *lines))


@dataclass(frozen=True, slots=True)
class Report:
    """What a benchmark prints: where, the tables, remarks, and the raw figures.

    `details` are tables that a page shows only to those who ask for them.
    """

    name: str
    machine: str
    tables: tuple[Table, ...]
    remarks: tuple[str, ...]
    figures: dict[str, Any]
    details: tuple[Table, ...] = ()

    def show(self) -> None:
        """Print the report on the terminal."""
        from rich.console import Console
        from rich.table import Table as RichTable

        # What is piped or kept in a file is not cut to some terminal's width.
        console = Console() if sys.stdout.isatty() else Console(width=PAGE_WIDTH)
        console.print(self.machine, style="dim", highlight=False)
        for table in (*self.tables, *self.details):
            grid = RichTable(title=table.title, title_justify="left")
            grid.add_column(table.columns[0], overflow="fold")
            for column in table.columns[1:]:
                grid.add_column(column, justify="right", no_wrap=True)
            for row in table.rows:
                grid.add_row(*row)
            console.print(grid)
        for remark in self.remarks:
            console.print(f"- {remark}", highlight=False, markup=False)

    def markdown(self) -> str:
        """The report as Markdown."""
        remarks = "\n".join(f"- {remark}" for remark in self.remarks)
        parts = [f"Machine: {self.machine}.", *(table.markdown() for table in self.tables), remarks]
        if self.details:
            parts += ["<details><summary>All figures</summary>"]
            parts += [table.markdown() for table in self.details] + ["</details>"]
        return "\n\n".join(part for part in parts if part)

    def write_json(self, path: Path) -> None:
        """Write the raw figures, for other programs."""
        content = {"benchmark": self.name, "machine": self.machine, **self.figures}
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

    def write_markdown(self, path: Path) -> None:
        """Replace the page's part between this benchmark's two marks; raises `ValueError`."""
        text = path.read_text(encoding="utf-8")
        start, end = f"<!-- {self.name}: measured -->", f"<!-- {self.name}: end -->"
        before, found_start, rest = text.partition(start)
        _, found_end, after = rest.partition(end)
        if not (found_start and found_end):
            raise ValueError(f"{path}: no `{start}` … `{end}` to write between")
        path.write_text(f"{before}{start}\n\n{self.markdown()}\n\n{end}{after}", encoding="utf-8")


def duration(nanoseconds: float) -> str:
    """A duration in the unit that suits it, three digits."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{three_digits(nanoseconds / size)} {unit}"
    return f"{nanoseconds:.0f} ns"


def ratio(part: float, whole: float) -> str:
    """How many times `whole` goes into `part`."""
    return f"{three_digits(part / whole)} x"


def three_digits(number: float) -> str:
    """The number with three significant digits, and all of those before the point."""
    if number >= 100:
        return f"{number:,.0f}"
    return f"{number:.1f}" if number >= 10 else f"{number:.2f}"


def verdicts(goals: Sequence[tuple[str, bool | None, str]]) -> Table:
    """The goals: what is asked, whether it is reached (None: not measured here), what was found."""
    words = {True: "reached", False: "not reached", None: "not measured"}
    rows = tuple((goal, found, words[reached]) for goal, reached, found in goals)
    return Table("Goals", ("goal", "measured", ""), rows)
