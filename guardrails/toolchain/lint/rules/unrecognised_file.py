"""A file of another kind in the policy folder may be a rule that is not in force.

What it does
------------
Reports a file in the policy folder that is no policy (`.yaml`, `.yml`, `.rego`). Left alone are the
usual companions of a folder (`README*`, `LICENSE*`, `NOTICE*`, `CHANGELOG*`, `CODEOWNERS`,
`guardrails.toml`, `pyproject.toml`), hidden files, and what the setting `expected-files` names:

    # file: guardrails.toml
    [lint]
    expected-files = ["*.md", "diagram.svg"]

Why it is bad
-------------
`deny.yaml.bak` was once a rule. Files are read by the ending of their names; one that was renamed,
saved as a copy or disabled lies there as if it still held, and nothing says that it doesn't.

Example
-------
    # file: payments.yaml
    version: 1
    policy: payments
    owner: finance@acme.example
    # file: limits.yaml.bak
    version: 1
    policy: limits

Use instead
-----------
    # file: payments.yaml
    version: 1
    policy: payments
    owner: finance@acme.example
    # file: limits.yaml
    version: 1
    policy: limits
    owner: finance@acme.example
"""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import PurePath
from typing import TYPE_CHECKING

from guardrails.display import quote
from guardrails.toolchain.lint.finding import Region, Severity
from guardrails.toolchain.lint.registry import lint_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.project import Project

_COMPANIONS = (
    "README*",
    "LICENSE*",
    "NOTICE*",
    "CHANGELOG*",
    "CODEOWNERS",
    "guardrails.toml",
    "pyproject.toml",
)
_WAS_POLICY = re.compile(r"(.*?\.(?:ya?ml|rego))(?:[.~_ -].*|\d+)", re.IGNORECASE)


@lint_rule("unrecognised-file", Severity.WARNING)
def check(project: Project) -> Iterator[Finding]:
    """The files that are neither read nor expected."""
    expected = (*_COMPANIONS, *project.settings.expected_files)
    for path in project.bundle.unrecognised:
        name = PurePath(path).name
        if any(fnmatch(name, pattern) for pattern in expected):
            continue
        was = _WAS_POLICY.fullmatch(name)
        rename = f"rename it to {quote(was[1])} if it is to hold, " if was else ""
        yield project.finding(
            Region(path),
            f"{quote(name)} is not read: policies are `*.yaml`, `*.yml` and `*.rego`",
            why="a rule in it is not in force, though it lies here",
            mend=f"{rename}move it out of the folder, or list it under `expected-files`",
        )
