"""Commands that run the command in their arguments, and how far their own options reach.

From the manual pages of GNU coreutils 9, findutils 4.10, util-linux 2.40, sudo 1.9, OpenBSD's doas
and bash 5.2. An option that is not here makes it unknown what is run, which is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from guardrails.language.cel.functions.reading.shell.script import Word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Wrapper:
    """What stands between a wrapper's name and the command it runs.

    `flags` and `valued` are the letters of options without and with a value, `long_flags` and
    `long_valued` likewise, `operands` how many operands come before the command. `appends` if
    words that are not written are added to the command.
    """

    flags: str = ""
    valued: str = ""
    long_flags: frozenset[str] = frozenset()
    long_valued: frozenset[str] = frozenset()
    operands: int = 0
    assigns: bool = False
    appends: bool = False


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


WRAPPERS: Mapping[str, Wrapper] = {
    "builtin": Wrapper(),
    "busybox": Wrapper(),
    "chroot": Wrapper(long_valued=_words("userspec groups"), operands=1),
    "command": Wrapper(flags="pvV"),
    "doas": Wrapper(flags="nL", valued="uC"),
    "env": Wrapper(
        flags="i0v",
        valued="uC",
        long_flags=_words("ignore-environment null debug"),
        long_valued=_words("unset chdir"),
        assigns=True,
    ),
    "exec": Wrapper(flags="cl", valued="a"),
    "flock": Wrapper(flags="sxneouF", valued="wE", operands=1),
    "ionice": Wrapper(flags="t", valued="cn"),
    "nice": Wrapper(valued="n", long_valued=_words("adjustment")),
    "nohup": Wrapper(),
    "setsid": Wrapper(flags="cfw"),
    "stdbuf": Wrapper(valued="ioe", long_valued=_words("input output error")),
    "sudo": Wrapper(
        flags="AbBEHKknPSV",
        valued="CDghpRrTtUu",
        long_flags=_words("askpass background preserve-env set-home non-interactive stdin"),
        long_valued=_words("user group host prompt chdir"),
        assigns=True,
    ),
    "time": Wrapper(flags="pvaq", valued="fo"),
    "timeout": Wrapper(
        flags="v",
        valued="ks",
        long_flags=_words("preserve-status foreground verbose"),
        long_valued=_words("kill-after signal"),
        operands=1,
    ),
    "toybox": Wrapper(),
    "unbuffer": Wrapper(flags="p"),
    "xargs": Wrapper(
        flags="0prtxo",
        valued="adEILnPs",
        long_flags=_words("null no-run-if-empty verbose interactive exit open-tty"),
        long_valued=_words("arg-file delimiter max-lines max-args max-procs max-chars"),
        appends=True,
    ),
}
"""The wrappers that are read, by name."""

UNREAD = _words(
    "alias bind complete csh coproc enable fc fish hash ksh mksh parallel powershell pwsh tcsh zsh"
)
"""Commands that run, or let others mean, what their arguments don't show; without arguments none
of them does."""

SHELLS = _words("sh bash dash ash rbash")
"""Shells whose scripts are read."""

EXECUTES = _words("-exec -execdir -ok -okdir")
"""The actions of `find` that run a command."""

_ELSEWHERE = Word("", "", literal=False, single=False)
"""Words that a command reads from its input."""


def wrapped(wrapper: Wrapper, words: Sequence[Word]) -> list[Word] | None:
    """The words of the command that `wrapper` runs with these arguments; None if that is unknown.

    No words if it runs none.
    """
    left = list(words)
    replaced = _skip_options(wrapper, left)
    if replaced is None:
        return None
    while wrapper.assigns and left and left[0].known and "=" in left[0].text:
        left.pop(0)
    if not all(word.known for word in left[: wrapper.operands]):
        return None
    inner = left[wrapper.operands :]
    if replaced:
        inner = [_without(word, replaced) for word in inner]
    elif wrapper.appends and inner:
        inner.append(_ELSEWHERE)
    return inner


def executed(words: Sequence[Word]) -> list[list[Word] | None]:
    """The words of each command that `find` runs with these arguments; None for an unknown one."""
    found: list[list[Word] | None] = []
    if not all(word.single for word in words):
        found.append(None)
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word.known and word.text in EXECUTES:
            end = at
            while end < len(words) and not (words[end].known and words[end].text in {";", "+"}):
                end += 1
            many = end < len(words) and words[end].text == "+"
            inner = [_ELSEWHERE if many and each.text == "{}" else _without(each, "{}")
                     for each in words[at:end]]  # fmt: skip
            found.append(inner if end < len(words) else None)
            at = end + 1
    return found


def _without(word: Word, replaced: str) -> Word:
    return Word("", word.raw, literal=False) if replaced in word.text else word


def _skip_options(wrapper: Wrapper, left: list[Word]) -> str | None:
    """Take the options from `left`; the text that `-I` has replaced, or None if one is unknown."""
    replaced = ""
    while left and (not left[0].known or left[0].text.startswith("-")):
        word = left.pop(0)
        if not word.known:
            return None
        if word.text == "--":
            break
        if word.text.startswith("--"):
            valued = _is_valued(wrapper, word.text)
            letter = ""
        else:
            valued, letter = _letters(wrapper, word.text[1:])
        if valued is None or (valued and not (left and left[0].known)):
            return None
        value = left.pop(0).text if valued else word.text.partition("I")[2]
        if letter == "I":
            replaced = value
    return replaced


def _is_valued(wrapper: Wrapper, option: str) -> bool | None:
    """Whether the next word is a long option's value; None if the option is not known."""
    name, equals, _ = option[2:].partition("=")
    if name in wrapper.long_valued:
        return not equals
    return False if name in wrapper.long_flags else None


def _letters(wrapper: Wrapper, letters: str) -> tuple[bool | None, str]:
    """Whether the next word is the value of the last of `letters`; and the one that has a value."""
    for at, letter in enumerate(letters):
        if letter in wrapper.valued:
            return at == len(letters) - 1, letter
        if letter not in wrapper.flags:
            return None, ""
    return (False, "") if letters else (None, "")
