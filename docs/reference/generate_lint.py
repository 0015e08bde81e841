"""Write the pages of `docs/lint` from the documentation of lint's rules.

Run `python docs/reference/generate_lint.py` after a change to a rule; a test compares.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from guardrails.toolchain.lint.pages import markdown, table
from guardrails.toolchain.lint.registry import all_rules

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).parents[1] / "lint"

INTRODUCTION = """\
# Lint

`guardrails lint policies/` finds what loads cleanly and is wrong all the same. Each finding tells
its place, what is wrong, why that is bad and how to mend it; `--fix` makes the mends that are
certain, and `--diff` shows them. `guardrails lint --explain RULE` prints a page of those below.

It exits with 1 on errors and warnings, with 0 on notes alone, and with 2 where the policies don't
load: those faults are the loader's, and are told as findings of `load`. `--format` prints `text`,
`json`, `sarif`, `junit` or `github`. With `--tools MODULE` the policies are held against the
functions that the module decorates: a renamed parameter is found before it is deployed.

## Settings

They stand in `guardrails.toml`, or under `[tool.guardrails.lint]` of `pyproject.toml`: the nearest
such file in the folder of the policies or above it.

```toml
# guardrails.toml
[lint]
soon = "14d"            # an end that is nearer is told
stale-observe = "30d"   # a rule may be observed for so long
expected-files = ["*.md"]

[lint.rules]
missing-control = "warning"   # off, note, warning or error
missing-owner = "off"
```

## Exceptions

A comment excepts a finding on its own line, or the next, and in the whole of a rule, tool or value
that begins there. It must give a reason and may end:

```yaml
# policies/crm.yaml
version: 1
policy: crm
owner: sales@acme.example
rules:
  # lint: allow[unanchored-pattern] the CRM accepts addresses of ours only, until 2027-01-08
  - id: mail-us
    effect: allow
    tools: crm.mail
    when: arguments.to.matches("@acme[.]example$")
```

A comment that gives no reason, has ended, or excepts nothing is a finding itself
([lint-exception](lint-exception.md)).

## Rules

"""


def pages() -> Mapping[str, str]:
    """The text of every page, by file name."""
    rules = all_rules()
    written = {f"{id_}.md": markdown(rule) for id_, rule in rules.items()}
    return {"README.md": INTRODUCTION + table(rules.values()), **written}


def main() -> None:
    """Write the pages, and remove those of rules that are gone."""
    FOLDER.mkdir(exist_ok=True)
    written = pages()
    for old in FOLDER.glob("*.md"):
        if old.name not in written:
            old.unlink()
    for name, text in written.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
