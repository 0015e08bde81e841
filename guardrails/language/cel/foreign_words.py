"""What people write who have another language in mind, and how it is written in a condition."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SYNTAX: Mapping[str, str] = {
    "and": "`and` is written `&&`",
    "or": "`or` is written `||`",
    "not": "`not x` is written `!x`, and `x not in y` is written `!(x in y)`",
    "is": "`is` is written `==`",
    "eq": "`eq` is written `==`",
    "ne": "`ne` is written `!=`",
    "if": "a choice is written `condition ? a : b`",
    "else": "a choice is written `condition ? a : b`",
    "then": "a choice is written `condition ? a : b`",
    "like": "patterns are tested with `text.matches(pattern)`",
    "contains": "write `text.contains(part)`",
    "matches": "write `text.matches(pattern)`",
    "startsWith": "write `text.startsWith(part)`",
    "endsWith": "write `text.endsWith(part)`",
    "for": "write `list.all(x, ..)` or `list.exists(x, ..)`",
    "lambda": "write `list.all(x, ..)` or `list.exists(x, ..)`",
    "let": "there are no assignments; constants stand under `constants:`",
    "var": "there are no assignments; constants stand under `constants:`",
}
"""Advice for words that stand where no name can."""

VALUES: Mapping[str, str] = {
    "true": "it is written `true`",
    "false": "it is written `false`",
    "null": "it is written `null`",
    "none": "nothing is written `null`, and a missing key is found by `has(arguments.key)`",
    "nil": "nothing is written `null`, and a missing key is found by `has(arguments.key)`",
    "undefined": "a missing key is found by `has(arguments.key)`",
}
"""Advice for names of values, in lower case."""

FUNCTIONS: Mapping[str, str] = {
    "any": "exists",
    "count": "size",
    "every": "all",
    "float": "double",
    "forall": "all",
    "includes": "contains",
    "len": "size",
    "length": "size",
    "lower": "lowerAscii",
    "match": "matches",
    "number": "double",
    "regex": "matches",
    "some": "exists",
    "str": "string",
    "strip": "trim",
    "toLowerCase": "lowerAscii",
    "toUpperCase": "upperAscii",
    "upper": "upperAscii",
}
"""Functions that are here under another name, which is given."""
