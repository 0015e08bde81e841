"""Channels as the settings file names them: `[[approvals.channels]]`.

A secret is given as such, or better by the name of the environment's variable that holds it.
"""

from __future__ import annotations

import re
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from guardrails.approvals.channels.callback import Dialect, Endpoint
from guardrails.approvals.channels.channel import ALL_EVENTS, USUAL_EVENTS
from guardrails.approvals.channels.courier import check_channels
from guardrails.approvals.channels.message import write_message
from guardrails.approvals.channels.signature import read_secret
from guardrails.approvals.channels.slack import write_slack
from guardrails.approvals.channels.webhook import TIMEOUT_S, Webhook, check_url
from guardrails.display import quote
from guardrails.errors import ConfigurationError
from guardrails.language.cel.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from guardrails.approvals.channels.channel import Channel
    from guardrails.language.settings_file import Table

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_COMMON = ("name", "kind", "events")
_POSTED = (*_COMMON, "url", "url_env", "arguments", "timeout_s", "accounts")
_KEYS: Mapping[str, tuple[str, ...]] = {
    "webhook": (*_POSTED, "secrets", "secrets_env", "callback_secrets", "callback_secrets_env"),
    "slack": (*_POSTED, "signing_secrets", "signing_secrets_env"),
    "python": (*_COMMON, "target", "options"),
}
_TIMEOUT_MAX = 30


class ChannelSettings(NamedTuple):
    """The channels that people are told by, and where votes come in."""

    channels: tuple[Channel, ...]
    endpoints: tuple[Endpoint, ...]


def read_channels(table: Table, environment: Mapping[str, str], inbox: str = "") -> ChannelSettings:
    """The channels in the table `[approvals]`; raises ConfigurationError for what can't be.

    `inbox` is the address of the inbox, for links, where the table has none.
    """
    table.check_keys(("inbox", "channels"))
    if "inbox" in table.data:
        inbox = _text(table, "inbox")
        _check(table, "inbox", inbox, check_url)
    listed = table.data.get("channels", [])
    if type(listed) is not list or not all(type(each) is dict for each in listed):
        raise table.fault("channels", "must be tables, each under `[[approvals.channels]]`")
    read = [
        _read(_entry(table, number, each), inbox, environment)
        for number, each in enumerate(listed, 1)
    ]
    channels = tuple(channel for channel, _ in read)
    check_channels(channels)
    return ChannelSettings(channels, tuple(each for _, each in read if each is not None))


def _entry(table: Table, number: int, data: dict[str, Any]) -> Table:
    """The table of one channel, called by its name where it has one."""
    name = data.get("name")
    called = name if type(name) is str and _NAME.fullmatch(name) else str(number)
    return type(table)(table.path, f"{table.name}.channels.{called}", data)


def _read(
    table: Table, inbox: str, environment: Mapping[str, str]
) -> tuple[Channel, Endpoint | None]:
    kind = _text(table, "kind")
    if kind not in _KEYS:
        hint = did_you_mean(kind, _KEYS) or f"; there are {', '.join(map(quote, _KEYS))}"
        raise table.fault("kind", f"is {quote(kind)}, which is no kind of channel{hint}")
    table.check_keys(_KEYS[kind])
    if not _NAME.fullmatch(_text(table, "name")):
        raise table.fault("name", "must be of the characters `a-z 0-9 -`, 64 at most")
    if kind == "python":
        return _load(table), None
    return _read_posted(table, kind, inbox, environment)


def _read_posted(
    table: Table, kind: str, inbox: str, environment: Mapping[str, str]
) -> tuple[Channel, Endpoint | None]:
    arguments = table.data.get("arguments", True)
    if type(arguments) is not bool:
        raise table.fault("arguments", "must be true or false")
    incoming = "callback_secrets" if kind == "webhook" else "signing_secrets"
    parse = read_secret if kind == "webhook" else str.encode
    votes = _keys(table, incoming, environment, parse)
    keys: tuple[bytes, ...] = ()
    write: Any = partial(write_message, inbox=inbox, arguments=arguments)
    if kind == "slack":
        write = partial(write_slack, inbox=inbox, arguments=arguments, buttons=bool(votes))
    else:
        keys = _keys(table, "secrets", environment, read_secret)
        if not keys:
            raise table.fault("secrets_env", "is missing: name the variable that holds the secret")
        if set(keys) & set(votes):
            # Else whoever is told could send what it was told back as a vote, and be believed.
            raise table.fault(incoming, "must not hold a secret that signs what goes out")
    url = _only(table, "url", environment)
    _check(table, "url", url, check_url)
    channel = Webhook(
        name=table.data["name"],
        url=url,
        write=write,
        keys=keys,
        events=_events(table),
        timeout_s=_timeout(table),
    )
    return channel, _endpoint(table, Dialect(kind), votes, arguments=arguments)


