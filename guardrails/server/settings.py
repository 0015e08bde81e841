"""How the inbox is served: where it listens, under which names, and how people may sign in."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from guardrails.display import quote
from guardrails.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardrails.language.settings_file import Table

DEFAULT_PORT = 8642

SECRET_VARIABLE = "GUARDRAILS_OIDC_SECRET"  # noqa: S105 - its name, not its value
"""The variable that holds the client's secret, unless the settings name a file of it."""

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")

_KEYS: Mapping[str, type] = {
    "listen": str,
    "port": int,
    "names": list,
    "tls_cert": str,
    "tls_key": str,
    "behind_proxy": bool,
    "proxies": list,
    "idle_minutes": int,
    "longest_hours": int,
    "oidc": dict,
}
_OIDC_KEYS: Mapping[str, type] = {
    "issuer": str,
    "client_id": str,
    "client_secret_file": str,
    "claim": str,
    "scopes": list,
    "name": str,
}


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """A provider of OpenID Connect.

    `claim` of the ID token names the account, by its id or an alias; an `email` counts only where
    the provider says it is verified. `name` is how the sign-in page calls the provider. Raises
    ConfigurationError for an issuer without TLS, unless it is on this machine.
    """

    issuer: str
    client_id: str
    client_secret: str
    claim: str = "email"
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    name: str = "single sign-on"

    def __post_init__(self) -> None:
        if not is_protected(self.issuer):
            raise ConfigurationError("the issuer of OpenID Connect must be an `https` address")
        if "openid" not in self.scopes:
            raise ConfigurationError("the scopes of OpenID Connect must hold `openid`")


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where and how the inbox is served.

    `names` are the host names under which people reach it, `proxies` the addresses of those in
    front of it whose word for a visitor's address is taken. A sign-in ends `idle_s` seconds after
    the last page, and `longest_s` after it began. Raises ConfigurationError for what would be open.
    """

    listen: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    names: tuple[str, ...] = ()
    tls_cert: str = ""
    tls_key: str = ""
    behind_proxy: bool = False
    proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    idle_s: int = 30 * 60
    longest_s: int = 12 * 3600
    oidc: OidcSettings | None = None

    def __post_init__(self) -> None:
        if bool(self.tls_cert) != bool(self.tls_key):
            raise ConfigurationError("TLS needs both a certificate and its key")
        if not 0 < self.port < 1 << 16:
            raise ConfigurationError("a port is 1 to 65535")
        for name in self.names:
            if not _is_host(name):
                msg = f"{quote(name)} is no host name: write it without `https://`, port and path"
                raise ConfigurationError(msg)
        if self.idle_s <= 0 or self.longest_s <= 0:
            raise ConfigurationError("a sign-in must last longer than no time at all")
        if not is_loopback(self.listen) and not self.is_secure:
            msg = (
                f"`{self.listen}` is not this machine alone, and passwords would cross the network"
                " readable: give --tls-cert and --tls-key, or say --behind-proxy where a proxy in"
                " front speaks TLS"
            )
            raise ConfigurationError(msg)
        if not self.host_names:
            msg = "say under which host name people reach the inbox: --name inbox.example.com"
            raise ConfigurationError(msg)

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach the inbox by TLS."""
        return bool(self.tls_cert) or self.behind_proxy

    @property
    def host_names(self) -> tuple[str, ...]:
        """The names a request may be addressed to; any other is an attack by DNS, or a mistake."""
        own = LOOPBACK_NAMES if is_loopback(self.listen) and not self.behind_proxy else ()
        return tuple(name.lower() for name in (*self.names, *own))

    @property
    def address(self) -> str:
        """Where a browser finds the inbox, as far as it can be told from here."""
        if self.names:
            port = "" if self.behind_proxy else f":{self.port}"
            return f"{'https' if self.is_secure else 'http'}://{self.names[0]}{port}/"
        host = f"[{self.listen}]" if ":" in self.listen else self.listen
        return f"{'https' if self.is_secure else 'http'}://{host}:{self.port}/"


_is_host = re.compile(r"[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]").fullmatch


def is_loopback(listen: str) -> bool:
    """Whether nobody but this machine reaches that address; a name other than localhost isn't."""
    try:
        return ip_address(listen).is_loopback
    except ValueError:
        return listen == "localhost"


def is_protected(url: str) -> bool:
    """Whether nobody on the way reads or alters what goes to `url`: TLS, or this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and is_loopback(parts.hostname or "")


def read_server_settings(table: Table, **given: Any) -> ServerSettings:
    """The settings of the table `[server]`, those `given` (if not None or empty) before them.

    Raises ConfigurationError for what can't be.
    """
    table.check_keys(_KEYS)
    for key in table.data:
        _check(table, key, _KEYS[key])
    values: dict[str, Any] = dict(table.data)
    values.pop("oidc", None)
    for key, new, factor in (("idle_minutes", "idle_s", 60), ("longest_hours", "longest_s", 3600)):
        if key in values:
            values[new] = values.pop(key) * factor
    values |= {key: value for key, value in given.items() if value or type(value) is int}
    for key in ("names", "proxies"):
        if key in values:
            values[key] = tuple(values[key])
    oidc = read_oidc(table.table("oidc")) if "oidc" in table.data else None
    return ServerSettings(**values, oidc=oidc)


def read_oidc(table: Table) -> OidcSettings:
    """The provider of the table `[server.oidc]`; its secret is from a file or the environment."""
    table.check_keys(_OIDC_KEYS)
    for key in table.data:
        _check(table, key, _OIDC_KEYS[key])
    for key in ("issuer", "client_id"):
        if not table.data.get(key):
            raise table.fault(key, "is missing")
    values: dict[str, Any] = dict(table.data)
    file = values.pop("client_secret_file", "")
    secret = _read_secret(table, file) if file else os.environ.get(SECRET_VARIABLE, "")
    if not secret:
        raise table.fault("client_secret_file", f"is missing, and {SECRET_VARIABLE} is not set")
    if "scopes" in values:
        values["scopes"] = tuple(values["scopes"])
    return OidcSettings(client_secret=secret, **values)


def _read_secret(table: Table, file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise table.fault("client_secret_file", "can't be read") from None


def _check(table: Table, key: str, kind: type) -> None:
    value = table.data[key]
    if type(value) is not kind:
        names = {str: "a text", int: "an integer", bool: "true or false", list: "a list of texts"}
        raise table.fault(key, f"must be {names.get(kind, 'a table')}")
    if kind is list and not all(type(each) is str and each for each in table.data[key]):
        raise table.fault(key, "must be a list of texts")
