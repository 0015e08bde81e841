"""Whether a condition tests where something goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.language.cel.tree import Invoke
from guardrails.toolchain.lint.trial import source_of
from guardrails.toolchain.words import words_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.language.cel.tree import Node
    from guardrails.language.document import Condition, Tool
    from guardrails.toolchain.lint.trial import Source

_KINDS = frozenset({"recipient", "url", "target"})
_WORDS = frozenset(
    ["address", "bcc", "cc", "channel", "destination", "domain", "email", "endpoint", "host",
     "link", "payee", "recipient", "recipients", "remote", "repository", "to", "uri", "url",
     "webhook"]
)  # fmt: skip


def tests_destination(tool: Tool, condition: Condition) -> bool:
    """Whether a condition reads where a call of `tool` goes, and not only how many that are."""
    return any(_is_destination(tool, source) for source in _read(condition.checked.root))


def _read(node: Node) -> Iterator[Source]:
    if isinstance(node, Invoke) and node.function == "size":
        return
    source = source_of(node)
    if source is not None:
        yield source
        return
    for child in node.children():
        yield from _read(child)


def _is_destination(tool: Tool, source: Source) -> bool:
    if len(source) == 1:
        return False
    variable, name, *_ = source
    if variable == "kinds":
        return name in _KINDS
    if variable != "arguments":
        return False
    kinds = {} if tool.arguments is None else tool.arguments.kinds_of
    marked = any(name in names for kind, names in kinds.items() if kind in _KINDS)
    return marked or not _WORDS.isdisjoint(words_of(name))
