"""Dates and times in writing, each brought to one form."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
"""How the months' English names begin."""

MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"(?:0?[1-9]|[12][0-9]|3[01])(?:st|nd|rd|th)?"
_YEAR = r"(?:,?[ \t\n]+(?:19|20)[0-9]{2})"

_ISO = r"(?:19|20)[0-9]{2}[-/.][0-9]{1,2}[-/.][0-9]{1,2}(?:(?!\w|[-/.]\w)|(?=t[0-9]))"
_CLOCK = r"(?:[01]?[0-9]|2[0-3])"
_MINUTES = r"[0-5][0-9](?::[0-5][0-9](?:\.[0-9]+)?)?"
_HALF = r"[ ]?[ap]\.?m\b"
_OFFSET = r"(?:z|[+-][0-9]{2}:?[0-9]{2})?"

PATTERNS = (
    rf"(?P<iso>{_ISO})",
    r"(?P<numeric>[0-9]{1,2}[-/.][0-9]{1,2}[-/.](?:[0-9]{4}|[0-9]{2})(?!\w|[-/.]\w))",
    rf"(?P<day_first>{_DAY}(?:[ \t\n]+of)?[ \t\n-]+{MONTH}(?!\w){_YEAR}?(?!\w))",
    rf"(?P<month_first>{MONTH}[ \t\n]+{_DAY}(?![\w:]|[.,]\w){_YEAR}?(?!\w))",
    rf"(?P<time>t?{_CLOCK}(?::{_MINUTES}(?:{_HALF})?|{_HALF}|h(?:[0-5][0-9])?){_OFFSET}(?!\w))",
)
"""What dates and times look like in folded text; a group each, for `read_date` and `read_time`."""


def read_date(found: re.Match[str], kind: str) -> list[str]:
    """Return each day that the writing may mean, `d:2024-05-20`, or `m:05-20` without a year.

    Empty where it is none. `03/04/2024` is the third of April and the fourth of March.
    """
    return [day for day in (_date(*parts) for parts in _readings(found[kind], kind)) if day]


def _readings(text: str, kind: str) -> list[tuple[int, int, int]]:
    pieces = "".join(each if each.isalnum() else " " for each in text).split()
    if kind == "iso":
        year, month, day = map(int, pieces)
        return [(year, month, day)]
    if kind == "numeric":
        first, second, last = map(int, pieces)
        year = last if last > 99 else 2000 + last
        return [(year, second, first), (year, first, second)]
    if kind == "day_first":
        pieces = [piece for piece in pieces if piece != "of"]
        pieces[:2] = pieces[1::-1]
    year = int(pieces[2]) if pieces[2:] else 0
    day = int("".join(filter(str.isdigit, pieces[1])))
    return [(year, MONTHS.index(pieces[0][:3]) + 1, day)]


def _date(year: int, month: int, day: int) -> str:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return ""
    return f"d:{year:04}-{month:02}-{day:02}" if year else f"m:{month:02}-{day:02}"


def read_time(text: str) -> str:
    """Return the time of day, `t:14:30`, with its seconds where there are any."""
    text = text.lstrip("t")
    digits = "".join(each if each.isdigit() else " " for each in text).split()
    hour = int(digits[0])
    rest = [part for part in digits[1:3] if len(part) == 2] if ":" in text or "h" in text else []
    if "m" in text:
        hour = hour % 12 + (12 if "p" in text else 0)
    minute, second = [*rest, "00", "00"][:2]
    return f"t:{hour:02}:{minute}" + (f":{second}" if second != "00" else "")
