"""What names mean that have dots in them, and what a name was meant to be that means nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.language.cel import foreign_words
from guardrails.language.cel.errors import did_you_mean
from guardrails.language.cel.library import NAMES
from guardrails.language.cel.tree import Call, Name, Node, Select
from guardrails.language.cel.types import RecordType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from guardrails.language.cel.types import Type


def dotted(node: Node) -> str:
    """The name that a chain of selections writes, as `google.protobuf.Timestamp`, or nothing."""
    parts = []
    while isinstance(node, Select):
        parts.append(node.field)
        node = node.operand
    if not isinstance(node, Name):
        return ""
    return ".".join((node.name, *reversed(parts)))


def function_in(call: Call) -> str:
    """The function with dots in its name that is called, as `strings.quote`, or nothing."""
    path = "" if call.target is None else dotted(call.target)
    name = f"{path}.{call.function}".removeprefix(".")
    return name if path and name in NAMES else ""


def meant(name: str, variables: Mapping[str, Type], others: Iterable[str]) -> str:
    """What the unknown variable `name` was probably meant to be, to follow its error."""
    spelling = foreign_words.VALUES.get(name.lower())
    if spelling:
        return f"; {spelling}"
    for variable, type_ in variables.items():
        if isinstance(type_, RecordType) and name in type_.fields:
            return f"; did you mean `{variable}.{name}`?"
    return did_you_mean(name, (*variables, *others))
