"""An OPA server as the engine, asked by its Data API, for organisations that run one.

https://www.openpolicyagent.org/docs/rest-api#get-a-document-with-input. The server has the modules
and data; what lies in the policy folder says what concerns which calls. Whatever is not an answer
to the question is a failure: a server without the package does not know the policy.
"""

from __future__ import annotations

import ssl
from http.client import (
    HTTPConnection,
    HTTPException,
    HTTPResponse,
    HTTPSConnection,
    IncompleteRead,
)
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from guardrails.action_json import MAX_BYTES, parse_json
from guardrails.errors import ConfigurationError, InvalidActionError
from guardrails.forks import after_fork
from guardrails.language.rego.seam import UNDEFINED, Answer, EngineFailure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardrails.language.rego.seam import Unit
    from guardrails.language.rego.settings import RegoSettings

TIME_LIMIT = 0.5
"""Seconds that one question may take, from the first byte sent to the last one read."""

MAX_IDLE = 16
"""How many connections are kept open for the next question."""

_LOCAL = ("127.0.0.1", "::1", "localhost")
_OK = 200


class OpaServer:
    """Asks the server at `url`, over connections that it keeps open.

    `token_file` holds a bearer token and is read with every question, so that a new one is taken.
    `tls` is the context of an `https` URL. Raises ConfigurationError for a URL that can't be used.
    """

    def __init__(
        self,
        url: str,
        *,
        time_limit: float = TIME_LIMIT,
        token_file: str = "",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._secure = parts.scheme == "https"
        if parts.username or not self._host or parts.query or parts.fragment:
            raise ConfigurationError("the URL of an OPA server is `https://host:port`, and a path")
        if token_file and not self._secure and self._host not in _LOCAL:
            raise ConfigurationError("a token goes to an OPA server over `https` only")
        self._port = parts.port
        self._path = f"{parts.path.rstrip('/')}/v1/data/"
        self._time_limit = time_limit
        self._token_file = token_file
        self._tls = tls or (ssl.create_default_context() if self._secure else None)
        self._begin()
        after_fork(self, OpaServer._begin)

    @classmethod
    def of(cls, settings: RegoSettings) -> OpaServer:
        """The server that the settings name; raises ConfigurationError for files it can't read."""
        tls = None
        try:
            if settings.engine.startswith("https:"):
                tls = ssl.create_default_context(cafile=settings.ca_file or None)
                if settings.certificate_file:
                    tls.load_cert_chain(settings.certificate_file, settings.key_file or None)
            if settings.token_file:
                _read_token(settings.token_file)
        except OSError as error:
            raise ConfigurationError(f"`[rego]`: a file can't be read: {error}") from None
        limit = settings.timeout_ms / 1000 if settings.timeout_ms else TIME_LIMIT
        return cls(settings.engine, time_limit=limit, token_file=settings.token_file, tls=tls)

    def _begin(self) -> None:
        """Start without connections: those of a parent process are its own."""
        self._lock = Lock()
        self._idle: list[HTTPConnection] = []
        self._closed = False

    def evaluate(self, unit: Unit, action: bytes) -> Sequence[Answer]:
        """What each entry evaluates to; see `RegoEngine`."""
        deadline = monotonic() + self._time_limit
        path = self._path + "/".join(quote(step, safe="") for step in unit.package)
        try:
            body = self._post(f"{path}?strict-builtin-errors=true", action, deadline)
            found = parse_json(body)
        except TimeoutError:
            raise EngineFailure(
                f"the OPA server took longer than {self._time_limit * 1000:g} ms"
            ) from None
        except (OSError, HTTPException) as error:
            raise EngineFailure(f"the OPA server can't be asked: {_kind(error)}") from None
        except InvalidActionError:
            raise EngineFailure("the OPA server answered with something that is no JSON") from None
        return _read_result(unit, found)

    def close(self) -> None:
        """Close all connections; what is asked later fails."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _post(self, path: str, action: bytes, deadline: float) -> bytes:
        """The body of the answer; a kept connection that the server has closed is made anew."""
        headers = {"Content-Type": "application/json"}
        if self._token_file:
            headers["Authorization"] = f"Bearer {_read_token(self._token_file)}"
        body = b'{"input":' + action + b"}"
        with self._lock:
            if self._closed:
                raise EngineFailure("the OPA server is asked no more: the engine was closed")
            kept = self._idle.pop() if self._idle else None
        if kept is not None:
            try:
                return self._exchange(kept, path, body, headers, deadline)
            except TimeoutError:
                raise
            except (OSError, HTTPException):
                kept.close()
        return self._exchange(self._connect(), path, body, headers, deadline)

    def _exchange(
        self,
        connection: HTTPConnection,
        path: str,
        body: bytes,
        headers: dict[str, str],
        deadline: float,
    ) -> bytes:
        try:
            connection.timeout = _left(deadline)
            if connection.sock is None:
                connection.connect()
            connection.sock.settimeout(_left(deadline))
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            answer = _read(connection, response, deadline)
        except BaseException:
            connection.close()
            raise
        self._keep(connection, response)
        if response.status != _OK:
            raise EngineFailure(f"the OPA server answered with status {response.status}")
        return answer

    def _connect(self) -> HTTPConnection:
        if self._tls is not None:
            return HTTPSConnection(self._host, self._port, context=self._tls)
        return HTTPConnection(self._host, self._port)

    def _keep(self, connection: HTTPConnection, response: HTTPResponse) -> None:
        with self._lock:
            if not response.will_close and not self._closed and len(self._idle) < MAX_IDLE:
                self._idle.append(connection)
                return
        connection.close()


def _read(connection: HTTPConnection, response: HTTPResponse, deadline: float) -> bytes:
    """The whole body; raises TimeoutError past the deadline however slowly it comes."""
    parts: list[bytes] = []
    size = 0
    while True:
        if connection.sock is not None:
            connection.sock.settimeout(_left(deadline))
        part = response.read1(1 << 16)
        if not part:
            if response.length:
                raise IncompleteRead(b"".join(parts), response.length)
            response.close()  # the connection may be used again
            return b"".join(parts)
        size += len(part)
        if size > MAX_BYTES:
            raise EngineFailure("the OPA server answered with more than can be an answer")
        _left(deadline)
        parts.append(part)


def _left(deadline: float) -> float:
    left = deadline - monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _read_result(unit: Unit, found: Any) -> list[Answer]:
    result = found.get("result") if type(found) is dict else None
    if type(result) is not dict:
        package = ".".join(unit.package)
        raise EngineFailure(f"the OPA server does not know the package `{package}`")
    return [_read_rule(result, entry, is_set=entry in unit.sets) for entry in unit.entries]


def _read_rule(result: dict[str, Any], entry: str, *, is_set: bool) -> Answer:
    if entry in result:
        return Answer(result[entry], defined=True)
    if is_set:  # a set that is empty is an empty list
        return Answer(error=f"the OPA server does not know the rule `{entry}`")
    return UNDEFINED


def _read_token(path: str) -> str:
    token = Path(path).read_text(encoding="ascii").strip()
    if not token or not token.isprintable():
        raise OSError(f"{path} holds no token")
    return token


def _kind(error: Exception) -> str:
    kinds: dict[type[Exception], str] = {
        ConnectionRefusedError: "the connection was refused",
        ssl.SSLCertVerificationError: "its certificate is not trusted",
    }
    return kinds.get(type(error), "the connection failed")
