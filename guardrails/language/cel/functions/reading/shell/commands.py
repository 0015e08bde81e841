"""The commands that a script runs, those included that other commands run for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardrails.language.cel.functions.reading.shell.grammar import read_script
from guardrails.language.cel.functions.reading.shell.simple import COMMANDS_MAX
from guardrails.language.cel.functions.reading.shell.words import refuse
from guardrails.language.cel.functions.reading.shell.wrappers import (
    SHELLS,
    UNREAD,
    WRAPPERS,
    executed,
    wrapped,
)
from guardrails.values import Opaque

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from guardrails.language.cel.functions.reading.shell.script import Redirect, Simple, Word

SCRIPTS_MAX = 6
"""How many scripts may stand in each other, as in `bash -c "bash -c '..'"`."""

UNKNOWN = Opaque("a command that the text does not show")
"""Stands for what is run and not written: whatever asks about it is an error."""

_UNKNOWN_WORD = Opaque("a word that is only known when it runs")
_UNKNOWN_WORDS = Opaque("words whose number is only known when they run")

_EVALUATING = frozenset(
    {"let", "read", "unset", "printf", "mapfile", "readarray", "getopts", "wait", "test", "["}
    | {"declare", "typeset", "local", "export", "readonly"}
)
"""Builtins that evaluate the subscript in a variable's name, which can run commands."""

_LONG_SHELL_OPTIONS = frozenset({"--login", "--norc", "--noprofile", "--posix", "--restricted"})

_SAYING = frozenset({"test", "[", "printf"})
"""Those of them that do so after an option `-v` or `-R` alone."""


def list_commands(source: str, charge: Callable[[str], None]) -> list[Any]:
    """The records of `shell_commands`, and `UNKNOWN` for each command that is not shown.

    `charge` is called with every script before it is read. Raises `EvaluationError` for what
    can't be read.
    """
    lister = _Lister(charge)
    lister.list_script(source, (), (), [])
    return lister.records


class _Lister:
    """Collects records; each command's own, then those of the commands that it runs."""

    __slots__ = ("_charge", "_depth", "records")

    def __init__(self, charge: Callable[[str], None]) -> None:
        self.records: list[Any] = []
        self._charge = charge
        self._depth = 0

    def list_script(
        self, source: str, via: tuple[str, ...], piped_from: tuple[str, ...], redirects: list[Any]
    ) -> None:
        """Add the records of a script that runs via those commands, reading from those."""
        self._depth += 1
        if self._depth > SCRIPTS_MAX:
            refuse("scripts stand too deep in each other")
        self._charge(source)
        script = read_script(source)
        names: dict[int, tuple[str, ...]] = {}
        for command in script.commands:
            upstream = [name for each in command.upstream for name in names[id(each)]]
            reads = tuple(dict.fromkeys([*piped_from, *upstream]))
            before = len(self.records)
            self._list_command(command, command.words, via, reads, redirects)
            added = [record["name"] for record in self.records[before:] if record is not UNKNOWN]
            names[id(command)] = tuple(added) or ("",)
        if script.hides:
            self._add(UNKNOWN)
        self._depth -= 1

    def _add(self, record: object) -> None:
        self.records.append(record)
        if len(self.records) > COMMANDS_MAX:
            refuse(f"more than {COMMANDS_MAX} commands")

    def _list_command(
        self,
        command: Simple,
        words: Sequence[Word],
        via: tuple[str, ...],
        piped_from: tuple[str, ...],
        redirects: list[Any],
    ) -> None:
        if len(via) > COMMANDS_MAX // 8:
            refuse("commands stand too deep in each other")
        if words and not words[0].known:
            self._add(UNKNOWN)
            return
        path = words[0].text if words else ""
        name = path.rsplit("/", 1)[-1]
        written = [_redirect(redirect) for redirect in command.redirects] + redirects
        self._add(_record(command, name, path, words[1:], via, piped_from, written))
        inside = (*via, name)
        for inner in _run_by(name, words[1:], command, piped_from):
            if inner is None:
                self._add(UNKNOWN)
            elif isinstance(inner, str):
                self.list_script(inner, inside, piped_from, written)
            elif inner:
                self._list_command(command, inner, inside, piped_from, redirects)


def _record(
    command: Simple,
    name: str,
    path: str,
    words: Sequence[Word],
    via: tuple[str, ...],
    piped_from: tuple[str, ...],
    redirects: list[Any],
) -> dict[str, Any]:
    known = all(word.single for word in words)
    return {
        "name": name,
        "path": path,
        "args": [_value(word) for word in words] if known else _UNKNOWN_WORDS,
        "text": command.text,
        "assignments": {variable: _value(word) for variable, word in command.assignments},
        "redirects": redirects,
        "via": list(via),
        "piped_from": list(piped_from),
    }


