"""Rules that would decide, were they not in a file that is named as a test.

The text is looked at, not parsed: no engine has to be there for it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.language.rego.builder import ROOT, effect_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.errors import Problem
    from guardrails.language.source import Source

_PASSED_OVER = re.compile(r'"(?:[^"\\\n]|\\.)*"|`[^`]*`|#[^\n]*')
_PACKAGE = re.compile(r"^[ \t]*package[ \t]+([\w.]+)", re.MULTILINE)
_HEAD = re.compile(r"^(?:default[ \t]+)?([a-z_]\w*)|[\[{(]|[\]})]", re.MULTILINE | re.IGNORECASE)


def check_lost(source: Source, packages: tuple[str, ...]) -> Iterator[Problem]:
    """The problems of rules that decide in a module of tests; those of its tests are no such.

    A package whose name ends in `_test` is the tests' own. `packages` are policies besides those
    below `guardrails`.
    """
    text = _PASSED_OVER.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), source.text)
    package = _PACKAGE.search(text)
    if package is None or not _is_policy(package[1], packages):
        return
    depth = 0
    for found in _HEAD.finditer(text, package.end()):
        if found[1] is None:
            depth += 1 if found[0] in "[{(" else -1
        elif depth == 0 and effect_of((found[1],)) is not None:
            name = found[1]
            line = text.count("\n", 0, found.start()) + 1
            message = (
                f"`{name}` in a file named as a test would never be in force; rename the file, or"
                f" give the tests the package `{package[1]}_test`"
            )
            column = found.start(1) - found.start() + 1
            yield source.problem(line, column, message, len(name))


def _is_policy(package: str, packages: tuple[str, ...]) -> bool:
    below = package.startswith(f"{ROOT}.") and not package.endswith("_test")
    return below or package in packages
