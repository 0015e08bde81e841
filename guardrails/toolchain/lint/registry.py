"""The rules of lint, found by importing every module of `rules/` once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from inspect import cleandoc
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from guardrails.toolchain.lint.finding import Finding, Severity
    from guardrails.toolchain.lint.project import Project

    Check = Callable[[Project], Iterator[Finding]]

PARTS = ("What it does", "Why it is bad", "Example", "Use instead")
"""The headings of a rule's documentation, in this order."""

_HEADING = re.compile(rf"^({'|'.join(PARTS)})\n-+\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Page:
    """A rule's documentation: one sentence, and the text of each of its parts."""

    summary: str
    parts: Mapping[str, str]

    def example(self, part: str) -> str:
        """The policies shown under `Example` or `Use instead`: the part's indented lines."""
        lines = self.parts[part].splitlines()
        shown = [line for line in lines if not line or line.startswith("    ")]
        return cleandoc("\n" + "\n".join(shown)) + "\n"


@dataclass(frozen=True, slots=True)
class LintRule:
    """One rule of lint; `severity` is that of its findings unless the settings change it."""

    id: str
    severity: Severity
    page: Page = field(repr=False)
    check: Check = field(repr=False)

    def run(self, project: Project, level: Severity | None = None) -> Iterator[Finding]:
        """The rule's findings in `project`; `level`, if given, is the severity of all."""
        for finding in self.check(project):
            severity = level or finding.severity or self.severity
            yield replace(finding, rule=self.id, severity=severity)


def lint_rule(id: str, severity: Severity) -> Callable[[Check], LintRule]:  # noqa: A002
    """A decorator that makes a rule of `check`; its documentation is its module's docstring."""

    def make(check: Check) -> LintRule:
        doc = import_module(check.__module__).__doc__
        return LintRule(id, severity, read_page(id, doc or ""), check)

    return make


def read_page(id: str, doc: str) -> Page:  # noqa: A002
    """The documentation in a docstring; raises ValueError where a part is missing or empty."""
    summary, *rest = _HEADING.split(cleandoc(doc))
    parts = dict(zip(rest[::2], (text.strip("\n") for text in rest[1::2]), strict=True))
    if tuple(parts) != PARTS or not all(parts.values()) or not summary.strip():
        msg = f"the docstring of lint rule `{id}` must have a sentence and {', '.join(PARTS)}"
        raise ValueError(msg)
    return Page(" ".join(summary.split()), parts)


@cache
def all_rules() -> Mapping[str, LintRule]:
    """Every rule by its id, sorted; raises ValueError for a file that is not named as its rule."""
    from guardrails.toolchain.lint import rules  # noqa: PLC0415 - they import this module

    found: dict[str, LintRule] = {}
    for module in iter_modules(rules.__path__):
        content = vars(import_module(f"{rules.__name__}.{module.name}"))
        named = [each for each in content.values() if isinstance(each, LintRule)]
        if [rule.id for rule in named] != [module.name.replace("_", "-")]:
            msg = f"rules/{module.name}.py must hold one rule, named as the file"
            raise ValueError(msg)
        found[named[0].id] = named[0]
    return dict(sorted(found.items()))
