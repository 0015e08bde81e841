"""Policies read the same to people and to the program.

What it does
------------
Reports, anywhere in a policy or test, comments included: characters that reorder what is shown
(bidirectional controls) or show as nothing (zero-width ones, tags, fillers), and words with letters
of other scripts, or wide and styled forms, that show as a word in ASCII. Text that is written in
another script is left alone, and so are joiners where its writing, or an emoji, needs them.

Why it is bad
-------------
What the reviewer approves is not what is in force: a list of roles that shows `admin` and holds
another word, a condition whose end shows as a comment ("Trojan Source", CVE-2021-42574).

Example
-------
    version: 1
    policy: access
    owner: it@acme.example
    rules:
      - {id: admins, effect: allow, tools: users.list, subjects: {roles: [\u0430dmin]}}

Use instead
-----------
    version: 1
    policy: access
    owner: it@acme.example
    rules:
      - {id: admins, effect: allow, tools: users.list, subjects: {roles: [admin]}}
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.toolchain.lint.characters import find_hidden, find_look_alikes
from guardrails.toolchain.lint.finding import Severity
from guardrails.toolchain.lint.registry import lint_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.toolchain.lint.finding import Finding
    from guardrails.toolchain.lint.project import Project


@lint_rule("confusable-text", Severity.ERROR)
def check(project: Project) -> Iterator[Finding]:
    """The stretches of text that are not what they seem."""
    for text in project.texts.values():
        if text.text.isascii():
            continue
        for suspect in find_hidden(text.text):
            yield project.finding(
                text.region(suspect.start, suspect.end),
                f"hidden in the text: {suspect.what}",
                why=suspect.why,
                mend="remove it, or write it as an escape in double quotes",
            )
        for suspect in find_look_alikes(text.text):
            yield project.finding(
                text.region(suspect.start, suspect.end),
                f"a word with look-alike letters: {suspect.what}",
                why=suspect.why,
                mend="write it in one script, or its strange letters as escapes in double quotes",
            )
