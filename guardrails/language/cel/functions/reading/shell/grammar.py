r"""The grammar of the shell, as much of it as bash and POSIX sh read the same way.

Shell Command Language of POSIX.1-2024, 2.10, with bash's `[[`, `&>`, `<<<` and process
substitution. Arrays, arithmetic on names, `select`, `coproc` and whatever else isn't known is an
error. tree-sitter-bash was tried first: it takes `r\` and `m` on the next line for two words, an
argument after `2>/dev/null` for part of the redirection, and seconds for a long pipeline.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.language.cel.functions.reading.shell.script import Script, Simple, Word
from guardrails.language.cel.functions.reading.shell.simple import SimpleReader
from guardrails.language.cel.functions.reading.shell.words import refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NESTING_MAX = 24
"""How deep commands may stand in each other; people's scripts stay below 6."""

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_LOOP_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_SUM = re.compile(r"\(\([0-9+\-*/% ()]*\)\)(?!\))")
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f\x85\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"
    "\ud800-\udfff]"
)
_NUMBER_OR_TEST = re.compile(r"-?[0-9]+|-[a-zA-Z]{1,2}|!")
_NUMERIC_TESTS = frozenset({"-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-v", "-R"})


def read_script(source: str, depth: int = 0, upstream: tuple[Simple, ...] = ()) -> Script:
    """The simple commands anywhere in `source`, those inside others' words before these.

    Variables that are set without a command are a command without words. `upstream` are the
    commands whose output the script reads. Raises `EvaluationError` for what can't be read.
    """
    if _UNSEEN.search(source):
        refuse("a control character or a blank that is not plain")
    reader = ScriptReader(source, depth, upstream)
    reader.read_all()
    return Script(tuple(reader.commands), reader.hides)