def _value(word: Word) -> object:
    return word.text if word.literal else _UNKNOWN_WORD


def _redirect(redirect: Redirect) -> dict[str, Any]:
    target = redirect.target
    duplicates = redirect.operator in {"<&", ">&"} and (
        (target.known and target.text.rstrip("-").isdecimal()) or target.raw == "-"
    )
    return {
        "op": redirect.operator,
        "target": target.text if target.known else _UNKNOWN_WORD,
        "writes": ">" in redirect.operator and not duplicates,
    }


def _run_by(
    name: str, words: Sequence[Word], command: Simple, piped_from: tuple[str, ...]
) -> list[Any]:
    """What a command of this name runs: scripts, words of commands, None for what is unknown."""
    if name in WRAPPERS:
        return [wrapped(WRAPPERS[name], words)]
    if name in SHELLS:
        return _run_by_shell(words, command, piped_from)
    if name in _RUNNING:
        return _RUNNING[name](words)
    if name in UNREAD:
        return [None] if words or command.redirects or piped_from else []
    if name in _EVALUATING and _names_unknown(name, words):
        return [None]
    return []


def _names_unknown(name: str, words: Sequence[Word]) -> bool:
    if all(word.known for word in words):
        return False
    if name not in _SAYING:
        return any(not word.known and "=" not in word.raw for word in words)
    return not all(word.single for word in words) or any(
        word.text.startswith(("-v", "-R")) or (name == "printf" and not word.literal and not at)
        for at, word in enumerate(words)
    )


def _run_by_shell(words: Sequence[Word], command: Simple, piped_from: tuple[str, ...]) -> list[Any]:
    """What `bash` and its kin run: the text after `-c`, or what they read from their input."""
    left = list(words)
    letters = _take_shell_options(left)
    if letters is None or (left and not left[0].known):
        return [None]
    if "c" in letters:
        return [left[0].text] if left else []
    if left and left[0].text != "-" and "s" not in letters:
        return []
    return [None] if piped_from else _run_from_input(command)


def _take_shell_options(left: list[Word]) -> str | None:
    """The letters of the options of a shell, which are taken from `left`; None if unknown."""
    letters = ""
    while left and left[0].known and left[0].text[:1] in {"-", "+"} and left[0].text != "-":
        option = left.pop(0).text
        if option == "--":
            break
        if option.startswith("--") and option not in _LONG_SHELL_OPTIONS:
            return None
        letters += "" if option.startswith("--") else option
        for _ in range(option.lower().count("o") if not option.startswith("--") else 0):
            if not left or not left.pop(0).known:
                return None
    return letters


def _run_from_input(command: Simple) -> list[Any]:
    given = [each for each in command.redirects if each.operator.startswith("<")]
    bodies = [each.body for each in given]
    return [body.text if body and body.literal else None for body in bodies]


def _run_by_eval(words: Sequence[Word]) -> list[Any]:
    if not all(word.known for word in words):
        return [None]
    return [" ".join(word.text for word in words)] if words else []


def _run_by_trap(words: Sequence[Word]) -> list[Any]:
    left = list(words)
    if left and left[0].known and left[0].text == "--":
        left.pop(0)
    if not left or (left[0].known and left[0].text in {"", "-", "-l", "-p"}):
        return []
    return [left[0].text if left[0].known else None]


def _run_by_source(words: Sequence[Word]) -> list[Any]:
    return [] if all(word.known for word in words[:1]) else [None]


def _run_by_find(words: Sequence[Word]) -> list[Any]:
    return list(executed(words))


def _run_by_user_switch(words: Sequence[Word]) -> list[Any]:
    """What `su` and `script` run: the text after `-c`, in whatever way it is written."""
    if not all(word.known for word in words):
        return [None]
    for at, word in enumerate(words):
        if word.text == "-c" and at + 1 < len(words):
            return [words[at + 1].text]
        if word.text.startswith(("-", "--")) and "c" in word.text:
            return [None]
    return []


def _run_by_watch(words: Sequence[Word]) -> list[Any]:
    if any(word.text.startswith("-") for word in words) or not all(word.known for word in words):
        return [None]
    return [" ".join(word.text for word in words)] if words else []


_RUNNING: Mapping[str, Callable[[Sequence[Word]], list[Any]]] = {
    ".": _run_by_source,
    "eval": _run_by_eval,
    "find": _run_by_find,
    "script": _run_by_user_switch,
    "source": _run_by_source,
    "su": _run_by_user_switch,
    "trap": _run_by_trap,
    "watch": _run_by_watch,
}
"""Commands whose arguments hold scripts or commands in a way of their own."""
