"""Characters that show as nothing, as others, or reorder what is shown.

Hidden ones are those of "Trojan Source" (CVE-2021-42574) and the default-ignorable ones of Unicode;
look-alikes are from Unicode Technical Standard 39, `confusables.txt`: the letters of other scripts
that show as one of ASCII.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_REORDERING = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_INVISIBLE = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2064\u206a-\u206f"
    "\u2800\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff"
)
_HIDDEN = re.compile(f"[{_REORDERING}{_INVISIBLE}]+")
_REORDERS = re.compile(f"[{_REORDERING}]")
_JOINERS = frozenset("\u200c\u200d")
_WORD = re.compile(r"[^\W_]*[^\W\x00-\x7f_][^\W_]*")

_LOOK_ALIKES: Mapping[int, str] = str.maketrans(
    {
        # Cyrillic
        "\u0430": "a", "\u0435": "e", "\u043e": "o", "\u0440": "p", "\u0441": "c", "\u0443": "y",
        "\u0445": "x", "\u0455": "s", "\u0456": "i", "\u0458": "j", "\u04bb": "h", "\u04cf": "l",
        "\u0501": "d", "\u051b": "q", "\u051d": "w", "\u0433": "r", "\u0475": "v",
        "\u0410": "A", "\u0412": "B", "\u0415": "E", "\u041a": "K", "\u041c": "M", "\u041d": "H",
        "\u041e": "O", "\u0420": "P", "\u0421": "C", "\u0422": "T", "\u0423": "Y", "\u0425": "X",
        "\u0405": "S", "\u0406": "I", "\u0408": "J", "\u04ae": "Y", "\u050c": "G", "\u051a": "Q",
        "\u051c": "W", "\u04c0": "I",
        # Greek
        "\u03b1": "a", "\u03b9": "i", "\u03bd": "v", "\u03bf": "o", "\u03c1": "p", "\u03c3": "o",
        "\u03c5": "u", "\u03b3": "y", "\u03f2": "c", "\u03f3": "j",
        "\u0391": "A", "\u0392": "B", "\u0395": "E", "\u0396": "Z", "\u0397": "H", "\u0399": "I",
        "\u039a": "K", "\u039c": "M", "\u039d": "N", "\u039f": "O", "\u03a1": "P", "\u03a4": "T",
        "\u03a5": "Y", "\u03a7": "X",
        # Armenian
        "\u0585": "o", "\u0578": "n", "\u057d": "u", "\u0570": "h", "\u0581": "g", "\u0563": "q",
        "\u0566": "q", "\u0582": "i", "\u0555": "O", "\u054d": "U", "\u054f": "S", "\u053c": "L",
        # Cherokee, Lisu and others
        "\u13aa": "A", "\u13f4": "B", "\u13df": "C", "\u13a0": "D", "\u13ac": "E", "\u13bb": "H",
        "\u13ab": "J", "\u13e6": "K", "\u13de": "L", "\u13b7": "M", "\u13e2": "P", "\u13a1": "R",
        "\u13da": "S", "\u13a2": "T", "\u13d9": "V", "\u13b3": "W", "\u13c3": "Z",
        "\ua4d0": "B", "\ua4d3": "D", "\ua4d4": "T", "\ua4d6": "G", "\ua4d7": "K", "\ua4d9": "J",
        "\ua4da": "C", "\ua4dc": "Z", "\ua4dd": "F", "\ua4df": "M", "\ua4e0": "N", "\ua4e1": "L",
        "\ua4e2": "S", "\ua4e3": "R", "\ua4e6": "V", "\ua4e7": "H", "\ua4ea": "W", "\ua4eb": "X",
        "\ua4ec": "Y", "\ua4ee": "A", "\ua4f0": "E", "\ua4f2": "I", "\ua4f3": "O", "\ua4f4": "U",
        # Latin itself
        "\u0251": "a", "\u0261": "g", "\u01c0": "l", "\u0269": "i", "\u026a": "i", "\u1d0f": "o",
        "\u1d1c": "u", "\u1d20": "v", "\u1d21": "w", "\u1d22": "z",
    }
)  # fmt: skip


class Suspect(NamedTuple):
    """A stretch of text that is not what it seems: from offset `start` to `end`."""

    start: int
    end: int
    what: str
    why: str


def find_hidden(text: str) -> Iterator[Suspect]:
    """The runs of characters that show as nothing or reorder what is shown.

    A joiner between two characters that are not ASCII is how some scripts and emoji are written.
    """
    for found in _HIDDEN.finditer(text):
        start, end = found.span()
        around = text[start - 1 : start] + text[end : end + 1]
        if _JOINERS.issuperset(found.group()) and len(around) == 2 and not _has_ascii(around):
            continue
        reorders = _REORDERS.search(found.group())
        why = "it reorders what is shown" if reorders else "it shows as nothing"
        yield Suspect(
            start, end, _name(found.group()), f"{why}, so people and programs read two texts"
        )


def find_look_alikes(text: str) -> Iterator[Suspect]:
    """The words that show as another word in ASCII, wholly or in part.

    A word wholly of look-alikes counts only where no other word shows that the text is written in
    its script.
    """
    words = list(_WORD.finditer(text))
    others = {_script(letter) for word in words for letter in word.group() if _is_plain(letter)}
    for word in words:
        shown = _shown(word.group())
        strange = [letter for letter in word.group() if not letter.isascii()]
        if shown == word.group() or not shown.isascii():
            continue
        mixed = any(letter.isascii() and letter.isalpha() for letter in word.group())
        if mixed or not others.issuperset(map(_script, strange)):
            names = ", ".join(dict.fromkeys(map(_name, strange)))
            yield Suspect(
                word.start(), word.end(), names, f"it shows as `{shown}` and is not equal to it"
            )


def _shown(word: str) -> str:
    """What a word shows as; only look-alikes and the wide and styled forms of ASCII change."""
    return "".join(_plain_form(letter) for letter in word.translate(_LOOK_ALIKES))


def _plain_form(letter: str) -> str:
    styled = unicodedata.decomposition(letter).startswith(("<wide>", "<font>"))
    return unicodedata.normalize("NFKC", letter) if styled else letter


def _is_plain(letter: str) -> bool:
    """Whether a letter of another script shows as itself only."""
    return not letter.isascii() and not _shown(letter).isascii()


def _script(letter: str) -> str:
    """The script of a letter, as its name begins."""
    return unicodedata.name(letter, "unknown").partition(" ")[0]


def _has_ascii(text: str) -> bool:
    return any(map(str.isascii, text))


def _name(characters: str) -> str:
    """The first of `characters` by number and name, and how many more there are."""
    first, *more = dict.fromkeys(characters)
    name = unicodedata.name(first, "a character without a name")
    return f"U+{ord(first):04X} {name}" + (f" and {len(more)} more" if more else "")
