"""The options that the benchmarks share on their command lines."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.report import Report


def parser(module: str, description: str | None) -> argparse.ArgumentParser:
    """A parser with `--json` and `--markdown`; the description is the module's first line."""
    first_line = (description or "").partition("\n")[0]
    options = argparse.ArgumentParser(prog=f"python -m {module}", description=first_line)
    options.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    options.add_argument(
        "--markdown",
        type=Path,
        metavar="PAGE",
        help="write the tables into this page's marked part",
    )
    return options


def sizes(text: str) -> tuple[int, ...]:
    """Sizes given as `1,10,100`; raises `ValueError` for anything but positive numbers."""
    numbers = tuple(int(part) for part in text.split(","))
    if min(numbers) < 1:
        raise ValueError(text)
    return numbers


def publish(report: Report, arguments: argparse.Namespace) -> None:
    """Print the report, and write it where the options say."""
    report.show()
    if arguments.json:
        report.write_json(arguments.json)
    if arguments.markdown:
        report.write_markdown(arguments.markdown)
