"""What a condition can name: variables with their types, constants with their values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardrails.language.cel.types import Type


@dataclass(frozen=True, slots=True)
class Environment:
    """The names that a condition may use, beside the functions of the library.

    `variables` gives each its type; a `RecordType` says which keys it has. `constants` are the
    values of the variable `constants`, known when the condition is compiled.
    """

    variables: Mapping[str, Type]
    constants: Mapping[str, object] = field(default_factory=dict)
