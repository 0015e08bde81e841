"""The words that a name is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def words_of(name: str) -> Iterator[str]:
    """The lower-case words of `sendMail`, `mail.send`, `send_mail`."""
    word = ""
    for before, character in zip(f" {name}", name, strict=False):
        if not character.isalnum() or (character.isupper() and before.islower()):
            if word:
                yield word.lower()
            word = ""
        word += character if character.isalnum() else ""
    if word:
        yield word.lower()
