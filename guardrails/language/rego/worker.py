"""The process that evaluates Rego: run as a script, alone, without the rest of the library.

It reads requests on standard input and answers on standard output, each a length (4 bytes, the
most significant first) and so many bytes. The first byte of a request says what to do, the first
of an answer whether that was done (`+`), was refused with a reason (`-`), or is a JSON text (`=`).

A request that would crash, run for ever or take all memory ends this process, never the agent's:
limits on memory and time are the system's, and a panic of the engine ends the process too.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys

TYPE_CHECKING = False  # `typing` is slow to import, and every process starts with this file
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Self

LONGEST_LINE = 1_000_000
LONGEST_FILE = 5_000_000
MOST_LINES = 100_000

UNSCHEDULED = b"could not schedule"
"""What the engine prints, and goes on, where a variable of a rule can't get a value."""

_HEADER = 4
_DIGEST = 32


def main() -> None:  # pragma: no cover - in a process of its own
    """Serve requests until standard input ends. Arguments: the path of regorus, the memory."""
    sys.path.append(sys.argv[1])
    _limit_memory(int(sys.argv[2]))
    import regorus  # type: ignore[import-untyped]  # noqa: PLC0415 - its place is known only now

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the agent's process says when to end
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # kills, also inside the engine's own code
    out = os.dup(1)  # 1 and 2 are left to what the engine prints
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    service = Service(regorus.Engine)
    _send(out, b"+")
    while (request := _receive()) is not None:
        _send(out, service.answer(request))
        signal.setitimer(signal.ITIMER_REAL, 0)


class Service:
    """Holds the prepared units; each answers for the entries of one package."""

    def __init__(self, make_engine: Callable[[], Any]) -> None:
        self._make_engine = make_engine
        self._bases: dict[str, Any] = {}
        self._units: dict[bytes, tuple[Any, list[str]]] = {}

    def answer(self, request: bytes) -> bytes:
        """The answer to a request; whatever is no error of the request's own ends the process."""
        kind, seconds, rest = request[:1], int.from_bytes(request[1:5], "big") / 1000, request[5:]
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            if kind == b"E":
                return self._evaluate(rest)
            if kind == b"V":
                return self._watch(rest)
            if kind == b"A":
                return self._analyse(json.loads(rest))
            return self._prepare(rest) if kind == b"U" else self._parse(rest)
        except MemoryError:  # pragma: no cover - it ends the process
            os._exit(3)
        except Exception as error:  # noqa: BLE001 - of the engine; a panic is no Exception
            return b"-" + _tell(error)

    def _parse(self, request: bytes) -> bytes:
        """`=`, what `_analyse` says of a module by itself, with its length, and its syntax tree."""
        module = json.loads(request)
        path, text = module["path"], module["text"]
        engine = self._make_engine()
        _add(engine, path, text)
        tree: str = engine.get_ast_as_json()
        return b"=" + b"".join((*_framed(self._analyse([(path, text)])), tree.encode()))

    def _analyse(self, modules: list[tuple[str, str]]) -> bytes:
        """`+` where all rules of modules of one package can be evaluated.

        `!` where a declared variable of one gets no value, `-` and why where one can't be.
        """
        engine = self._make_engine()
        engine.set_gather_prints(True)
        for path, text in modules:
            _add(engine, path, text)
        try:
            with _Printed() as printed:
                engine.eval_query("1")  # analyses every rule
        except Exception as error:  # noqa: BLE001 - of the engine
            return b"-" + _tell(error)
        return b"!" if UNSCHEDULED in printed.text else b"+"

    def _prepare(self, request: bytes) -> bytes:
        unit = json.loads(request)
        base = self._bases.get(unit["base"])
        if base is None:
            base = self._make_engine()
            base.set_gather_prints(True)
            base.add_data_json(unit["data"])
            self._bases[unit["base"]] = base
        engine = base.clone()
        for path, text in unit["modules"]:
            _add(engine, path, text)
        # An answer in a list, because one that is undefined is told by a text.
        lines = [f"e{place} := [{rule}]" for place, rule in enumerate(unit["rules"])]
        engine.add_policy("answers", "\n".join(["package guardrails_answers", *lines]))
        engine.set_input_json("{}")
        engine.eval_query("1")
        paths = [f"data.guardrails_answers.e{place}" for place in range(len(lines))]
        self._units[unit["digest"].encode()] = engine, paths
        return b"+"

    def _evaluate(self, request: bytes) -> bytes:
        engine, paths = self._units[request[:_DIGEST]]
        engine.set_input_json(request[_DIGEST:].decode())
        parts = _values(engine, paths)
        engine.take_prints()
        return b"+" + b"".join(parts)

    def _watch(self, request: bytes) -> bytes:
        """As `_evaluate`, of some entries, and last what lines that reached and what it printed."""
        engine, paths = self._units[request[:_DIGEST]]
        start, stop = (
            int.from_bytes(request[at : at + _HEADER], "big") for at in (_DIGEST, _DIGEST + _HEADER)
        )
        engine.set_enable_coverage(True)
        try:
            engine.clear_coverage_data()
            engine.set_input_json(request[_DIGEST + 2 * _HEADER :].decode())
            parts = _values(engine, paths[start:stop])
            files = json.loads(engine.get_coverage_report_as_json())["files"]
        finally:
            engine.set_enable_coverage(False)
        seen = {
            "lines": {file["path"]: (file["covered"], file["not_covered"]) for file in files},
            "prints": engine.take_prints(),
        }
        return b"+" + b"".join((*parts, *_framed(json.dumps(seen).encode())))


