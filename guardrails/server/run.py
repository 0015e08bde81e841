"""Serving the inbox until it is told to end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from guardrails.errors import ConfigurationError

if TYPE_CHECKING:
    from asyncio import Transport
    from asyncio.events import TimerHandle
    from collections.abc import Callable
    from socket import socket

    from starlette.applications import Starlette

    from guardrails.server.settings import ServerSettings

HEAD_S = 10.0
"""Seconds in which the head of a request must have come: a slow telephone, and nobody's siege."""

_GRACE_S = 5  # seconds that requests under way have when the server ends


class _Connection(H11Protocol):
    """Uvicorn's connection, which ends where the head of a request is not there in time.

    Otherwise whoever opens connections and says nothing (Slowloris) could keep everybody out.
    """

    _timer: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Wait for a request."""
        super().connection_made(transport)
        self._timer = self.loop.call_later(HEAD_S, transport.close)

    def data_received(self, data: bytes) -> None:
        """Take what has come; the time runs on until the head is whole."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_timer()
        elif self._timer is None:
            self._timer = self.loop.call_later(HEAD_S, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._stop_timer()
        super().connection_lost(exc)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _Server(uvicorn.Server):
    """Uvicorn's server, which ends the streams of events before it waits for connections."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], object]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        if self.started:
            self._ready()

    def handle_exit(self, sig: int, frame: Any) -> None:
        """End, as a signal asks."""
        app: Any = self.config.app
        app.state.live.close()
        super().handle_exit(sig, frame)


def serve(app: Starlette, settings: ServerSettings, ready: Callable[[], object]) -> None:
    """Serve `app` until a signal ends it; `ready` is called as soon as it listens.

    Raises ConfigurationError where the certificate can't be used or the port can't be had.
    """
    config = uvicorn.Config(
        app,
        host=settings.listen,
        port=settings.port,
        ssl_certfile=settings.tls_cert or None,
        ssl_keyfile=settings.tls_key or None,
        proxy_headers=settings.behind_proxy,
        forwarded_allow_ips=list(settings.proxies),
        http=_Connection,
        server_header=False,
        log_level="warning",
        timeout_graceful_shutdown=_GRACE_S,
        limit_concurrency=1000,
    )
    try:
        config.load()
    except OSError as error:  # a file that is none, or holds no certificate
        msg = f"the certificate or its key can't be used: {error.strerror or error}"
        raise ConfigurationError(msg) from None
    try:
        _Server(config, ready).run()
    except SystemExit:
        msg = f"can't listen on `{settings.listen}`, port {settings.port}: it is taken, or not ours"
        raise ConfigurationError(msg) from None
