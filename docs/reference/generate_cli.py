"""Write `cli.md` beside this file from the help of the commands.

Run `python docs/reference/generate_cli.py` after a change to a command; a test compares.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from guardrails.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parent / "cli.md"
WIDTH = 96

INTRODUCTION = """\
# The command line

This page is made from the commands' own help by `python docs/reference/generate_cli.py`.

Exit codes are the same everywhere: **0** clean or allow, **1** findings or deny, **2** usage or
load error, **3** escalate, **4** undetermined. Whatever goes wrong ends with 2 and one message on
the error stream, never with 0.
"""


def page() -> str:
    """The text of the page."""
    root = click.Context(
        main, info_name="guardrails", terminal_width=WIDTH, **main.context_settings
    )
    sections = (f"## {path}\n\n```text\n{text}\n```\n" for path, text in helps(root))
    return "\n".join([INTRODUCTION, *sections])


def helps(context: click.Context) -> Iterator[tuple[str, str]]:
    """The help of a command and of every command under it, by the words that call it."""
    lines = context.get_help().splitlines()
    yield context.command_path, "\n".join(line.rstrip() for line in lines)
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            under = context.command.get_command(context, name)
            if under is not None:
                yield from helps(click.Context(under, context, name, terminal_width=WIDTH))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
