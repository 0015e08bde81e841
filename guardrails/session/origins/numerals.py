"""Numbers in writing, each brought to one form."""

from __future__ import annotations

import re
from decimal import Decimal

_UNITS = (
    "eur|euros?|usd|dollars?|gbp|pounds?|chf|jpy|yen|cny|cad|aud|sek|nok|dkk|pln|inr"
    "|k|st|nd|rd|th|[%€$£¥]"
)
UNIT = re.compile(rf"(?:{_UNITS})\Z")
"""A word that may stand beside a number without changing it."""

_SIGN = r"(?:[€$£¥][ ]?)?[-+]?(?:[€$£¥][ ]?)?"
_DIGITS = (
    r"(?:[0-9]{1,3}(?:[,.'_][0-9]{3})+(?:[.,][0-9]+)?|[0-9]+(?:[.,][0-9]+)?|(?<![0-9])\.[0-9]+)"
)
_AFTER = rf"(?:[ ]?[%€£¥$]|(?:{_UNITS}))?(?!\w|[-.,/:@_'][0-9a-z])"

PATTERN = rf"(?P<number>(?<![\w.,]){_SIGN}{_DIGITS}{_AFTER})"
"""What a number looks like in folded text; `read_number` reads it."""

_AMOUNT = re.compile(r"-?[0-9.,'_]*[0-9]")
_GROUPED = re.compile(r"-?[0-9]{1,3}(?:([,.'_])[0-9]{3})(?:\1[0-9]{3})*\Z")
_SPACED = re.compile(r"(?<![\w.,])[0-9]{1,3}(?:[ ][0-9]{3})+(?![ ]?[0-9]|\w|[.,-][0-9])")
_SIGN_WORDS = {
    "€": "eur euro euros",
    "$": "usd dollar dollars",
    "£": "gbp pound pounds",
    "¥": "jpy yen",
    "%": "percent",
    **{word: word for word in ("chf", "cny", "cad", "aud", "sek", "nok", "dkk", "pln", "inr")},
}
_SIGNS = {word: sign for sign, words in _SIGN_WORDS.items() for word in (sign, *words.split())}
_A_SIGN = re.compile(rf"(?<![^\W\d_])(?:{'|'.join(map(re.escape, _SIGNS))})(?![^\W\d_])")
_MAX_DIGITS = 40


def signs(text: str) -> set[str]:
    """Return the currencies that folded `text` names, `%` among them, each by one name."""
    return {_SIGNS[found] for found in _A_SIGN.findall(text)}


def spaced(text: str) -> list[str]:
    """Return the numbers in folded `text` of which the thousands are parted by spaces."""
    return [found.replace(" ", "").lstrip("0") or "0" for found in _SPACED.findall(text)]


def read_number(text: str) -> list[str]:
    """Return each number that the writing may mean, in decimal without needless zeros.

    `1,000.00` is 1000; `1.000` is 1000 or 1, as the reader's country has it.
    """
    if text.isdigit():
        return [text.lstrip("0") or "0"] if len(text) <= _MAX_DIGITS else []
    found = _AMOUNT.search(text.replace("+", ""))
    if found is None or len(found[0]) > _MAX_DIGITS:
        return []
    sign = "-" if "-" in text else ""
    readings = [sign + reading for reading in _readings(found[0].lstrip("-"))]
    if text.endswith("k"):
        return [write_number(Decimal(reading).scaleb(3)) for reading in readings]
    shown = list(map(shorten, readings))
    if text.endswith("%"):
        shown += [write_number(Decimal(reading).scaleb(-2)) for reading in readings]
    return shown


def _readings(digits: str) -> list[str]:
    digits = digits.replace("'", "").replace("_", "")
    comma, point = digits.rfind(","), digits.rfind(".")
    if comma < 0 and point < 0:
        return [digits]
    if comma >= 0 and point >= 0:
        mark, group = (".", ",") if point > comma else (",", ".")
        if digits.count(mark) > 1:
            return []
        return [digits.replace(group, "").replace(mark, ".")]
    mark = "," if comma >= 0 else "."
    plain = digits.replace(mark, "")
    if digits.count(mark) > 1:
        return [plain]
    decimal = digits.replace(mark, ".")
    if not _GROUPED.match(digits) or digits.startswith("0"):
        return [decimal]
    return [plain, decimal] if mark == "," else [decimal, plain]


def write_number(number: Decimal) -> str:
    """Return a finite number in decimal, without an exponent and needless zeros."""
    return shorten(format(number, "f"))


def shorten(text: str) -> str:
    """Return a number that is written in decimal, without needless zeros."""
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    text = text.lstrip("0") if not text.startswith("-") else "-" + text[1:].lstrip("0")
    if text.startswith((".", "-.")):
        text = text.replace(".", "0.", 1)
    return "0" if text in ("", "-", "-0") else text
