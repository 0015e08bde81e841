"""Tells the story on a terminal: words carry it, colour only helps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from demo.play import Outcome
from guardrails.decision import Code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from demo.evidence import Finding
    from demo.play import Turn
    from demo.script import Call, Scene
    from demo.servers import Mail

STYLES = {
    Outcome.RAN: "green",
    Outcome.FAILED: "yellow",
    Outcome.REFUSED: "bold red",
    Outcome.ASKS: "bold yellow",
}

CODES = {
    Code.NO_MATCH: "no rule allows it",
    Code.UNDECLARED: "no policy declares this tool",
    Code.INVALID_ACTION: "this is no action that can be judged",
    Code.INVALID_ARGUMENTS: "the arguments are not those that the tool declares",
}
"""Why a call was refused, where it was no rule."""

LONGEST = 96
"""How many characters of a call's arguments are shown."""


class Teller:
    """Writes the story to `console`; nothing that was said by tools or models is markup."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, text: str, style: str = "") -> None:
        """Print a line of the narrator."""
        self._console.print(Text(text, style=style))

    def chapter(self, title: str) -> None:
        """Print the head of a part."""
        self._console.print()
        self._console.rule(Text(f" {title} ", style="bold"), align="left", style="dim")

    def scene(self, scene: Scene) -> None:
        """Print what the agent is about to do."""
        self._console.print()
        self._console.print(Text(f"The agent {scene.title}", style="italic"))

    def turn(self, turn: Turn) -> None:
        """Print one call: what became of it, the rule that decided, and its words."""
        lines = Table.grid(padding=(0, 1))
        lines.add_column(width=9, justify="right")
        lines.add_column(overflow="fold")
        lines.add_row(
            Text(turn.outcome.value, style=STYLES[turn.outcome]),
            Text.assemble((ascii(turn.call.tool)[1:-1], "bold"), " ", _arguments(turn.call)),
        )
        lines.add_row("", _reason(turn))
        self._console.print(lines)

    def read_aloud(self, text: str) -> None:
        """Print what the agent read, word for word."""
        self._console.print(
            Padding(
                Panel(Text(text.strip()), title="the ticket", border_style="red"), (0, 0, 0, 10)
            )
        )

    def findings(self, findings: Sequence[Finding]) -> None:
        """Print the shop before and after."""
        table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
        table.add_column("", width=9, justify="right")
        for head in ("", "before", "after", ""):
            table.add_column(head, overflow="fold")
        for finding in findings:
            table.add_row(
                Text("held", "green") if finding.held else Text("BROKEN", "bold red"),
                Text(finding.subject),
                Text(finding.before),
                Text(finding.after),
                Text(finding.verdict, style="dim"),
            )
        self._console.print(table)

    def mails(self, mails: Sequence[Mail]) -> None:
        """Print the mails that the server took in."""
        for mail in mails:
            self._console.print(Text(f"          to {', '.join(mail.recipients)}: {mail.subject}"))

    def verification(self, command: str, answer: str, *, as_it_should: bool) -> None:
        """Print a command of the auditor's and what it answered."""
        words = Text(answer, style="dim" if as_it_should else "bold red")
        self._console.print(Group(Text(f"$ {command}", style="bold"), Padding(words, (0, 0, 0, 2))))


def _reason(turn: Turn) -> Text:
    """The rules that decided and, where the call did not run, what the agent was told."""
    result = turn.record["result"]
    deciding = [
        match
        for match in result["matches"]
        if match["effect"] == result["effect"] and not match["observed"]
    ]
    code = result["code"]
    if code == Code.RULE and deciding:
        reason = ", ".join(
            match["rule"] + (" (could not be evaluated, so it counts)" if match["error"] else "")
            for match in deciding
        )
    else:
        reason = CODES.get(code, code)
    words = Text(reason, style="cyan")
    if turn.outcome is not Outcome.RAN:
        words.append(f"\n{turn.answer}", style="default")
    return words


def _arguments(call: Call) -> Text:
    shown = ", ".join(f"{name}={_value(value)}" for name, value in call.arguments.items())
    if len(shown) > LONGEST:
        shown = f"{shown[:LONGEST]}..."
    return Text(shown, style="dim")


def _value(value: Any) -> str:
    """The value with every character beyond ASCII spelt out, so that look-alikes are seen."""
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, list) and len(value) > 2:
        return f"[{value[0]!a}, and {len(value) - 1} more]"
    return ascii(value)
