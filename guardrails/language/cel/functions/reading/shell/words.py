"""The words of a shell script, with their quotes removed as bash and POSIX sh both would.

Shell Command Language of POSIX.1-2024, 2.2 (quoting), 2.6 (expansions), and bash's manual, 3.1.2
and 3.5. What the two shells read differently is an error: a quote inside `$'..'` ends that string
for one of them and not for the other.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NoReturn

from guardrails.errors import EvaluationError
from guardrails.language.cel.functions.reading.shell.script import Word

if TYPE_CHECKING:
    from collections.abc import Mapping

BLANKS = " \t"
ENDS_OF_WORDS = frozenset(" \t\n;&|<>()")

_PLAIN = re.compile(r"[A-Za-z0-9_./:=+,@%^~!#}\]\-\x80-\U0010ffff]+")
_PLAIN_IN_QUOTES = re.compile(r'[^"$`\\]+')
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]")
_SUM = re.compile(r"\$\(\([0-9+\-*/% ()]*\)\)(?!\))")
_BRACED = re.compile(
    r"\$\{#?(?P<name>[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-])"
    r"(?:(?::?[-+?]|%%?|##?|//?)(?:[A-Za-z0-9_./:,=+ @%^*?-]|\$[A-Za-z_][A-Za-z0-9_]*)*)?\}"
)
_ANSI_C = re.compile(
    r"\\(?:x([0-9A-Fa-f]{1,2})|([0-7]{1,3})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|(.))", re.DOTALL
)
_SEQUENCE = re.compile(r",|\.\.")
_RUN = re.compile(r"\$\(|`|[<>]\(")

_ESCAPES: Mapping[str, str] = {
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "E": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    '"': '"',
    "?": "?",
}


def refuse(reason: str) -> NoReturn:
    """Raises the error of a script that can't be read for certain."""
    raise EvaluationError(f"a shell command can't be read for certain: {reason}")


