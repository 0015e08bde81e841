"""Patterns of selectors: `*` stands for any run of characters, everything else for itself."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern, anchored at both ends, exact and case-sensitive; matching takes linear time."""

    text: str
    prefix: str = field(init=False)
    suffix: str = field(init=False)
    _middle: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        parts = self.text.split("*")
        object.__setattr__(self, "prefix", parts[0])
        object.__setattr__(self, "suffix", parts[-1] if len(parts) > 1 else "")
        object.__setattr__(self, "_middle", tuple(part for part in parts[1:-1] if part))

    @property
    def exact(self) -> bool:
        """Whether it stands for one name only."""
        return "*" not in self.text

    def matches(self, name: str) -> bool:
        """Whether `name` as a whole fits the pattern."""
        if self.exact:
            return name == self.text
        at, end = len(self.prefix), len(name) - len(self.suffix)
        if at > end or not (name.startswith(self.prefix) and name.endswith(self.suffix)):
            return False
        for part in self._middle:
            found = name.find(part, at, end)
            if found < 0:
                return False
            at = found + len(part)
        return True
