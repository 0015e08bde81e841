"""The terms in which files are described: Cerberus' rules, with words for people under `meta`.

There stand `what` (how a message calls it), `shape` (what a pattern asks for, in words) and `help`
(for editors).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Rules = dict[str, Any]

END = r"\Z"
"""How a pattern ends for Cerberus, which alone would let a line break follow."""


def text(help_: str, **rules: Any) -> Rules:
    """Any text."""
    return {"type": "string", "meta": {"help": help_}, **rules}


def named(pattern: str, what: str, shape: str, help_: str = "") -> Rules:
    """Text of that shape, which a message calls `what`."""
    meta = {"what": what, "shape": shape, "help": help_}
    return {"type": "string", "regex": pattern + END, "meta": meta}


def choice(what: str, allowed: tuple[str, ...], help_: str) -> Rules:
    """One of a few words."""
    return {"type": "string", "allowed": list(allowed), "meta": {"what": what, "help": help_}}


def list_of(item: Rules, help_: str, **rules: Any) -> Rules:
    """A list of such items."""
    return {"type": "list", "schema": item, "meta": {"help": help_}, **rules}


def map_of(keys: Mapping[str, Rules], what: str, help_: str = "") -> Rules:
    """A map with these keys alone, which a message calls `what`."""
    return {"type": "dict", "schema": dict(keys), "meta": {"what": what, "help": help_}}


WORD: Rules = {
    "type": "string",
    "regex": r"\S(?:.*\S)?" + END,
    "meta": {"what": "name", "shape": "it must not be empty or begin or end with a space"},
}
