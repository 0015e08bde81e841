"""Reading logs line by line, whatever they hold, and the records that an auditor asks for."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from guardrails.audit.chain import MAX_LINE, parse_line
from guardrails.audit.folder import SUFFIX, open_log
from guardrails.errors import LogDamaged

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATIENCE = 0.05
"""Seconds after which the rest of a line that a running log is just writing has arrived."""


class RawLine(NamedTuple):
    """A line of a file, from 1: `text` without its newline, None if it is longer than any record.

    `whole` is False for what stands after the last newline.
    """

    number: int
    text: bytes | None
    whole: bool


def find_logs(path: Path | str) -> list[Path]:
    """The log file, or those in a folder and below it, by name; `LogDamaged` if there is none."""
    path = Path(path)
    if not path.is_dir():
        if not path.is_file():
            raise LogDamaged(f"{path}: no such log file or folder")
        return [path]
    found = [
        Path(folder, name)
        for folder, _, names in os.walk(path)
        for name in names
        if name.endswith(SUFFIX)
    ]
    if not found:
        raise LogDamaged(f"{path}: no log files (`*{SUFFIX}`) in this folder")
    return sorted(found, key=lambda file: (file.name, file))


def read_lines(path: Path) -> Iterator[RawLine]:
    """The lines of a file, one in memory at a time; raises `OSError` where it can't be read."""
    with open_log(path) as file:
        number = 0
        while text := file.readline(MAX_LINE + 1):
            number += 1
            if not text.endswith(b"\n") and len(text) <= MAX_LINE:
                text = _wait_for_rest(file, text)
            if text.endswith(b"\n"):
                yield RawLine(number, text[:-1], whole=True)
            elif len(text) > MAX_LINE:
                yield RawLine(number, None, whole=_skip_line(file))
            else:
                yield RawLine(number, text, whole=False)


def _wait_for_rest(file: IO[bytes], text: bytes) -> bytes:
    time.sleep(_PATIENCE)
    return text + file.readline(MAX_LINE + 1 - len(text))


def _skip_line(file: IO[bytes]) -> bool:
    """Read on to the end of the line; whether it has one."""
    while text := file.readline(MAX_LINE):
        if text.endswith(b"\n"):
            return True
    return False


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a log, or a line that isn't one: then `data` is empty and `problem` says why."""

    file: str
    line: int
    data: dict[str, Any]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which records are asked for; a field left at None asks for nothing.

    `id` finds a record, and with a decision its outcome too. `since` and `until` are RFC 3339
    times in UTC (or the beginning of one, such as a date); `until` is not included.
    """

    id: str | None = None
    kind: str | None = None
    tool: str | None = None
    effect: str | None = None
    code: str | None = None
    rule: str | None = None
    subject: str | None = None
    session: str | None = None
    since: str | None = None
    until: str | None = None

    def takes(self, data: dict[str, Any]) -> bool:
        """Whether a record is asked for; a field that it lacks, or has of another form, is not."""
        stamp = str(data.get("timestamp"))
        return (
            _is(self.kind, data.get("kind"))
            and _is(self.tool, _at(data, "input", "tool"))
            and _is(self.effect, _at(data, "result", "effect"))
            and _is(self.code, _at(data, "result", "code"))
            and _is(self.subject, _at(data, "input", "subject", "id"))
            and _is(self.session, _at(data, "input", "session", "id"))
            and (self.id is None or self.id in (data.get("id"), data.get("decision_id")))
            and (self.rule is None or self.rule in _rules(data))
            and (self.since is None or stamp >= self.since)
            and (self.until is None or stamp < self.until)
        )


def records(path: Path | str, wanted: Filter | None = None) -> Iterator[Record]:
    """The records asked for, file by file in the order of their names, and so of their beginning.

    Lines that aren't records are always among them: what an auditor doesn't see must not be what
    somebody damaged. Nothing is verified. Raises `LogDamaged` where there is no log.
    """
    wanted = wanted or Filter()
    for file in find_logs(path):
        try:
            for record in _records_of(file):
                if record.problem or wanted.takes(record.data):
                    yield record
        except OSError as error:
            yield Record(file.name, 0, {}, f"can't be read: {error.strerror}")


def _records_of(file: Path) -> Iterator[Record]:
    for raw in read_lines(file):
        if raw.text is None:
            yield Record(file.name, raw.number, {}, "longer than any record")
        elif not raw.whole:
            yield Record(file.name, raw.number, {}, "cut off")
        else:
            try:
                yield Record(file.name, raw.number, parse_line(raw.text).data)
            except LogDamaged as error:
                yield Record(file.name, raw.number, {}, str(error))


def _is(wanted: str | None, found: Any) -> bool:
    return wanted is None or wanted == found


def _at(data: Any, *names: str) -> Any:
    for name in names:
        if type(data) is not dict:
            return None
        data = data.get(name)
    return data


def _rules(data: dict[str, Any]) -> set[str]:
    """The full names of the rules that took part in a decision."""
    found = set()
    for part in ("matches", "errors", "exceptions"):
        listed = _at(data, "result", part)
        for item in listed if type(listed) is list else []:
            name = _at(item, "rule")
            if type(name) is str:
                found.add(name)
    return found
