"""The documentation page of a rule, for the terminal and as Markdown."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING

from guardrails.toolchain.lint.registry import PARTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guardrails.toolchain.lint.registry import LintRule

_LANGUAGES = {".toml": "toml", ".py": "python"}
_FILE = re.compile(r"^# file: (\S+)\n", re.MULTILINE)
_INDENTED = re.compile(r"^    .*\n(?:    .*\n|\n(?=\n*    ))*", re.MULTILINE)


def plain_text(rule: LintRule) -> str:
    """The page as text: the rule with its severity, one sentence, and the parts."""
    page = rule.page
    parts = [f"{part}\n{'-' * len(part)}\n{page.parts[part]}" for part in PARTS]
    return "\n\n".join([f"{rule.id} ({rule.severity})", page.summary, *parts]) + "\n"


def markdown(rule: LintRule) -> str:
    """The page as Markdown; indented policies become fenced ones."""
    page = rule.page
    about = f"Its findings are of severity *{rule.severity}*. All rules: [lint](README.md)."
    parts = [f"## {part}\n\n{_fence(page.parts[part])}" for part in PARTS]
    return "\n\n".join([f"# {rule.id}", page.summary, about, *parts]) + "\n"


def table(rules: Iterable[LintRule]) -> str:
    """The Markdown table that lists rules."""
    rows = [
        f"| [{rule.id}]({rule.id}.md) | {rule.severity} | {rule.page.summary} |" for rule in rules
    ]
    return "\n".join(["| rule | severity | |", "|:--|:--|:--|", *rows]) + "\n"


def _fence(text: str) -> str:
    def fenced(found: re.Match[str]) -> str:
        lines = [line[4:] for line in found.group().strip("\n").splitlines()]
        first, *rest = _FILE.split("\n".join(lines) + "\n")
        files = [("", first), *zip(rest[::2], rest[1::2], strict=True)]
        return "\n".join(_block(name, body) for name, body in files if body.strip())

    return _INDENTED.sub(fenced, text + "\n").rstrip("\n")


def _block(name: str, text: str) -> str:
    language = _LANGUAGES.get(PurePath(name).suffix, "yaml")
    comment = f"# {name}\n" if name else ""
    return f"```{language}\n{comment}{text.rstrip()}\n```\n"
