"""The part of the policies that a suite is judged by, where it names some of them.

A pack's tests hold what the pack says alone; beside other policies, which restrict further, they
would fail for no fault of its own. The manifest, the constants and the facts stay those of all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from guardrails.engine import PolicySet

if TYPE_CHECKING:
    from guardrails.language.document import Bundle


def part_of(bundle: Bundle, names: tuple[str, ...]) -> Bundle:
    """The policies with the rules of those named alone; all of them where none is."""
    if not names:
        return bundle
    documents = tuple(
        document if document.policy in names else replace(document, rules=())
        for document in bundle.documents
    )
    return replace(bundle, documents=documents)


class Parts:
    """The whole policies, and each part of them that suites name, compiled once."""

    def __init__(self, whole: PolicySet) -> None:
        self._whole = whole
        self._known: dict[tuple[str, ...], PolicySet] = {(): whole}

    def of(self, names: tuple[str, ...]) -> PolicySet:
        """The policies that a case is judged by which names those."""
        if names not in self._known:
            self._known[names] = PolicySet(part_of(self._whole.bundle, names))
        return self._known[names]