class WordReader(ABC):
    """Reads words from `source` at `at`; what stands in `$(..)` is left to `read_substitution`.

    `hides` is set where a word holds what a shell could come to evaluate as a subscript.
    """

    __slots__ = ("at", "hides", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.hides = False

    @abstractmethod
    def read_substitution(self) -> None:
        """Read the commands up to the `)` that closes what `at` stands in, and pass it."""

    @abstractmethod
    def read_quoted_script(self, script: str) -> None:
        """Read the commands of a backquoted script."""

    def peek(self, length: int = 1) -> str:
        """The next characters, fewer at the end."""
        return self.source[self.at : self.at + length]

    def read_word(self) -> Word:
        """The word that begins at `at`, which stands at none of the characters that end one."""
        start = self.at
        parts = _Parts()
        while (character := self.peek()) and character not in ENDS_OF_WORDS:
            self._read_part(character, parts)
        if not parts.unquoted and self.at == start:
            refuse("a word is missing")
        if self.peek(2) in {"<(", ">("}:
            refuse("a process substitution is part of a word")
        return self._finished(start, parts)

    def read_process_substitution(self) -> Word:
        """The word that `<(..)` or `>(..)` at `at` makes; its commands are read too."""
        start = self.at
        self.at += 2
        self.read_substitution()
        if self.peek() and self.peek() not in ENDS_OF_WORDS:
            refuse("a process substitution is part of a word")
        return Word("", self.source[start : self.at], literal=False)

    def read_text(self) -> Word:
        """All of the source, as the body of a here-document whose end mark has no quotes."""
        parts = _Parts()
        while character := self.peek():
            if character == '"' or self.peek(2) == '\\"':
                quote = self.peek(1 if character == '"' else 2)
                parts.text.append(quote)
                self.at += len(quote)
            else:
                self._read_in_quotes(character, parts)
        return Word("".join(parts.text), self.source, literal=parts.literal)

    def _finished(self, start: int, parts: _Parts) -> Word:
        text = "".join(parts.text)
        unquoted = "".join(parts.unquoted)
        many = parts.many or _is_expanded(unquoted)
        if "[" in text and _RUN.search(text, text.index("[")):
            self.hides = True
        raw = self.source[start : self.at]
        return Word(text, raw, literal=parts.literal and not many, single=not many)

    def _read_part(self, character: str, parts: _Parts) -> None:
        plain = _PLAIN.match(self.source, self.at)
        if plain:
            self.at = plain.end()
            parts.add_unquoted(plain[0])
        elif character == "'":
            parts.add_quoted(self._up_to_quote("'", 1))
        elif character == '"':
            self._read_double_quotes(parts)
        elif character == "\\":
            self._read_escape(parts)
        elif character == "$":
            self._read_dollar(parts, quoted=False)
        elif character == "`":
            self._read_backquotes(parts, quoted=False)
        else:
            self.at += 1
            parts.many |= character in "*?"
            parts.add_unquoted(character)

    def _up_to_quote(self, quote: str, opening: int) -> str:
        start = self.at + opening
        end = self.source.find(quote, start)
        if end < 0:
            refuse("a quote is not closed")
        self.at = end + 1
        return self.source[start:end]

    def _read_escape(self, parts: _Parts) -> None:
        escaped = self.source[self.at + 1 : self.at + 2]
        if not escaped:
            refuse("it ends in a backslash")
        self.at += 2
        if escaped != "\n":
            parts.add_quoted(escaped)

    def _read_double_quotes(self, parts: _Parts) -> None:
        self.at += 1
        parts.add_quoted("")
        while (character := self.peek()) != '"':
            if not character:
                refuse("a quote is not closed")
            self._read_in_quotes(character, parts)
        self.at += 1

    def _read_in_quotes(self, character: str, parts: _Parts) -> None:
        plain = _PLAIN_IN_QUOTES.match(self.source, self.at)
        if plain:
            self.at = plain.end()
            parts.text.append(plain[0])
        elif character == "$":
            self._read_dollar(parts, quoted=True)
        elif character == "`":
            self._read_backquotes(parts, quoted=True)
        else:
            escaped = self.source[self.at + 1 : self.at + 2]
            self.at += 2
            if escaped != "\n":
                parts.text.append(escaped if escaped and escaped in '$`"\\' else f"\\{escaped}")

    def _read_dollar(self, parts: _Parts, *, quoted: bool) -> None:
        following = self.source[self.at + 1 : self.at + 2]
        if following == "(":
            self._read_parenthesis()
        elif following == "{":
            parts.many |= self._read_braced() in {"@", "*"}
        elif following in {"'", '"'} and not quoted:
            self._read_dollar_quotes(following, parts)
            return
        elif name := _NAME.match(self.source, self.at + 1):
            self.at = name.end()
            parts.many |= name[0] in {"@", "*"}
        elif following == "[" or self.source.startswith("\\\n", self.at + 1):
            refuse("a `$` before a bracket or the end of a line")
        else:
            self.at += 1
            parts.text.append("$")
            return
        parts.literal = False
        parts.many |= not quoted

    def _read_parenthesis(self) -> None:
        if self.source.startswith("$((", self.at):
            total = _SUM.match(self.source, self.at)
            if not total:
                refuse("arithmetic on anything but numbers can run commands")
            self.at = total.end()
            return
        self.at += 2
        self.read_substitution()

    def _read_braced(self) -> str:
        braced = _BRACED.match(self.source, self.at)
        if not braced:
            refuse("an expansion `${..}` that is more than a name and a plain default or pattern")
        self.at = braced.end()
        return braced["name"]

    def _read_dollar_quotes(self, quote: str, parts: _Parts) -> None:
        if quote == '"':
            self.at += 1
            self._read_double_quotes(parts)
            return
        inside = self._up_to_quote("'", 2)
        if inside.endswith("\\"):
            refuse("a quote inside `$'..'`, which not every shell reads the same")
        parts.add_quoted(_ANSI_C.sub(_decoded, inside))

    def _read_backquotes(self, parts: _Parts, *, quoted: bool) -> None:
        end = self.at + 1
        while (character := self.source[end : end + 1]) != "`":
            if not character:
                refuse("a backquote is not closed")
            end += 2 if character == "\\" else 1
        inside = self.source[self.at + 1 : end]
        if quoted and '"' in inside:
            refuse("double quotes inside backquotes inside double quotes")
        self.at = end + 1
        self.read_quoted_script(re.sub(r"\\([$`\\])", r"\1", inside))
        parts.literal = False
        parts.many |= not quoted


class _Parts:
    """What a word is made of, while it is read."""

    __slots__ = ("literal", "many", "text", "unquoted")

    def __init__(self) -> None:
        self.text: list[str] = []
        self.unquoted: list[str] = []
        self.literal = True
        self.many = False

    def add_unquoted(self, text: str) -> None:
        self.text.append(text)
        self.unquoted.append(text)

    def add_quoted(self, text: str) -> None:
        self.text.append(text)
        self.unquoted.append("_")


def _is_expanded(unquoted: str) -> bool:
    """Whether braces or brackets could make other words of a word (more often than they do)."""
    brace, bracket = unquoted.find("{"), unquoted.find("[")
    return (brace >= 0 and _SEQUENCE.search(unquoted, brace) is not None) or (
        bracket >= 0 and "]" in unquoted[bracket:]
    )


def _decoded(escape: re.Match[str]) -> str:
    hexadecimal, octal, short, long, letter = escape.groups()
    if letter is not None:
        if letter not in _ESCAPES:
            refuse("an escape in `$'..'` that is not known")
        return _ESCAPES[letter]
    code = int(octal, 8) if octal else int(hexadecimal or short or long, 16)
    greatest = 0x10FFFF if short or long else 0x7F
    if not 0 < code <= greatest or 0xD800 <= code < 0xE000:
        refuse("an escape in `$'..'` that is no character")
    return chr(code)
