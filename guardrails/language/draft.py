"""Documents that have been read but not yet linked: what of them has no fault in its structure.

A fault must not hide another one, so what stands beside it is read all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guardrails.language.structure import DOCUMENT

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from guardrails.language.validation import Path
    from guardrails.language.yaml_tree import Tree

SECTIONS = frozenset({"constants", "context", "tools"})
"""The sections of a document that declare something for all documents."""

_SOUND: frozenset[Path] = frozenset()


@dataclass(frozen=True, slots=True)
class Part:
    """A map or a list of a document, seen without what is faulty in its structure.

    `data` is all of it, `faults` are the paths of the faults, from here.
    """

    data: Any
    faults: frozenset[Path] = _SOUND

    def __contains__(self, key: str) -> bool:
        return key in self.data and (not self.faults or (key,) not in self.faults)

    def get(self, key: str, default: Any = None) -> Any:
        """The value under `key`; the default where there is none or the key is at fault."""
        return self.data[key] if key in self else default

    def doubtful(self, *keys: str) -> bool:
        """Whether there is a fault under one of the keys."""
        return bool(self.faults) and any(path[0] in keys for path in self.faults)

    def may_have(self, *keys: str, known: Container[str]) -> bool:
        """Whether one of the keys is there, or a key that is not `known`, which may be misspelt."""
        return any(key in self.data for key in keys) or any(self._unknown(known))

    def cut_short(self, known: Container[str]) -> bool:
        """Whether a comma in `{...}` seems to have ended a value: its rest is a key with none."""
        return any(self.data[key] is None for key in self._unknown(known))

    def _unknown(self, known: Container[str]) -> Iterator[str]:
        return (str(path[0]) for path in self.faults if len(path) == 1 and path[0] not in known)

    def part(self, key: str) -> Part:
        """What stands under `key`, seen the same way."""
        if not self.faults:
            return Part(self.data[key])
        below = (path[1:] for path in self.faults if path[0] == key)
        return Part(self.data[key], frozenset(filter(None, below)))

    def parts(self, key: str) -> Iterator[tuple[Any, Part]]:
        """The maps and lists in what stands under `key`, each with its own key or index."""
        if key not in self:
            return
        whole = self.part(key)
        faults: dict[Any, set[Path]] = {}
        for path in whole.faults:
            faults.setdefault(path[0], set()).add(path[1:])
        found = whole.data
        for step, data in found.items() if type(found) is dict else enumerate(found):
            below = faults.get(step)
            if below is None:
                yield step, Part(data)
            elif () not in below:
                yield step, Part(data, frozenset(below))

    def texts(self, key: str) -> tuple[tuple[int, str], ...]:
        """The items of the list of texts under `key`, each with its index."""
        if key not in self:
            return ()
        whole = self.part(key)
        return tuple(pair for pair in enumerate(whole.data) if (pair[0],) not in whole.faults)

    def names(self, key: str) -> tuple[str, ...]:
        """The items of the list of texts under `key`."""
        if not self.faults:
            return tuple(self.data.get(key, ()))
        return tuple(name for _, name in self.texts(key))


@dataclass(frozen=True, slots=True)
class Draft:
    """A document as read: `root` is the whole of it; `clean` says that its YAML has no fault."""

    tree: Tree
    root: Part
    clean: bool

    @property
    def policy(self) -> str:
        """The policy's name, "" where it has no proper one."""
        name: str = self.root.get("policy", "")
        return name

    @property
    def hidden(self) -> frozenset[str]:
        """The sections of which a fault may hide a part.

        A fault of one fact hides none of the others, nor does one inside a tool.
        """
        if not self.clean or any(map(self._may_be_section, self.root.faults)):
            return SECTIONS
        return SECTIONS.intersection(
            str(path[0]) for path in self.root.faults if len(path) == 1 or path[0] == "tools"
        )

    def _may_be_section(self, path: Path) -> bool:
        """Whether there is an unknown key, which may be a section misspelt."""
        return path[0] not in DOCUMENT and type(self.root.data[path[0]]) is dict
