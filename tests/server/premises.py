"""An inbox that listens, the people who use it, and what agents ask for."""

from __future__ import annotations

import re
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import uvicorn

from guardrails.approvals.accounts import hash_password
from guardrails.approvals.people import Account, People
from guardrails.approvals.service import ApprovalService
from guardrails.approvals.sign_in import Attempts
from guardrails.approvals.sql_store import SqlStore
from guardrails.server.app import make_app
from guardrails.server.settings import ServerSettings
from tests.approvals.scenes import SIGNER, request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from guardrails.approvals.request import ApprovalRequest, Status

PASSWORD = "correct horse battery"
FAY, FINN, RITA = "fay@example.com", "finn@example.com", "rita@example.com"
_HASHED = hash_password(PASSWORD)

STAFF = People(
    [
        Account(FAY, "Fay", ("finance",), ("fay",), _HASHED),
        Account(FINN, "Finn", ("finance",), ("finn",), _HASHED),
        Account(RITA, "Rita", ("risk",), ("rita",), _HASHED),
    ]
)


class Premises:
    """A store, its service, and an inbox on a port of loopback."""

    def __init__(self, folder: Path, people: People = STAFF, **settings: Any) -> None:
        self.people = people
        self.store = SqlStore(folder / "approvals.db")
        self.service = ApprovalService(self.store, lambda: self.people, SIGNER)
        self.settings = ServerSettings(**settings)
        self.app = make_app(self.service, self.settings, Attempts(folder / "sign-ins"))
        self.url = ""
        self._clients: list[httpx.Client] = []

    @contextmanager
    def serving(self) -> Iterator[Premises]:
        config = uvicorn.Config(self.app, port=0, log_level="error", timeout_graceful_shutdown=2)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        self.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            for client in self._clients:
                client.close()
            self.app.state.live.close()
            server.should_exit = True
            thread.join()
            self.store.close()

    def ask(self, *rules: Any, lasts_s: float | None = None, **parts: Any) -> ApprovalRequest:
        """A request that is open now; `evidence` and the like beside the parts of its case."""
        known = {"description": "Pay a supplier.", "traits": ["spend"]}
        evidence = {**known, **parts.pop("evidence", {})}
        now = self.store.now_ns()
        made = replace(request(*rules, now_ns=now, **parts), evidence=evidence)
        if lasts_s is not None:
            made = replace(made, expires_ns=now + int(lasts_s * 1e9))
        return self.store.open(made)

    def client(self) -> httpx.Client:
        self._clients.append(httpx.Client(base_url=self.url, timeout=20))
        return self._clients[-1]

    def signed_in(self, login: str = FAY) -> httpx.Client:
        client = self.client()
        answer = sign_in(client, login)
        assert answer.status_code == 303, answer.text
        return client


def sign_in(
    client: httpx.Client, login: str = FAY, password: str = PASSWORD, wanted: str = "/"
) -> httpx.Response:
    token = token_of(client.get("/sign-in").text)
    form = {"token": token, "login": login, "password": password, "next": wanted}
    return client.post("/sign-in", data=form)


def status_of(premises: Premises, id_: str) -> Status:
    return premises.store.get(id_).status


def token_of(page: str) -> str:
    return field(page, "token")


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"no field {name}"
    return found[1]


def vote(client: httpx.Client, id_: str, outcome: str, **fields: str) -> httpx.Response:
    page = client.get(f"/requests/{id_}").text
    form = {"token": token_of(page), "outcome": outcome, "shown": field(page, "shown"), **fields}
    return client.post(f"/requests/{id_}", data=form)