def _endpoint(
    table: Table, dialect: Dialect, keys: tuple[bytes, ...], *, arguments: bool
) -> Endpoint | None:
    accounts = _texts(table, "accounts")
    if not keys:
        if accounts:
            raise table.fault("accounts", "is for votes that come in, and no secret signs them")
        return None
    if not arguments:
        raise table.fault("arguments", "must be true where people vote on what they are told")
    try:
        return Endpoint(table.data["name"], dialect, keys, accounts)
    except ConfigurationError as error:
        raise table.fault("accounts", f"is missing: {error}") from None


def _load(table: Table) -> Channel:
    """The channel that a user's own function makes of the options."""
    target, options = _text(table, "target"), table.table("options").data
    module, _, name = target.partition(":")
    try:
        make = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError):
        problem = (
            f"is {quote(target)}, which can't be imported; write such as `package.module:name`"
        )
        raise table.fault("target", problem) from None
    try:
        channel: Channel = make(name=table.data["name"], events=_events(table), **options)
    except TypeError as error:
        raise table.fault("options", f"does not suit {quote(target)}: {error}") from None
    return channel


def _keys(
    table: Table, key: str, environment: Mapping[str, str], parse: Callable[[str], bytes]
) -> tuple[bytes, ...]:
    """The keys of the secrets under `key`, or of the variables under `key` with `_env`."""
    return tuple(_parse_keys(table, key, environment, parse))


def _parse_keys(
    table: Table, key: str, environment: Mapping[str, str], parse: Callable[[str], bytes]
) -> Iterator[bytes]:
    secrets = [(key, each) for each in _texts(table, key)]
    named = f"{key}_env"
    secrets += [(named, _look_up(table, named, each, environment)) for each in _texts(table, named)]
    for where, secret in secrets:
        try:
            yield parse(secret)
        except ValueError as error:
            raise table.fault(where, f"holds {error}") from None


def _only(table: Table, key: str, environment: Mapping[str, str]) -> str:
    if f"{key}_env" not in table.data:
        return _text(table, key)
    if key in table.data:
        raise table.fault(key, f"is given twice: here and by {quote(f'{key}_env')}")
    return _look_up(table, f"{key}_env", _text(table, f"{key}_env"), environment)


def _look_up(table: Table, key: str, variable: str, environment: Mapping[str, str]) -> str:
    found = environment.get(variable, "")
    if not found:
        raise table.fault(key, f"names the variable {quote(variable)}, which is not set")
    return found


def _text(table: Table, key: str) -> str:
    value = table.data.get(key)
    if type(value) is not str or not value:
        raise table.fault(key, "is missing" if value is None else "must be a text")
    return value


def _texts(table: Table, key: str) -> tuple[str, ...]:
    """The texts under `key`: a list, or one alone."""
    value = table.data.get(key, [])
    listed = [value] if type(value) is str else value
    if type(listed) is not list or not all(type(each) is str and each for each in listed):
        raise table.fault(key, "must be a text or a list of texts")
    return tuple(listed)


def _events(table: Table) -> tuple[str, ...]:
    events = _texts(table, "events")
    for event in events:
        if event not in ALL_EVENTS:
            hint = did_you_mean(event, ALL_EVENTS)
            problem = hint or f"; there are {', '.join(map(quote, ALL_EVENTS))}"
            raise table.fault("events", f"holds {quote(event)}, which does not happen{problem}")
    return events or USUAL_EVENTS


def _timeout(table: Table) -> float:
    value = table.data.get("timeout_s", TIMEOUT_S)
    if type(value) not in (int, float) or not 0 < value <= _TIMEOUT_MAX:
        raise table.fault("timeout_s", f"must be a number of seconds, {_TIMEOUT_MAX} at most")
    return float(value)


def _check(table: Table, key: str, value: str, check: Callable[[str], None]) -> None:
    try:
        check(value)
    except ConfigurationError as error:
        raise table.fault(key, f"can't be used: {error}") from None
