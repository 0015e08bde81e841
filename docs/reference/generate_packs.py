"""Write `packs.md` beside this file from the packs themselves.

Run `python docs/reference/generate_packs.py` after a change to a pack; a test compares.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from guardrails.language.folder import read_folder
from guardrails.language.loader import load_folder
from guardrails.toolchain.packs import PACKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.language.document import Document, Rule

PAGE = Path(__file__).parent / "packs.md"
POLICIES = Path(__file__).resolve().parents[2] / "policies"

INTRODUCTION = """\
# Packs

This page is made from the packs in `policies/` by `python docs/reference/generate_packs.py`.

Packs are written over traits, kinds, labels and facts, so they hold for tools of any name: you
declare what your tools can touch. They only restrict; what agents may do is for you to write. How
to begin: [start from packs](../how-to/start-from-packs.md). Which attack which rule answers:
[the catalogue of threats](threats.md).

Their tests reach every rule and every branch, and notice each of some 2,100 mutants but two. Of the
examples' own tools, the letter of `outreach-payments` and the audit log of `oversight-integrity`
have a trait each (`external`, `read`) without which they would be judged alike: that they are is
what their tests show.
"""


def page() -> str:
    """The text of the page."""
    bundle = load_folder(read_folder(POLICIES), "policies")
    documents = {document.policy: document for document in bundle.documents}
    return "\n".join([INTRODUCTION, *(part for name in PACKS for part in pack(documents[name]))])


def pack(document: Document) -> Iterator[str]:
    """The section of one pack."""
    yield f"## {document.policy}\n"
    yield f"{document.description}\n"
    yield f"[For compliance officers](../../policies/{document.policy}/README.md)\n"
    yield "| rule | effect | concerns | the agent is told | controls |\n|---|---|---|---|---|"
    yield from map(row, document.rules)
    yield ""


def row(rule: Rule) -> str:
    """The line of one rule."""
    effect = f"{rule.effect}, suspends" if rule.suspends else str(rule.effect)
    if rule.approval is not None:
        effect += "".join(
            f" to {group.quorum} of {', '.join(group.names)}" for group in rule.approval.groups
        )
    concerned = ", ".join(rule.traits or ("every tool",))
    return f"| `{rule.id}` | {effect} | {concerned} | {rule.message} | {', '.join(rule.controls)} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
