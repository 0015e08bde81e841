"""The tokens of a shell script between its words: operators, redirections, here-documents."""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import TYPE_CHECKING

from guardrails.language.cel.functions.reading.shell.script import Redirect, Word
from guardrails.language.cel.functions.reading.shell.words import BLANKS, WordReader, refuse

if TYPE_CHECKING:
    from guardrails.language.cel.functions.reading.shell.script import Simple

RESERVED = frozenset(
    {"!", "{", "}", "[[", "]]", "if", "then", "elif", "else", "fi", "while", "until", "do", "done"}
    | {"for", "in", "case", "esac", "function", "select", "coproc"}
)
"""Words that are no commands where a command could stand."""

_DIGITS = re.compile(r"[0-9]*")
_REDIRECTION = re.compile(r"&>>|&>|<<<|<<-|<<|<&|<>|>>|>&|>\||<|>")
_MARK = re.compile(r"""(['"]?)[A-Za-z0-9_.:!-]{1,64}\1|\\[A-Za-z0-9_]{1,64}""")
_KEYWORD = re.compile(r"[^ \t\n;&|<>()]*")


class TokenReader(WordReader):
    """Reads what stands between words; `_bodies` are here-documents whose lines come yet."""

    __slots__ = ("_bodies",)

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self._bodies: list[tuple[Redirect, str, bool, bool]] = []

    @abstractmethod
    def read_body(self, body: str) -> Word:
        """The text of a here-document in which expansions count."""

    def _take(self, expected: str) -> None:
        if not self.source.startswith(expected, self.at):
            refuse(f"`{expected}` is missing")
        self.at += len(expected)

    def _skip_blanks(self) -> None:
        while character := self.peek():
            if character in BLANKS:
                self.at += 1
            elif self.peek(2) == "\\\n":
                self.at += 2
            elif character == "#":
                end = self.source.find("\n", self.at)
                self.at = len(self.source) if end < 0 else end
            else:
                return

    def _skip_lines(self) -> None:
        self._skip_blanks()
        while self.peek() == "\n":
            self.at += 1
            self._read_bodies()
            self._skip_blanks()

    def _keyword(self) -> str:
        """The reserved word that comes next, which is not passed, or nothing."""
        found = _KEYWORD.match(self.source, self.at)
        return found[0] if found and found[0] in RESERVED else ""

    def _expect(self, *keywords: str) -> str:
        self._skip_lines()
        keyword = self._keyword()
        if keyword not in keywords:
            refuse(f"`{keywords[0]}` is missing")
        self.at += len(keyword)
        return keyword

    def _operator(self) -> str:
        if self.peek(2) in {"&&", "||"}:
            operator = self.peek(2)
        elif self.peek() in {";", "&"} and self.peek(2) != ";;":
            operator = self.peek()
        else:
            return ""
        self.at += len(operator)
        return operator

    def _read_words(self) -> list[Word]:
        words = []
        self._skip_blanks()
        while self.peek() not in {"", "\n", ";", "&", "|", ")"}:
            words.append(self._read_argument())
            self._skip_blanks()
        return words

    def _read_argument(self) -> Word:
        if self.peek(2) in {"<(", ">("}:
            return self.read_process_substitution()
        if self.peek() in {"<", ">", "("}:
            refuse(f"an unexpected `{self.peek()}`")
        return self.read_word()

    def _read_redirect(self, command: Simple) -> bool:
        """Whether a redirection comes next, which is then read."""
        digits = _DIGITS.match(self.source, self.at)
        descriptor = digits[0] if digits else ""
        found = _REDIRECTION.match(self.source, self.at + len(descriptor))
        if found is None or (descriptor and found[0].startswith("&")):
            return False
        if not descriptor and self.peek(2) in {"<(", ">("}:
            return False
        if command.words and command.words[-1].raw.endswith("}") and self._follows_word():
            refuse("a variable for a file descriptor")
        self.at = found.end()
        if self.peek() == "&":
            refuse("a redirection in two pieces")
        self._skip_blanks()
        target = self._read_argument()
        redirect = Redirect(found[0], descriptor, target)
        if found[0] in {"<<", "<<-"}:
            self._await_body(redirect)
        elif found[0] == "<<<":
            redirect.body, redirect.target = target, Word("", "")
        command.redirects.append(redirect)
        return True

    def _follows_word(self) -> bool:
        return self.source[self.at - 1 : self.at] == "}"

    def _await_body(self, redirect: Redirect) -> None:
        mark = redirect.target
        if not (mark.known and _MARK.fullmatch(mark.raw)):
            refuse("the end mark of a here-document that is not plain")
        quoted = mark.raw != mark.text
        self._bodies.append((redirect, mark.text, quoted, redirect.operator == "<<-"))

    def _read_bodies(self) -> None:
        for redirect, mark, quoted, indented in self._bodies:
            redirect.body = self._read_body_of(mark, quoted=quoted, indented=indented)
        self._bodies = []

    def _read_body_of(self, mark: str, *, quoted: bool, indented: bool) -> Word:
        lines = []
        while True:
            if self.at >= len(self.source):
                refuse("a here-document is not closed")
            end = self.source.find("\n", self.at)
            end = len(self.source) if end < 0 else end
            line = self.source[self.at : end]
            line = line.lstrip("\t") if indented else line
            if line == mark:
                self.at = end
                break
            if line.endswith("\\") and not quoted:
                refuse("a here-document with a line that is continued; quote its end mark")
            lines.append(f"{line}\n")
            self.at = end + 1
        body = "".join(lines)
        return Word(body, body) if quoted else self.read_body(body)