def _values(engine: Any, paths: list[str]) -> list[bytes]:
    """What those rules evaluate to, each with its length before it."""
    parts: list[bytes] = []
    for path in paths:
        try:
            value = engine.eval_rule_as_json(path).encode()
        except Exception as error:  # noqa: BLE001 - of this rule; the next may have a value
            value = b"-" + _tell(error)
        parts += _framed(value)
    return parts


def _framed(value: bytes) -> tuple[bytes, bytes]:
    return len(value).to_bytes(_HEADER, "big"), value


class _Printed(contextlib.AbstractContextManager["_Printed"]):
    """Collects what is printed meanwhile, by foreign code too, in `text`: its first 64 KiB."""

    text = b""

    def __enter__(self) -> Self:
        self._read, write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(write, False)
        self._kept = [(number, os.dup(number)) for number in (1, 2)]
        for number, _ in self._kept:
            os.dup2(write, number)
        os.close(write)
        return self

    def __exit__(self, *_: object) -> None:
        for number, kept in self._kept:
            os.dup2(kept, number)
            os.close(kept)
        self.text = os.read(self._read, 1 << 16)
        os.close(self._read)


def _add(engine: Any, path: str, text: str) -> None:
    """Add a module in today's syntax or, where that can't be, in the one before OPA 1.0."""
    engine.set_policy_length_config(
        max_col=LONGEST_LINE, max_file_bytes=LONGEST_FILE, max_lines=MOST_LINES
    )
    try:
        engine.add_policy(path, text)
    except Exception:
        engine.set_rego_v0(True)
        try:
            engine.add_policy(path, text)
        except Exception:  # noqa: BLE001, S110 - the first one is told
            pass
        else:
            return
        finally:
            engine.set_rego_v0(False)
        raise


def _tell(error: Exception) -> bytes:
    return str(error).partition("\n\nStack backtrace")[0].encode(errors="replace")


def _limit_memory(limit: int) -> None:  # pragma: no cover - in a process of its own
    import resource  # noqa: PLC0415 - only here

    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _receive() -> bytes | None:  # pragma: no cover - in a process of its own
    header = _read(_HEADER)
    return None if header is None else _read(int.from_bytes(header, "big"))


def _read(length: int) -> bytes | None:  # pragma: no cover - in a process of its own
    parts = []
    while length:
        part = os.read(0, min(length, 1 << 20))
        if not part:
            return None
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _send(out: int, answer: bytes) -> None:  # pragma: no cover - in a process of its own
    rest = memoryview(len(answer).to_bytes(_HEADER, "big") + answer)
    while rest:
        rest = rest[os.write(out, rest) :]


if __name__ == "__main__":  # pragma: no cover - in a process of its own
    main()
