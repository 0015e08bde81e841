"""The controls of public frameworks, by how their names are built."""

from __future__ import annotations

import re
from dataclasses import dataclass

from guardrails.toolchain.lint.near import is_slip


@dataclass(frozen=True, slots=True)
class Family:
    """Controls of one framework: `prefix` and a number of `digits` digits up to `last`.

    `digits` is 0 where numbers are written as they are; what follows the number is free.
    """

    prefix: str
    digits: int
    last: int
    title: str


FAMILIES = (
    Family("OWASP-ASI", 2, 10, "OWASP Top 10 for Agentic Applications (2026), ASI01 to ASI10"),
    Family("OWASP-LLM", 2, 10, "OWASP Top 10 for LLM Applications (2025), LLM01 to LLM10"),
    Family("EU-AI-ACT-", 0, 113, "Regulation (EU) 2024/1689, articles 1 to 113"),
    Family("GDPR-", 0, 99, "Regulation (EU) 2016/679, articles 1 to 99"),
    Family("DORA-", 0, 64, "Regulation (EU) 2022/2554, articles 1 to 64"),
)

_NUMBERED = re.compile(r"([A-Za-z][A-Za-z_ -]*?)[_ -]?([0-9]+)(.*)", re.DOTALL)


def complaint(control: str) -> tuple[str, str] | None:
    """What is wrong with a control that looks like one of a known framework, and how to mend it.

    None for one that is right, and for one of a framework that isn't known here.
    """
    found = _NUMBERED.fullmatch(control)
    if found is None:
        return None
    written, number, rest = found.groups()
    for family in FAMILIES:
        if not _same_prefix(written, family.prefix):
            continue
        if not 1 <= int(number) <= family.last:
            return f"the numbers end at {family.last}", f"see {family.title}"
        proper = f"{family.prefix}{number.lstrip('0').zfill(family.digits)}{rest}"
        if proper != control:
            return "it is written otherwise", f"did you mean `{proper}`?"
        return None
    return None


def _same_prefix(written: str, prefix: str) -> bool:
    """Whether `written` is `prefix`, or a slip away from it."""
    bare = prefix.rstrip("-")
    return written.lower() == bare.lower() or is_slip(written, bare)
