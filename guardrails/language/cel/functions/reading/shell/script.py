"""What a shell script says, before it is asked what its commands would run."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a script: `text` after the removal of quotes, as far as it is known.

    `literal`: the text is all there is. `single`: it is one word when it runs; what is expanded
    without quotes may become none or many. `raw` is the source.
    """

    text: str
    raw: str
    literal: bool = True
    single: bool = True

    @property
    def known(self) -> bool:
        """Whether it is exactly the one word `text`."""
        return self.literal and self.single


@dataclass(slots=True)
class Redirect:
    """A redirection: its operator, the descriptor before it (`""` if none) and its target.

    Of a here-document the target is its end mark, of a here-string nothing, and `body` what it
    says: read after the command, when its lines come.
    """

    operator: str
    descriptor: str
    target: Word
    body: Word | None = None


@dataclass(slots=True)
class Simple:
    """A simple command as written, and the commands whose output it reads by a pipe."""

    text: str
    words: list[Word] = field(default_factory=list)
    assignments: list[tuple[str, Word]] = field(default_factory=list)
    redirects: list[Redirect] = field(default_factory=list)
    upstream: tuple[Simple, ...] = ()


@dataclass(frozen=True, slots=True)
class Script:
    """The simple commands of a script; `hides` tells that a word could be evaluated as more."""

    commands: tuple[Simple, ...]
    hides: bool
