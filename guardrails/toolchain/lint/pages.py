"""The documentation page of a rule, for the terminal and as Markdown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.toolchain.lint.registry import PARTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guardrails.toolchain.lint.registry import LintRule

_EXAMPLES = ("Example", "Use instead")
_INDENTED = re.compile(r"(?:^    .*\n|^\n(?=(?:\n)*    ))+", re.MULTILINE)


def plain_text(rule: LintRule) -> str:
    """The page as text: the rule with its severity, one sentence, and the parts."""
    page = rule.page
    parts = [f"{part}\n{'-' * len(part)}\n{page.parts[part]}" for part in PARTS]
    return "\n\n".join([f"{rule.id} ({rule.severity})", page.summary, *parts]) + "\n"


def markdown(rule: LintRule) -> str:
    """The page as Markdown; indented policies become fenced ones."""
    page = rule.page
    about = (
        f"Severity: {rule.severity}. Level in `guardrails.toml`: `{rule.id}` under `[lint.rules]`."
    )
    parts = [f"## {part}\n\n{_fence(page.parts[part])}" for part in PARTS]
    return "\n\n".join([f"# {rule.id}", page.summary, about, *parts]) + "\n"


def index(rules: Iterable[LintRule]) -> str:
    """The Markdown page that lists all rules."""
    rows = [
        f"| [{rule.id}]({rule.id}.md) | {rule.severity} | {rule.page.summary} |" for rule in rules
    ]
    return "\n".join(["| rule | severity | |", "|:--|:--|:--|", *rows]) + "\n"


def _fence(text: str) -> str:
    def fenced(found: re.Match[str]) -> str:
        lines = [line[4:] for line in found.group().strip("\n").splitlines()]
        return "```yaml\n" + "\n".join(lines) + "\n```\n"

    return _INDENTED.sub(fenced, text + "\n").rstrip("\n")
