"""Bytes -> text -> plain data. What is no text, or goes beyond plain data, is refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.language.source import Source
from guardrails.language.yaml_composer import compose
from guardrails.language.yaml_tree import Fault

if TYPE_CHECKING:
    from guardrails.errors import Problem
    from guardrails.language.yaml_tree import Tree

MAX_BYTES = 5_000_000
"""How large a file may be."""

_REFUSED = (
    (
        re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]"),
        "a control character; write it as an escape in double quotes",
    ),
    (
        re.compile("[\x85\u2028\u2029]"),  # libyaml ends a line here, editors don't
        "a line break that few editors show; write it as an escape in double quotes",
    ),
    (
        re.compile(r"^%(?!YAML 1\.2[ \t]*$).*", re.MULTILINE),
        "YAML directives are not used here; remove the line",
    ),
)
_LINE_BREAK = re.compile(r"\r\n|\r|\n")


def decode(path: str, data: bytes) -> Source:
    """The text of a file; raises `Fault` for what is too large or no UTF-8 text."""
    if len(data) > MAX_BYTES:
        message = f"larger than {MAX_BYTES:,} bytes; split it into several documents"
        raise Fault(Source(path, "").problem_of_file(message))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        source = Source(path, data.decode("utf-8", "replace").removeprefix("\ufeff"))
        before = data[: error.start].decode("utf-8").removeprefix("\ufeff")
        message = f"byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise Fault(source.problem(*_end_of(before), message)) from None
    return Source(path, text.removeprefix("\ufeff"))


def read_yaml(source: Source) -> tuple[Tree | None, list[Problem]]:
    """The data of a file, and every problem found; no data where it can't be made out."""
    problems: list[Problem] = []
    try:
        _refuse_characters(source)
        return compose(source, problems), problems
    except Fault as fault:
        return None, [*problems, fault.problem]


def _refuse_characters(source: Source) -> None:
    for pattern, message in _REFUSED:
        if found := pattern.search(source.text):
            line, column = _end_of(source.text[: found.start()])
            raise Fault(source.problem(line, column, message, len(found.group())))


def _end_of(text: str) -> tuple[int, int]:
    """The place right behind `text`, as line and column."""
    lines = _LINE_BREAK.split(text)
    return len(lines), len(lines[-1]) + 1
