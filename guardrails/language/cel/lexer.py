"""The tokens of a condition, by the lexical part of the CEL specification's grammar."""

from __future__ import annotations

import re
from typing import NamedTuple, NoReturn

from guardrails.language.cel.errors import CelError

MAX_LENGTH = 65_536
"""Characters in a condition. A decision table of a thousand lines fits; a denial of service not."""

KEYWORDS = frozenset({"in", "true", "false", "null"})
"""Words that are never a name, not even after a dot (specification, "Syntax")."""


class Token(NamedTuple):
    """A piece of the source: `kind` is `name`, `quoted`, `float`, `int`, `string` or `end`.

    Operators, brackets and keywords are kinds of their own, equal to their text.
    """

    kind: str
    text: str
    start: int
    end: int


_TOKEN = re.compile(
    r"""
    (?:[ \t\n\f\r]++|//[^\n]*+)*+                        # white space and comments
    (?:
      (?P<string>(?:
          (?:[rR][bB]?|[bB][rR])(?:
              "{3}(?:[^"]|"(?!""))*+"{3} | '{3}(?:[^']|'(?!''))*+'{3}
            | "(?!"")[^"\r\n]*+" | '(?!'')[^'\r\n]*+' )
        | [bB]?(?:
              "{3}(?:[^"\\]|\\.|"(?!""))*+"{3} | '{3}(?:[^'\\]|\\.|'(?!''))*+'{3}
            | "(?!"")(?:[^"\\\r\n]|\\[^\r\n])*+" | '(?!'')(?:[^'\\\r\n]|\\[^\r\n])*+' )
      ))
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*+)
    | (?P<float>(?:[0-9]*+\.[0-9]++(?:[eE][+-]?[0-9]++)?|[0-9]++[eE][+-]?[0-9]++))
    | (?P<int>(?:0[xX][0-9a-fA-F]++|[0-9]++)[uU]?)
    | (?P<wrong>={3}|!==|<>|=[<>~]|!~|:=|->|\*\*|\+\+|/\*|\?\?)
    | (?P<operator>&&|\|\||[=!<>]=|[-+*/%!<>?:.,()\[\]{}])
    | (?P<quoted>`[A-Za-z0-9_.\-/ ]++`)
    | (?P<end>\Z)
    | (?P<other>.)
    )""",
    re.VERBOSE | re.DOTALL,
)

_MEANT = {
    "===": "did you mean `==`?",
    "!==": "did you mean `!=`?",
    "<>": "did you mean `!=`?",
    "=": "did you mean `==`?",
    ":=": "did you mean `==`? Conditions set nothing",
    "=<": "did you mean `<=`?",
    "=>": "did you mean `>=`?",
    "=~": "use `text.matches(pattern)`",
    "!~": "use `!text.matches(pattern)`",
    "&": "did you mean `&&`?",
    "|": "did you mean `||`?",
    "**": "there are no powers; write the product out",
    "++": "write `+ 1`",
    "??": "use `has(x.key) ? x.key : other`",
    "/*": "a comment begins with `//` and ends with its line",
    "#": "a comment begins with `//`",
    ";": "a condition is one expression; join several with `&&`",
    "$": "a variable is written without `$`",
    "@": "see the reference for what conditions can say",
    "`": "backticks hold a key after a dot: `` arguments.`content-type` ``",
}
"""What people mean by signs that other languages have."""

_QUOTES = frozenset("‘’“”«»´")  # noqa: RUF001 - these are what is refused

_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")


def tokens_of(source: str) -> list[Token]:
    """The tokens of `source`, the last of kind `end`; raises `CelError` at what is none."""
    if len(source) > MAX_LENGTH:
        raise CelError(
            f"a condition of more than {MAX_LENGTH} characters; split it into several rules",
            MAX_LENGTH,
            MAX_LENGTH + 1,
        )
    tokens = []
    for match in _TOKEN.finditer(source):
        kind = match.lastgroup or ""
        text = match[kind]
        if kind == "operator" or text in KEYWORDS:
            kind = text
        elif kind in ("wrong", "other"):
            _refuse(source, match.start(kind), text)
        tokens.append(Token(kind, text, *match.span(match.lastgroup or "")))
    return tokens


def _refuse(source: str, start: int, text: str) -> NoReturn:
    if text in ('"', "'"):
        triple = source.startswith(text * 3, start)
        advice = "" if triple else "; one that spans lines stands between three quotes"
        raise CelError(f"a string that is not closed{advice}", start, start + (3 if triple else 1))
    if text in _QUOTES:
        raise CelError(f"`{text}` does not quote; use straight quotes", start, start + 1)
    if _LONE_SURROGATE.match(text):
        raise CelError("half a character (a lone surrogate)", start, start + 1)
    if not text.isascii():
        raise CelError(f"`{text}` can stand in strings only", start, start + 1)
    advice = f"; {_MEANT[text]}" if text in _MEANT else ""
    raise CelError(f"`{text}` is no operator{advice}", start, start + len(text))
