"""Channels as `guardrails.toml` names them."""

from __future__ import annotations

import json
import sys
import tomllib
from types import ModuleType
from typing import Any

import pytest

from guardrails.approvals.channels import Notice
from guardrails.approvals.channels.callback import Dialect
from guardrails.approvals.channels.channel import USUAL_EVENTS
from guardrails.approvals.channels.settings import ChannelSettings, read_channels
from guardrails.approvals.channels.webhook import Webhook
from guardrails.errors import ConfigurationError
from guardrails.language.settings_file import Table
from tests.approvals.scenes import START, request

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BACK = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
ENVIRONMENT = {"OUT": SECRET, "BACK": BACK, "SLACK_URL": "https://hooks.slack.com/services/T/B/x"}

DESK = """
[[channels]]
name = "desk"
kind = "webhook"
url = "https://desk.example.com/hook"
secrets_env = "OUT"
"""
SLACK = """
[[channels]]
name = "finance-slack"
kind = "slack"
url_env = "SLACK_URL"
"""


def read(text: str) -> ChannelSettings:
    return read_channels(
        Table("guardrails.toml", "approvals", tomllib.loads(text)), dict(ENVIRONMENT)
    )


def test_a_webhook_and_slack_are_read() -> None:
    found = read(DESK + 'events = ["opened", "approved"]\ntimeout_s = 3\n' + SLACK)
    desk, slack = found.channels
    assert isinstance(desk, Webhook)
    assert isinstance(slack, Webhook)
    assert (desk.name, desk.events, desk.timeout_s) == ("desk", ("opened", "approved"), 3.0)
    assert len(desk.keys[0]) == 24
    assert (slack.url, slack.keys) == (ENVIRONMENT["SLACK_URL"], ())
    assert slack.events == USUAL_EVENTS
    assert found.endpoints == ()


def test_the_link_and_what_is_withheld_are_said_once() -> None:
    found = read('inbox = "https://inbox.example.com"\n' + DESK + "arguments = false\n")
    (desk,) = found.channels
    assert isinstance(desk, Webhook)
    message = desk.write(Notice("n", "opened", "", START, request()))
    assert message["data"]["link"].startswith("https://inbox.example.com/requests/")
    assert "ACME" not in json.dumps(message)


def test_votes_come_in_where_a_secret_signs_them() -> None:
    found = read(
        DESK
        + 'callback_secrets_env = ["BACK"]\naccounts = ["finance"]\n'
        + SLACK
        + 'signing_secrets = ["8f742231"]\n'
    )
    desk, slack = found.endpoints
    assert (desk.name, desk.dialect, desk.accounts) == ("desk", Dialect.WEBHOOK, ("finance",))
    assert desk.keys == (bytes(range(32)),)
    assert (slack.dialect, slack.keys, slack.accounts) == (Dialect.SLACK, (b"8f742231",), ())


def test_a_channel_of_ones_own_is_made_from_its_options(monkeypatch: pytest.MonkeyPatch) -> None:
    class Pager:
        def __init__(self, name: str, events: tuple[str, ...], number: str) -> None:
            self.name, self.events, self.number = name, events, number

        def deliver(self, notice: Notice) -> None: ...

    module: Any = ModuleType("pager_of_ours")
    module.Pager = Pager
    monkeypatch.setitem(sys.modules, "pager_of_ours", module)
    text = '[[channels]]\nname = "pager"\nkind = "python"\ntarget = "pager_of_ours:Pager"\n'
    (pager,) = read(text + 'options = {number = "112"}\n').channels
    assert isinstance(pager, Pager)
    assert (pager.name, pager.number, pager.events) == ("pager", "112", USUAL_EVENTS)
    with pytest.raises(ConfigurationError, match="options` does not suit `pager_of_ours:Pager`"):
        read(text)


def test_nothing_asked_for_is_nothing() -> None:
    assert read("") == ((), ())


FAULTS = {
    "kind": (DESK.replace("webhook", "webhok"), "kind` is `webhok`.*did you mean `webhook`"),
    "no kind": ('[[channels]]\nname = "x"\n', r"approvals.channels.x.kind` is missing"),
    "no name": ('[[channels]]\nkind = "webhook"\n', r"approvals.channels.1.name` is missing"),
    "name": (DESK.replace('"desk"', '"Desk !"'), "must be of the characters"),
    "key": (DESK + 'secret_env = "OUT"\n', "unknown setting; did you mean `secrets_env`"),
    "other kind's key": (SLACK + 'secrets_env = "OUT"\n', "secrets_env` is an unknown setting"),
    "event": (DESK + 'events = ["opend"]\n', "holds `opend`.*did you mean `opened`"),
    "url": (DESK.replace("https", "http"), "url` can't be used: .* is `https`"),
    "inbox": ('inbox = "http://inbox.example.com"\n' + DESK, "inbox` can't be used"),
    "no url": (DESK.replace("url", "# url"), "url` is missing"),
    "url twice": (SLACK + 'url = "https://x.example"\n', "given twice"),
    "unset": (DESK.replace("OUT", "NOWHERE"), "variable `NOWHERE`, which is not set"),
    "unsigned": (DESK.replace("secrets_env", "# s"), "secrets_env` is missing"),
    "weak": (DESK.replace("secrets_env", "secrets"), "secrets` holds no secret"),
    "same": (
        DESK + 'callback_secrets_env = "OUT"\naccounts = "finance"\n',
        "must not hold a secret that signs what goes out",
    ),
    "no accounts": (DESK + 'callback_secrets_env = "BACK"\n', "accounts` is missing"),
    "accounts alone": (DESK + 'accounts = "finance"\n', "no secret signs them"),
    "blind votes": (
        DESK + 'callback_secrets_env = "BACK"\naccounts = "finance"\narguments = false\n',
        "arguments` must be true where people vote",
    ),
    "blind": (DESK + 'arguments = "no"\n', "must be true or false"),
    "timeout": (DESK + "timeout_s = 31\n", "30 at most"),
    "target": (
        '[[channels]]\nname = "x"\nkind = "python"\ntarget = "no_such:thing"\n',
        "can't be imported",
    ),
    "twice": (DESK + DESK, "two channels are called `desk`"),
    "no tables": ("channels = 7\n", r"each under `\[\[approvals.channels\]\]`"),
    "beside": ("channel = 7\n", "approvals.channel` is an unknown setting; did you mean"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_setting_that_cannot_be_is_told(name: str) -> None:
    text, message = FAULTS[name]
    with pytest.raises(ConfigurationError, match=message) as error:
        read(text)
    assert SECRET not in str(error.value)
