"""A language server driven over its standard streams, as an editor drives it.

The protocol is the Language Server Protocol 3.17: JSON-RPC messages, each after a header that
tells its length.
"""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

PATIENCE = 30.0
"""Seconds that a server may take for an answer."""


class LanguageServer:
    """A server over the folder `root`; `settings` is what it is told when it asks for them."""

    def __init__(self, command: Sequence[str], root: Path, settings: dict[str, Any]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._root = root
        self._settings = settings
        self._messages: queue.Queue[dict[str, Any]] = queue.Queue()
        self._last = 0
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> Self:
        folder = {"uri": self._root.as_uri(), "name": self._root.name}
        capabilities = {
            "textDocument": {
                "completion": {"completionItem": {"snippetSupport": True}},
                "hover": {"contentFormat": ["markdown"]},
                "publishDiagnostics": {},
            },
            "workspace": {"configuration": True, "workspaceFolders": True},
        }
        self.ask(
            "initialize",
            processId=None,
            rootUri=folder["uri"],
            capabilities=capabilities,
            workspaceFolders=[folder],
        )
        self.tell("initialized")
        self.tell("workspace/didChangeConfiguration", settings=self._settings)
        return self

    def __exit__(self, *_: object) -> None:
        self.ask("shutdown")
        self.tell("exit")
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    def open(self, file: Path) -> list[dict[str, Any]]:
        """Open a document; returns what the server finds wrong with it."""
        document = {"uri": file.as_uri(), "languageId": "yaml", "version": 1}
        self.tell("textDocument/didOpen", textDocument={**document, "text": file.read_text()})

        def tells(message: dict[str, Any]) -> bool:
            published = message.get("method") == "textDocument/publishDiagnostics"
            return published and message["params"]["uri"] == file.as_uri()

        found: list[dict[str, Any]] = self._await(tells)["params"]["diagnostics"]
        return found

    def complete(self, file: Path, line: int, column: int) -> list[str]:
        """The labels that the server offers at a place; `line` and `column` count from 1."""
        answer = self.ask("textDocument/completion", **_place(file, line, column))
        items = answer["items"] if isinstance(answer, dict) else answer
        return [item["label"] for item in items or ()]

    def hover(self, file: Path, line: int, column: int) -> str:
        """What the server says of what stands at a place."""
        answer = self.ask("textDocument/hover", **_place(file, line, column))
        return str(answer["contents"]["value"]) if answer else ""

    def ask(self, method: str, **parameters: Any) -> Any:
        """Send a request and return its result."""
        self._last += 1
        number = self._last
        self._send(id=number, method=method, params=parameters)
        answer = self._await(
            lambda message: message.get("id") == number and "method" not in message
        )
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def tell(self, method: str, **parameters: Any) -> None:
        """Send a notification."""
        self._send(method=method, params=parameters)

    def _await(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            message = self._messages.get(timeout=PATIENCE)
            if "id" in message and "method" in message:
                self._send(id=message["id"], result=self._answer(message))
            elif wanted(message):
                return message

    def _answer(self, request: dict[str, Any]) -> Any:
        if request["method"] != "workspace/configuration":
            return None
        items = request["params"]["items"]
        return [self._settings.get(item.get("section")) for item in items]

    def _send(self, **message: Any) -> None:
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(data), data))
        self._process.stdin.flush()

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        while line := stream.readline():
            length = int(line.partition(b":")[2])
            while stream.readline().strip():
                pass
            self._messages.put(json.loads(stream.read(length)))


def _place(file: Path, line: int, column: int) -> dict[str, Any]:
    position = {"line": line - 1, "character": column - 1}
    return {"textDocument": {"uri": file.as_uri()}, "position": position}
