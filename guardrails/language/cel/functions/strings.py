"""Functions on strings: CEL's own three and its strings extension, counting code points.

What could grow (`replace`, `join`, `split`) is charged by the size of its result before any of it
is built.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.errors import EvaluationError
from guardrails.language.cel.functions.signature import Budget, Overload, charge, charge_text
from guardrails.language.cel.types import BOOL, INT, STRING, Type, list_of

if TYPE_CHECKING:
    from collections.abc import Callable

_SPACES = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""White space as Unicode's property has it; Python's own notion adds four control characters."""

_ESCAPES = {
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    '"': '\\"',
}
"""What `quote` escapes, the backslash first, so that it leaves the others' alone."""


def contains(budget: Budget, text: str, part: str) -> bool:
    """Whether `part` stands anywhere in `text`: `"tacocat".contains("co")`."""
    charge_text(budget, len(text))
    return part in text


def starts_with(budget: Budget, text: str, part: str) -> bool:
    """Whether `text` begins with `part`: `"tacocat".startsWith("taco")`."""
    charge_text(budget, len(part))
    return text.startswith(part)


def ends_with(budget: Budget, text: str, part: str) -> bool:
    """Whether `text` ends with `part`: `"tacocat".endsWith("cat")`."""
    charge_text(budget, len(part))
    return text.endswith(part)


def char_at(text: str, index: int) -> str:
    """The character at `index`, counted from 0, and `""` at the very end: `"taco".charAt(1)`.

    An index outside the text is an error.
    """
    _check_index(index, text)
    return text[index : index + 1]


def index_of(budget: Budget, text: str, part: str, start: int = 0) -> int:
    """Where `part` first stands in `text` at or after `start`, or -1: `"taco".indexOf("c")`.

    A start outside the text is an error.
    """
    _check_index(start, text)
    charge_text(budget, len(text) - start)
    return text.find(part, start)


def last_index_of(budget: Budget, text: str, part: str, latest: int | None = None) -> int:
    """Where `part` last stands in `text`, beginning no later than `latest`, or -1.

    `"tacocat".lastIndexOf("at")` is 5. A latest index outside the text is an error.
    """
    end = len(text)
    if latest is not None:
        _check_index(latest, text)
        end = min(end, latest + len(part))
    charge_text(budget, 2 * end)
    # Python searches backwards in quadratic time, forwards in linear.
    found = text[:end][::-1].find(part[::-1])
    return found if found < 0 else end - found - len(part)


def lower_ascii(budget: Budget, text: str) -> str:
    """`text` with A to Z in lower case and all else as it is: `"TacoÆ".lowerAscii()`."""
    charge_text(budget, len(text))
    return text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


def upper_ascii(budget: Budget, text: str) -> str:
    """`text` with a to z in upper case and all else as it is: `"tacoæ".upperAscii()`."""
    charge_text(budget, len(text))
    return text.encode("utf-8", "surrogatepass").upper().decode("utf-8", "surrogatepass")


def trim(budget: Budget, text: str) -> str:
    """`text` without the white space at its ends (Unicode's property White_Space)."""
    charge_text(budget, len(text))
    return text.strip(_SPACES)


def reverse(budget: Budget, text: str) -> str:
    """The characters of `text` from last to first: `"taco".reverse()`."""
    charge_text(budget, len(text))
    return text[::-1]


def substring(budget: Budget, text: str, start: int, end: int | None = None) -> str:
    """The characters from `start` up to, and without, `end`: `"tacocat".substring(0, 4)`.

    Without `end` up to the last. Positions outside the text, or an end before the start, are
    errors.
    """
    _check_index(start, text)
    if end is not None:
        _check_index(end, text)
        if start > end:
            raise EvaluationError("invalid substring range: the end is before the start")
    charge_text(budget, (len(text) if end is None else end) - start)
    return text[start:end]


