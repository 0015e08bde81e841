"""What a project says of Rego: the table `[rego]` of the nearest `guardrails.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guardrails.display import escape, quote
from guardrails.errors import ConfigurationError
from guardrails.language.cel.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE = "guardrails.toml"
TABLE = "rego"
EMBEDDED = "embedded"

_KEYS: Mapping[str, Any] = {
    "packages": list,
    "engine": str,
    "timeout_ms": (int, float),
    "memory_mb": int,
    "token_file": str,
    "ca_file": str,
    "certificate_file": str,
    "key_file": str,
}


@dataclass(frozen=True, slots=True)
class RegoSettings:
    """How Rego is evaluated. Paths of files are taken from the folder of the settings.

    `packages` decide besides those below `guardrails`. `engine` is `embedded`, or the URL of an
    OPA server; the files are what it is asked with. `timeout_ms` is for one evaluation, None for
    the engine's own; `memory_mb` for one process of the embedded engine.
    """

    packages: tuple[str, ...] = ()
    engine: str = EMBEDDED
    timeout_ms: float | None = None
    memory_mb: int | None = None
    token_file: str = ""
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""


def find_settings(policies: Path) -> RegoSettings:
    """The settings nearest to the policies, from their folder upwards; the defaults without any.

    Raises ConfigurationError for what is no TOML and for what no setting is.
    """
    for folder in (policies.absolute(), *policies.absolute().parents):
        file = folder / FILE
        if file.is_file():
            return read_settings(file)
    return RegoSettings()


def read_settings(file: Path) -> RegoSettings:
    """The settings in a file; raises as `find_settings` does."""
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{escape(str(file))}: can't be read: {error}") from None
    table = data.get(TABLE, {})
    if type(table) is not dict:
        raise _fault(file, TABLE, "must be a table")
    for key, value in table.items():
        _check(file, key, value)
    values: dict[str, Any] = {**table, "packages": tuple(table.get("packages", ()))}
    for key in ("token_file", "ca_file", "certificate_file", "key_file"):
        if values.get(key):
            values[key] = str(file.parent / values[key])
    return RegoSettings(**values)


def _check(file: Path, key: str, value: Any) -> None:
    name = f"{TABLE}.{key}"
    if key not in _KEYS:
        raise _fault(file, name, f"is an unknown setting{did_you_mean(key, _KEYS)}")
    if not isinstance(value, _KEYS[key]) or type(value) is bool:
        raise _fault(file, name, "is of another type than it must be")
    if key == "packages" and not all(type(each) is str and each for each in value):
        raise _fault(file, name, "is a list of the names of packages")
    if key in ("timeout_ms", "memory_mb") and not value > 0:
        raise _fault(file, name, "must be more than 0")
    if key == "engine" and value != EMBEDDED and not value.startswith(("http://", "https://")):
        raise _fault(file, name, f"is `{EMBEDDED}` or the URL of an OPA server")


def _fault(file: Path, key: str, what: str) -> ConfigurationError:
    return ConfigurationError(f"{escape(str(file))}: {quote(key)} {what}")
