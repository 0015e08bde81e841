"""The simple commands of a shell script: assignments, words and redirections up to an operator."""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import TYPE_CHECKING

from guardrails.language.cel.functions.reading.shell.script import Simple, Word
from guardrails.language.cel.functions.reading.shell.tokens import RESERVED, TokenReader
from guardrails.language.cel.functions.reading.shell.words import refuse

if TYPE_CHECKING:
    from guardrails.language.cel.functions.reading.shell.script import Script

COMMANDS_MAX = 256
"""Commands of one text, so that what each reads from others stays small."""

_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\+?=")
_SUBSCRIPTED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\[")


class SimpleReader(TokenReader):
    """Reads simple commands; all that were found are in `commands`.

    `upstream` are those whose output is read by what comes next.
    """

    __slots__ = ("_upstream", "commands")

    def __init__(self, source: str, upstream: tuple[Simple, ...]) -> None:
        super().__init__(source)
        self.commands: list[Simple] = []
        self._upstream = upstream

    @abstractmethod
    def _read_definition(self, command: Simple) -> None:
        """Read the rest of a function's definition, of which `command` is the name."""

    def _add(self, command: Simple) -> None:
        command.upstream = self._upstream
        self.commands.append(command)
        self._check_number()

    def _take_over(self, inner: Script | SimpleReader) -> None:
        """Count what was found in a script inside this one as found in this one."""
        self.commands += inner.commands
        self.hides |= inner.hides
        self._check_number()

    def _check_number(self) -> None:
        if len(self.commands) > COMMANDS_MAX:
            refuse(f"more than {COMMANDS_MAX} commands")

    def _read_simple(self) -> None:
        start = self.at
        command = Simple("")
        while True:
            self._skip_blanks()
            if self.peek() in {"", "\n", ";", "|", ")"}:
                break
            if self.peek() == "&" and self.peek(2) != "&>":
                break
            if self.peek() == "(":
                self._read_definition(command)
                return
            if not self._read_redirect(command):
                self._read_part_of(command)
        if not (command.words or command.assignments or command.redirects):
            refuse("a command is missing")
        command.text = self.source[start : self.at].rstrip()
        self._add(command)

    def _read_part_of(self, command: Simple) -> None:
        word = self._read_argument()
        if any(each.operator.startswith("&") for each in command.redirects):
            refuse("a word after `&>`, where sh begins another command")
        raw = word.raw.replace("\\\n", "")
        assigned = None if command.words else _ASSIGNMENT.match(raw)
        if assigned:
            if self.peek() == "(":
                refuse("an array")
            value = word.text[len(assigned[0]) :]
            command.assignments.append((assigned[1], Word(value, raw, literal=word.literal)))
            return
        if _SUBSCRIPTED.match(raw) and not (command.words and "]" in raw):
            refuse("an array, or a name with `[`, whose end bash looks for beyond the word")
        if not command.words and raw in RESERVED:
            refuse(f"`{raw}` stands where a command should")
        command.words.append(word)
