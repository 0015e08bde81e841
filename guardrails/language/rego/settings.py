"""What a project says of Rego: the table `[rego]` of its settings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from guardrails.display import quote
from guardrails.errors import ConfigurationError
from guardrails.language.settings_file import find_settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from guardrails.language.settings_file import Table

TABLE = "rego"
EMBEDDED = "embedded"

_FILES = ("token_file", "ca_file", "certificate_file", "key_file")
_KEYS: Mapping[str, Any] = {
    "packages": list,
    "engine": str,
    "timeout_ms": (int, float),
    "memory_mb": int,
    **dict.fromkeys(_FILES, str),
}


@dataclass(frozen=True, slots=True)
class RegoSettings:
    """How Rego is evaluated.

    `packages` decide besides those below `guardrails`. `engine` is `embedded`, or the URL of an
    OPA server; the files are what it is asked with. `timeout_ms` is for one evaluation, None for
    the engine's own; `memory_mb` for one process of the embedded engine.

    Raises ConfigurationError for an engine that is neither.
    """

    packages: tuple[str, ...] = ()
    engine: str = EMBEDDED
    timeout_ms: float | None = None
    memory_mb: int | None = None
    token_file: str = ""
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""

    def __post_init__(self) -> None:
        if self.engine != EMBEDDED and not self.engine.startswith(("http://", "https://")):
            raise ConfigurationError(
                f"the engine for Rego is `{EMBEDDED}` or the URL of an OPA server, not"
                f" {quote(self.engine)}"
            )

    def asking(self, engine: str) -> RegoSettings:
        """The same with another engine, given as `engine` is; raises as a new one does."""
        if engine == self.engine:
            return self
        return replace(self, engine=engine)


def find_rego_settings(policies: Path) -> RegoSettings:
    """The settings nearest to the policies, from their folder upwards; the defaults without any.

    Paths of files in them are taken from the folder of the settings. Raises ConfigurationError for
    what is no TOML and for what no setting is.
    """
    file = find_settings(policies)
    table = read_settings(file).table(TABLE)
    table.check_keys(_KEYS)
    for key, value in table.data.items():
        _check(table, key, value)
    values: dict[str, Any] = {**table.data, "packages": tuple(table.data.get("packages", ()))}
    for key in _FILES:
        if file is not None and values.get(key):
            values[key] = str(file.parent / values[key])
    return RegoSettings(**values)


def _check(table: Table, key: str, value: Any) -> None:
    if not isinstance(value, _KEYS[key]) or type(value) is bool:
        raise table.fault(key, "is of another type than it must be")
    if key == "packages" and not all(type(each) is str and each for each in value):
        raise table.fault(key, "is a list of the names of packages")
    if key in ("timeout_ms", "memory_mb") and not value > 0:
        raise table.fault(key, "must be more than 0")
    if key == "engine" and value != EMBEDDED and not value.startswith(("http://", "https://")):
        raise table.fault(key, f"is `{EMBEDDED}` or the URL of an OPA server")
