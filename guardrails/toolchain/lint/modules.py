"""Rego modules as lint sees them: where their parts stand, and what their text can say."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from guardrails.language.document import Document, Rule
from guardrails.language.folder import REGO
from guardrails.language.rego.terms import read_terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from guardrails.language.document import Approval, Tool
    from guardrails.toolchain.lint.finding import Region
    from guardrails.toolchain.lint.text import PolicyText

_PIECE = re.compile(
    r"""package[ \t]+[^\s#]+ | "[^"\n]*" | '[^'\n]*' | [A-Za-z_][\w.]* | [^\s,\[\]{}#]+""",
    re.VERBOSE,
)
"""What is marked of a line: a package, a quoted text, a name, or whatever else stands there."""

_TERMS = re.compile(r'"approval"\s*:\s*(?=\{)')
_COMMENT = re.compile(r"^[ \t]*#.*$", re.MULTILINE)


def is_module(part: Document | Rule | Tool) -> bool:
    """Whether a document, rule or tool is of a Rego module."""
    if isinstance(part, Rule):
        return part.module is not None
    return isinstance(part, Document) and part.path.lower().endswith(REGO)


def region_in_module(
    text: PolicyText, part: Document | Rule, path: tuple[str | int, ...]
) -> Region:
    """Where the value of a key stands in an annotation, or an item of it.

    What isn't written there is told at the head of the rule, or at the package.
    """
    key = "".join(f"[{step}]" if type(step) is int else str(step) for step in path[:2])
    first = str(path[0]) if path else ""
    head = part.span if isinstance(part, Rule) else part.places["policy"]
    place = part.places.get(key) or part.places.get(first) or head
    start = text.offset(place.line, place.column)
    piece = _PIECE.match(text.text, start)
    return text.region(start, piece.end() if piece else start + 1)


def mentions(rules: Iterable[Rule], word: str, *, data: bool = True) -> bool:
    """Whether modules that the rules are evaluated with, or with `data` that too, hold a word.

    Comments, and so annotations, are left out.
    """
    units = {rule.module.unit for rule in rules if rule.module is not None}
    found = re.compile(rf"\b{re.escape(word)}\b")
    return any(
        (data and found.search(unit.data.text))
        or any(found.search(_COMMENT.sub("", text)) for _, text in unit.modules)
        for unit in units
    )


def names_tools(rule: Rule) -> bool:
    """Whether the module of a rule says which tools it concerns, as a pattern for all doesn't."""
    return rule.tools is not None and set(rule.tools) != {"*"}


def is_warning(rule: Rule) -> bool:
    """Whether a rule of a module is `warn`, which observes for ever because it is meant to."""
    return rule.module is not None and rule.id.partition("_")[0] == "warn"


class Terms(NamedTuple):
    """Terms of approval that are written out in a result; where they can't be, `fault` says why."""

    region: Region
    approval: Approval | None
    fault: str


def literal_terms(text: PolicyText) -> Iterator[Terms]:
    """The terms of approval that a module writes out as JSON has it; computed ones are left out."""
    for key in _TERMS.finditer(text.text):
        line = text.region(key.start(), key.start()).line
        if text.source.line(line).lstrip().startswith("#"):
            continue
        try:
            value, end = json.JSONDecoder().raw_decode(text.text, key.end())
        except ValueError:
            continue
        region = text.region(key.start(), end)
        try:
            yield Terms(region, read_terms(value), "")
        except ValueError as error:
            yield Terms(region, None, str(error))
