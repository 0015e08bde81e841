r"""What the text of a regular expression tells: whether it is bound at both ends, and what fits.

Syntax of RE2 (https://github.com/google/re2/wiki/Syntax): `^` and `\A` bind the beginning, `$` and
`\z` the end; under the flag `m`, `^` and `$` bind a line only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_ATOM = re.compile(r"\\Q.*?(?:\\E|\Z)|\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]])*\]|.", re.DOTALL)
_GROUP = re.compile(r"\((?:\?(?:P?<\w+>|(?P<flags>[a-zA-Z-]*)(?P<alone>[:)])))?")
_REPEAT = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\})\??")
_ANYTHING = re.compile(r"(?:\.|\[\\s\\S\]|\[\\d\\D\]|\[\\w\\W\])[*+]\??")


@dataclass(slots=True)
class _Item:
    """An atom with its repetition, or a group of alternatives."""

    text: str
    multiline: bool
    group: list[list[_Item]] | None = None
    repeated: bool = False


@dataclass(slots=True)
class _Reader:
    """Reads a pattern that RE2 takes."""

    pattern: str
    at: int = 0
    multiline: bool = False

    def alternatives(self) -> list[list[_Item]]:
        """The alternatives up to the end of the group (or pattern) that is being read."""
        outer = self.multiline
        found: list[list[_Item]] = [[]]
        while self.at < len(self.pattern) and self.pattern[self.at] != ")":
            if self.pattern[self.at] == "|":
                self.at += 1
                found.append([])
            elif item := self._item():
                found[-1].append(item)
        self.at += 1
        self.multiline = outer
        return found

    def _item(self) -> _Item | None:
        """The next item; None for flags, which stand for no text."""
        start = self.at
        item = _Item("", self.multiline)
        if opening := _GROUP.match(self.pattern, start):
            self.at = opening.end()
            outer = self.multiline
            if flags := opening["flags"]:
                on, _, off = flags.partition("-")
                self.multiline = "m" in on or (outer and "m" not in off)
            if opening["alone"] == ")":
                return None
            item.group = self.alternatives()
            self.multiline = outer
        elif atom := _ATOM.match(self.pattern, start):
            self.at = atom.end()
        if repeat := _REPEAT.match(self.pattern, self.at):
            self.at = repeat.end()
            item.repeated = True
        item.text = self.pattern[start : self.at]
        return item


def open_ends(pattern: str) -> tuple[bool, bool]:
    """Whether more text may stand before what fits, and behind it.

    A pattern that says so itself (`.*`) counts as bound: its author has thought of it.
    """
    alternatives = _Reader(pattern).alternatives()
    return _is_open(alternatives, 0, "^", r"\A"), _is_open(alternatives, -1, "$", r"\z")


def _is_open(alternatives: list[list[_Item]], end: int, line: str, text: str) -> bool:
    return any(not items or _is_open_at(items[end], end, line, text) for items in alternatives)


def _is_open_at(item: _Item, end: int, line: str, text: str) -> bool:
    if item.group is not None:
        return item.repeated or _is_open(item.group, end, line, text)
    bound = item.text == text or (item.text == line and not item.multiline)
    return not bound and not _ANYTHING.fullmatch(item.text)


_LEFT_OUT = re.compile(r"(?:[*?]|\{0(?:,\d*)?\})\??\Z")
_TIMES = re.compile(r"\{(\d+)(?:,\d*)?\}\??\Z")
_SAMPLES = {r"\d": "0", r"\w": "a", r"\s": " ", r"\n": "\n", r"\t": "\t"}
_FIRST_OF_CLASS = re.compile(r"\[\\?([^\^])")


def sample(pattern: str) -> str:
    """A text that fits a plain pattern: of alternatives the first, and nothing that may be absent.

    It is a guess: of what is hard to tell (classes that exclude, say) it makes what need not fit.
    """
    return _sample(_Reader(pattern).alternatives()[0])


def _sample(items: list[_Item]) -> str:
    return "".join(map(_sample_item, items))


def _sample_item(item: _Item) -> str:
    if item.repeated and _LEFT_OUT.search(item.text):
        return ""
    times = _TIMES.search(item.text) if item.repeated else None
    one = _sample(item.group[0]) if item.group is not None else _sample_atom(item)
    return one * (int(times[1]) if times else 1)


def _sample_atom(item: _Item) -> str:
    atom = _REPEAT.sub("", item.text[1:]) if item.repeated else item.text[1:]
    first = item.text[:1]
    if first == "[":
        found = _FIRST_OF_CLASS.match(item.text)
        return "x" if found is None else _SAMPLES.get(found[0][1:], found[1])
    if first == "\\":
        return _SAMPLES.get(f"\\{atom}", "" if atom.isalnum() else atom)
    return {".": "x", "^": "", "$": ""}.get(first, first)
