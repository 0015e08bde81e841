"""What every verb prints: lines for people, or JSON for programs."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guardrails.toolchain.lines import Line

STYLES = {
    "plain": "",
    "strong": "bold",
    "faint": "dim",
    "allow": "bold green",
    "escalate": "bold yellow",
    "deny": "bold red",
}
"""How a terminal shows each tone; `NO_COLOR` takes the colours away."""


def print_json(value: Any, *, indent: int | None = None) -> None:
    """Print `value` as JSON in ASCII, so that no character of it can be taken for another."""
    click.echo(json.dumps(value, indent=indent))


def print_lines(lines: Iterable[Line]) -> None:
    """Print `lines`: in colour and wrapped on a terminal, plainly anywhere else."""
    if sys.stdout is not None and sys.stdout.isatty():
        from rich.console import Console
        from rich.text import Text

        console = Console(highlight=False, markup=False, emoji=False)
        for pieces in lines:
            console.print(Text.assemble(*((text, STYLES[tone]) for text, tone in pieces)))
        return
    from guardrails.toolchain.lines import plain

    click.echo(plain(lines), nl=False)