class ScriptReader(SimpleReader):
    """Reads a script by recursive descent."""

    __slots__ = ("_depth",)

    def __init__(self, source: str, depth: int, upstream: tuple[Simple, ...]) -> None:
        super().__init__(source, upstream)
        self._depth = depth

    def read_all(self) -> None:
        """Read the whole source."""
        self._read_list("")
        if self.at < len(self.source) or self._bodies:
            refuse("a `)` or the end of a here-document stands alone")

    def read_substitution(self) -> None:
        """Read the commands up to the `)` that closes them, and pass it."""
        if self._bodies:
            refuse("commands stand between a here-document and its mark")
        self._read_list(")")
        if self._bodies:
            refuse("a here-document is not closed")
        self._take(")")

    def read_quoted_script(self, script: str) -> None:
        """Read the commands of a backquoted script."""
        self._take_over(read_script(script, self._depth + 1, self._upstream))

    def read_body(self, body: str) -> Word:
        """The text of a here-document whose expansions are read too."""
        inner = ScriptReader(body, self._depth + 1, self._upstream)
        word = inner.read_text()
        self._take_over(inner)
        return word

    def _read_list(self, closing: str, *keywords: str) -> None:
        """Read commands up to `closing` or one of `keywords`, which are not passed."""
        self._depth += 1
        if self._depth > NESTING_MAX:
            refuse("commands stand too deep in each other")
        self._skip_lines()
        while self.peek() and self.peek() != ")":
            if self._keyword() in {*keywords} or (keywords and self.peek(2) == ";;"):
                break
            self._read_pipeline()
            self._skip_blanks()
            operator = self._operator()
            if operator in {"&&", "||"}:
                self._skip_lines()
                if not self.peek():
                    refuse("nothing follows `&&` or `||`")
            elif operator or self.peek() == "\n":
                self._skip_lines()
            else:
                break
        self._depth -= 1
        if closing and self.peek() != closing:
            refuse(f"`{closing}` is missing")
        if not closing and not keywords and self.peek():
            refuse(f"an unexpected `{self.peek()}`")

    def _read_pipeline(self) -> None:
        outside = self._upstream
        while self._keyword() == "!":
            self.at += 1
            self._skip_blanks()
        while True:
            before = len(self.commands)
            self._read_command()
            self._skip_blanks()
            if self.peek() != "|" or self.peek(2) == "||":
                break
            self._upstream += tuple(self.commands[before:])
            self.at += 2 if self.peek(2) == "|&" else 1
            self._skip_lines()
        self._upstream = outside

    def _read_command(self) -> None:
        keyword = self._keyword()
        if self.peek() != "(" and not keyword:
            self._read_simple()
            return
        before = len(self.commands)
        if self.peek() == "(":
            self._read_parentheses()
        elif keyword in _COMPOUNDS:
            self.at += len(keyword)
            self._skip_blanks()
            _COMPOUNDS[keyword](self)
        else:
            refuse(f"`{keyword}` stands where a command should")
        self._read_redirects(self.commands[before:])

    def _read_redirects(self, commands: list[Simple]) -> None:
        """Read what follows a compound command; it concerns every command in it."""
        after = Simple("")
        while True:
            self._skip_blanks()
            if self.peek() in {"", "\n", ";", "&", "|", ")"} and self.peek(2) != "&>":
                break
            if self._keyword() or not self._read_redirect(after):
                break
        if after.redirects and not commands:
            self._add(after)
        for command in commands:
            command.redirects += after.redirects

    def _read_parentheses(self) -> None:
        if self.peek(2) == "((":
            total = _SUM.match(self.source, self.at)
            if not total:
                refuse("arithmetic on anything but numbers can run commands")
            self.at = total.end()
            return
        self.at += 1
        self.read_substitution()

    def _read_group(self) -> None:
        self._read_list("", "}")
        self._expect("}")

    def _read_if(self) -> None:
        keyword = "elif"
        while keyword == "elif":
            self._read_list("", "then")
            self._expect("then")
            self._read_list("", "elif", "else", "fi")
            keyword = self._expect("fi", "elif", "else")
        if keyword == "else":
            self._read_list("", "fi")
            self._expect("fi")

    def _read_while(self) -> None:
        self._read_list("", "do")
        self._read_body()

    def _read_body(self) -> None:
        self._expect("do")
        self._read_list("", "done")
        self._expect("done")

    def _read_for(self) -> None:
        if self.peek() == "(":
            refuse("arithmetic on anything but numbers can run commands")
        name = self.read_word()
        if not _LOOP_NAME.fullmatch(name.raw):
            refuse("a loop sets a variable that may mean something to the shell")
        self._skip_lines()
        if self._keyword() == "in":
            self.at += 2
            self._read_words()
        self._skip_blanks()
        if self.peek() == ";":
            self.at += 1
        self._read_body()

    def _read_case(self) -> None:
        self._read_argument()
        self._expect("in")
        self._skip_lines()
        while self._keyword() != "esac":
            self._read_case_item()
        self._expect("esac")

    def _read_case_item(self) -> None:
        if self.peek() == "(":
            self.at += 1
        while True:
            self._skip_blanks()
            self._read_argument()
            self._skip_blanks()
            if self.peek() != "|":
                break
            self.at += 1
        self._take(")")
        self._read_list("", "esac")
        if self._keyword() != "esac":
            self._take(";;")
        self._skip_lines()

    def _read_function(self) -> None:
        name = self.read_word()
        self._skip_blanks()
        if self.peek() == "(":
            self.at += 1
            self._skip_blanks()
            self._take(")")
        self._read_function_body(name)

    def _read_function_body(self, name: Word) -> None:
        if not _PLAIN_NAME.fullmatch(name.raw):
            refuse("a function's name that is not plain")
        self._skip_lines()
        if self._keyword() not in _COMPOUNDS and self.peek() != "(":
            refuse("a function's body is missing")
        self._depth += 1
        self._read_command()
        self._depth -= 1

    def _read_test(self) -> None:
        start = self.at
        words = []
        self._skip_blanks()
        while self._keyword() != "]]":
            if self.peek() in {"", "\n"} or self.peek() in "&|<>()":
                refuse("an operator inside `[[`, which sh reads as its own; use `[` and `&&`")
            words.append(self.read_word())
            self._skip_blanks()
        self.at += 2
        numeric = any(word.text in _NUMERIC_TESTS for word in words)
        if numeric and not all(_NUMBER_OR_TEST.fullmatch(word.raw) for word in words):
            refuse("arithmetic inside `[[` can run commands; use `[`")
        closing = Word("]]", "]]")
        text = f"[[ {self.source[start : self.at].strip()}"
        self._add(Simple(text, [Word("[[", "[["), *words, closing]))

    def _read_definition(self, command: Simple) -> None:
        if len(command.words) != 1 or command.assignments or command.redirects:
            refuse("an unexpected `(`")
        self.at += 1
        self._skip_blanks()
        self._take(")")
        self._read_function_body(command.words[0])


_COMPOUNDS: Mapping[str, Callable[[ScriptReader], None]] = {
    "{": ScriptReader._read_group,  # noqa: SLF001 - one table of one class's own methods
    "if": ScriptReader._read_if,  # noqa: SLF001
    "while": ScriptReader._read_while,  # noqa: SLF001
    "until": ScriptReader._read_while,  # noqa: SLF001
    "for": ScriptReader._read_for,  # noqa: SLF001
    "case": ScriptReader._read_case,  # noqa: SLF001
    "function": ScriptReader._read_function,  # noqa: SLF001
    "[[": ScriptReader._read_test,  # noqa: SLF001
}
