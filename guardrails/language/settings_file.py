"""The file in which a project keeps its settings.

`guardrails.toml`, or the table `[tool.guardrails]` of `pyproject.toml`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guardrails.display import escape, quote
from guardrails.errors import ConfigurationError
from guardrails.language.cel.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

OWN, SHARED = "guardrails.toml", "pyproject.toml"

TABLES = ("lint", "approvals", "rego", "server")
"""What the file may hold; whoever needs one reads its own table."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of settings: its name and file as people know them, and what it holds."""

    path: str
    name: str
    data: dict[str, Any]

    def fault(self, key: str, what: str) -> ConfigurationError:
        """The error of a key that holds what it can't; `what` is read after the key's name."""
        full = f"{self.name}.{key}" if self.name else key
        return ConfigurationError(f"{escape(self.path)}: {quote(full)} {what}")

    def check_keys(self, known: Iterable[str]) -> None:
        """Raise ConfigurationError for a key that is not one of `known`."""
        names = tuple(known)
        for key in self.data:
            if key not in names:
                hint = did_you_mean(key, names) or f"; there are {', '.join(map(quote, names))}"
                raise self.fault(key, f"is an unknown setting{hint}")

    def table(self, key: str) -> Table:
        """The table under `key`, empty where there is none."""
        data = self.data.get(key, {})
        if type(data) is not dict:
            raise self.fault(key, "must be a table")
        return Table(self.path, f"{self.name}.{key}" if self.name else key, data)


def find_settings(start: Path) -> Path | None:
    """The nearest settings file in the folder `start` or above it."""
    for folder in (start.absolute(), *start.absolute().parents):
        own, shared = folder / OWN, folder / SHARED
        if own.is_file():
            return own
        if shared.is_file() and "guardrails" in _read_toml(shared).get("tool", {}):
            return shared
    return None


def read_settings(path: Path | None) -> Table:
    """The settings in the file `path`, none at all for None.

    Raises ConfigurationError for what is no TOML and for a table that no verb knows.
    """
    if path is None:
        return Table(OWN, "", {})
    data = _read_toml(path)
    shown = _near(path)
    table = Table(shown, "", data)
    if path.name == SHARED:
        table = table.table("tool").table("guardrails")
    table.check_keys(TABLES)
    return table


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        text = str(error)
        msg = f"{escape(_near(path))}: is no TOML: {escape(text[:1].lower() + text[1:])}"
        raise ConfigurationError(msg) from None


def _near(path: Path) -> str:
    """`path` as seen from the current folder, where it lies below that."""
    folder = Path.cwd()
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)