def replace(budget: Budget, text: str, old: str, new: str, limit: int = -1) -> str:
    """`text` with `new` for each `old`, from the left at most `limit` times if that is not < 0.

    `"wow".replace("w", "m", 1)` is `"mow"`. An empty `old` stands before and after each
    character.
    """
    charge_text(budget, 2 * len(text))
    times = text.count(old) if limit < 0 else min(text.count(old), limit)
    charge_text(budget, times * (8 + len(new)))
    return text.replace(old, new, times)


def split(budget: Budget, text: str, separator: str, limit: int = -1) -> list[str]:
    """The parts of `text` between separators, the last with all the rest if there is a `limit`.

    `"a,b,c".split(",")` is `["a", "b", "c"]`, `"a,b,c".split(",", 2)` is `["a", "b,c"]`. A limit
    of 0 gives an empty list, a negative one none. An empty separator splits into characters.
    """
    charge_text(budget, 2 * len(text))
    if limit == 0:
        return []
    parts = text.count(separator) + 1 if separator else len(text)
    if limit > 0:
        parts = min(parts, limit)
    charge(budget, parts)
    if separator:
        return text.split(separator, parts - 1)
    if parts == len(text):
        return list(text)
    return [*text[: parts - 1], text[parts - 1 :]]


def join(budget: Budget, parts: list[object], separator: str = "") -> str:
    """The strings of `parts` in one, with the separator between: `["a", "b"].join("-")`.

    Anything but a string in the list is an error.
    """
    charge(budget, 1 + len(parts))
    length = 0
    for part in parts:
        if type(part) is not str:
            raise EvaluationError("`join` needs a list of strings")
        length += len(part)
    charge_text(budget, length + len(separator) * len(parts))
    return separator.join(parts)  # type: ignore[arg-type]  # the loop has seen each


def quote(budget: Budget, text: str) -> str:
    r"""`text` in double quotes, with what a literal of CEL must escape escaped.

    That is `\a \b \f \n \r \t \v \\ \"`: `strings.quote("two\nlines")`.
    """
    charge_text(budget, 4 * len(text))
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    return f'"{text}"'


def _check_index(index: int, text: str) -> None:
    if not 0 <= index <= len(text):
        raise EvaluationError("index out of range of the text")


def _method(
    name: str,
    implementation: Callable[..., object],
    arguments: tuple[Type, ...],
    result: Type,
    *,
    charged: bool = True,
) -> Overload:
    return Overload(
        name,
        (STRING, *arguments),
        result,
        receiver=True,
        implementation=implementation,
        charged=charged,
    )


OVERLOADS = (
    _method("contains", contains, (STRING,), BOOL),
    _method("startsWith", starts_with, (STRING,), BOOL),
    _method("endsWith", ends_with, (STRING,), BOOL),
    _method("charAt", char_at, (INT,), STRING, charged=False),
    _method("indexOf", index_of, (STRING,), INT),
    _method("indexOf", index_of, (STRING, INT), INT),
    _method("lastIndexOf", last_index_of, (STRING,), INT),
    _method("lastIndexOf", last_index_of, (STRING, INT), INT),
    _method("lowerAscii", lower_ascii, (), STRING),
    _method("upperAscii", upper_ascii, (), STRING),
    _method("trim", trim, (), STRING),
    _method("reverse", reverse, (), STRING),
    _method("substring", substring, (INT,), STRING),
    _method("substring", substring, (INT, INT), STRING),
    _method("replace", replace, (STRING, STRING), STRING),
    _method("replace", replace, (STRING, STRING, INT), STRING),
    _method("split", split, (STRING,), list_of(STRING)),
    _method("split", split, (STRING, INT), list_of(STRING)),
    Overload("join", (list_of(STRING),), STRING, receiver=True, implementation=join),
    Overload("join", (list_of(STRING), STRING), STRING, receiver=True, implementation=join),
    Overload("strings.quote", (STRING,), STRING, receiver=False, implementation=quote),
)
